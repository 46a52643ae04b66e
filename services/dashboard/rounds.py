"""Rounds: a few times a second what changed gets a number, and is encoded once for all clients.

A client holds nothing here but the number up to which it has seen. So one that is slow misses
rounds, and what it gets next is the latest of everything that changed since: nothing is ever
queued for it. A number is worth something within one boot; after another the whole state is told.
"""

import asyncio
from typing import Final
from uuid import uuid4

import msgspec

from services.dashboard.metrics import DashboardMetrics
from services.dashboard.page import Page
from services.dashboard.picture import Change
from shared.adapters.clock import Clock

EVERY_S: Final = 0.25
_HEALTH_EVERY_S: Final = 5.0
"""If only ages have changed."""
_STATE_S: Final = 1.0
"""A state is told again for so long, if nothing changes."""
_MOST_NUMBERS: Final = 5_000
"""Changes that are remembered: who has seen less than the oldest is told the whole state."""

_encode: Final = msgspec.json.Encoder().encode


class Rounds:
    """What changed, by number.

    Args:
        page: Makes the views.
        clock: Paces.
        metrics: Told what a round took.

    Attributes:
        boot: Begins every id; no two processes have the same.
        number: Of the last round that changed anything.
        opened: Set with the first round: before it there is nothing to tell but the past.
        is_over: Whether there will be no more.
    """

    def __init__(self, page: Page, clock: Clock, metrics: DashboardMetrics) -> None:
        self.boot = uuid4().hex[:12]
        self.number = 1  # 0 is who has seen nothing
        self.opened = asyncio.Event()
        self.is_over = False
        self._page = page
        self._clock = clock
        self._metrics = metrics
        self._numbers: dict[Change, int] = {}
        self._oldest = 1
        self._encoded: dict[Change, bytes] = {}
        self._chunks: dict[tuple[int, str], bytes] = {}
        self._state: tuple[int, float, bytes] = -1, 0.0, b""
        self._health: tuple[object, float] = None, 0.0
        self._turned = asyncio.Event()

    async def run(self, read: asyncio.Event) -> None:
        """Make rounds until cancelled.

        Args:
            read: Set once the logs have been read to their ends.
        """
        await read.wait()
        self.turn()
        self.opened.set()
        while True:
            await asyncio.sleep(EVERY_S)
            began_s = self._clock.monotonic_s()
            if self.turn():
                self._metrics.turned(self._clock.monotonic_s() - began_s)

    def turn(self) -> bool:
        """Make a round; whether anything changed."""
        self._look_at_health()
        changed = self._page.picture.changed
        news = {change for change in changed if self._is_news(change)}
        changed.clear()
        if not news:
            return False
        self.number += 1
        for change in news:
            self._numbers.pop(change, None)  # the newest stand last
            self._numbers[change] = self.number
        self._forget()
        self._chunks.clear()
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()
        return True

    async def after(self, seen: int) -> None:
        """Wait until there is a round after `seen`, or no more."""
        while self.number <= seen and not self.is_over:
            await self._turned.wait()

    def end(self) -> None:
        """Make no more rounds: streams end."""
        self.is_over = True
        self._turned.set()

    def resumed(self, last_event_id: str) -> int:
        """Return the number up to which a client has seen all; 0: nothing that counts here."""
        boot, _, number = last_event_id.rpartition("-")
        if boot != self.boot or not number.isascii() or not number.isdigit():
            return 0
        seen = int(number[:18])
        return seen if self._oldest <= seen <= self.number else 0

    def state(self) -> bytes:
        """Return the whole state as JSON."""
        number, made_s, encoded = self._state
        now_s = self._clock.monotonic_s()
        if number != self.number or now_s - made_s > _STATE_S:
            encoded = _encode(self._page.state())
            self._state = self.number, now_s, encoded
        return encoded

    def whole(self, book: str) -> bytes:
        """Return the events that a new client begins with."""
        return self._event("state", self.state()) + self._of_book(book, 0)

    def chunk(self, seen: int, book: str) -> bytes:
        """Return all events that a client has missed, the latest of everything.

        Args:
            seen: The number up to which it has seen; from before what is remembered, all is new.
            book: The one it has chosen; empty for none.
        """
        if seen < self._oldest or not seen:
            return self.whole(book)
        key = seen, book
        if key not in self._chunks:
            self._chunks[key] = self._missed(seen, book)
        return self._chunks[key]

    def _missed(self, seen: int, book: str) -> bytes:
        changes = self._since(seen)
        parts = [
            self._event(name, self._one((kind, "")))
            for kind, name in (("market", "market"), ("health", "health"))
            if (kind, "") in changes
        ]
        parts += [
            self._event(name, b"[" + b",".join(map(self._one, found)) + b"]")
            for kind, name in (("summary", "books"), ("order", "orders"), ("alert", "alerts"))
            if (found := [change for change in changes if change[0] == kind])
        ]
        return b"".join(parts) + self._of_book(book, seen)

    def _of_book(self, book: str, seen: int) -> bytes:
        change: Change = "book", book
        if not book or seen >= self._numbers.get(change, 1 if not seen else 0):
            return b""
        return self._event("book", self._one(change))

    def _since(self, seen: int) -> list[Change]:
        """Return what changed after `seen`, the newest first."""
        found = []
        for change in reversed(self._numbers):
            if self._numbers[change] <= seen:
                break
            found.append(change)
        return found

    def _event(self, name: str, content: bytes) -> bytes:
        head = f"id: {self.boot}-{self.number}\nevent: {name}\ndata: ".encode()
        return head + content + b"\n\n"

    def _is_news(self, change: Change) -> bool:
        """Whether a change looks different; a book's own view is made only when it is asked for."""
        if change[0] == "book":
            self._encoded.pop(change, None)
            return True
        view = self._page.view(change)
        if view is None:
            return False
        encoded = _encode(view)
        is_news = encoded != self._encoded.get(change)
        self._encoded[change] = encoded
        return is_news

    def _one(self, change: Change) -> bytes:
        if change not in self._encoded:
            self._encoded[change] = _encode(self._page.view(change))
        return self._encoded[change]

    def _look_at_health(self) -> None:
        """Note a change of health; a mere age is told now and then."""
        health = self._page.health()
        shown = msgspec.structs.replace(health, data_age_s=None, checks=_words(health.checks))
        now_s = self._clock.monotonic_s()
        before, told_s = self._health
        if shown != before or now_s - told_s >= _HEALTH_EVERY_S:
            self._health = shown, now_s
            self._page.picture.changed.add(("health", ""))

    def _forget(self) -> None:
        while len(self._numbers) > _MOST_NUMBERS:
            oldest = next(iter(self._numbers))
            self._oldest = self._numbers.pop(oldest)
            self._encoded.pop(oldest, None)


def _words(checks: dict[str, str]) -> dict[str, str]:
    """Return checks without their figures, which grow by the second."""
    return {
        name: "".join(each for each in text if not each.isdigit()) for name, text in checks.items()
    }
