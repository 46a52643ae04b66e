"""`hedgestat halt`, `resume`, `status`: what may trade, by the gateway's own word.

A command is signed with the operator's key, published, and counts as done when the gateway says,
sealed, that it has it on its disk. A halt that the broker cannot carry goes by the gateway's own
socket, when that is on this machine.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, Literal

from rich.markup import escape

from services.command.endings import Failed, Refused
from services.command.operator_link import (
    PATIENCE_S,
    WHENCE,
    OperatorLink,
    Wish,
    publish,
    refusal_in,
)
from shared.adapters.bus import Message
from shared.adapters.control_socket import (
    GatewayRefused,
    GatewayStatus,
    GatewayUnreachable,
    command_locally,
    gateway_status,
    halt_locally,
)
from shared.adapters.keyring import Forged
from shared.adapters.mqtt import MqttBus
from shared.wire import topics
from shared.wire.codec import MalformedMessage
from shared.wire.messages import TradingCommandMessage, TradingStateMessage
from shared.wire.times import format_instant

_RETAINED_S: Final = 0.5
"""For a broker to tell what it keeps."""

State = Literal["active", "reducing", "halted"]


class Commander:
    """Says what may trade, and asks it.

    Args:
        link: Whose word it is.
    """

    def __init__(self, link: OperatorLink) -> None:
        self._link = link
        self._lines = link.lines
        self._clock = link.clock
        self._socket = link.settings.gateway.socket_path

    # --- trading states ------------------------------------------------------------------------

    async def halt(self, wish: Wish, state: Literal["halted", "reducing"]) -> None:
        """Stop trading, or have it only reduce.

        Raises:
            Failed: Nobody has confirmed it.
        """
        self._link.check_scope(wish.scope)
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
        self._link.check_scope(wish.scope)
        if not wish.local:
            await self._command_by_broker(wish, "active", topics.RESUME)
            return
        payload = self._link.keyring.seal(
            "operator", topics.RESUME, self._trading(wish, "active", self._clock.now_ns())
        )
        path = self._path()
        self._lines.status(await self._locally(command_locally(path, topics.RESUME, payload)))

    async def _command_by_broker(self, wish: Wish, state: State, topic: str) -> None:
        issued_ns = self._clock.now_ns()
        payload = self._link.keyring.seal("operator", topic, self._trading(wish, state, issued_ns))
        since = format_instant(issued_ns)

        def is_ours(said: TradingStateMessage) -> bool:
            return (said.authority, said.since, said.state) == ("operator", since, state)

        subscriptions = [topics.trading(scope) for scope in self._link.scopes_of(wish.scope)]
        async with self._link.connected([*subscriptions, topics.REJECTS], wish.patience_s) as bus:
            begun_s = self._clock.monotonic_s()
            await publish(bus, topic, payload)
            told = await self._hear(bus, wish, payload, is_ours)
            took_ms = (self._clock.monotonic_s() - begun_s) * 1000
            self._lines.say(f"Confirmed by the gateway in {took_ms:.0f} ms.")
            self._lines.states(told)

    def _trading(self, wish: Wish, state: State, issued_ns: int) -> TradingCommandMessage:
        return TradingCommandMessage(
            scope=wish.scope,
            state=state,
            reason=wish.reason,
            operator=wish.operator,
            issued_at=issued_ns,
        )

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
        wanted = set(self._link.scopes_of(wish.scope))
        try:
            async with asyncio.timeout(wish.patience_s):
                async for message in bus.messages():
                    message.ack()
                    if message.topic == topics.REJECTS:
                        refusal = refusal_in(message, payload) or refusal
                        continue
                    said = None if message.retain else self._state_in(message)
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
        """Read a state; `None`, and said so, when it is not the gateway's."""
        try:
            return self._link.keyring.open(
                "gateway", message.topic, message.payload, TradingStateMessage
            )
        except (Forged, MalformedMessage) as error:
            self._lines.say(f"[yellow]not the gateway's: {escape(str(error))}[/]")
            return None

    async def _halt_locally(self, wish: Wish, state: Literal["halted", "reducing"]) -> None:
        path = self._path()
        asked = halt_locally(path, wish.scope, state, wish.operator, wish.reason)
        self._lines.status(await self._locally(asked))

    # --- status --------------------------------------------------------------------------------

    async def status(self, *, local: bool = False, patience_s: float = PATIENCE_S) -> None:
        """Print what may trade, by the gateway's own word.

        Args:
            local: Ask at the gateway's socket alone.
            patience_s: How long to wait for the broker.

        Raises:
            Failed: Nothing is known.
        """
        if local or self._is_here():
            try:
                self._lines.status(await self._locally(gateway_status(self._path())))
            except Failed as failed:
                if local:
                    raise
                self._lines.say(f"[yellow]{escape(str(failed))}[/]")
            else:
                return
        try:
            async with self._link.connected([topics.TRADING], patience_s) as bus:
                told = await self._retained(bus)
        except Failed as failed:
            raise Failed(*failed.args, *self._not_here()) from failed
        if not told:
            raise Failed("the broker keeps no word of the gateway: is it running, with this key?")
        self._lines.states(told)

    async def _retained(self, bus: MqttBus) -> list[TradingStateMessage]:
        told: dict[str, TradingStateMessage] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RETAINED_S):
                async for message in bus.messages():
                    message.ack()
                    if (said := self._state_in(message)) is not None:
                        told[said.scope] = said
        return [told[scope] for scope in sorted(told)]

    # --- the gateway's own socket --------------------------------------------------------------

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
        return [f"no gateway at {self._socket.absolute()}\n{WHENCE}"]

    def _path(self) -> Path:
        if self._socket is None:
            raise Refused('[gateway] socket is "off": this gateway has no door of its own')
        return self._socket


_UNCONFIRMED: Final = (
    "the gateway has not confirmed it in {seconds:g} s: do not rely on it\n"
    "  -> on the gateway's machine: hedgestat halt --local\n"
    "  -> does it run? does it trust this operator's key (hedgestat keys show)? its log and\n"
    "     hedge_gateway_commands_refused_total say what it did not believe"
)
