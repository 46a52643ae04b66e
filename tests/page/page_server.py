"""A server of the page whose data and stream a test writes: the real one's HTTP alone."""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any, Final, Self

import uvicorn
from page import past, story
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.dashboard.assets_route import Assets
from services.dashboard.security import HEADERS

PASSWORD: Final = "correct horse"  # noqa: S105 - of nobody
TOKEN: Final = "token-of-the-session"  # noqa: S105 - of nothing


class PageServer:
    """The page on a free port of loopback; a context manager.

    Attributes:
        state: What `/api/v1/state` and the first event of a stream say, as JSON.
        books: BookViews by name, as JSON.
        histories: Of the market and of a book, as JSON.
        actions: What was asked of `/api/v1/actions/…`: its name, its request, its token.
        streams: How often a stream was opened.
    """

    def __init__(self) -> None:
        self.state: dict[str, Any] = story.json_of(story.state())
        self.books: dict[str, Any] = {name: story.json_of(story.book(name)) for name in story.BOOKS}
        self.histories = {
            "market": story.json_of(past.market_history()),
            "book": story.json_of(past.book_history()),
        }
        self.actions: list[tuple[str, dict[str, Any], str]] = []
        self.streams = 0
        self._port = 0
        self._boot = 0
        self._boot_number = 0
        self._assets = Assets()
        self._queues: set[asyncio.Queue[bytes | None]] = set()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self._port}/"

    def send(self, event: str, value: object) -> None:
        """Send an event to every open stream."""
        self._boot_number += 1
        message = (
            f"event: {event}\nid: {self._boot}-{self._boot_number}\ndata: {json.dumps(value)}\n\n"
        )
        assert self._loop is not None
        for queue in tuple(self._queues):
            self._loop.call_soon_threadsafe(queue.put_nowait, message.encode())

    def start(self) -> None:
        """Serve; on the port of before, if it ran before."""
        self._boot += 1
        self._boot_number = 0
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        settings = uvicorn.Config(
            self._app(),
            log_config=None,  # how this process logs is for others to say
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(settings)
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listener, started))
        self._thread.start()
        assert started.wait(10)

    def stop(self) -> None:
        """End every stream and the server."""
        if self._server is None or self._loop is None or self._thread is None:
            return
        self._server.should_exit = True
        for queue in tuple(self._queues):
            self._loop.call_soon_threadsafe(queue.put_nowait, None)
        self._thread.join(10)
        self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, listener: socket.socket, started: threading.Event) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(started.set)
            assert self._server is not None
            await self._server.serve(sockets=[listener])

        with contextlib.closing(listener):
            asyncio.run(serve())

    def _app(self) -> Starlette:
        routes = [
            *self._assets.routes(),
            Route("/healthz", lambda _: Response("ok")),
            Route("/api/v1/stream", self._stream),
            Route("/api/v1/signals/history", lambda _: self._json(self.histories["market"])),
            Route(
                "/api/v1/books/{book:path}/history", lambda _: self._json(self.histories["book"])
            ),
            Route("/api/v1/login", self._login, methods=["GET", "POST"]),
            Route("/api/v1/logout", self._logout, methods=["POST"]),
            Route("/api/v1/actions/{action}", self._act, methods=["POST"]),
        ]
        return Starlette(routes=routes, middleware=[Middleware(_Headers)])

    def _json(self, value: object, status: int = 200) -> Response:
        return JSONResponse(value, status)

    async def _stream(self, request: Request) -> Response:
        self.streams += 1
        events = self._events(request.query_params.get("book"))
        return StreamingResponse(events, media_type="text/event-stream")

    async def _events(self, book: str | None) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._queues.add(queue)
        try:
            first = f"retry: 300\nevent: state\nid: {self._boot}-0\ndata: {json.dumps(self.state)}"
            yield f"{first}\n\n".encode()
            if book is not None:
                view = self.books.get(book) or story.json_of(story.book(book))
                yield f"event: book\ndata: {json.dumps(view)}\n\n".encode()
            while (message := await queue.get()) is not None:
                yield message
        finally:
            self._queues.discard(queue)

    async def _login(self, request: Request) -> Response:
        if request.method == "GET":
            known = request.cookies.get("session") == "ann"
            return self._json(_LOGIN) if known else self._problem(401, "not logged in")
        asked = await request.json()
        if asked["password"] != PASSWORD:
            return self._problem(401, "wrong operator or password")
        response = self._json(_LOGIN)
        response.set_cookie("session", "ann", httponly=True, samesite="strict")
        return response

    def _logout(self, _: Request) -> Response:
        response = self._json(None)
        response.delete_cookie("session")
        return response

    async def _act(self, request: Request) -> Response:
        asked, token = await request.json(), request.headers.get("X-CSRF-Token", "")
        self.actions.append((request.path_params["action"], asked, token))
        if token != TOKEN or request.cookies.get("session") != "ann":
            return self._problem(403, "the token is not that of the session")
        return self._json(None, 202)

    def _problem(self, status: int, detail: str) -> Response:
        return self._json({"error": "refused", "detail": detail}, status)


_LOGIN: Final = {"operator": "ann", "csrf_token": TOKEN}


class _Headers:
    """Adds the headers that the real server adds: the page must live with its policy."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, with_headers)
