"""Event streams: one response a client, which holds no queue and is dropped when it is stuck."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.dashboard.metrics import DashboardMetrics
from services.dashboard.rounds import Rounds

MOST_CLIENTS: Final = 100
PING_S: Final = 10.0
STUCK_S: Final = 10.0
"""For so long a client may take nothing; what waits for it is bounded by the socket's buffer."""
_RETRY: Final = b"retry: 1000\n\n"
"""How soon a browser comes back, ms."""
_PING: Final = b": ping\n\n"


class Streams:
    """The open event streams.

    Args:
        rounds: What they tell.
        metrics: What is counted.
        most: How many there may be.
    """

    def __init__(
        self, rounds: Rounds, metrics: DashboardMetrics, *, most: int = MOST_CLIENTS
    ) -> None:
        self.rounds = rounds
        self.metrics = metrics
        self._most = most
        self._open = 0

    def admit(self) -> bool:
        """Whether one more may open."""
        if self._open < self._most:
            return True
        self.metrics.refused()
        return False

    def stream(self, book: str, last_event_id: str) -> "EventStream":
        """Return the response to a client.

        Args:
            book: Whose whole view it wants; empty for none.
            last_event_id: What it saw last; empty at first.
        """
        return EventStream(self, book, self.rounds.resumed(last_event_id))

    def opened(self) -> None:
        """Note that one opened."""
        self._open += 1
        self.metrics.opened()

    def closed(self) -> None:
        """Note that one is over."""
        self._open -= 1
        self.metrics.closed()


class EventStream(Response):
    """Server-sent events for one client.

    Args:
        streams: All of them.
        book: See `Streams.stream`.
        seen: The number of the round up to which it has seen all; 0: nothing.
    """

    media_type = "text/event-stream"

    def __init__(self, streams: Streams, book: str, seen: int) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._streams = streams
        self._book = book
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell what changes until the client goes, or is stuck."""
        if scope["method"] == "HEAD":
            await self._begin(send)
            await send({"type": "http.response.body", "body": b""})
            return
        self._streams.opened()
        try:
            async with asyncio.TaskGroup() as tasks:
                telling = tasks.create_task(self._tell(send))
                telling.add_done_callback(lambda _: leaving.cancel())
                leaving = tasks.create_task(_gone(receive))
                leaving.add_done_callback(lambda _: telling.cancel())
        finally:
            self._streams.closed()

    async def _tell(self, send: Send) -> None:
        metrics = self._streams.metrics
        try:
            async with asyncio.timeout(STUCK_S) as patience:
                await self._begin(send)
                patience.reschedule(None)
                async for chunk in self._chunks():
                    patience.reschedule(asyncio.get_running_loop().time() + STUCK_S)
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    patience.reschedule(None)
                    metrics.sent(len(chunk))
                await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            metrics.dropped()

    async def _begin(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})

    async def _chunks(self) -> AsyncIterator[bytes]:
        rounds = self._streams.rounds
        yield _RETRY
        if not self._seen:
            self._seen = rounds.number
            yield rounds.whole(self._book)
        while not rounds.is_over:
            try:
                async with asyncio.timeout(PING_S):
                    await rounds.after(self._seen)
            except TimeoutError:
                yield _PING
                continue
            chunk, self._seen = rounds.chunk(self._seen, self._book), rounds.number
            yield chunk


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
