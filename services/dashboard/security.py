"""What stands between a browser and the page: headers, names, origins, sizes, rates, times.

The page is for a desk's own people, and any web site they visit can make their browsers ask it.
So an answer can be framed, embedded and read by the page alone, and holds no script but its files
(Content-Security-Policy); a request counts only under a name that is ours (a rebound DNS name is
not) and, when it would change something, from a page of ours.

Every refusal is a `Problem` as JSON, and is counted by what it says.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.dashboard.door_metrics import DoorMetrics
from services.dashboard.security_rates import Rates
from shared.adapters.clock import Clock, SystemClock
from shared.adapters.configuration.services import HttpSettings
from shared.runtime.hosts import LOCALHOST, host_name, is_address
from shared.wire import codec
from shared.wire.views import Problem

log = structlog.get_logger()

LARGEST_BODY: Final = 8_192
LONGEST_S: Final = 15.0
MOST_AT_ONCE: Final = 512
STREAM: Final = "/api/v1/stream"
_ASSETS: Final = "/assets/"
_SAFE: Final = frozenset({"GET", "HEAD"})
_REFUSAL: Final = "hedgestat.refusal"

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Declined(Exception):  # noqa: N818 - an answer, not a fault of ours
    """A request is not done.

    Attributes:
        status: HTTP's.
        problem: Why, and what to do.
        headers: To send with it.
    """

    def __init__(
        self, status: int, error: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.problem = Problem(error=error, detail=detail)
        self.headers = dict(headers or {})


def declining(scope: Scope, declined: Declined) -> Response:
    """Answer what was not done; whoever counts finds the reason in the scope."""
    scope[_REFUSAL] = declined.problem.error
    body = codec.encode(declined.problem)
    return Response(body, declined.status, declined.headers, media_type=codec.JSON)


def exception_handlers() -> dict[Any, Callable[[Request, Any], Awaitable[Response]]]:
    """Handlers that make a `Problem` of whatever a route or the router raises."""

    async def declined(request: Request, reason: Declined) -> Response:
        return declining(request.scope, reason)

    async def by_router(request: Request, reason: HTTPException) -> Response:
        error = HTTPStatus(reason.status_code).phrase.lower().replace(" ", "_")
        told = Declined(reason.status_code, error, str(reason.detail), reason.headers)
        return declining(request.scope, told)

    return {Declined: declined, HTTPException: by_router}


def middleware(
    settings: HttpSettings,
    metrics: DoorMetrics,
    *,
    is_known: Callable[[Headers], bool] = lambda _: False,
    clock: Clock | None = None,
) -> list[Middleware]:
    """Everything that a request passes before its route.

    Args:
        settings: Which names are ours.
        metrics: What is counted.
        is_known: Whether these are the headers of somebody who is logged in: strangers share a
            rate with them, and must not keep them from halting.
        clock: For the rates.
    """
    rates = Rates(clock or SystemClock())
    return [
        Middleware(_Outermost, metrics=metrics),
        Middleware(_OursAlone, names=frozenset({LOCALHOST, *settings.hosts})),
        Middleware(_Rated, rates=rates, is_known=is_known),
        Middleware(_Bounded),
    ]


class _Outermost:
    """Sets the headers of every answer, whoever gives it, and counts refusals.

    Starlette's own handler of what nobody foresaw would answer outside of us, without headers.
    """

    def __init__(self, app: ASGIApp, metrics: DoorMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close"})  # there are none
            return
        has_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                _set_headers(MutableHeaders(scope=message), scope["path"])
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            pass  # nobody is there to be answered
        except Exception as error:
            if has_begun:
                raise
            await declining(scope, _as_declined(error, scope))(scope, receive, send_with_headers)
        finally:
            if reason := scope.get(_REFUSAL):
                self._metrics.refused(reason)


def _as_declined(error: Exception, scope: Scope) -> Declined:
    if isinstance(error, Declined):
        return error
    log.error("page_failed", path=scope["path"], exc_info=error)
    return Declined(500, "failed", "The page's log says why.")


def _set_headers(headers: MutableHeaders, path: str) -> None:
    for name, value in HEADERS.items():
        headers[name] = value
    headers.setdefault("cache-control", "no-cache" if path.startswith(_ASSETS) else "no-store")


class _OursAlone:
    """Takes requests under a name of ours and, where they change something, from our own pages.

    Addresses are all right: only a name can be made to point at us by somebody else.
    """

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            remedy = "call it localhost, or add this name to [http] hosts"
            raise Declined(400, "wrong_host", f"This is not {host[:100]!r}: {remedy}.")
        if scope["method"] not in _SAFE and not _is_from_here(headers, host):
            raise Declined(403, "cross_origin", "Only a page of this server may ask for that.")
        await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        name = host_name(host)
        return name in self._names or is_address(name)


def _is_from_here(headers: Headers, host: str) -> bool:
    """Whether the browser says that a page of ours asks; programs say nothing."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    return site in {None, "same-origin", "none"} and (
        origin is None or origin.partition("://")[2].lower() == host.lower()
    )


class _Rated:
    """Takes so many requests of an address in a second, and so many at once."""

    def __init__(self, app: ASGIApp, rates: Rates, is_known: Callable[[Headers], bool]) -> None:
        self._app = app
        self._rates = rates
        self._is_known = is_known
        self._at_once = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_known(Headers(scope=scope)):
            self._see_rate(scope)
        self._at_once += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._at_once -= 1

    def _see_rate(self, scope: Scope) -> None:
        client = scope.get("client")
        if not self._rates.take(client[0] if client else ""):
            raise Declined(429, "too_many", "Too many requests: wait.", {"retry-after": "1"})
        if self._at_once >= MOST_AT_ONCE:
            raise Declined(503, "busy", "Too many requests at once.", {"retry-after": "1"})


class _Bounded:
    """Takes small bodies only, and ends what takes too long; the stream may last."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            raise _too_large()
        limit = asyncio.timeout(None if scope["path"] == STREAM else LONGEST_S)
        try:
            async with limit:
                await self._app(scope, _counted(receive), send)
        except TimeoutError:
            if not limit.expired():
                raise
            raise Declined(503, "too_slow", f"Not done in {LONGEST_S:g} s.") from None


def _counted(receive: Receive) -> Receive:
    """Count the bytes of a body, whatever its length was said to be."""
    taken = 0

    async def receive_counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST_BODY:
            raise _too_large()
        return message

    return receive_counted


def _too_large() -> Declined:
    return Declined(413, "too_large", f"At most {LARGEST_BODY} bytes.", {"connection": "close"})
