"""The page's door over real HTTP: its security, its logins and its actions, on a bus in memory."""

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fakes.bus import FakeBroker, FakeBus
from fakes.clock import ManualClock
from fakes.configurations import SOUND
from fakes.keys import make_keyring
from msgspec import structs
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from services.dashboard import security
from services.dashboard.actions import Actions
from services.dashboard.door_metrics import DoorMetrics
from shared.adapters.keyring import Keyring
from shared.adapters.operators import PasswordHash, write_operators
from shared.adapters.settings import Settings, load_settings
from shared.domain.effects import AlertRaised
from shared.domain.instants import SECOND
from shared.runtime.http import bind, serve
from shared.wire import topics

PASSWORD: Final = "correct horse battery"  # noqa: S105 - of nobody
CHEAP: Final = PasswordHash.of(PASSWORD, cost=(16, 8, 1))
NOW_NS: Final = 1_700_000_000 * SECOND
_BROWSERS: Final = ThreadPoolExecutor(32)
JSON: Final = {"content-type": "application/json"}


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return str(self.json["error"])


@dataclass
class Browser:
    """Keeps a cookie and a token, as the page does."""

    port: int
    cookie: str = ""
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask as the page would, but for these headers; one of an empty value is left out."""
        usual = {"cookie": self.cookie, "x-csrf-token": self.token, **self.headers}
        if body is not None:
            usual |= JSON
        sent = {name: text for name, text in (usual | dict(headers or {})).items() if text}
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_BROWSERS, self._ask, method, path, content, sent)

    def _ask(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_host="host" in headers)
            for name, text in headers.items():
                connection.putheader(name, text)
            if content is not None and "content-length" not in headers:
                connection.putheader("content-length", str(len(content)))
            connection.endheaders(content)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    async def head(self, path: str) -> Answer:
        """Ask for what may never end, and read only how it begins."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_BROWSERS, self._head, path)

    def _head(self, path: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, b"")
        finally:
            connection.close()

    async def log_in(self, operator: str = "ann", password: str = PASSWORD) -> Answer:
        asked = {"operator": operator, "password": password}
        answer = await self.ask("POST", "/api/v1/login", asked)
        if answer.status == 200:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
            self.token = answer.json["csrf_token"]
        return answer

    async def act(
        self, action: str = "halt", headers: Mapping[str, str] | None = None, **parts: object
    ) -> Answer:
        wanted = {"scope": "overlay", "reason": "drill", "confirmation": "overlay", **parts}
        return await self.ask("POST", f"/api/v1/actions/{action}", wanted, headers)


@dataclass
class Door:
    """The page's door, and what is behind it."""

    settings: Settings
    keyring: Keyring
    broker: FakeBroker
    clock: ManualClock
    registry: CollectorRegistry
    rung: list[AlertRaised]
    port: int = 0

    def browser(self) -> Browser:
        return Browser(self.port)

    def let_in(self, *names: str, password: PasswordHash = CHEAP) -> None:
        """Write the file of operators, without waiting for each password to be hashed."""
        write_operators(self.settings.http.operators_path, dict.fromkeys(names, password))

    @property
    def commands(self) -> list[tuple[str, bytes]]:
        """All that was published below `control/`."""
        prefix = f"{topics.PREFIX}/control/"
        return [
            (each.topic, each.payload)
            for each in self.broker.published
            if each.topic.startswith(prefix)
        ]

    def count(self, metric: str, **labels: str) -> float:
        return self.registry.get_sample_value(metric, labels) or 0.0

    def refused(self, reason: str) -> float:
        return self.count("hedge_page_requests_refused_total", reason=reason)


def other_routes() -> list[BaseRoute]:
    """What a page has beside actions: something to show, to fail, and to wait for."""

    async def show(_: Request) -> Response:
        return JSONResponse({"reason": "<script>alert(1)</script>"})

    async def fail(_: Request) -> Response:
        raise RuntimeError("a secret is in here")

    async def last(_: Request) -> Response:
        await asyncio.Event().wait()
        return Response()

    async def stream(_: Request) -> Response:
        async def events() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    return [
        Route("/", show),
        Route("/assets/app.js", show),
        Route("/fails", fail),
        Route("/lasts", last),
        Route("/api/v1/stream", stream),
    ]


@asynccontextmanager
async def door(
    path: Path, *, operators: tuple[str, ...] = ("ann",), keyring: Keyring | None = None
) -> AsyncIterator[Door]:
    """Serve on a free port of loopback."""
    configuration = path / "hedges.toml"
    configuration.write_text(SOUND)
    settings = load_settings(configuration, {"HEDGESTAT_OPERATORS_FILE": str(path / "operators")})
    settings = structs.replace(
        settings, http=structs.replace(settings.http, hosts=("hedges.example.com",))
    )
    broker = FakeBroker()
    async with FakeBus(broker, client_id="dashboard", subscriptions=[]) as bus:
        place = Door(
            settings=settings,
            keyring=keyring or make_keyring(),
            broker=broker,
            clock=ManualClock(NOW_NS),
            registry=CollectorRegistry(),
            rung=[],
        )
        if operators:
            place.let_in(*operators)
        app = _application(place, bus)
        listener = bind(port=0)
        place.port = listener.getsockname()[1]
        async with asyncio.TaskGroup() as tasks:
            served = tasks.create_task(serve(app, listener))
            yield place
            served.cancel()


def _application(place: Door, bus: FakeBus) -> Starlette:
    metrics = DoorMetrics(place.registry)
    actions = Actions(
        settings=place.settings,
        keyring=place.keyring,
        bus=bus,
        clock=place.clock,
        metrics=metrics,
        ring=place.rung.append,
    )
    return Starlette(
        routes=[*actions.routes(), *other_routes()],
        middleware=security.middleware(
            place.settings.http, metrics, is_known=actions.is_known, clock=place.clock
        ),
        exception_handlers=security.exception_handlers(),
    )
