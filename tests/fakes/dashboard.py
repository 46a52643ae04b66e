"""A dashboard that says what a test makes it say: Starlette on a real port, in a thread."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any, Self

import msgspec
from fakes.servers import free_port
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.runtime.http import bind, serve
from shared.wire.views import BookView, Problem, StateView


class ScriptedDashboard:
    """Serves state, books and a stream; a context manager.

    Args:
        state: The whole of it.
        books: Each book, by name.
        port: Where; a free one when 0.

    Attributes:
        port: Where.
        asked: Paths with queries, in the order they were asked for.
    """

    def __init__(self, state: StateView, books: dict[str, BookView], port: int = 0) -> None:
        self.port = port or free_port()
        self.asked: list[str] = []
        self.state = state
        self.books = books
        self._listeners: set[asyncio.Queue[tuple[str, bytes]]] = set()
        self._loop = asyncio.new_event_loop()
        self._listener: socket.socket | None = None
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._listener = bind("127.0.0.1", self.port)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def say(self, name: str, value: Any) -> None:  # noqa: ANN401 - any view
        """Send an event to everybody who listens."""
        data = value if isinstance(value, bytes) else msgspec.json.encode(value)
        self._loop.call_soon_threadsafe(self._tell, name, data)

    def listeners(self) -> int:
        return len(self._listeners)

    def _tell(self, name: str, data: bytes) -> None:
        for queue in self._listeners:
            queue.put_nowait((name, data))

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        routes = [
            Route("/api/v1/state", self._state),
            Route("/api/v1/books/{book}", self._book),
            Route("/api/v1/stream", self._stream),
        ]
        assert self._listener is not None
        async with asyncio.TaskGroup() as tasks:
            page = tasks.create_task(serve(Starlette(routes=routes), self._listener))
            await self._stop.wait()
            for queue in self._listeners:
                queue.put_nowait(("", b""))
            page.cancel()

    def _note(self, request: Request) -> None:
        query = f"?{request.url.query}" if request.url.query else ""
        self.asked.append(f"{request.url.path}{query}")

    async def _state(self, request: Request) -> Response:
        self._note(request)
        return _json(self.state)

    async def _book(self, request: Request) -> Response:
        self._note(request)
        return self._book_or_problem(request.path_params["book"])

    def _book_or_problem(self, name: str) -> Response:
        if name not in self.books:
            return _json(Problem(error="not_found", detail=f"no book {name!r}"), 404)
        return _json(self.books[name])

    async def _stream(self, request: Request) -> Response:
        self._note(request)
        name = request.query_params.get("book", "")
        if name and name not in self.books:
            return self._book_or_problem(name)
        return EventSourceResponse(self._events(name), ping=10)

    async def _events(self, name: str) -> AsyncIterator[ServerSentEvent]:
        queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield _event("state", msgspec.json.encode(self.state))
            if name:
                yield _event("book", msgspec.json.encode(self.books[name]))
            while True:
                kind, data = await queue.get()
                if not kind:
                    return
                yield _event(kind, data)
        finally:
            self._listeners.discard(queue)


def _event(name: str, data: bytes) -> ServerSentEvent:
    return ServerSentEvent(event=name, data=data.decode(), id="boot-1")


def _json(value: Any, status: int = 200) -> Response:  # noqa: ANN401 - any view
    return Response(msgspec.json.encode(value), status, media_type="application/json")
