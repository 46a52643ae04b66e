"""The shell of the exposure stage, for one term: the stage, what it tells, what it measures.

An exposure is told while it is being committed. It follows from the journal alone: whoever takes
it again after a crash tells the same. Nothing acts on what is told: a measurement leaves when it
is committed.
"""

import asyncio
from collections.abc import Callable, Mapping

import structlog
from msgspec import DecodeError

from services.exposure.coverage import Coverage
from services.exposure.measurements import Measurements
from services.exposure.metrics import ExposureMetrics
from services.exposure.step import SERVICE, ExposureStep
from shared.adapters.bus import Bus, BusUnavailable, PublishRefused
from shared.adapters.store import StageRecord, Store, StoreTrouble
from shared.domain.exposure.engine import ExposureMonitor, ExposureState
from shared.domain.exposure.observed import ExposureObserved
from shared.runtime.alarm import Alarm
from shared.runtime.announcer import Announcer
from shared.runtime.health import Health
from shared.runtime.lag import lags
from shared.runtime.ledger import StepOutput
from shared.runtime.precedence import Precedence
from shared.runtime.progress import ProgressReporter
from shared.runtime.stage import Committed, StagePolicy, run_stage
from shared.wire import codec, keys, topics
from shared.wire.exposures import exposure_message
from shared.wire.messages import ProgressMessage
from shared.wire.times import format_instant

log = structlog.get_logger()

_CHECK = "exposure.stage"
_SNAPSHOT_EVERY = 200
_MOST_ENTRIES = 64
"""So many are caught up with at a time; fewer when they revalue so often that it takes long."""
_LOG_KEPT = 2_000
_ALERTS_KEPT = 10_000

MakeMonitor = Callable[[ExposureState | None], ExposureMonitor]


class Exposure:
    """Computes exposure, tells the latest of every book, and has measurements journalled.

    Args:
        make_monitor: Makes the monitor, from its state or, at first, from `None`.
        bus: Where exposure is told and measurements go.
        store: Of the journal, this stage and its log.
        epoch: Of the lease it is run under.
        measurements: Carries them to the journal.
        metrics: Told where to read.
        health: Told whether the stage runs.
        precedence: Of the stages of this process.
        in_thread: Whether there is so much to value that it takes a thread of its own.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        make_monitor: MakeMonitor,
        bus: Bus,
        store: Store,
        epoch: int,
        measurements: Measurements,
        metrics: ExposureMetrics,
        health: Health,
        precedence: Precedence | None = None,
        in_thread: bool = False,
    ) -> None:
        self._make_monitor = make_monitor
        self._bus = bus
        self._store = store
        self._epoch = epoch
        self._measurements = measurements
        self._metrics = metrics
        self._health = health
        self._precedence = precedence or Precedence()
        self._in_thread = in_thread
        self._progress = ProgressReporter(bus, SERVICE)
        self._announcer = Announcer(bus, store, SERVICE, epoch)
        self._coverage, self._alarm = Coverage(), Alarm(bus)
        self._step: ExposureStep | None = None
        self._prepared: tuple[int, ExposureStep | None] = -1, None
        self._latest: dict[str, ExposureObserved] = {}
        self._news: dict[str, ExposureObserved] = {}
        self._told = asyncio.Event()
        self._cursors: Mapping[str, int] = {}
        self._behind = 0
        health.failing(_CHECK, "its record is not loaded yet")
        metrics.follow(
            lambda: self._latest,
            lambda: self._behind,
            lambda: measurements.waiting,
            lambda: 0 if self._step is None else self._step.wide_expiries,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`.

        Raises:
            StageStopped: Another process took over, or the store lost data.
        """
        await self._prepare()
        async with asyncio.TaskGroup() as tasks:
            others = [
                tasks.create_task(self._tell(), name="tell"),
                tasks.create_task(self._announcer.run(), name="alerts"),
                tasks.create_task(self._alarm.run(), name="alarm"),
                tasks.create_task(self._measurements.run(), name="measurements"),
                tasks.create_task(self._progress.run(), name="progress"),
                tasks.create_task(self._watch_lag(), name="lag"),
            ]
            await run_stage(
                self._store,
                SERVICE,
                [keys.journal()],
                self._make_step,
                stop=stop,
                epoch=self._epoch,
                policy=StagePolicy(
                    max_entries=_MOST_ENTRIES,
                    snapshot_every=_SNAPSHOT_EVERY,
                    in_thread=self._in_thread,
                    keep={
                        keys.exposure_log(): _LOG_KEPT,
                        keys.announcements(SERVICE): _ALERTS_KEPT,
                    },
                ),
                before_commit=self._tell_soon,
                after_commit=self._committed,
                on_trouble=self._wait,
                precedence=self._precedence,
            )
            for task in others:
                task.cancel()

    async def _prepare(self) -> None:
        """Make the step in a thread: for 100,000 options it takes longer than a lease lasts."""
        try:
            record = await self._store.load(SERVICE)
            self._prepared = record.batch, await asyncio.to_thread(self._build, record)
        except (StoreTrouble, DecodeError):
            return  # the stage meets it, too

    def _build(self, record: StageRecord) -> ExposureStep:
        reached = record.reached.get(keys.journal(), 0)
        return ExposureStep(self._make_monitor, record.state, reached=reached)

    def _make_step(self, record: StageRecord) -> ExposureStep:
        batch, prepared = self._prepared
        self._prepared = -1, None
        if prepared is None or batch != record.batch:
            prepared = self._build(record)
        self._step = prepared
        self._cursors = {keys.journal(): record.cursors.get(keys.journal(), 0)}
        self._health.passing(_CHECK)
        self._follow(self._step)
        return self._step

    def _tell_soon(self, _: StepOutput) -> None:
        assert self._step is not None  # noqa: S101 - it was made before anything is committed
        self._news |= {each.book: each for each in self._step.observed}
        self._told.set()

    async def _committed(self, committed: Committed) -> None:
        assert self._step is not None  # noqa: S101 - it was made before anything is committed
        self._cursors = committed.cursors
        if not committed.output:  # it was taken again: nobody was told before a commit
            self._tell_soon(committed.output)
        self._latest |= self._step.latest
        self._metrics.committed(self._step.observed)
        self._follow(self._step)

    def _follow(self, step: ExposureStep) -> None:
        """See that measurements leave, and say what is settled when the journal has them."""
        self._measurements.follow(step.awaited, step.measured)
        if step.clock_ns and not step.awaited:
            settled = format_instant(step.clock_ns)
            self._progress.report(
                ProgressMessage(service=SERVICE, sequence=step.measured, settled=settled)
            )

    async def _tell(self) -> None:
        """Publish the latest exposure of every book: one that is overtaken is never told."""
        while True:
            await self._told.wait()
            self._told.clear()
            while self._news:
                book = next(iter(self._news))
                await self._publish(self._news.pop(book))

    async def _publish(self, observed: ExposureObserved) -> None:
        payload = codec.encode(exposure_message(observed))
        try:
            await self._bus.publish(topics.exposure(observed.book), payload, qos=0, retain=True)
        except (BusUnavailable, PublishRefused):
            return  # told with the next one

    async def _watch_lag(self) -> None:
        async for behind in lags(self._store, lambda: self._cursors):
            self._behind = behind
            now_s = asyncio.get_running_loop().time()
            for each in self._latest.values():
                for told in self._coverage.judge(each, now_s):
                    self._alarm.ring(told)

    def _wait(self, trouble: StoreTrouble) -> None:
        self._health.failing(_CHECK, str(trouble))
        log.warning("stage_waits", stage=SERVICE, error=str(trouble))
