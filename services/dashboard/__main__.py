"""Composition root of the page."""

import asyncio
from functools import cache, partial
from typing import Final
from uuid import uuid4

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from services.dashboard import security
from services.dashboard.actions import Actions
from services.dashboard.api import Api
from services.dashboard.assets_route import Assets
from services.dashboard.chronicle import Chronicle
from services.dashboard.door_metrics import DoorMetrics
from services.dashboard.listener import SUBSCRIPTIONS, Listener
from services.dashboard.metrics import DashboardMetrics
from services.dashboard.page import Page
from services.dashboard.picture import Picture
from services.dashboard.reader import Reader
from services.dashboard.rounds import Rounds
from services.dashboard.streams import Streams
from shared.domain.instruments.catalogue import Catalogue, UnknownInstrument
from shared.runtime.alarm import Alarm
from shared.runtime.health import Health
from shared.runtime.http import operations_routes
from shared.runtime.leading import holder_name
from shared.runtime.site import VERSION, Site

SERVICE: Final = "dashboard"


async def run(site: Site) -> None:
    """Serve the page until the site is to stop."""
    metrics = DashboardMetrics(site.registry)
    page = Page(make_picture(site), site.settings, VERSION, site.clock)
    rounds = Rounds(page, site.clock, metrics)
    streams = Streams(rounds, metrics)
    async with (
        site.market(SERVICE) as market,
        site.orders(SERVICE) as orders,
        site.bus(SERVICE, SUBSCRIPTIONS, session=uuid4().hex[:8]) as bus,
    ):
        alarm = Alarm(bus)
        door = DoorMetrics(site.registry)
        actions = Actions(
            settings=site.settings,
            keyring=site.keyring,
            bus=bus,
            clock=site.clock,
            metrics=door,
            ring=alarm.ring,
        )
        reader = Reader(
            page=page,
            market=market,
            orders=orders,
            clock=site.clock,
            metrics=metrics,
            chronicle=Chronicle(page.picture, market, holder_name()),
        )
        api = Api(page, streams, Assets())
        site.front.show(application(site, api, actions, door))
        listener = Listener(page, bus, site.keyring, metrics)
        watch(site.health, page)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(reader.run(), name="reader"),
                tasks.create_task(listener.run(), name="listener"),
                tasks.create_task(rounds.run(reader.caught_up), name="rounds"),
                tasks.create_task(alarm.run(), name="alarm"),
            ]
            await site.stop.wait()
            rounds.end()
            for task in running:
                task.cancel()


def application(site: Site, api: Api, actions: Actions, door: DoorMetrics) -> Starlette:
    """Return everything that the process answers."""
    routes: list[BaseRoute] = [
        *api.routes(),
        *actions.routes(),
        *operations_routes(site.health, site.registry),
    ]
    return Starlette(
        routes=routes,
        middleware=security.middleware(
            site.settings.http, door, is_known=actions.is_known, clock=site.clock
        ),
        exception_handlers=security.exception_handlers(),
    )


def make_picture(site: Site) -> Picture:
    """Return an empty picture of a configuration."""
    settings = site.settings
    services = ["ingest", "signals", "hedger", "gateway", "auditor"]
    if settings.has_positions:
        services.append("exposure")
    return Picture(
        settings.books,
        settings.signals,
        site.calendar(),
        tuple(services),
        cache(lambda symbol: expiry_of(site.catalogue(), symbol)),
        commission=settings.paper.commission,
    )


def expiry_of(catalogue: Catalogue, symbol: str) -> int | None:
    """Return when a VIX future expires, ns; `None` for anything else."""
    try:
        instrument = catalogue.resolve(symbol)
    except UnknownInstrument:
        return None
    return instrument.expiry_ns if instrument.root == "VX" else None


def watch(health: Health, page: Page) -> None:
    """Let every check of the picture be one of the process."""
    for name in page.health().checks:
        health.watch(f"monitor.{name}", partial(_trouble, page, name))


def _trouble(page: Page, name: str) -> str | None:
    return page.health().checks.get(name) or None
