"""The demo: every service in one process, on embedded servers, over five years of real history."""

import asyncio
import contextlib
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import structlog
from msgspec import Struct, structs
from rich.console import Console
from rich.markup import escape

from services.command.account import Account, account_of
from services.command.lines import line
from services.command.progress import ReplayProgress
from services.command.up import SERVICES
from services.feed.__main__ import run as run_feed
from services.feed.service import FeedPolicy
from shared.adapters.bus import Subscription
from shared.adapters.calendars import CalendarError
from shared.adapters.connections import MqttSettings, RedisSettings
from shared.adapters.embedded import embedded_broker, embedded_store
from shared.adapters.history.directory import open_history
from shared.adapters.history.packaged import packaged_history
from shared.adapters.history.readers import HistoryError
from shared.adapters.history.replay import ReplayStep, replay_steps
from shared.adapters.history.series import Series
from shared.adapters.history.sessions import checked
from shared.adapters.mqtt import MqttBus
from shared.adapters.settings import Settings
from shared.domain.rules import PRESETS
from shared.runtime.http import bind, operations_app, serve
from shared.runtime.logs import configure_logging
from shared.runtime.process import Running, stopped_by_signals
from shared.runtime.site import Site
from shared.wire import topics

log = structlog.get_logger()

FINDINGS_SHOWN: Final = 5
SHOWN: Final = (
    topics.ORDERS,
    topics.EXECUTIONS,
    topics.TRIGGERS,
    topics.WHIPSAWS,
    topics.WITHHELD,
    topics.ALERTS,
    topics.REJECTS,
)


class DemoOptions(Struct, frozen=True, kw_only=True):
    """What the demo was asked for.

    Attributes:
        first: First session.
        last: Last session, included.
        speed: Event time per wall time; `None`: as fast as it settles.
        preset: Rule instead of the configured one, or `None`.
        broker: A real broker instead of the embedded one, or `None`.
        redis: A real store instead of the embedded one, or `None`.
        hold: Stay up after the replay.
    """

    first: date
    last: date
    speed: float | None
    preset: str | None
    broker: str | None
    redis: str | None
    hold: bool

    @property
    def source(self) -> str:
        """Name of the replay: the same sessions are the same series of numbers."""
        return f"demo-{self.first}-{self.last}"


class DemoRefused(ValueError):  # noqa: N818 - an answer, not a fault of ours
    """What was asked for cannot be done; the text says why and what can."""


def run_demo(
    settings: Settings, directory: Path | None, options: DemoOptions, console: Console
) -> bool:
    """Run the demo; whether it came to its end.

    Args:
        settings: The configuration.
        directory: The user's own history, or `None` for the packaged one.
        options: What was asked for.
        console: Where lines and the bar go.

    Raises:
        DemoRefused: No such history, preset or sessions.
    """
    configure_logging("warning", stream=sys.stderr)
    history = _history(settings, directory, options, console)
    try:
        accounts = asyncio.run(Demo(settings, history, options, console).run())
    except KeyboardInterrupt:
        return False
    return bool(accounts)


def _history(
    settings: Settings, directory: Path | None, options: DemoOptions, console: Console
) -> tuple[Series, ...]:
    wanted = settings.calendar
    try:
        if directory is None:
            history = checked(packaged_history(), wanted.name, wanted.overrides)
        else:
            history = open_history(directory, wanted.name, overrides=wanted.overrides)
    except (HistoryError, CalendarError) as error:
        raise DemoRefused(str(error)) from error
    _print_findings(history, options, console)
    known = set(settings.intake.symbols)
    return tuple(series for series in history if series.symbol in known)


def _print_findings(history: Sequence[Series], options: DemoOptions, console: Console) -> None:
    """Say what is odd about the sessions asked for; the first few of them in full."""
    findings = [
        finding
        for series in history
        for finding in series.findings
        if finding.day is None or options.first <= finding.day <= options.last
    ]
    for finding in findings[:FINDINGS_SHOWN]:
        console.print(f"[yellow]history[/] {escape(str(finding))}", highlight=False)
    if len(findings) > FINDINGS_SHOWN:
        console.print(f"[yellow]history[/] and {len(findings) - FINDINGS_SHOWN} more findings")


def with_preset(settings: Settings, preset: str | None) -> Settings:
    """Replace every book's rules by one preset.

    Raises:
        DemoRefused: There is no such preset.
    """
    if preset is None:
        return settings
    if preset not in PRESETS:
        raise DemoRefused(f"no preset {preset!r}; there are {', '.join(sorted(PRESETS))}")
    rules = (PRESETS[preset],)
    books = tuple(structs.replace(book, rules=rules) for book in settings.books)
    return structs.replace(settings, books=books)


@contextlib.contextmanager
def servers(settings: Settings, options: DemoOptions, directory: Path) -> Iterator[Settings]:
    """Start what was not given, and say where everything is."""
    with contextlib.ExitStack() as stack:
        broker, redis = options.broker, options.redis
        if broker is None:
            (directory / "broker").mkdir()
            broker = stack.enter_context(embedded_broker(directory / "broker"))
        if redis is None:
            (directory / "store").mkdir()
            redis = stack.enter_context(embedded_store(directory / "store", fsync="always"))
        store = RedisSettings(url=redis)
        yield structs.replace(
            settings,
            mqtt=MqttSettings(url=broker, abandon_stuck_session=options.broker is None),
            redis=structs.replace(settings.redis, orders=store, market=store),
            gateway=structs.replace(settings.gateway, record=str(directory / "gateway.sqlite")),
        )


class Demo:
    """One run of the demo.

    Args:
        settings: The configuration.
        history: What to replay.
        options: What was asked for.
        console: Where lines and the bar go.
    """

    def __init__(
        self, settings: Settings, history: Sequence[Series], options: DemoOptions, console: Console
    ) -> None:
        self._settings = with_preset(settings, options.preset)
        self._history = history
        self._options = options
        self._console = console
        self._seen: Counter[str] = Counter()

    async def run(self) -> list[Account]:
        """Replay, and account for it; nothing when it was stopped before the end."""
        with (
            tempfile.TemporaryDirectory(prefix="hedgestat-demo-") as directory,
            servers(self._settings, self._options, Path(directory)) as settings,
        ):
            site = Site(settings=settings)
            self._console.print(
                f"[dim]broker {settings.mqtt.url}  store {settings.redis.orders.url}[/]"
            )
            return await self._replay(site)

    async def _replay(self, site: Site) -> list[Account]:
        listener = bind(site.settings.http.host, site.settings.http.port, next_free=True)
        url = "http://{}:{}".format(*listener.getsockname()[:2])
        self._console.print(f"[dim]metrics {url}/metrics  health {url}/readyz[/]")
        calendar = site.calendar()
        steps = list(replay_steps(self._history, calendar, self._options.first, self._options.last))
        accounts: list[Account] = []
        with stopped_by_signals(site.stop):
            async with asyncio.TaskGroup() as tasks:
                page = tasks.create_task(
                    serve(operations_app(site.health, site.registry), listener)
                )
                shown = tasks.create_task(self._show(site))
                services = tasks.create_task(Running(site, SERVICES).run())
                await self._feed(site, steps)
                if not site.stop.is_set():
                    metrics = await asyncio.to_thread(_scrape, f"{url}/metrics")
                    accounts = await account_of(site, calendar, metrics)
                    for account in accounts:
                        self._console.print(account.table())
                if self._options.hold and accounts:
                    self._console.print(f"Staying up: {url}/metrics. Ctrl-C ends it.")
                    await site.stop.wait()
                site.stop.set()
                await services
                shown.cancel()
                page.cancel()
        return accounts

    async def _feed(self, site: Site, steps: Sequence[ReplayStep]) -> None:
        policy = FeedPolicy(source=self._options.source, speed=self._options.speed)
        with ReplayProgress(steps, self._console) as progress:
            await run_feed(site, steps, policy, progress.on_step)

    async def _show(self, site: Site) -> None:
        """Print orders, triggers and whipsaws as they happen, as any client sees them."""
        subscriptions = [Subscription(topic, 0) for topic in SHOWN]
        client = f"hedgestat-demo-{self._options.source}"
        async with MqttBus(
            site.settings.mqtt, client_id=client, subscriptions=subscriptions, clean_start=True
        ) as bus:
            async for message in bus.messages():
                if not message.retain:
                    self._console.print(line(message.topic, message.payload), highlight=False)


def _scrape(url: str) -> str:
    with urlopen(url, timeout=5) as response:  # noqa: S310 - our own page
        return str(response.read().decode())
