"""`hedgestat demo --exposure`: the Greeks of a book of a thousand options, live, through it all."""

import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path
from typing import Final

from msgspec import structs
from rich.console import Console
from rich.live import Live

from services.command.demo import DemoOptions, check_urls, servers
from services.command.endings import named_reasons
from services.command.exposure_session import CLIMATE, ExposureSession
from services.command.exposure_table import ExposureView
from services.command.pages import page_of
from services.command.up import services_of
from services.exposure.compiling import compile_ahead as compile_exposure
from services.feed.__main__ import run as run_feed
from services.feed.pacing import NumberedStep
from services.feed.service import FeedPolicy, waited_for
from services.ingest.step import compile_ahead as compile_ingest
from services.signals.step import compile_ahead as compile_signals
from shared.adapters.bus import Subscription
from shared.adapters.connections import redacted
from shared.adapters.mqtt import MqttBus
from shared.adapters.settings import Settings
from shared.domain.instants import SECOND
from shared.domain.policies import OptionIntakePolicy
from shared.runtime.http import bind, serve
from shared.runtime.logs import configure_logging
from shared.runtime.process import Running, stopped_by_signals
from shared.runtime.site import Site
from shared.wire import topics
from shared.wire.codec import decode
from shared.wire.messages import ExposureMessage

_LINE_EVERY_S: Final = 2.0
"""Where the output is no terminal."""
_LEGEND: Final = (
    "In USD. $ delta: delta as a holding of the index; $ gamma 1%: how much that changes for a "
    "move of 1%; vega pt: of one more point of volatility; theta day: of a day that passes; "
    "marked: positions with a price, of all."
)
_SCENARIOS_NS: Final = 600 * SECOND


def run_exposure_demo(settings: Settings, options: DemoOptions, console: Console) -> bool:
    """Run it; whether it came to its end.

    Raises:
        Refused: The history is not installed, or an address is none.
        Failed: A server does not answer, or a service could not go on.
    """
    check_urls(options)
    configure_logging("warning", stream=sys.stderr)
    console.print("[dim]compiling, which takes a minute the first time[/]")
    compile_signals(settings.signals, Site(settings=settings).calendar())
    compile_exposure()
    site = Site(settings=settings)
    session = ExposureSession(site.catalogue(), site.calendar())
    settings = with_positions(settings, session)
    compile_ingest(settings.intake)
    demo = ExposureDemo(settings, session, options, console)
    with contextlib.suppress(KeyboardInterrupt), named_reasons():
        asyncio.run(demo.run())
    if not demo.is_done:
        console.print("Stopped before the end.", highlight=False)
    return demo.is_done


def with_positions(settings: Settings, session: ExposureSession) -> Settings:
    """Give the first book the session's positions, and let the options in."""
    book = settings.books[0].name
    return structs.replace(
        settings,
        positions={book: dict(sorted(session.positions.items()))},
        intake=structs.replace(
            settings.intake, options=OptionIntakePolicy(roots=frozenset(("SPXW",)))
        ),
        marks=structs.replace(
            settings.marks,
            rate=CLIMATE.rate,
            dividend_yields={"SPX": CLIMATE.dividend_yield},
            stale_ns=900 * SECOND,
        ),
        exposure=structs.replace(settings.exposure, scenarios_ns=_SCENARIOS_NS),
        exposure_history="packaged",
    )


class ExposureDemo:
    """One run.

    Args:
        settings: With positions.
        session: What is replayed.
        options: What was asked for.
        console: Where the table goes.

    Attributes:
        is_done: Whether it came to its end.
    """

    def __init__(
        self,
        settings: Settings,
        session: ExposureSession,
        options: DemoOptions,
        console: Console,
    ) -> None:
        self.is_done = False
        self._settings = settings
        self._session = session
        self._options = options
        self._console = console
        self._latest: ExposureMessage | None = None
        self._news = asyncio.Event()
        self._listening = asyncio.Event()
        self._steps = 0

    async def run(self) -> None:
        """Replay the session, and show what becomes of the Greeks."""
        with (
            tempfile.TemporaryDirectory(prefix="hedgestat-demo-") as directory,
            servers(self._settings, self._options, Path(directory)) as settings,
        ):
            site = Site(settings=settings)
            self._print(f"[bold]{self._session.story}[/]")
            self._print(f"[dim]broker {redacted(settings.mqtt.url)}[/]")
            await self._replay(site)

    async def _replay(self, site: Site) -> None:
        listener = bind(site.settings.http.host, site.settings.http.port, next_free=True)
        url = "http://{}:{}".format(*listener.getsockname()[:2])
        with stopped_by_signals(site.stop):
            async with (
                page_of(site, self._options.config) as page_url,
                asyncio.TaskGroup() as tasks,
            ):
                self._print(f"page: [bold]{page_url}[/]  [dim]metrics {url}/metrics[/]")
                operations = tasks.create_task(serve(site.front, listener))
                heard = tasks.create_task(self._hear(site))
                shown = tasks.create_task(self._show())
                services = tasks.create_task(Running(site, services_of(site.settings)).run())
                await site.until_stopped(self._wait_for_listener())
                await self._feed(site)
                await asyncio.sleep(0.3)  # the last exposure is told after it is settled
                self.is_done = not site.stop.is_set()
                if self._options.hold and self.is_done:
                    self._print(f"Staying up: {page_url}. Ctrl-C ends it.")
                    await site.stop.wait()
                site.stop.set()
                await services
                for task in (heard, shown, operations):
                    task.cancel()
        self._print_last()

    async def _wait_for_listener(self) -> None:
        await self._listening.wait()

    async def _feed(self, site: Site) -> None:
        policy = FeedPolicy(
            source="demo-exposure",
            waits_for=waited_for(has_positions=True),
            speed=self._options.speed,
        )
        await run_feed(site, self._session.steps(), policy, self._on_step)

    def _on_step(self, _: NumberedStep) -> None:
        self._steps += 1

    async def _hear(self, site: Site) -> None:
        async with MqttBus(
            site.settings.mqtt,
            client_id="hedgestat-exposure-demo",
            subscriptions=[Subscription(topics.EXPOSURES, 0)],
            clean_start=True,
            session_expiry_s=0,
        ) as bus:
            await bus.connected.wait()
            self._listening.set()
            async for message in bus.messages():
                message.ack()
                self._latest = decode(ExposureMessage, message.payload)
                self._news.set()

    async def _show(self) -> None:
        """Redraw the table in place; where there is no terminal, print a line now and then."""
        if not self._console.is_terminal:
            return await self._print_lines()
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while True:
                await self._news.wait()
                self._news.clear()
                if self._latest is not None:
                    live.update(ExposureView(self._latest), refresh=True)
                await asyncio.sleep(0.05)

    async def _print_lines(self) -> None:
        while True:
            await asyncio.sleep(_LINE_EVERY_S)
            message = self._latest
            if message is None:
                self._print("waiting for the services")
                continue
            totals = message.totals
            self._print(
                f"{message.event_time[11:19]} UTC, step {self._steps} of {self._session.count}: "
                f"coverage {message.coverage:.1%}, dollar delta {totals['dollar_delta']:,.0f}, "
                f"dollar gamma 1% {totals['dollar_gamma']:,.0f}, vega {totals['vega']:,.0f}, "
                f"theta {totals['theta']:,.0f}"
            )

    def _print_last(self) -> None:
        if self._latest is not None:
            self._console.print(ExposureView(self._latest))
            self._print(f"[dim]{_LEGEND}[/]")

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)
