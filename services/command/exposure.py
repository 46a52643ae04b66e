"""`hedgestat exposure`: the Greeks of a book, as the exposure stage last told them."""

import asyncio
import secrets
import sys

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.live import Live

from services.command.endings import Failed, Refused
from services.command.exposure_table import ExposureView
from shared.adapters.bus import Bus, Subscription
from shared.adapters.clock import SystemClock
from shared.adapters.connections import redacted
from shared.adapters.mqtt import MqttBus
from shared.adapters.settings import Settings
from shared.runtime.logs import configure_logging
from shared.wire import topics
from shared.wire.access import READER
from shared.wire.codec import MalformedMessage, decode
from shared.wire.messages import ExposureMessage


class ExposureOptions(Struct, frozen=True, kw_only=True):
    """What is asked for.

    Attributes:
        book: Whose exposure.
        follow: Show each new one, until Ctrl-C.
        as_json: One JSON document a line instead of tables.
        patience_s: How long to wait for the first.
    """

    book: str
    follow: bool = False
    as_json: bool = False
    patience_s: float = 5.0


def run_exposure(settings: Settings, options: ExposureOptions, console: Console) -> None:
    """Print a book's exposure.

    Raises:
        Refused: There is no such book, or nothing to measure.
        Failed: Nothing was told of it in time.
    """
    books = [book.name for book in settings.books]
    if options.book not in books:
        raise Refused(f"no book {options.book!r}: there are {', '.join(books)}")
    if not settings.has_positions:
        raise Refused(
            "no book of this configuration has positions: write [[books.positions]], or "
            'positions_file = "positions.csv", for what it holds'
        )
    configure_logging("error", stream=sys.stderr)
    try:
        asyncio.run(_Viewer(settings, options, console).run())
    except KeyboardInterrupt:
        return


class _Viewer:
    def __init__(self, settings: Settings, options: ExposureOptions, console: Console) -> None:
        self._settings = settings
        self._options = options
        self._console = console
        self._clock = SystemClock()

    async def run(self) -> None:
        topic = topics.exposure(self._options.book)
        async with MqttBus(
            self._settings.mqtt.of(READER),
            client_id=f"hedgestat-exposure-{secrets.token_hex(4)}",
            subscriptions=[Subscription(topic, 0)],
            clean_start=True,
            session_expiry_s=0,
        ) as bus:
            first = await self._first(bus)
            if self._options.as_json or not self._options.follow:
                self._print(first)
                await self._print_more(bus)
            else:
                await self._show_live(bus, first)

    async def _first(self, bus: Bus) -> ExposureMessage:
        url, book = redacted(self._settings.mqtt.url), self._options.book
        try:
            async with asyncio.timeout(self._options.patience_s):
                await bus.connected.wait()
        except TimeoutError:
            raise Failed(f"the broker does not answer ({url}): see `hedgestat doctor`") from None
        try:
            async with asyncio.timeout(self._options.patience_s):
                return await self._next(bus)
        except TimeoutError:
            raise Failed(
                f"nothing was told of {book} within {self._options.patience_s:g} s: does the "
                "exposure stage run (`hedgestat up`, `hedgestat run exposure`)?"
            ) from None

    async def _next(self, bus: Bus) -> ExposureMessage:
        async for message in bus.messages():
            message.ack()
            try:
                return decode(ExposureMessage, message.payload)
            except MalformedMessage as error:
                raise Failed(f"what {message.topic} holds is no exposure: {error}") from error
        raise Failed("the connection has ended")

    async def _print_more(self, bus: Bus) -> None:
        while self._options.follow:
            self._print(await self._next(bus))

    async def _show_live(self, bus: Bus, message: ExposureMessage) -> None:
        with Live(console=self._console, auto_refresh=False) as live:
            while True:
                live.update(ExposureView(message, self._now_ns()), refresh=True)
                message = await self._next(bus)

    def _print(self, message: ExposureMessage) -> None:
        if self._options.as_json:
            line = msgspec.json.encode(message).decode()
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)
        else:
            self._console.print(ExposureView(message, self._now_ns()))

    def _now_ns(self) -> int | None:
        """The wall clock's, where event time is its time."""
        return self._clock.now_ns() if self._settings.clock.source == "wall" else None
