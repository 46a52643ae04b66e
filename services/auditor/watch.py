"""Looks after the others, twice a second: whoever is dead cannot say so.

It lives in the auditor's process, which shares neither memory nor faults with those that it looks
at, stands beside the gateway's disk, and runs wherever hedgestat does. It is not under the
auditor's lease: a store that is away ends every lease, and is just what must be told. Of several
auditors the one that leads speaks; while nobody leads, or the store does not answer, all do.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct

from services.auditor.vigil import Sighting, StoresSeen, Vigil
from shared.adapters.bus import Bus, Message
from shared.adapters.clock import Clock
from shared.adapters.disk import free_ratio
from shared.adapters.store import Store, StoreTrouble
from shared.domain.hedging.alerts import ALIVE, alert
from shared.domain.trading import ALL
from shared.runtime.alarm import Alarm
from shared.runtime.health import Health
from shared.wire import codec, keys, topics
from shared.wire.codec import MalformedMessage
from shared.wire.messages import ProgressMessage, StatusMessage, TriggerMessage

log = structlog.get_logger()

_HEDGER: Final = topics.progress("hedger")
SUBSCRIPTIONS: Final = (topics.STATUS, topics.TRIGGERS, _HEDGER)
LOOK_S: Final = 0.5
ALIVE_EVERY_S: Final = 5.0
_ANSWER_S: Final = 0.8
_LEASE: Final = "auditor.lease"
_AUDITOR: Final = "auditor"
_INPUTS: Final = {
    "signals": keys.journal(),
    "hedger": keys.signal_log(),
    "exposure": keys.journal(),
}


class WatchPolicy(Struct, frozen=True, kw_only=True):
    """What is looked at.

    Attributes:
        stages: Those that should be led.
        disk: A path on the gateway's disk.
        is_live: Whether the wall clock is journalled.
        name: Ours, in `monitor_alive`.
    """

    stages: tuple[str, ...]
    disk: Path
    is_live: bool
    name: str


class Watch:
    """Tells what is wrong with the others, and that somebody looks.

    Args:
        policy: What is looked at.
        bus: Subscribed to `SUBSCRIPTIONS`.
        market: Store of journal, signals and exposure.
        orders: Store of decisions and outbox.
        clock: Of this process.
        health: Of this process: says whether its auditor leads.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        policy: WatchPolicy,
        bus: Bus,
        market: Store,
        orders: Store,
        clock: Clock,
        health: Health,
    ) -> None:
        self._policy = policy
        self._bus = bus
        self._market = market
        self._orders = orders
        self._clock = clock
        self._health = health
        self._alarm = Alarm(bus)
        self._vigil = Vigil(is_live=policy.is_live)
        self._others_lead = False
        self._alive_s = float("-inf")
        self._settled: str | None = None
        self._steps = 0

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._alarm.run(), name="alarm")
            tasks.create_task(self._listen(), name="listen")
            while True:
                await self._look()
                await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        stores = await self._ask()
        if stores is not None:
            leads = self._health.report().get(_LEASE)
            self._others_lead = stores.leaders[_AUDITOR] is not None and not (leads and leads.ready)
        sighting = Sighting(
            now_ns=self._clock.now_ns(),
            now_s=self._clock.monotonic_s(),
            stores=stores,
            free=await asyncio.to_thread(free_ratio, self._policy.disk),
        )
        told = self._vigil.look(sighting)
        if self._others_lead and stores is not None:
            return  # judged all the same: we may have to go on from here
        for each in told:
            log.warning("watch", what=each.what, where=each.where, **each.figures)
            self._alarm.ring(each)
        is_due = sighting.now_s - self._alive_s >= ALIVE_EVERY_S
        if is_due and self._bus.connected.is_set():  # else hundreds would wait for the broker
            self._alive_s = sighting.now_s
            self._alarm.ring(alert(ALL, sighting.now_ns, ALIVE, self._policy.name))

    async def _ask(self) -> StoresSeen | None:
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await self._read()
        except (StoreTrouble, TimeoutError) as trouble:
            log.warning("watch_waits", error=str(trouble))
            return None

    async def _read(self) -> StoresSeen:
        leaders, behind = {}, {}
        journal = (await self._market.extent(keys.journal())).last
        log_end = (await self._market.extent(keys.signal_log())).last
        ends = {keys.journal(): journal, keys.signal_log(): log_end}
        for stage in self._policy.stages:
            store = self._orders if stage == "hedger" else self._market
            leaders[stage] = await store.leader(stage)
            if stage in _INPUTS:
                cursor = await store.cursor(stage, _INPUTS[stage])
                behind[stage] = max(0, ends[_INPUTS[stage]] - cursor)
        reached = {"ingest": journal, "signals": log_end}
        if self._policy.is_live:  # in a replay it may rest between two clock events
            self._steps += not self._bus.connected.is_set()  # then it is not heard
            reached["hedger"] = self._steps
        outbox = await self._orders.extent(keys.outbox())
        waiting = outbox.last - outbox.first + 1
        return StoresSeen(
            leaders=leaders,
            behind=behind,
            reached=reached,
            oldest_order=outbox.first if waiting > 0 else 0,
            waiting=max(0, waiting),
        )

    async def _listen(self) -> None:
        while True:
            messages: Sequence[Message] = await self._bus.next_batch(100)
            for message in messages:
                try:
                    self._take(message)
                except MalformedMessage as error:
                    log.warning("watch_malformed", topic=message.topic, error=str(error))
                message.ack()

    def _take(self, message: Message) -> None:
        if message.topic.startswith(topics.STATUS.rstrip("+")):
            status = codec.decode(StatusMessage, message.payload)
            self._vigil.hear(
                topics.last_level(message.topic),
                is_online=status.state == "online",
                is_news=not message.retain,
                now_s=self._clock.monotonic_s(),
            )
        elif message.topic == _HEDGER:
            settled = codec.decode(ProgressMessage, message.payload).settled
            self._steps += settled != self._settled
            self._settled = settled
        elif not message.retain and not self._others_lead:
            self._tell_firing(codec.decode(TriggerMessage, message.payload))

    def _tell_firing(self, trigger: TriggerMessage) -> None:
        if trigger.state == "firing":
            event_ns = codec.instant_ns(trigger.event_time)
            fired = alert(trigger.book, event_ns, "trigger_fired", trigger.trigger, trigger.inputs)
            self._alarm.ring(fired)
