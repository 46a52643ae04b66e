"""Follows the dashboard's stream for as long as somebody looks, through its restarts and ours."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final
from urllib.parse import quote

from services.command.top.connection import Server, ServerAway, ServerRefused
from services.command.top.picture import Misunderstood, Picture, after, begin
from services.command.top.server_sent_events import EventReader, EventTooLong, ServerSentEvent
from shared.adapters.clock import Clock
from shared.runtime.backoff import delays_s

_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 3.0
_SETTLE_S: Final = 0.15
"""Somebody who runs down the list of books asks for the one where he stops."""


class Follower:
    """Keeps the picture.

    Each connection begins with a whole state, so what was missed meanwhile is of no matter.

    Args:
        server: Where the dashboard is.
        clock: For when things were told.
        on_change: Called after each change of an attribute.
        book: The chosen one; the first that there is when empty.

    Attributes:
        picture: As last told; null before the first answer.
        book: The name of the chosen book.
        trouble: Why there is no connection; empty while there is one.
        trouble_ns: Our clock when it was lost, or when the first attempt began.
    """

    def __init__(
        self, server: Server, clock: Clock, on_change: Callable[[], None], book: str = ""
    ) -> None:
        self.picture: Picture | None = None
        self.book = book
        self.trouble = "asking for the first time"
        self.trouble_ns = clock.now_ns()
        self._server = server
        self._clock = clock
        self._on_change = on_change
        self._while_chosen: asyncio.Timeout | None = None

    def choose(self, book: str) -> None:
        """Follow another book."""
        if book == self.book:
            return
        self.book = book
        if self._while_chosen is not None and self._while_chosen.when() is None:
            now_s = asyncio.get_running_loop().time()
            self._while_chosen.reschedule(now_s + _SETTLE_S)
        self._on_change()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                async with asyncio.timeout(None) as self._while_chosen:
                    await self._follow()
            except TimeoutError:
                continue  # another book was chosen

    async def _follow(self) -> None:
        delays = delays_s(first_s=_FIRST_WAIT_S, most_s=_LONGEST_WAIT_S)
        while True:
            try:
                async with aclosing(self._events()) as events:
                    async for event in events:
                        self._take(event)
                        delays = delays_s(first_s=_FIRST_WAIT_S, most_s=_LONGEST_WAIT_S)
                self._lose("the stream ended")
            except (ServerAway, ServerRefused, Misunderstood, EventTooLong) as reason:
                self._lose(str(reason))
            await asyncio.sleep(next(delays))

    async def _events(self) -> AsyncGenerator[ServerSentEvent, None]:
        query = f"?book={quote(self.book, safe='')}" if self.book else ""
        reader = EventReader()
        async with self._server.stream(f"/api/v1/stream{query}") as pieces:
            async for piece in pieces:
                for event in reader.feed(piece):
                    yield event

    def _take(self, event: ServerSentEvent) -> None:
        ours_ns = self._clock.now_ns()
        if self.picture is not None:
            self.picture = after(self.picture, event.name, event.data, ours_ns)
        elif event.name == "state":
            self.picture = begin(event.data, ours_ns)
        self.trouble = ""
        if not self.book and self.picture is not None and self.picture.state.books:
            self.choose(self.picture.state.books[0].book)
        self._on_change()

    def _lose(self, why: str) -> None:
        if not self.trouble:
            self.trouble_ns = self._clock.now_ns()
        self.trouble = why
        self._on_change()
