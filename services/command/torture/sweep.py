"""One sweep: a place is built, broken for a while, left to recover, and judged."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Final

from msgspec import Struct

from services.command.torture.feed import Feed
from services.command.torture.guards import scrape
from services.command.torture.judgement import fold_journal, judge, read_record
from services.command.torture.nemesis import Nemesis
from services.command.torture.place import Place
from shared.adapters.clock import SystemClock
from shared.adapters.control_socket import GatewayRefused, GatewayUnreachable, gateway_status
from shared.adapters.mqtt import MqttBus
from shared.wire import keys

_STARTS_WITHIN_S: Final = 30.0
_SETTLES_WITHIN_S: Final = 60.0
_QUIET_LOOKS: Final = 35
"""Of a tenth of a second: longer than an order of the hasty books may be open."""
_SAYS_EVERY_S: Final = 3.0


class SweepPlan(Struct, frozen=True, kw_only=True):
    """What a sweep is to be.

    Attributes:
        seed: Of all that is left to chance.
        seconds: For how long things break.
        books: How many.
        jump_s: Between two jumps of VIX.
        directory: Where.
    """

    seed: int
    seconds: float
    books: int
    jump_s: float
    directory: Path


class SweepFound(Struct, frozen=True, kw_only=True):
    """What came of it."""

    plan: SweepPlan
    violations: list[str]
    orders: int
    statuses: Counter[str]
    done: Counter[str]
    settled_s: float
    ends: Counter[str]
    stopped: dict[str, str]


async def sweep(
    plan: SweepPlan, context: ForkServerContext, say: Callable[[str], None]
) -> SweepFound:
    """Run one sweep.

    Args:
        plan: What it is to be.
        context: What services are forked from.
        say: Told of progress, every few seconds.
    """
    chance = random.Random(plan.seed)  # noqa: S311 - to be repeated, not secret
    clock = SystemClock()
    async with Place(plan.directory, context, books=plan.books, chance=chance) as place:
        settings = place.settings
        bus = MqttBus(settings.mqtt, client_id="torture-feed", clean_start=True, session_expiry_s=0)
        feed = Feed(bus, clock, chance, plan.jump_s)
        nemesis = Nemesis(place, chance)
        loop = asyncio.get_running_loop()
        async with bus, asyncio.TaskGroup() as tasks:
            tending = tasks.create_task(place.tending())
            feeding = tasks.create_task(feed.run())
            await _answered(place, 1, _STARTS_WITHIN_S)
            saying = tasks.create_task(_saying(place, nemesis, say))
            await nemesis.run(loop.time() + plan.seconds)
            feed.jumps_on = False
            settled_s = await _settled(place)
            for task in (saying, feeding, tending):
                task.cancel()
        await asyncio.to_thread(_end_programs, place)
        await asyncio.to_thread(_restart_servers, place)
        record = read_record(Path(settings.gateway.record))
        fold = await fold_journal(settings)
        violations = judge(record, fold, ())
        return SweepFound(
            plan=plan,
            violations=violations,
            orders=len(record.answers),
            statuses=Counter(
                f"{each.status} {each.reason.partition(':')[0]}" for each in record.answers
            ),
            done=nemesis.done,
            settled_s=settled_s,
            ends=place.ends,
            stopped=place.stopped,
        )


async def _answered(place: Place, count: int, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while await _count(place) < count:
            await asyncio.sleep(0.1)


async def _count(place: Place) -> int:
    path = place.settings.gateway.socket_path
    assert path is not None  # noqa: S101 - the campaign's configuration has one
    try:
        return (await gateway_status(path)).answered
    except (GatewayUnreachable, GatewayRefused):
        return -1


async def _saying(place: Place, nemesis: Nemesis, say: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(_SAYS_EVERY_S)
        kills = sum(times for what, times in nemesis.done.items() if what.startswith("kill"))
        say(f"{await _count(place)} orders, {kills} kills, {sum(nemesis.done.values())} faults")


async def _settled(place: Place) -> float:
    """Wait until nothing is on its way; returns how long that took, in seconds."""
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    answered_s = begun_s
    quiet = 0
    while quiet < _QUIET_LOOKS and loop.time() < begun_s + _SETTLES_WITHIN_S and not place.stopped:
        if not await asyncio.to_thread(_is_answered, place):
            answered_s, quiet = loop.time(), 0
        elif await _waiting_reports(place) == 0:
            quiet += 1
        else:
            quiet = 0
        await asyncio.sleep(0.1)
    return answered_s - begun_s


def _is_answered(place: Place) -> bool:
    """Whether the outbox is empty."""
    return place.orders.ask(f"XLEN {keys.outbox()}").startswith(":0")


async def _waiting_reports(place: Place) -> int:
    """How many reports of the gateway the journal does not have; -1 when it does not say."""
    page = await scrape(place.programs["gateway-1"].plan.port)
    return int(page.get("hedge_gateway_reports_waiting", -1.0))


def _end_programs(place: Place) -> None:
    for program in place.programs.values():
        program.end(within_s=6.0)


def _restart_servers(place: Place) -> None:
    for server in place.servers.values():
        if not server.is_running:
            server.start()
        server.wait()
