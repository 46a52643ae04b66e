"""The shell of the feed: sends the step in hand, listens how far the others are, goes on."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import structlog
from msgspec import Struct

from services.feed.metrics import FeedMetrics
from services.feed.pacing import NumberedStep, Pacer, number
from shared.adapters.bus import Bus, BusUnavailable
from shared.adapters.clock import Clock
from shared.adapters.history.replay import ReplayStep
from shared.domain.events import Tick
from shared.domain.instants import SECOND
from shared.wire import codec, topics
from shared.wire.messages import ClockMessage, ProgressMessage, TickMessage
from shared.wire.times import format_instant, parse_instant

log = structlog.get_logger()

SERVICE = "feed"
SUBSCRIPTIONS = (topics.PROGRESS,)
_TICKS_A_MESSAGE = 500
_COMPLAIN_EVERY_S = 10.0


def waited_for(*, has_positions: bool) -> frozenset[str]:
    """Name the services that settle every step of a replay."""
    return frozenset(("hedger", "gateway", *(("exposure",) if has_positions else ())))


class FeedPolicy(Struct, frozen=True, kw_only=True):
    """How a replay is fed.

    Attributes:
        source: Its name. One name is one series of numbers for ever: a replay begun again under
            the same name goes on where the journal is.
        waits_for: Services that must settle a step before the next is sent.
        speed: Event time per wall time; `None`: as fast as it settles.
    """

    source: str
    waits_for: frozenset[str] = waited_for(has_positions=False)
    speed: float | None = None


class Feed:
    """Publishes a replay.

    Args:
        policy: Name, waiting, speed.
        bus: Subscribed to `SUBSCRIPTIONS`.
        clock: For pauses and resends.
        metrics: What is counted.
        on_step: Told of each step that is done.
    """

    def __init__(
        self,
        *,
        policy: FeedPolicy,
        bus: Bus,
        clock: Clock,
        metrics: FeedMetrics,
        on_step: Callable[[NumberedStep], None],
    ) -> None:
        self._policy = policy
        self._bus = bus
        self._clock = clock
        self._metrics = metrics
        self._on_step = on_step
        self._pacer = Pacer(policy.waits_for)
        self._heard = asyncio.Event()
        self._began: tuple[float, int] | None = None

    async def run(self, steps: Iterable[ReplayStep]) -> None:
        """Publish all steps; returns when the last one is settled."""
        async with asyncio.TaskGroup() as tasks:
            listener = tasks.create_task(self._listen(), name="progress")
            await self._bus.connected.wait()
            for step in number(steps, self._policy.source):
                await self._keep_pace(step)
                await self._settle(step)
                self._metrics.done(step)
                self._on_step(step)
            listener.cancel()

    async def _settle(self, step: NumberedStep) -> None:
        """Send a step, and again what is not journalled, until it is done."""
        self._pacer.begin(step, self._clock.monotonic_s())
        complain_at_s = self._clock.monotonic_s() + _COMPLAIN_EVERY_S
        while not self._pacer.is_done:
            due = self._pacer.due(self._clock.monotonic_s())
            if due is not None:
                await self._send(due)
            if self._clock.monotonic_s() > complain_at_s:
                complain_at_s += _COMPLAIN_EVERY_S
                self._complain()
            await self._hear()

    async def _hear(self) -> None:
        """Wait for news, but not beyond the next resend."""
        deadline_s = self._pacer.next_deadline()
        wait_s = 1.0 if deadline_s is None else deadline_s - self._clock.monotonic_s()
        try:
            async with asyncio.timeout(max(0.0, wait_s)):
                await self._heard.wait()
        except TimeoutError:
            return
        self._heard.clear()

    async def _send(self, step: NumberedStep) -> None:
        self._metrics.sent(step)
        try:
            for first in range(0, len(step.ticks), _TICKS_A_MESSAGE):
                ticks = step.ticks[first : first + _TICKS_A_MESSAGE]
                await self._bus.publish(topics.TICKS, _ticks_payload(ticks), qos=1)
            clock = ClockMessage(
                event_time=step.clock.event_ns,
                source=step.clock.source,
                sequence=step.clock.sequence,
            )
            await self._bus.publish(topics.CLOCK, codec.encode(clock), qos=1)
        except BusUnavailable as error:
            log.warning("feed_waits", error=str(error))

    async def _listen(self) -> None:
        async for message in self._bus.messages():
            try:
                progress = codec.decode(ProgressMessage, message.payload)
                self._take(progress)
            except ValueError as error:
                log.warning("progress_malformed", topic=message.topic, error=str(error))
            message.ack()

    def _take(self, progress: ProgressMessage) -> None:
        if progress.source == self._policy.source:
            self._pacer.journalled(progress.sequence)
        if progress.settled is not None:
            settled_ns = parse_instant(progress.settled)
            self._pacer.settled(progress.service, settled_ns, progress.sequence)
        self._heard.set()

    async def _keep_pace(self, step: NumberedStep) -> None:
        """Hold a step back until its time has come, at the speed asked for."""
        if self._policy.speed is None:
            return
        now_s = self._clock.monotonic_s()
        if self._began is None:
            self._began = now_s, step.clock.event_ns
        began_s, began_ns = self._began
        due_s = began_s + (step.clock.event_ns - began_ns) / SECOND / self._policy.speed
        await asyncio.sleep(max(0.0, due_s - now_s))

    def _complain(self) -> None:
        waiting = self._pacer.unsettled()
        log.warning(
            "replay_waits",
            for_services=", ".join(waiting) or "ingest",
            remedy="start what is missing, or look at its log; the replay goes on by itself",
        )


def _ticks_payload(ticks: Sequence[Tick]) -> bytes:
    return codec.encode_all(
        [
            TickMessage(
                symbol=tick.symbol,
                event_time=format_instant(tick.event_ns),
                price=tick.price,
                bid=tick.bid,
                ask=tick.ask,
                bid_size=tick.bid_size,
                ask_size=tick.ask_size,
                source=tick.source,
                sequence=tick.sequence,
            )
            for tick in ticks
        ]
    )
