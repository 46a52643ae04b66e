"""`hedgestat halt`, `resume`, `rebalance`, `status`: an operator speaks, and waits for an answer.

A command is signed with the operator's key, published, and counts as done when the gateway says,
sealed, that it has it on its disk; or, for a rebalance, when every book has answered. A halt that
the broker cannot carry goes by the gateway's own socket, when that is on this machine.

Longer than most: an operator's four commands share how they wait for an answer.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal

from msgspec import Struct, UnsetType
from rich.console import Console
from rich.markup import escape

from services.command.endings import Failed, Refused
from services.command.figures import rounded
from services.command.standing_requests import TRIGGER, StandingRequests, closed_until
from services.command.trading_lines import TradingLines
from shared.adapters.bus import BusUnavailable, Message, PublishRefused, Subscription
from shared.adapters.clock import Clock, SystemClock
from shared.adapters.connections import redacted
from shared.adapters.control_socket import (
    GatewayRefused,
    GatewayStatus,
    GatewayUnreachable,
    command_locally,
    gateway_status,
    halt_locally,
)
from shared.adapters.keyring import Forged, KeyMissing, Keyring
from shared.adapters.mqtt import MqttBus
from shared.adapters.settings import Settings
from shared.domain.trading import ALL
from shared.runtime.site import Site
from shared.wire import codec, topics
from shared.wire.codec import MalformedMessage
from shared.wire.messages import (
    RebalanceMessage,
    RejectMessage,
    TargetMessage,
    TradingCommandMessage,
    TradingStateMessage,
    WithheldMessage,
)
from shared.wire.times import format_instant

PATIENCE_S: Final = 5.0
_RETAINED_S: Final = 0.5
"""For a broker to tell what it keeps."""

State = Literal["active", "reducing", "halted"]


class Wish(Struct, frozen=True, kw_only=True):
    """What an operator wants.

    Attributes:
        scope: A book, or `all`.
        operator: Who.
        reason: Why.
        local: By the gateway's socket alone.
        patience_s: How long to wait for the answer.
    """

    scope: str
    operator: str
    reason: str
    local: bool = False
    patience_s: float = PATIENCE_S


class Commander:
    """An operator at a terminal.

    Args:
        settings: The configuration.
        console: Where lines go.
        keyring: In place of the configured one.
        clock: For the time of a command.
    """

    def __init__(
        self,
        settings: Settings,
        console: Console,
        keyring: Keyring | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._lines = TradingLines(console)
        self._given = keyring
        self._clock = clock or SystemClock()
        self._socket = settings.gateway.socket_path

    # --- trading states ------------------------------------------------------------------------

    async def halt(self, wish: Wish, state: Literal["halted", "reducing"]) -> None:
        """Stop trading, or have it only reduce.

        Raises:
            Failed: Nobody has confirmed it.
        """
        self._check_scope(wish.scope)
        if wish.local:
            await self._halt_locally(wish, state)
            return
        try:
            await self._command_by_broker(wish, state, topics.HALT)
        except Failed as failed:
            if not self._is_here():
                raise Failed(*failed.args, *self._not_here()) from failed
            self._lines.say(f"[yellow]{escape(str(failed))}[/]")
            self._lines.say("Trying the gateway's own socket.")
            await self._halt_locally(wish, state)

    async def resume(self, wish: Wish) -> None:
        """Let a scope trade again: what any authority has set for it is lifted.

        Raises:
            Failed: Nobody has confirmed it.
        """
        self._check_scope(wish.scope)
        if not wish.local:
            await self._command_by_broker(wish, "active", topics.RESUME)
            return
        payload = self._keyring().seal(
            "operator", topics.RESUME, self._trading(wish, "active", self._clock.now_ns())
        )
        path = self._path()
        self._lines.status(await self._locally(command_locally(path, topics.RESUME, payload)))

    async def _command_by_broker(self, wish: Wish, state: State, topic: str) -> None:
        issued_ns = self._clock.now_ns()
        payload = self._keyring().seal("operator", topic, self._trading(wish, state, issued_ns))
        since = format_instant(issued_ns)

        def is_ours(said: TradingStateMessage) -> bool:
            return (said.authority, said.since, said.state) == ("operator", since, state)

        scopes = [wish.scope] if wish.scope != ALL else [ALL, *self._books()]
        subscriptions = [topics.trading(scope) for scope in scopes]
        async with self._bus([*subscriptions, topics.REJECTS], wish) as bus:
            begun_s = self._clock.monotonic_s()
            await self._publish(bus, topic, payload)
            told = await self._hear(bus, wish, payload, is_ours)
            took_ms = (self._clock.monotonic_s() - begun_s) * 1000
            self._lines.say(f"Confirmed by the gateway in {took_ms:.0f} ms.")
            self._lines.states(told)

    async def _hear(
        self,
        bus: MqttBus,
        wish: Wish,
        payload: bytes,
        is_ours: Callable[[TradingStateMessage], bool],
    ) -> list[TradingStateMessage]:
        """Wait for the word that answers ours, then for what it comes to in each scope.

        What ingest refuses the gateway may do all the same, so its word is only told at the end:
        it is not sealed, and whoever has a login could send it.
        """
        confirmed, refusal = False, ""
        told: dict[str, TradingStateMessage] = {}
        wanted = {wish.scope} if wish.scope != ALL else {ALL, *self._books()}
        try:
            async with asyncio.timeout(wish.patience_s):
                async for message in bus.messages():
                    message.ack()
                    if message.topic == topics.REJECTS:
                        refusal = _refusal_in(message, payload) or refusal
                        continue
                    said = self._state_in(message)
                    if said is None:
                        continue
                    if not confirmed:
                        confirmed = is_ours(said)
                    else:
                        told[said.scope] = said
                    if confirmed and told.keys() >= wanted:
                        break
        except TimeoutError:
            if not confirmed:
                unconfirmed = _UNCONFIRMED.format(seconds=wish.patience_s)
                raise Failed(unconfirmed, *([refusal] if refusal else [])) from None
        return list(told.values())

    def _state_in(self, message: Message) -> TradingStateMessage | None:
        """Read a fresh state of the gateway's."""
        if message.retain:
            return None
        try:
            return self._keyring().open(
                "gateway", message.topic, message.payload, TradingStateMessage
            )
        except (Forged, MalformedMessage) as error:
            self._lines.say(f"[yellow]not the gateway's: {escape(str(error))}[/]")
            return None

    async def _halt_locally(self, wish: Wish, state: Literal["halted", "reducing"]) -> None:
        path = self._path()
        asked = halt_locally(path, wish.scope, state, wish.operator, wish.reason)
        self._lines.status(await self._locally(asked))

    # --- rebalance -----------------------------------------------------------------------------

    async def rebalance(self, wish: Wish) -> None:
        """Ask books to rebalance now.

        Raises:
            Failed: A book has not answered; it says which have taken the request, and wait.
        """
        self._check_scope(wish.scope)
        message = RebalanceMessage(
            scope=wish.scope,
            reason=wish.reason,
            operator=wish.operator,
            issued_at=self._clock.now_ns(),
        )
        payload = self._keyring().seal("operator", topics.REBALANCE, message)
        waiting = set(self._books() if wish.scope == ALL else [wish.scope])
        standing = StandingRequests()
        answers = [topics.TARGETS, topics.WITHHELD, topics.REJECTS]
        async with self._bus([*answers, *standing.SUBSCRIPTIONS], wish) as bus:
            await self._publish(bus, topics.REBALANCE, payload)
            try:
                async with asyncio.timeout(wish.patience_s):
                    async for heard in bus.messages():
                        heard.ack()
                        waiting -= self._answered(heard, payload, standing)
                        if not waiting:
                            return
            except TimeoutError:
                raise Failed(*self._unanswered(waiting, standing, wish.patience_s)) from None

    def _unanswered(
        self, waiting: set[str], standing: StandingRequests, patience_s: float
    ) -> list[str]:
        """Say of each book that has not answered whether it holds the request, and why."""
        told = {book: standing.told(book) for book in sorted(waiting)}
        reasons = [reason for reason in told.values() if reason is not None]
        if silent := ", ".join(book for book, reason in told.items() if reason is None):
            opens = closed_until(Site(settings=self._settings, clock=self._clock))
            words = _UNANSWERED if opens is None else _CLOSED
            reasons.append(words.format(books=silent, seconds=patience_s, opens=opens))
        return reasons

    def _answered(self, message: Message, payload: bytes, standing: StandingRequests) -> set[str]:
        """Print what a book answers; returns its name, when it was to us."""
        if message.topic == topics.REJECTS:
            refusal = _refusal_in(message, payload)
            if refusal:
                raise Failed(refusal)
            return set()
        try:
            if standing.take(message) or message.retain:
                return set()
            return self._book_in(message)
        except MalformedMessage as error:
            self._lines.say(f"[yellow]malformed: {escape(str(error))}[/]")
            return set()

    def _book_in(self, message: Message) -> set[str]:
        if message.topic.endswith("/withheld"):
            withheld = codec.decode(WithheldMessage, message.payload)
            self._lines.say(f"{withheld.book}: {withheld.leg} withheld by {withheld.control}")
            return set()
        target = codec.decode(TargetMessage, message.payload)
        if target.trigger != TRIGGER:
            return set()
        sized = (
            f"multiplier {target.multiplier:.3f}, "
            f"vega {rounded(target.current_vega, ',.0f')} -> {rounded(target.target_vega, ',.0f')}"
        )
        if not isinstance(target.strategies, UnsetType):
            sized = ", ".join(f"{leg.leg} to hold {leg.quantity}" for leg in target.legs)
        self._lines.say(f"{target.book}: decision {target.decision}, {sized}")
        return {target.book}

    # --- status --------------------------------------------------------------------------------

    async def status(self, wish: Wish) -> None:
        """Print what may trade, by the gateway's own word.

        Raises:
            Failed: Nothing is known.
        """
        if wish.local or self._is_here():
            try:
                self._lines.status(await self._locally(gateway_status(self._path())))
            except Failed as failed:
                if wish.local:
                    raise
                self._lines.say(f"[yellow]{escape(str(failed))}[/]")
            else:
                return
        try:
            async with self._bus([topics.TRADING], wish) as bus:
                told = await self._retained(bus)
        except Failed as failed:
            raise Failed(*failed.args, *self._not_here()) from failed
        if not told:
            raise Failed("the broker keeps no word of the gateway: is it running, with this key?")
        self._lines.states(told)

    async def _retained(self, bus: MqttBus) -> list[TradingStateMessage]:
        told: dict[str, TradingStateMessage] = {}
        try:
            async with asyncio.timeout(_RETAINED_S):
                async for message in bus.messages():
                    message.ack()
                    try:
                        said = self._keyring().open(
                            "gateway", message.topic, message.payload, TradingStateMessage
                        )
                    except (Forged, MalformedMessage) as error:
                        self._lines.say(f"[yellow]not the gateway's: {escape(str(error))}[/]")
                    else:
                        told[said.scope] = said
        except TimeoutError:
            pass
        return [told[scope] for scope in sorted(told)]

    # --- the ways ------------------------------------------------------------------------------

    @asynccontextmanager
    async def _bus(self, subscriptions: Sequence[str], wish: Wish) -> AsyncIterator[MqttBus]:
        """A connection of our own; its messages are those of our time."""
        bus = MqttBus(
            self._settings.mqtt.of("operator"),
            client_id=f"hedgestat-operator-{secrets.token_hex(4)}",
            subscriptions=[Subscription(topic) for topic in subscriptions],
            clean_start=True,
            session_expiry_s=0,
        )
        async with bus:
            try:
                async with asyncio.timeout(wish.patience_s):
                    await bus.connected.wait()
            except TimeoutError:
                url = redacted(self._settings.mqtt.url)
                raise Failed(f"no broker answers at {url} in {wish.patience_s:g} s") from None
            yield bus

    async def _publish(self, bus: MqttBus, topic: str, payload: bytes) -> None:
        try:
            await bus.publish(topic, payload)
        except BusUnavailable as error:
            raise Failed(f"the broker has not taken it: {error}") from error
        except PublishRefused as error:
            remedy = "this login may not command: check [mqtt] username and the broker's list"
            raise Failed(f"the broker does not take it: {error}\n  -> {remedy}") from error

    async def _locally(self, asked: Coroutine[Any, Any, GatewayStatus]) -> GatewayStatus:
        try:
            return await asked
        except GatewayUnreachable as error:
            remedy = "is the gateway running on this machine, as this user?"
            raise Failed(f"{error}\n  -> {remedy}", *self._not_here()) from error
        except GatewayRefused as error:
            raise Failed(f"the gateway does not do it: {error}") from error

    def _is_here(self) -> bool:
        return self._socket is not None and self._socket.is_socket()

    def _not_here(self) -> list[str]:
        """Say from where the socket is looked for, when it was not found there."""
        if self._socket is None or self._socket.is_absolute() or self._is_here():
            return []
        return [f"no gateway at {self._socket.absolute()}\n{_WHENCE}"]

    def _path(self) -> Path:
        if self._socket is None:
            raise Refused('[gateway] socket is "off": this gateway has no door of its own')
        return self._socket

    # --- words ---------------------------------------------------------------------------------

    def _keyring(self) -> Keyring:
        if self._given is None:
            directory = Path(self._settings.keys.directory)
            try:
                self._given = Keyring.load(directory, self._settings.trading.environment)
            except KeyMissing as missing:
                whence = "" if directory.is_absolute() else f"\n{_WHENCE}"
                raise Refused(f"{missing}{whence}") from missing
        return self._given

    def _books(self) -> list[str]:
        return [book.name for book in self._settings.books]

    def _check_scope(self, scope: str) -> None:
        if scope not in {ALL, *self._books()}:
            known = ", ".join([ALL, *self._books()])
            raise Refused(f"no scope {scope!r}; there are {known}")

    def _trading(self, wish: Wish, state: State, issued_ns: int) -> TradingCommandMessage:
        return TradingCommandMessage(
            scope=wish.scope,
            state=state,
            reason=wish.reason,
            operator=wish.operator,
            issued_at=issued_ns,
        )


_UNCONFIRMED: Final = (
    "the gateway has not confirmed it in {seconds:g} s: do not rely on it\n"
    "  -> on the gateway's machine: hedgestat halt --local\n"
    "  -> does it run? does it trust this operator's key (hedgestat keys show)? its log and\n"
    "     hedge_gateway_commands_refused_total say what it did not believe"
)
_WHENCE: Final = (
    "  -> relative paths of a configuration are of the working directory: go to the one in which\n"
    "     the services were started, or configure absolute paths"
)
_CLOSED: Final = (
    "no answer in {seconds:g} s from {books}: the exchange is closed until {opens}\n"
    "  -> nothing refused the request: it stands, and is decided at the opening"
)
_UNANSWERED: Final = (
    "no answer in {seconds:g} s from {books}; nothing refused the request, so it may stand\n"
    "  -> do ingest, signals and hedger run? is VIX good? hedgestat tail rejects shows what was\n"
    "     not believed, hedgestat tail withheld what a control held back"
)


def _refusal_in(message: Message, payload: bytes) -> str:
    """Return what ingest has against our own words; empty when it is about others'."""
    try:
        reject = codec.decode(RejectMessage, message.payload)
    except MalformedMessage:
        return ""
    ours = payload.startswith(reject.payload) and not message.retain
    return f"not believed by ingest: {reject.reason}: {reject.detail}" if ours else ""


def run_command(command: Coroutine[Any, Any, None]) -> None:
    """Run one command to its end; Ctrl-C ends it unanswered.

    Raises:
        Failed: It was not confirmed.
        Refused: It makes no sense.
    """
    try:
        asyncio.run(command)
    except KeyboardInterrupt:
        raise Failed("interrupted before it was confirmed: do not rely on it") from None
    except KeyMissing as missing:
        raise Refused(str(missing)) from missing
