"""What somebody who is logged in may do from the page: halt, reduce, rebalance. Never resume.

An action is done when the broker has taken it, signed with the desk's key, in the operator's name;
whether the gateway believed it is told by the trading state that comes back. What was stopped here
an operator lets go on from a terminal, with a key that no browser comes near.

Against forgery an action needs all of: the session's cookie, which is sent from our own pages
alone; the session's token in a header; a JSON body, which no form can send; and the scope, typed a
second time.
"""

import asyncio
import hmac
from collections.abc import Callable
from typing import Final, Literal, TypeVar

import structlog
from msgspec import Struct
from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.dashboard.door_metrics import DoorMetrics
from services.dashboard.login import Logins
from services.dashboard.login_sessions import Session
from services.dashboard.security import Declined
from services.dashboard.security_rates import Rates
from shared.adapters.bus import Bus, BusUnavailable, PublishRefused
from shared.adapters.clock import Clock
from shared.adapters.keyring import Keyring
from shared.adapters.settings import Settings
from shared.domain.effects import AlertRaised
from shared.domain.trading import ALL
from shared.runtime.hosts import is_loopback
from shared.wire import codec, topics
from shared.wire.codec import MalformedMessage
from shared.wire.messages import RebalanceMessage, TradingCommandMessage
from shared.wire.times import format_instant
from shared.wire.views import ActionRequest, ActionView, LoginRequest, LoginView

log = structlog.get_logger()

ROOT: Final = "/api/v1"
COOKIE: Final = "hedgestat_session"
CSRF_HEADER: Final = "x-csrf-token"
REBALANCES_A_SECOND: Final = 0.1
REBALANCES_AT_ONCE: Final = 5.0

Action = Literal["halt", "reduce", "rebalance"]
Body = TypeVar("Body", bound=Struct)

_STATES: Final[dict[Action, Literal["halted", "reducing"]]] = {
    "halt": "halted",
    "reduce": "reducing",
}


class Actions:
    """Logs operators in and out, and does what they ask.

    Args:
        settings: Who may log in, and what there is to act on.
        keyring: Signs as the desk.
        bus: Where actions go.
        clock: For their times.
        metrics: What is counted.
        ring: Tells a person when logins fail.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        settings: Settings,
        keyring: Keyring,
        bus: Bus,
        clock: Clock,
        metrics: DoorMetrics,
        ring: Callable[[AlertRaised], None],
    ) -> None:
        self._scopes = (ALL, *(book.name for book in settings.books))
        self._keyring = keyring
        self._bus = bus
        self._clock = clock
        self._logins = Logins(
            path=settings.http.operators_path,
            keyring=keyring,
            clock=clock,
            metrics=metrics,
            ring=ring,
        )
        self._rebalances = Rates(clock, REBALANCES_A_SECOND, REBALANCES_AT_ONCE)
        self._in_order = asyncio.Lock()
        self._issued_ns = 0
        self._metrics = metrics

    def routes(self) -> list[BaseRoute]:
        """Everything below `/api/v1` that is not only shown."""
        return [
            Route(f"{ROOT}/login", self._who, methods=["GET"]),
            Route(f"{ROOT}/login", self._log_in, methods=["POST"]),
            Route(f"{ROOT}/logout", self._log_out, methods=["POST"]),
            *(self._route(action) for action in ("halt", "reduce", "rebalance")),
        ]

    def is_known(self, headers: Headers) -> bool:
        """Whether these headers are of somebody who is logged in."""
        cookies = cookie_parser(headers.get("cookie", ""))
        return any(self._logins.knows(cookies.get(name, "")) for name in (COOKIE, _SECURE_COOKIE))

    def _route(self, action: Action) -> Route:
        async def act(request: Request) -> Response:
            return await self._act(action, request)

        return Route(f"{ROOT}/actions/{action}", act, methods=["POST"])

    # --- in and out ----------------------------------------------------------------------------

    async def _who(self, request: Request) -> Response:
        return _shown(self._logins.find(_secret(request)))

    async def _log_in(self, request: Request) -> Response:
        self._logins.operators()
        if not (_is_encrypted(request) or is_loopback(request.headers["host"])):
            remedy = "put a proxy with TLS before it, or come through `ssh -L`"
            raise Declined(403, "not_private", f"Others could read the password here: {remedy}.")
        asked = await _body(request, LoginRequest)
        secret, session = await self._logins.begin(
            asked.operator, asked.password, old=_secret(request), client=_client(request)
        )
        answer = _shown(session)
        answer.set_cookie(
            _cookie(request),
            secret,
            path="/",
            secure=_is_encrypted(request),
            httponly=True,
            samesite="strict",
        )
        return answer

    async def _log_out(self, request: Request) -> Response:
        session = self._session(request)
        self._logins.end(_secret(request), session)
        answer = Response(status_code=204)
        answer.delete_cookie(
            _cookie(request),
            path="/",
            secure=_is_encrypted(request),
            httponly=True,
            samesite="strict",
        )
        return answer

    def _session(self, request: Request) -> Session:
        """Return who asks, from a page of theirs.

        Raises:
            Declined: Nobody is logged in, or the request does not carry the session's token.
        """
        session = self._logins.find(_secret(request))
        token = request.headers.get(CSRF_HEADER, "").encode()
        if not hmac.compare_digest(token, session.csrf_token.encode()):
            path, client = request.url.path, _client(request)
            log.error("action_forged", operator=session.operator, path=path, client=client)
            raise Declined(403, "csrf", "The request does not carry the session's token.")
        return session

    # --- actions -------------------------------------------------------------------------------

    async def _act(self, action: Action, request: Request) -> Response:
        try:
            session = self._session(request)
            asked = await _body(request, ActionRequest)
            self._see_sound(asked)
            if action == "rebalance":
                self._see_rate(session)
            done = await self._publish(action, asked, session.operator)
        except Declined as declined:
            self._metrics.action(action, declined.problem.error)
            raise
        self._metrics.action(action, "sent")
        return Response(codec.encode(done), 202, media_type=codec.JSON)

    def _see_sound(self, asked: ActionRequest) -> None:
        if asked.scope not in self._scopes:
            known = ", ".join(self._scopes)
            raise Declined(404, "unknown_scope", f"There is no {asked.scope}; there are {known}.")
        if not hmac.compare_digest(asked.confirmation.encode(), asked.scope.encode()):
            raise Declined(422, "confirmation", f"Type {asked.scope} to confirm.")
        if not asked.reason.isprintable() or not asked.reason.strip():
            raise Declined(422, "reason", "A reason is one line of text.")

    def _see_rate(self, session: Session) -> None:
        """Rebalances cost money; a halt is never one too many."""
        if not self._rebalances.take(session.operator):
            raise Declined(429, "too_many", "Too many rebalances: wait.", {"retry-after": "10"})

    async def _publish(self, action: Action, asked: ActionRequest, operator: str) -> ActionView:
        async with self._in_order:  # of one key's words only later ones are believed
            self._issued_ns = max(self._clock.now_ns(), self._issued_ns + 1)
            issued_ns = self._issued_ns
            topic, payload = self._sealed(action, asked, operator, issued_ns)
            try:
                await self._bus.publish(topic, payload)
            except (BusUnavailable, PublishRefused) as error:
                log.error("action_not_taken", action=action, operator=operator, error=str(error))  # noqa: TRY400 - the bus's words suffice
                detail = f"The broker has not confirmed it, do not rely on it: {error}. {_LOCALLY}"
                raise Declined(503, "broker_away", detail) from error
        log.warning(
            "action_sent", action=action, scope=asked.scope, operator=operator, reason=asked.reason
        )
        issued_at = format_instant(issued_ns)
        return ActionView(action=action, scope=asked.scope, operator=operator, issued_at=issued_at)

    def _sealed(
        self, action: Action, asked: ActionRequest, operator: str, issued_ns: int
    ) -> tuple[str, bytes]:
        state = _STATES.get(action)
        if state is None:
            rebalance = RebalanceMessage(
                scope=asked.scope, reason=asked.reason, operator=operator, issued_at=issued_ns
            )
            return topics.REBALANCE, self._keyring.seal("desk", topics.REBALANCE, rebalance)
        command = TradingCommandMessage(
            scope=asked.scope,
            state=state,
            reason=asked.reason,
            operator=operator,
            issued_at=issued_ns,
        )
        return topics.HALT, self._keyring.seal("desk", topics.HALT, command)


_SECURE_COOKIE: Final = f"__Host-{COOKIE}"
_LOCALLY: Final = "On the gateway's machine: hedgestat halt --local."


def _is_encrypted(request: Request) -> bool:
    """Whether the browser came by TLS, as the server or a proxy on this machine says."""
    return request.url.scheme == "https"


def _cookie(request: Request) -> str:
    return _SECURE_COOKIE if _is_encrypted(request) else COOKIE


def _secret(request: Request) -> str:
    return request.cookies.get(_cookie(request), "")


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


def _shown(session: Session) -> Response:
    view = LoginView(operator=session.operator, csrf_token=session.csrf_token)
    return Response(codec.encode(view), media_type=codec.JSON)


async def _body(request: Request, kind: type[Body]) -> Body:
    """Read a JSON body.

    Raises:
        Declined: It is none, or not of that kind; nothing of it is repeated, for it may be secret.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != codec.JSON:
        raise Declined(415, "not_json", f"Send it as {codec.JSON}.")
    try:
        return codec.decode(kind, await request.body())
    except MalformedMessage as error:
        raise Declined(400, "malformed", str(error)) from error
