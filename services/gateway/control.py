"""Who may stop trading and let it go on: operators, desk, auditor, the hedger's silence, epochs.

It has a connection of its own, so that no flood of orders stands before a command.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Final

import structlog

from services.gateway.desk import Desk
from services.gateway.epochs import Epochs
from services.gateway.metrics import GatewayMetrics
from services.gateway.not_believed import NotBelieved
from shared.adapters.bus import Bus, Message
from shared.adapters.clock import Clock
from shared.adapters.keyring import Forged, Keyring, Role
from shared.domain.gatekeeping.commands import not_news, not_stricter
from shared.domain.gatekeeping.dead_man import DeadMan
from shared.domain.gatekeeping.refusal import Refusal
from shared.domain.instants import SECOND
from shared.domain.trading import (
    ALL,
    STRICTNESS,
    Authority,
    TradingState,
    TradingStateSet,
)
from shared.wire import topics
from shared.wire.codec import MalformedMessage, instant_ns
from shared.wire.messages import (
    HeartbeatMessage,
    TradingCommandMessage,
)

log = structlog.get_logger()

SUBSCRIPTIONS: Final = (topics.HALT, topics.RESUME, topics.EPOCHS, topics.HEARTBEATS)
HEARTBEAT_AGE_NS: Final = 5 * SECOND
_LOOK_S: Final = 0.1
_BOOT: Final = "boot"
_STOPPED_ITSELF: Final = "dead_man"
_SIGNERS: Final[tuple[tuple[Role, Authority], ...]] = (
    ("operator", "operator"),
    ("desk", "desk"),
    ("auditor", "auditor"),
)


class Control:
    """Takes commands, heartbeats and epochs.

    Args:
        bus: Subscribed to `SUBSCRIPTIONS`.
        keyring: Believes operator, desk, auditor and monitor, signs as the gateway.
        desk: Sets trading states.
        metrics: What is counted.
        clock: The wall clock, and the gateway's own.
        is_live: Whether a command may be too old.
        arms_itself: Whether it goes on by itself when the hedger is heard again.
        ring: Tells a person: which alert, and about what.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        bus: Bus,
        keyring: Keyring,
        desk: Desk,
        metrics: GatewayMetrics,
        clock: Clock,
        is_live: bool,
        arms_itself: bool,
        ring: Callable[[str, str], None],
    ) -> None:
        self._bus = bus
        self._keyring = keyring
        self._desk = desk
        self._metrics = metrics
        self._clock = clock
        self._is_live = is_live
        self._arms_itself = arms_itself
        self._ring = ring
        self._epochs = Epochs(bus, keyring, desk, metrics, self._stop_for_regress)
        self._dead_man = DeadMan()
        self._beat = (0, 0)

    @property
    def heard_s(self) -> float | None:
        """For how long the hedger has been silent, in seconds; `None`: it was never heard."""
        return self._dead_man.silent_s if self._dead_man.heard else None

    async def arm(self) -> None:
        """Start: halted until an operator resumes, unless this gateway arms itself."""
        own = self._desk.states.orders.get(f"gateway/{ALL}")
        if self._arms_itself:
            log.warning("gateway_armed_itself", environment=self._keyring.environment)
            if own is not None and own.operator in {_BOOT, _STOPPED_ITSELF}:
                await self._set_own(TradingState.ACTIVE, _BOOT, "it arms itself")
        elif self._own() is not TradingState.HALTED:
            reason = "started: `hedgestat resume` arms it"
            await self._set_own(TradingState.HALTED, _BOOT, reason)

    async def run(self) -> None:
        """Listen, to messages and to silence, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(), name="commands")
            tasks.create_task(self._watch_silence(), name="dead_man")
            tasks.create_task(self._epochs.run(), name="epoch_answers")

    # --- messages ------------------------------------------------------------------------------

    async def _listen(self) -> None:
        async for message in self._bus.messages():
            try:
                await self._receive(message)
            except NotBelieved as refused:
                self._disbelieve(message.topic, refused.reason, str(refused))
            except Forged as forged:
                self._disbelieve(message.topic, forged.reason, str(forged))
                self._ring("message_forged", f"{forged.reason} on {message.topic}")
            except MalformedMessage as error:
                self._disbelieve(message.topic, "malformed", str(error))
            except sqlite3.OperationalError as error:  # whoever commands is not answered
                self._desk.disk_failed(error)
            message.ack()

    async def _receive(self, message: Message) -> None:
        if message.retain:
            raise NotBelieved(Refusal("retained", "a topic's last value: old news"))
        if message.topic in {topics.HALT, topics.RESUME}:
            await self.command(message.topic, message.payload)
        elif message.topic.startswith(topics.EPOCHS.rstrip("+")):
            await self._epochs.receive(message)
        else:
            await self._take_heartbeat(message)

    def _disbelieve(self, topic: str, reason: str, detail: str) -> None:
        if topic in {topics.HALT, topics.RESUME}:  # old heartbeats come in hundreds after a pause
            log.error("command_disbelieved", topic=topic, reason=reason, detail=detail)
        self._metrics.command_refused(reason)

    # --- commands ------------------------------------------------------------------------------

    async def command(self, topic: str, payload: bytes) -> None:
        """Carry a sealed command out; on the disk when this returns.

        Raises:
            NotBelieved: It is old, or not its author's to give.
            Forged: It is from no operator, nor the desk or the auditor; or the desk resumes, which
                the page never does.
            MalformedMessage: It is no command.
        """
        authority, wire = self._open(topic, payload)
        if topic == topics.RESUME and authority == "desk":
            raise Forged("not_entitled", f"a resume by the desk's key {wire.key_id}: it is stolen")
        issued_ns = instant_ns(wire.issued_at)
        now_ns = self._clock.now_ns() if self._is_live else None
        change = TradingStateSet(
            scope=wire.scope,
            state=TradingState(wire.state),
            authority=authority,
            operator=wire.operator,
            reason=wire.reason,
            event_ns=issued_ns,
        )
        last_ns = self._desk.record.last_command_ns(wire.key_id)
        refusal = (
            not_news(issued_ns, last_ns, now_ns)
            or self._not_here(topic, change)
            or (None if authority == "operator" else not_stricter(self._desk.states, change))
        )
        if refusal is not None:
            raise NotBelieved(refusal)
        await self._desk.set_states([change], untold=False, command=(wire.key_id, issued_ns))
        log.warning("trading_state_set", scope=change.scope, state=change.state, by=change.operator)

    async def halt_unsigned(self, change: TradingStateSet) -> None:
        """Do what somebody at the gateway's own socket wants, who may only stop.

        Raises:
            NotBelieved: There is no such scope.
        """
        refusal = self._not_here(topics.HALT, change)
        if refusal is not None:
            raise NotBelieved(refusal)
        if not_stricter(self._desk.states, change) is None:
            await self._desk.set_states([change], untold=True)
        log.warning("trading_state_set", scope=change.scope, state=change.state, by=change.operator)

    def _open(self, topic: str, payload: bytes) -> tuple[Authority, TradingCommandMessage]:
        for role, authority in _SIGNERS:
            try:
                return authority, self._keyring.open(role, topic, payload, TradingCommandMessage)
            except Forged as forged:
                if forged.reason != "unknown_key":
                    raise
        raise Forged("unknown_key", "signed by no operator, desk or auditor that is trusted here")

    def _not_here(self, topic: str, change: TradingStateSet) -> Refusal | None:
        if change.scope not in self._desk.scopes:
            known = ", ".join(self._desk.scopes)
            return Refusal("unknown_scope", f"{change.scope}: there are {known}")
        if (topic == topics.RESUME) != (change.state is TradingState.ACTIVE):
            return Refusal("wrong_topic", f"{change.state} on {topic}")
        return None

    # --- the gateway by itself -------------------------------------------------------------------

    def _own(self) -> TradingState:
        """What the gateway itself has set for all books."""
        order = self._desk.states.orders.get(f"gateway/{ALL}")
        return TradingState.ACTIVE if order is None else order.state

    async def _set_own(
        self, state: TradingState, operator: str, reason: str, *, volatile: bool = False
    ) -> None:
        change = TradingStateSet(
            scope=ALL,
            state=state,
            authority="gateway",
            operator=operator,
            reason=reason,
            event_ns=self._desk.stamp_ns(),
        )
        await self._desk.set_states([change], untold=not volatile, volatile=volatile)
        log.warning(
            "gateway_stops" if state is not TradingState.ACTIVE else "gateway_goes_on",
            state=state,
            by=operator,
            reason=reason,
        )

    async def _stop_for_regress(self, reason: str) -> None:
        await self._set_own(TradingState.HALTED, "epoch_regress", reason)
        self._ring("epoch_regress", reason)

    # --- silence -------------------------------------------------------------------------------

    async def hear_order(self) -> None:
        """An order is a sign of life too, where nobody resumes by hand."""
        if self._arms_itself:
            await self._hear()

    async def _hear(self) -> None:
        self._dead_man.hear()
        await self._follow_dead_man()

    async def _watch_silence(self) -> None:
        last_s = self._clock.monotonic_s()
        while True:
            await asyncio.sleep(_LOOK_S)
            now_s = self._clock.monotonic_s()
            self._dead_man.pass_time(now_s - last_s)
            last_s = now_s
            await self._follow_dead_man()

    async def _follow_dead_man(self) -> None:
        wanted, own = self._dead_man.wanted, self._own()
        if STRICTNESS.index(wanted) > STRICTNESS.index(own):
            reason = f"the hedger is silent for {self._dead_man.silent_s:.1f} s"
            await self._set_own(wanted, _STOPPED_ITSELF, reason, volatile=self._arms_itself)
            self._metrics.dead_man(wanted)
            if wanted is TradingState.HALTED:
                self._ring("hedger_silent", reason)
        elif wanted is TradingState.ACTIVE and self._may_go_on():
            reason = "the hedger is heard again"
            await self._set_own(wanted, _STOPPED_ITSELF, reason, volatile=self._arms_itself)

    def _may_go_on(self) -> bool:
        order = self._desk.states.orders.get(f"gateway/{ALL}")
        return (
            order is not None
            and order.operator == _STOPPED_ITSELF
            and (self._arms_itself or order.state is TradingState.REDUCING)
        )

    async def _take_heartbeat(self, message: Message) -> None:
        wire = self._keyring.open("monitor", message.topic, message.payload, HeartbeatMessage)
        if message.topic != topics.heartbeats(wire.service):
            raise NotBelieved(Refusal("wrong_topic", f"{wire.service} on {message.topic}"))
        if wire.epoch < self._desk.epoch:
            raise NotBelieved(Refusal("superseded", f"a heartbeat of epoch {wire.epoch}"))
        beat = (wire.epoch, wire.sequence)
        if beat <= self._beat:
            raise NotBelieved(Refusal("replayed", f"heartbeat {beat} after {self._beat}"))
        age_ns = self._clock.now_ns() - instant_ns(wire.sent_at)
        if abs(age_ns) > HEARTBEAT_AGE_NS:
            raise NotBelieved(Refusal("too_old", f"a heartbeat of {age_ns / SECOND:.1f} s ago"))
        self._beat = beat
        await self._hear()
