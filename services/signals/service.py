"""The shell of the signals stage, for one term: the stage, and its latest signals, told often."""

import asyncio
from collections.abc import Mapping

import structlog

from services.signals.metrics import SignalsCollector
from services.signals.step import SignalsStep
from shared.adapters.bus import Bus, BusUnavailable, PublishRefused
from shared.adapters.store import StageRecord, Store, StoreTrouble
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.policies import SignalPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import Signal, SignalsObserved
from shared.runtime.freshness import Freshness
from shared.runtime.health import Health
from shared.runtime.lag import lags
from shared.runtime.precedence import Precedence
from shared.runtime.stage import Committed, StagePolicy, run_stage
from shared.wire import codec, keys, topics
from shared.wire.announcements import signal_message

log = structlog.get_logger()

SERVICE = "signals"
_CHECK = "signals.stage"
_TELL_EVERY_S = 0.25
_SNAPSHOT_EVERY = 500


class Signals:
    """Computes signals, and tells the latest.

    Args:
        policy: Which signals, computed how.
        calendar: When the market is open.
        bus: Where the latest signals are told.
        store: Of the journal, this stage and its log.
        epoch: Of the lease it is run under.
        metrics: Told where to read.
        health: Told whether the stage runs, and is fed.
        precedence: Of the stages of this process.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        policy: SignalPolicy,
        calendar: SessionCalendar,
        bus: Bus,
        store: Store,
        epoch: int,
        metrics: SignalsCollector,
        health: Health,
        precedence: Precedence | None = None,
    ) -> None:
        self._policy = policy
        self._calendar = calendar
        self._precedence = precedence
        self._bus = bus
        self._store = store
        self._epoch = epoch
        self._latest: SignalsObserved | None = None
        self._behind = 0
        self._cursors: Mapping[str, int] = {}
        self._step = SignalsStep(policy, calendar, None)
        self._told: dict[str, Signal] = {}
        self._health = health
        health.failing(_CHECK, "its record is not loaded yet")
        freshness = Freshness(calendar, policy.vix_stale_trading_ns, lambda: self._latest)
        health.watch("signals.data", freshness.trouble)
        self._metrics = metrics
        clock = SessionClock(calendar)
        metrics.follow(
            lambda: self._latest, lambda: self._behind, lambda now_ns: clock.at(now_ns).is_open
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`.

        Raises:
            StageStopped: Another process took over, or the store lost data.
        """
        try:
            await self._run(stop)
        finally:
            self._metrics.stand_down()

    async def _run(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            others = [
                tasks.create_task(self._tell(), name="tell"),
                tasks.create_task(self._watch_lag(), name="lag"),
            ]
            await run_stage(
                self._store,
                SERVICE,
                [keys.journal()],
                self._make_step,
                stop=stop,
                epoch=self._epoch,
                policy=StagePolicy(snapshot_every=_SNAPSHOT_EVERY),
                after_commit=self._committed,
                on_trouble=self._wait,
                precedence=self._precedence,
            )
            for task in others:
                task.cancel()

    def _make_step(self, record: StageRecord) -> SignalsStep:
        reached = record.reached.get(keys.journal(), 0)
        self._step = SignalsStep(self._policy, self._calendar, record.state, reached=reached)
        self._cursors = {keys.journal(): record.cursors.get(keys.journal(), 0)}
        self._health.passing(_CHECK)
        return self._step

    async def _committed(self, committed: Committed) -> None:
        self._latest = self._step.latest or self._latest
        self._cursors = committed.cursors

    async def _watch_lag(self) -> None:
        async for behind in lags(self._store, lambda: self._cursors):
            self._behind = behind

    async def _tell(self) -> None:
        """Publish what has changed, at most a few times a second: only the latest counts."""
        while True:
            await asyncio.sleep(_TELL_EVERY_S)
            if self._latest is None:
                continue
            for name, signal in self._latest.signals.items():
                if self._told.get(name) != signal:
                    await self._publish(name, signal)

    async def _publish(self, name: str, signal: Signal) -> None:
        payload = codec.encode(signal_message(name, signal))
        try:
            await self._bus.publish(topics.signal(name), payload, qos=0, retain=True)
        except (BusUnavailable, PublishRefused):
            return  # told with the next change
        self._told[name] = signal

    def _wait(self, trouble: StoreTrouble) -> None:
        self._health.failing(_CHECK, str(trouble))
        log.warning("stage_waits", stage=SERVICE, error=str(trouble))
