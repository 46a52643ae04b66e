"""The HTTP API: the picture as JSON, the event stream, the page's files."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.dashboard import queries
from services.dashboard.assets_route import Assets
from services.dashboard.history import MARKET
from services.dashboard.openapi import document
from services.dashboard.page import SHOWN, Page
from services.dashboard.queries import BadQuery
from services.dashboard.streams import Streams
from shared.domain.instants import HOUR
from shared.wire.views import Problem

PREFIX: Final = "/api/v1"
_JSON: Final = "application/json"
_PATIENCE_S: Final = 8.0
"""For the logs to be read: longer, and what is known so far is shown."""

_encode: Final = msgspec.json.Encoder().encode
Endpoint = Callable[[Request], Awaitable[Response]]


def problem(
    error: str, detail: str, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer why a request was refused."""
    body = _encode(Problem(error=error, detail=detail))
    return Response(body, status, media_type=_JSON, headers=headers)


class Api:
    """The endpoints.

    Args:
        page: What is shown.
        streams: The event streams.
        assets: The page's files.
    """

    def __init__(self, page: Page, streams: Streams, assets: Assets) -> None:
        self._page = page
        self._streams = streams
        self._assets = assets
        self._document = _encode(document())

    def routes(self) -> list[BaseRoute]:
        """Return all routes, the page's own files last."""
        endpoints: Sequence[tuple[str, Endpoint]] = (
            ("/state", self._state),
            ("/signals", self._signals),
            ("/signals/history", self._market_history),
            ("/books/{book}", self._book),
            ("/books/{book}/history", self._book_history),
            ("/orders", self._orders),
            ("/orders/{order_id}", self._order),
            ("/alerts", self._alerts),
            ("/stream", self._stream),
            ("/openapi.json", self._openapi),
        )
        return [
            *(Route(PREFIX + path, self._refusing(endpoint)) for path, endpoint in endpoints),
            *self._assets.routes(),
        ]

    async def _state(self, request: Request) -> Response:
        queries.known(request)
        return Response(self._streams.rounds.state(), media_type=_JSON)

    async def _signals(self, request: Request) -> Response:
        queries.known(request)
        return _json(self._page.picture.market.view())

    async def _market_history(self, request: Request) -> Response:
        return self._history(MARKET, request)

    async def _book(self, request: Request) -> Response:
        queries.known(request)
        return _json(self._page.picture.book(self._named(request)))

    async def _book_history(self, request: Request) -> Response:
        return self._history(self._named(request), request)

    async def _orders(self, request: Request) -> Response:
        queries.known(request, "book", "limit")
        book = queries.book(request, self._page.picture.books)
        return _json(self._page.picture.orders.newest(_limit(request), book or None))

    async def _order(self, request: Request) -> Response:
        queries.known(request)
        order_id = request.path_params["order_id"]
        view = self._page.picture.orders.view(order_id)
        if view is None:
            raise BadQuery("unknown_order", f"no order {order_id[:160]!r} is known here", 404)
        return _json(view)

    async def _alerts(self, request: Request) -> Response:
        queries.known(request, "limit")
        return _json(self._page.picture.alerts.newest(_limit(request)))

    async def _stream(self, request: Request) -> Response:
        queries.known(request, "book")
        book = queries.book(request, self._page.picture.books)
        if not self._streams.admit():
            detail = "as many pages are open as this server serves; close one"
            return problem("too_many_streams", detail, 429, {"retry-after": "30"})
        return self._streams.stream(book, request.headers.get("last-event-id", ""))

    async def _openapi(self, request: Request) -> Response:
        queries.known(request)
        return Response(self._document, media_type=_JSON)

    def _refusing(self, endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_S):
                    await self._streams.rounds.opened.wait()
            try:
                return await endpoint(request)
            except BadQuery as bad:
                return problem(bad.error, str(bad), bad.status)

        return answer

    def _named(self, request: Request) -> str:
        return queries.known_book(request.path_params["book"], self._page.picture.books)

    def _history(self, scope: str, request: Request) -> Response:
        asked = queries.period(request)
        since_ns = 0
        if asked.hours is not None:
            since_ns = max(0, self._page.picture.market.event_ns - round(asked.hours * HOUR))
        return _json(self._page.picture.history_of(scope, since_ns, asked.points))


def _limit(request: Request) -> int:
    return queries.count(request, "limit", SHOWN, 1, queries.MOST_ROWS)


def _json(value: Any) -> Response:  # noqa: ANN401 - a view, or a list of them
    return Response(_encode(value), media_type=_JSON)
