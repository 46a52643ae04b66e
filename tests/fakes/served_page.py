"""The page over stores, a broker and a market in memory, served on a real port."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from email.message import Message as Headers
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from fakes.bus import FakeBroker, FakeBus
from fakes.clock import ManualClock
from fakes.configurations import SOUND, load
from fakes.keys import make_keyring
from fakes.pictured_market import PicturedMarket
from fakes.store import FakeStore, Fault
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.dashboard import security
from services.dashboard.api import Api
from services.dashboard.assets_route import Assets
from services.dashboard.chronicle import Chronicle
from services.dashboard.listener import SUBSCRIPTIONS, Listener
from services.dashboard.metrics import DashboardMetrics
from services.dashboard.page import Page
from services.dashboard.reader import Reader
from services.dashboard.rounds import Rounds
from services.dashboard.streams import Streams
from shared.adapters.bus import Subscription
from shared.adapters.memory.broker import Published
from shared.adapters.store import Commit, Entry, StoreUnavailable
from shared.runtime.http import bind, serve


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - any value
        return json.loads(self.body)


class Event(NamedTuple):
    """A server-sent event."""

    id: str
    name: str
    data: Any


class EventSource:
    """What a browser hears; `connect` and `close` as one likes."""

    def __init__(self, port: int, path: str = "/api/v1/stream", last_event_id: str = "") -> None:
        self._port = port
        self._path = path
        self._last_event_id = last_event_id
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        seen = f"Last-Event-ID: {self._last_event_id}\r\n" if self._last_event_id else ""
        request = f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{seen}\r\n"
        self.writer.write(request.encode())
        await self.reader.readuntil(b"\r\n\r\n")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def event(self, *names: str) -> Event:
        """The next event, the next of these names if there are any."""
        async with asyncio.timeout(10):
            while True:
                lines = await self._block()
                if lines.get("event") in names or ("event" in lines and not names):
                    return Event(lines["id"], lines["event"], json.loads(lines["data"]))

    async def _block(self) -> dict[str, str]:
        block: dict[str, str] = {}
        while True:
            line = (await self.reader.readline()).decode().rstrip("\r\n")
            assert line or not self.reader.at_eof(), "the stream has ended"
            if not line and block:
                return block
            field, colon, value = line.partition(": ")
            if colon and field in {"id", "event", "data", "retry"}:
                block[field] = value


class ServedPage:
    """A page being served; a context manager.

    Attributes:
        market: What happens; `sync` puts it into the stores.
        page: Makes the views.
        rounds: Numbers them.
        broker: Where a gateway and others speak.
        store: Of both roles.
        port: Where it is served.
    """

    def __init__(self, directory: Path, market: PicturedMarket, *, most: int = 5) -> None:
        self.market = market
        self.clock = ManualClock(market.now)
        self.store = FakeStore()
        self.broker = FakeBroker()
        self.keyring = make_keyring()
        self.registry = CollectorRegistry()
        metrics = DashboardMetrics(self.registry)
        self.page = Page(market.empty_picture(), load(directory, SOUND), "1", self.clock)
        self.rounds = Rounds(self.page, self.clock, metrics)
        self.chronicle = Chronicle(self.page.picture, self.store, "me")
        self._bus = FakeBus(
            self.broker,
            client_id="page",
            subscriptions=[Subscription(topic) for topic in SUBSCRIPTIONS],
        )
        self._reader = Reader(
            page=self.page,
            market=self.store,
            orders=self.store,
            clock=self.clock,
            metrics=metrics,
            chronicle=self.chronicle,
        )
        self._listener = Listener(self.page, self._bus, self.keyring, metrics)
        streams = Streams(self.rounds, metrics, most=most)
        api = Api(self.page, streams, Assets())
        self._app = Starlette(routes=api.routes(), exception_handlers=security.exception_handlers())
        self._written = [0, 0]
        self._batch = 0
        self.port = 0

    @contextlib.asynccontextmanager
    async def serving(self, *, without_store: int = 0) -> AsyncIterator[Self]:
        """Serve it; the store does not answer the first so many times."""
        await self.sync()
        away = Fault(StoreUnavailable("the store is away"), applied=False)
        self.store.faults = iter([away] * without_store)
        socket = bind(port=0)
        self.port = socket.getsockname()[1]
        async with self._bus, asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(serve(self._app, socket)),
                tasks.create_task(self._reader.run()),
                tasks.create_task(self._listener.run()),
                tasks.create_task(self.rounds.run(self._reader.caught_up)),
            ]
            await self.rounds.opened.wait()
            yield self
            self.rounds.end()
            for task in running:
                task.cancel()

    async def sync(self) -> None:
        """Put into the store what has happened since."""
        logs = self.market.log, self.market.decisions
        for number, entries in enumerate(logs):
            for entry in entries[self._written[number] :]:
                self._append(entry)
            self._written[number] = len(entries)
        epoch = await self.store.take_lease("hedger")
        self._batch += 1
        state = self.market.state()
        await self.store.commit(Commit(stage="hedger", epoch=epoch, batch=self._batch, state=state))

    async def get(self, path: str, **headers: str) -> Answer:
        """Ask."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await asyncio.to_thread(_get, f"http://127.0.0.1:{self.port}{path}", named)

    def stream(self, query: str = "", last_event_id: str = "") -> EventSource:
        """A browser that listens."""
        return EventSource(self.port, f"/api/v1/stream{query}", last_event_id)

    def say(self, topic: str, payload: bytes) -> None:
        """Somebody publishes."""
        self.broker.publish(Published(topic, payload, 1, False, None, float("inf")))  # noqa: FBT003

    def count(self, name: str) -> float:
        """A metric."""
        return self.registry.get_sample_value(name) or 0.0

    def _append(self, entry: Entry) -> None:
        self.store.append(entry.stream, entry.payload)


def _get(url: str, headers: Mapping[str, str]) -> Answer:
    try:
        with urlopen(Request(url, headers=dict(headers)), timeout=10) as found:  # noqa: S310 - our own
            return _answer(found.status, found.headers, found.read())
    except HTTPError as refusal:
        with refusal:
            return _answer(refusal.code, refusal.headers, refusal.read())


def _answer(status: int, headers: Headers, body: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body)
