"""The demo on embedded servers, over five years of real history: the services in one process."""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from msgspec import UNSET, Struct, structs
from rich.console import Console

from services.command.account import Account, account_of
from services.command.endings import Failed, Refused, named_reasons
from services.command.news import News
from services.command.pages import page_of
from services.command.progress import ReplayProgress
from services.command.recorded import (
    check_days,
    known_series,
    print_findings,
    read_history,
    steps_between,
)
from services.command.up import services_of
from services.feed.__main__ import run as run_feed
from services.feed.service import FeedPolicy, waited_for
from shared.adapters.configuration.services import (
    GatewaySettings,
    KeySettings,
    RetentionSettings,
    TradingSettings,
)
from shared.adapters.connections import MqttSettings, RedisSettings, redacted
from shared.adapters.embedded import embedded_broker, embedded_store
from shared.adapters.examination.findings import Finding
from shared.adapters.examination.servers import examine_broker, examine_store
from shared.adapters.history.replay import ReplayStep
from shared.adapters.keyring import ROLES, write_key
from shared.adapters.settings import Settings
from shared.domain.hedging.rules import PRESETS, asked_of_signals
from shared.domain.hedging.targets import check_programme
from shared.runtime.http import bind, serve
from shared.runtime.logs import configure_logging
from shared.runtime.process import Running, stopped_by_signals
from shared.runtime.site import Site
from shared.wire import keys

EVERYTHING: Final = 10**12
"""Entries of a stream: the account at the end reads the whole run."""


class DemoOptions(Struct, frozen=True, kw_only=True):
    """What the demo was asked for.

    Attributes:
        first: First session.
        last: Last session, included.
        speed: Event time per wall time; `None`: as fast as it settles.
        preset: Rule instead of the configured one, or `None`.
        history: The user's own files, or `None` for the packaged history.
        broker: URL of a real broker instead of the embedded one, or `None`.
        redis: URL of a real store instead of the embedded one, or `None`.
        hold: Stay up after the replay.
        verbose: Print every change of a trigger, acceptances, and alerts that only inform, too.
        config: The configuration, for the page, which is a process of its own.
    """

    first: date
    last: date
    speed: float | None
    preset: str | None
    history: Path | None
    broker: str | None
    redis: str | None
    hold: bool
    verbose: bool
    config: Path

    @property
    def source(self) -> str:
        """Name of the replay: the same sessions are the same series of numbers."""
        return f"demo-{self.first}-{self.last}"


def run_demo(settings: Settings, options: DemoOptions, console: Console) -> bool:
    """Run the demo; whether it came to its end.

    Args:
        settings: The configuration.
        options: What was asked for.
        console: Where lines and the bar go.

    Raises:
        Refused: No such history, preset or sessions.
        Failed: A server does not answer or is unfit, or a service could not go on.
    """
    check_days(options.first, options.last)
    check_urls(options)
    configure_logging("warning", stream=sys.stderr)
    settings = with_preset(settings, options.preset)
    files = [options.history] if options.history else []
    history = known_series(settings, read_history(settings, files))
    calendar = Site(settings=settings).calendar()
    steps = steps_between(history, calendar, options.first, options.last)
    print_findings(history, options.first, options.last, console)
    demo = Demo(settings, steps, options, console)
    try:
        with named_reasons():
            asyncio.run(demo.run())
    except KeyboardInterrupt:
        pass
    if not demo.accounts:
        kept = f"what it wrote stays in {options.redis}" if options.redis else "nothing of it stays"
        console.print(f"Stopped before the end; {kept}.", highlight=False, soft_wrap=True)
    return bool(demo.accounts)


def check_urls(options: DemoOptions) -> None:
    """Refuse addresses that are none.

    Raises:
        Refused: They are none.
    """
    try:
        MqttSettings(url=options.broker or MqttSettings().url)
        RedisSettings(url=options.redis or RedisSettings().url)
    except ValueError as reason:
        raise Refused(str(reason)) from reason


def with_preset(settings: Settings, preset: str | None) -> Settings:
    """Replace every book's rules by one preset.

    Raises:
        Refused: There is no such preset, or it reads what the configuration has not.
    """
    if preset is None:
        return settings
    if preset not in PRESETS:
        raise Refused(f"no preset {preset!r}; there are {', '.join(sorted(PRESETS))}")
    if preset == "delta":
        raise Refused("rule delta needs the portfolio's delta, which no history here has")
    if preset == "correlation" and not settings.signals.correlation_basket:
        raise Refused("rule correlation needs a basket: write one under [signals.correlation]")
    if preset == "vxth":
        raise Refused("rule vxth needs the front VIX future, which this history has not")
    rules = (PRESETS[preset],)
    books = tuple(structs.replace(book, rules=rules) for book in settings.books)
    try:
        for book in books:
            check_programme(book)
    except ValueError as reason:
        raise Refused(f"rule {preset} asks for other legs or sizing: {reason}") from reason
    asked = asked_of_signals(rules) or UNSET
    signals = structs.replace(settings.signals, asked=asked)
    return structs.replace(settings, books=books, signals=signals)


@contextlib.contextmanager
def servers(settings: Settings, options: DemoOptions, directory: Path) -> Iterator[Settings]:
    """Start what was not given, and say where everything is."""
    with contextlib.ExitStack() as stack:
        broker, redis = options.broker, options.redis
        if broker is None:
            broker = stack.enter_context(embedded_broker(directory / "broker"))
        if redis is None:
            redis = stack.enter_context(embedded_store(directory / "store", fsync="always"))
        store = RedisSettings(url=redis)
        yield structs.replace(
            settings,
            mqtt=MqttSettings(url=broker, abandon_stuck_session=options.broker is None),
            redis=structs.replace(settings.redis, orders=store, market=store),
            gateway=GatewaySettings(record=str(directory / "gateway.sqlite"), socket="off"),
            retention=RetentionSettings(keep_entries=EVERYTHING),
            trading=TradingSettings(arms_itself=True),
            keys=_keys(directory / "keys"),
        )


def _keys(directory: Path) -> KeySettings:
    """Make keys that end with the demo."""
    for role in ROLES:
        write_key(directory, role)
    return KeySettings(directory=str(directory))


class Demo:
    """One run of the demo.

    Args:
        settings: The configuration.
        steps: What to replay.
        options: What was asked for.
        console: Where lines and the bar go.

    Attributes:
        accounts: Of every book, when it came to its end.
    """

    def __init__(
        self,
        settings: Settings,
        steps: Sequence[ReplayStep],
        options: DemoOptions,
        console: Console,
    ) -> None:
        self.accounts: list[Account] = []
        self._settings = settings
        self._steps = steps
        self._options = options
        self._console = console

    async def run(self) -> None:
        """Replay, and account for it."""
        with (
            tempfile.TemporaryDirectory(prefix="hedgestat-demo-") as directory,
            servers(self._settings, self._options, Path(directory)) as settings,
        ):
            site = Site(settings=settings)
            broker, store = redacted(settings.mqtt.url), redacted(settings.redis.orders.url)
            self._print(f"[dim]broker {broker}  store {store}[/]")
            await self._check_given(site)
            await self._replay(site)

    async def _check_given(self, site: Site) -> None:
        """See that servers of the user's own are there, fit, and empty.

        Raises:
            Failed: One is not; the text is the one of `hedgestat doctor`.
        """
        faults = [finding async for finding in self._findings(site) if not finding.is_well]
        if faults:
            raise Failed(*(f"{each.subject}: {each.seen}\n  -> {each.remedy}" for each in faults))
        async with site.market() as store:
            if self._options.redis and (await store.extent(keys.journal())).last:
                raise Failed(
                    f"{redacted(self._options.redis)} holds a journal already: name an empty "
                    "database, such as redis://host:6379/5"
                )

    async def _findings(self, site: Site) -> AsyncIterator[Finding]:
        if self._options.broker:
            yield await examine_broker(site.settings)
        if self._options.redis:
            async for finding in examine_store("orders", site.settings.redis.orders, site.clock):
                yield finding

    async def _replay(self, site: Site) -> None:
        listener = bind(site.settings.http.host, site.settings.http.port, next_free=True)
        url = "http://{}:{}".format(*listener.getsockname()[:2])
        news = News(site, self._console, verbose=self._options.verbose)
        with stopped_by_signals(site.stop):
            async with (
                page_of(site, self._options.config) as page_url,
                asyncio.TaskGroup() as tasks,
            ):
                self._print(f"page: [bold]{page_url}[/]  [dim]metrics {url}/metrics[/]")
                operations = tasks.create_task(serve(site.front, listener))
                shown = tasks.create_task(news.run())
                services = tasks.create_task(Running(site, services_of(site.settings)).run())
                await self._feed(site, news)
                if not site.stop.is_set():
                    await news.finish()
                    await self._account(site, url)
                if self._options.hold and self.accounts:
                    self._print(f"Staying up: {page_url}. Ctrl-C ends it.")
                    await site.stop.wait()
                site.stop.set()
                await services
                shown.cancel()
                operations.cancel()

    async def _feed(self, site: Site, news: News) -> None:
        await site.until_stopped(news.listening())
        policy = FeedPolicy(
            source=self._options.source,
            waits_for=waited_for(has_positions=site.settings.has_positions),
            speed=self._options.speed,
        )
        with ReplayProgress(self._steps, self._console) as progress:
            await run_feed(site, self._steps, policy, progress.on_step)

    async def _account(self, site: Site, url: str) -> None:
        metrics = await asyncio.to_thread(_scrape, f"{url}/metrics")
        self.accounts = await account_of(site, site.calendar(), metrics)
        for account in self.accounts:
            self._console.print(account.table())

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)


def _scrape(url: str) -> str:
    with urlopen(url, timeout=5) as response:  # noqa: S310 - our own page
        return str(response.read().decode())
