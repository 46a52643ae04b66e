"""An operator at a terminal and the broker: a wish, the key that signs it, and a connection."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from rich.console import Console

from services.command.endings import Failed, Refused
from services.command.trading_lines import TradingLines
from shared.adapters.bus import BusUnavailable, Message, PublishRefused, Subscription
from shared.adapters.clock import Clock, SystemClock
from shared.adapters.connections import redacted
from shared.adapters.keyring import KeyMissing, Keyring
from shared.adapters.mqtt import MqttBus
from shared.adapters.settings import Settings
from shared.domain.trading import ALL
from shared.wire import codec
from shared.wire.codec import MalformedMessage
from shared.wire.messages import RejectMessage

PATIENCE_S: Final = 5.0
WHENCE: Final = (
    "  -> relative paths of a configuration are of the working directory: go to the one in which\n"
    "     the services were started, or configure absolute paths"
)


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


class OperatorLink:
    """What every command of an operator needs.

    Args:
        settings: The configuration.
        console: Where lines go.
        keyring: In place of the configured one.
        clock: For the time of a command.

    Attributes:
        settings: The same.
        lines: What is printed.
        clock: The same.
        books: Names of all.
    """

    def __init__(
        self,
        settings: Settings,
        console: Console,
        keyring: Keyring | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self.lines = TradingLines(console)
        self.clock = clock or SystemClock()
        self._given = keyring
        self.books = [book.name for book in settings.books]

    @cached_property
    def keyring(self) -> Keyring:
        """The operator's keys, read when they are first needed.

        Raises:
            Refused: There are none.
        """
        if self._given is not None:
            return self._given
        directory = Path(self.settings.keys.directory)
        try:
            return Keyring.load(directory, self.settings.trading.environment)
        except KeyMissing as missing:
            whence = "" if directory.is_absolute() else f"\n{WHENCE}"
            raise Refused(f"{missing}{whence}") from missing

    def check_scope(self, scope: str) -> None:
        """Refuse a scope that there is not.

        Raises:
            Refused: See above.
        """
        known = self.scopes_of(ALL)
        if scope not in known:
            raise Refused(f"no scope {scope!r}; there are {', '.join(known)}")

    def scopes_of(self, scope: str) -> list[str]:
        """Return the scopes that a word about one is about: all is each book, too."""
        return [ALL, *self.books] if scope == ALL else [scope]

    @asynccontextmanager
    async def connected(
        self, subscriptions: Sequence[str], patience_s: float
    ) -> AsyncIterator[MqttBus]:
        """Yield a connection of our own; its messages are those of our time.

        Raises:
            Failed: No broker answers.
        """
        bus = MqttBus(
            self.settings.mqtt.of("operator"),
            client_id=f"hedgestat-operator-{secrets.token_hex(4)}",
            subscriptions=[Subscription(topic) for topic in subscriptions],
            clean_start=True,
            session_expiry_s=0,
        )
        async with bus:
            try:
                async with asyncio.timeout(patience_s):
                    await bus.connected.wait()
            except TimeoutError:
                url = redacted(self.settings.mqtt.url)
                raise Failed(f"no broker answers at {url} in {patience_s:g} s") from None
            yield bus


async def publish(bus: MqttBus, topic: str, payload: bytes) -> None:
    """Have the broker take a command.

    Raises:
        Failed: It has not.
    """
    try:
        await bus.publish(topic, payload)
    except BusUnavailable as error:
        raise Failed(f"the broker has not taken it: {error}") from error
    except PublishRefused as error:
        remedy = "this login may not command: check [mqtt] username and the broker's list"
        raise Failed(f"the broker does not take it: {error}\n  -> {remedy}") from error


def refusal_in(message: Message, payload: bytes) -> str:
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
