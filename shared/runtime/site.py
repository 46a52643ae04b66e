"""Where a service runs: what its process gives it, the same for every service.

One process holds one site, whether it runs one service or all of them.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal
from uuid import uuid4

import structlog
from msgspec import UNSET, UnsetType
from prometheus_client import CollectorRegistry, Counter, disable_created_metrics

from shared.adapters.archive import ArchiveReader
from shared.adapters.bus import BusEvent, Subscription, Will
from shared.adapters.calendars import session_calendar
from shared.adapters.catalogue import make_catalogue
from shared.adapters.clock import Clock, SystemClock
from shared.adapters.keyring import Keyring
from shared.adapters.mqtt import MqttBus
from shared.adapters.recalled_store import RecalledStore
from shared.adapters.redis_store import RedisStore
from shared.adapters.settings import Settings
from shared.adapters.tails import TailedStore, Tails
from shared.domain.instants import SECOND
from shared.domain.instruments.catalogue import Catalogue
from shared.domain.sessions import SessionCalendar
from shared.runtime.checks import CheckCollector
from shared.runtime.health import Health
from shared.runtime.http import Front, operations_app
from shared.runtime.precedence import Precedence
from shared.runtime.retention import RetentionMetrics
from shared.wire import codec, topics
from shared.wire.access import READER
from shared.wire.messages import StatusMessage

log = structlog.get_logger()

VERSION: Final = version("hedgestat")
FIRST_DAY: Final = date(1990, 1, 1)
DAYS_AHEAD: Final = 270
_SESSION_S: Final = 3_600
"""For so long the broker keeps for a service what it missed."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a process gives its services.

    Attributes:
        settings: The configuration.
        instance: Part of client ids: two processes of one service must differ in it.
        clock: The one clock.
        registry: Of this process's metrics.
        health: Of this process's services.
        stop: Set when the process is to drain and end.
        precedence: Of its stages.
        keys: To use instead of those in the configured directory.
        retention: What its streams keep.
        front: What it serves over HTTP: health and metrics, unless a service shows more.
    """

    settings: Settings
    instance: str = ""
    clock: Clock = field(default_factory=SystemClock)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    health: Health = field(default_factory=Health)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    precedence: Precedence = field(default_factory=Precedence)
    keys: Keyring | None = None
    retention: RetentionMetrics = field(init=False)
    front: Front = field(init=False)
    _market_tails: Tails = field(init=False, default_factory=Tails)
    _orders_tails: Tails = field(init=False, default_factory=Tails)

    def __post_init__(self) -> None:
        # A series more for each of a counter, which nobody reads.
        disable_created_metrics()  # type: ignore[no-untyped-call] # it ships no types for it
        counter = Counter(
            "hedge_bus_events",
            "Connects, disconnects and refusals of a service's bus connection.",
            ["service", "event"],
            registry=self.registry,
        )
        object.__setattr__(self, "_bus_events", counter)
        object.__setattr__(self, "retention", RetentionMetrics(self.registry))
        hosts = self.settings.http.hosts
        app = operations_app(self.health, self.registry, hosts=hosts)
        object.__setattr__(self, "front", Front(app))
        CheckCollector(self.registry, self.health)

    def bus(self, service: str, subscriptions: Sequence[str], *, session: str = "") -> MqttBus:
        """A connection to the broker, with the service's status as birth and last will.

        Args:
            service: Its name.
            subscriptions: What it hears.
            session: Of a service that needs nothing of what was sent to it before: a name that
                ends with the connection, so that two of them disturb each other in nothing.
        """
        check = f"{service}.bus"
        self.health.failing(check, "not connected yet")

        def heard(event: BusEvent) -> None:
            self._bus_events.labels(service, event.name).inc()  # type: ignore[attr-defined]
            if event.name == "connected":
                self.health.passing(check)
                log.info("bus_connected", service=service)
                return
            if event.name in {"connect_failed", "disconnected"}:
                self.health.failing(check, event.reason)
            log.warning("bus_trouble", service=service, bus_event=event.name, reason=event.reason)

        return MqttBus(
            self.settings.mqtt.of(service),
            client_id=f"hedgestat-{service}{self.instance}{session and '-'}{session}",
            clean_start=bool(session),
            session_expiry_s=0 if session else _SESSION_S,
            subscriptions=[Subscription(topic) for topic in subscriptions],
            birth=self._status(service, "online"),
            will=self._status(service, "offline"),
            on_event=heard,
        )

    def caller(self, service: str, subscriptions: Sequence[str] = ()) -> MqttBus:
        """A connection beside the service's own, without a status: for a word, or to listen."""
        return MqttBus(
            self.settings.mqtt.of(service),
            client_id=f"hedgestat-{service}-{uuid4().hex}",
            clean_start=True,
            session_expiry_s=0,
            subscriptions=[Subscription(topic) for topic in subscriptions],
        )

    def market(self, service: str = READER) -> RedisStore:
        """The store of journal and signals, with a service's rights; an async context manager."""
        return TailedStore(self.settings.redis.market.of(service), self._market_tails)

    def recalled_market(
        self, archives: Mapping[str, ArchiveReader], service: str = READER
    ) -> RedisStore:
        """The same for who reads a stream from its beginning, trimmed parts from the archive."""
        return RecalledStore(self.settings.redis.market.of(service), archives)

    def orders(self, service: str = READER) -> RedisStore:
        """The store of decisions and outbox, likewise."""
        return TailedStore(self.settings.redis.orders.of(service), self._orders_tails)

    @cached_property
    def keyring(self) -> Keyring:
        """The keys of this process.

        Raises:
            KeyMissing: There are none, or one cannot be read.
        """
        settings = self.settings
        directory = Path(settings.keys.directory)
        return self.keys or Keyring.load(directory, settings.trading.environment)

    def calendar(self) -> SessionCalendar:
        """The exchange's sessions, from a fixed day on: stored states count sessions from there.

        Made once, which takes a second: before a lease is asked for, not while it is held.
        """
        return self._calendar

    @cached_property
    def _calendar(self) -> SessionCalendar:
        today = datetime.fromtimestamp(self.clock.now_ns() / SECOND, tz=UTC).date()
        wanted = self.settings.calendar
        return session_calendar(
            wanted.name, FIRST_DAY, today + timedelta(days=DAYS_AHEAD), wanted.overrides
        )

    def catalogue(self) -> Catalogue:
        """Every instrument there is, by its symbol; made once."""
        return self._catalogue

    @cached_property
    def _catalogue(self) -> Catalogue:
        return make_catalogue(self.settings.instruments, self.settings.calendar)

    async def until_stopped(self, service: Coroutine[None, None, None]) -> None:
        """Run a service that ends by cancellation until the process is to stop."""
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(service)
            running.add_done_callback(lambda _: stopper.cancel())
            stopper = tasks.create_task(self.stop.wait())
            stopper.add_done_callback(lambda _: running.cancel())

    def finished(self, service: str) -> Will:
        """Return the last word of a service that leaves because its work is done."""
        return self._status(service, "offline", "finished")

    def _status(
        self,
        service: str,
        state: Literal["online", "offline"],
        note: Literal["finished"] | UnsetType = UNSET,
    ) -> Will:
        message = StatusMessage(
            service=service,
            state=state,
            version=VERSION,
            config_digest=self.settings.digest,
            note=note,
        )
        return Will(topics.status(service), codec.encode(message))
