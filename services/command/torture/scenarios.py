"""What a sweep cannot mix in, for it ends a campaign: stores that lose data, and full disks.

After a store has lost what it had confirmed there is no going on: the gateway must be HALTED, or
the services must have stopped, before an order is wrong. A full disk must stop orders before the
first that is not written down, and be forgotten once there is space.

Longer than most: one scenario after the other, none of which needs another.
"""

import asyncio
import os
import random
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from services.command.torture.feed import Feed
from services.command.torture.guards import Tally, follow
from services.command.torture.judgement import STRANGE, Record, judge, judge_alone, read_record
from services.command.torture.links import Link
from services.command.torture.place import Place, lines_of
from services.command.torture.provocations import LIMITED, SUBSCRIPTIONS, Provoker
from services.command.torture.servers import Redis
from services.command.torture.sweep import (
    AUDITOR,
    answered,
    audit_findings,
    end_programs,
    gateway_socket,
    is_of_stopping,
    remains,
)
from shared.adapters.bus import Subscription
from shared.adapters.clock import SystemClock
from shared.adapters.control_socket import (
    GatewayRefused,
    GatewayUnreachable,
    gateway_orders,
    gateway_status,
    halt_locally,
)
from shared.adapters.mqtt import MqttBus
from shared.domain.gatekeeping.dead_man import HALTED_S
from shared.domain.trading import ALL, TradingState
from shared.wire import keys

_BOOKS: Final = 10
_JUMP_S: Final = 0.5
_BEGINS_WITHIN_S: Final = 60.0
_HALTS_WITHIN_S: Final = 15.0
_STILL_S: Final = 2.0
_SETTLED_S: Final = 1.0
AUDITING: Final = "auditor"
"""The authority under which it halts."""
_ROUNDS: Final = 6
_FROZEN_S: Final = 3.0
_DISK: Final = "8m"


class ScenarioFound(Struct, frozen=True, kw_only=True):
    """What came of a scenario.

    Attributes:
        name: Its name.
        violations: What must never be and is.
        seen: What was seen, in words.
        takeovers_s: From the end of a leader to the gateway's knowing the next one.
        guards: Counters of all services.
    """

    name: str
    violations: list[str]
    seen: str
    takeovers_s: list[float] = []
    guards: Counter[str] = msgspec.field(default_factory=Counter)


class Stage:
    """A place in which a market trades while a scenario goes on."""

    def __init__(self, place: Place, feed: Feed) -> None:
        self.place = place
        self.feed = feed
        self.socket = gateway_socket(place)
        self.clock = SystemClock()
        self.takeovers_s: list[float] = []
        self.loses_data = False
        self.loses_journal = False
        """Whether there is no telling any more what should have been decided."""
        self.plausible: frozenset[str] | None = None
        """Orders of a stranger with our key that may have been accepted; `None`: no stranger."""

    async def trades(self, more: int, within_s: float = _BEGINS_WITHIN_S) -> bool:
        """Wait until so many more orders were answered; whether they were."""
        deadline_s = self.clock.monotonic_s() + within_s
        begun = max(0, await answered(self.socket))
        while await answered(self.socket) < begun + more:
            if self.clock.monotonic_s() > deadline_s:
                return False
            await asyncio.sleep(0.05)
        return True

    async def epoch(self) -> int:
        """The highest epoch that the gateway knows; 0 when it does not say."""
        with suppress(GatewayUnreachable, GatewayRefused):
            return (await gateway_status(self.socket)).epoch
        return 0

    async def is_halted(self) -> bool:
        """Whether nothing trades until somebody resumes."""
        with suppress(GatewayUnreachable, GatewayRefused):
            status = await gateway_status(self.socket)
            return status.scopes[ALL] is TradingState.HALTED and any(
                order.operator == "epoch_regress" for order in status.orders
            )
        return False

    def leader(self) -> str:
        """Name of the hedger that leads."""
        reply = self.place.orders.ask(f"HGET {keys.lease('hedger')} holder")
        words = reply.split("\r\n")[1].rsplit("-", 3) if reply.startswith("$") else []
        pids = {str(self.place.programs[name].pid): name for name in ("hedger-1", "hedger-2")}
        return pids.get(words[1], "") if len(words) > 1 else ""

    async def change_leader(self, *, freeze: bool = False) -> float | None:
        """Kill or freeze who leads; how long until the gateway knows another, in seconds."""
        before, name = await self.epoch(), self.leader()
        if not name or not before:
            return None
        victim = self.place.programs[name]
        begun_s = self.clock.monotonic_s()
        victim.send(signal.SIGSTOP if freeze else signal.SIGKILL)
        while await self.epoch() <= before:
            if self.clock.monotonic_s() > begun_s + _HALTS_WITHIN_S:
                return None
            await asyncio.sleep(0.01)
        took_s = self.clock.monotonic_s() - begun_s
        if freeze:
            await asyncio.sleep(max(0.0, _FROZEN_S - took_s))
            victim.send(signal.SIGCONT)
        return took_s


# --- what happens -----------------------------------------------------------------------------


async def takeover(stage: Stage) -> str:
    """Leaders die, or freeze and wake, again and again."""
    for number in range(_ROUNDS):
        took_s = await stage.change_leader(freeze=bool(number % 2))
        if took_s is not None:
            stage.takeovers_s.append(took_s)
        await stage.trades(_BOOKS)
        await asyncio.sleep(1.0)  # the next one has to stand by before it can take over
    return f"{len(stage.takeovers_s)} of {_ROUNDS} leaders replaced"


async def flushall(stage: Stage) -> str:
    """The store of orders is emptied."""
    stage.loses_data = True
    return stage.place.orders.ask("FLUSHALL").strip()


async def flushall_market(stage: Stage) -> str:
    """The store of the market is emptied: the journal is gone, from which all is decided."""
    stage.loses_data = stage.loses_journal = True
    return stage.place.market.ask("FLUSHALL").strip()


async def provocations(stage: Stage) -> str:
    """Somebody with the monitor's key provokes each guard; then the auditor comes."""
    place, auditor = stage.place, stage.place.programs[AUDITOR]
    place.away.add(AUDITOR)
    auditor.kill()
    bus = MqttBus(
        place.settings.mqtt,
        client_id="torture-provoker",
        clean_start=True,
        session_expiry_s=0,
        subscriptions=[Subscription(topic) for topic in SUBSCRIPTIONS],
    )
    provoker = Provoker(bus, Path(place.settings.keys.directory), "paper", stage.clock)
    async with bus, asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(provoker.listen())
        books = [*LIMITED, *(f"book_{number:03d}" for number in range(4))]
        while not provoker.has_heard(books):  # noqa: ASYNC110 - what is waited for is many things
            await asyncio.sleep(0.05)
        stage.feed.jumps_on = False
        await asyncio.sleep(_SETTLED_S)
        await _provoke(stage, provoker)
        listening.cancel()
    stage.plausible = frozenset(provoker.plausible)
    return await _audited(stage)


async def _provoke(stage: Stage, provoker: Provoker) -> None:
    place = stage.place
    await provoker.print_junk()
    await provoker.break_rules("book_000")
    await provoker.break_limits()
    await halt_locally(stage.socket, "book_001", "reducing", "torture", "provoked")
    await provoker.send_growing("book_001")
    await halt_locally(stage.socket, "book_002", "halted", "torture", "provoked")
    await provoker.send_growing("book_002")
    await provoker.forge("book_003")
    await provoker.command_wrongly()
    await provoker.leave("book_003", there=True)
    for name, link in place.links.items():
        if name.startswith(("gateway-", "ingest-")) and name.endswith(place.broker.name):
            link.cut()
    await asyncio.sleep(_STILL_S)
    await provoker.leave("book_003", there=False)
    stage.feed.is_silent = True
    await asyncio.sleep(_STILL_S)
    await provoker.send_growing("stale")
    await asyncio.sleep(_SETTLED_S)
    stage.feed.is_silent = False
    hedgers = [name for name in place.programs if name.startswith("hedger-")]
    place.away.update(hedgers)
    for name in hedgers:
        place.programs[name].kill()
    await asyncio.sleep(HALTED_S + _STILL_S)
    place.away.difference_update(hedgers)


async def _audited(stage: Stage) -> str:
    """Let the auditor look; how long it takes until it has halted everything."""
    stage.place.away.discard(AUDITOR)
    begun_s = stage.clock.monotonic_s()
    while stage.clock.monotonic_s() < begun_s + _HALTS_WITHIN_S:
        with suppress(GatewayUnreachable, GatewayRefused):
            orders = (await gateway_status(stage.socket)).orders
            if any(each.authority == AUDITING and each.scope == ALL for each in orders):
                await asyncio.sleep(_STILL_S)  # for the command over the bus, and the counters
                break
        await asyncio.sleep(0.05)
    found = len(lines_of(stage.place.programs[AUDITOR].plan.log, "audit_mismatch"))
    took_s = stage.clock.monotonic_s() - begun_s - _STILL_S
    return f"the auditor halted after {took_s:.1f} s, {found} orders found"


async def old_file(stage: Stage) -> str:
    """Yesterday's append-only file is restored: the store is what it was before the last leader."""
    stage.loses_data = True
    place = stage.place
    kept = place.directory / "yesterday"
    await asyncio.to_thread(shutil.copytree, place.orders.directory, kept)
    await stage.trades(_BOOKS)
    await stage.change_leader()
    await stage.trades(_BOOKS)
    place.away.add(place.orders.name)
    place.orders.kill()
    await asyncio.to_thread(shutil.rmtree, place.orders.directory)
    await asyncio.to_thread(shutil.copytree, kept, place.orders.directory)
    place.away.clear()
    return "restored"


async def failover(stage: Stage) -> str:
    """A replica that was cut off is promoted: rows that were confirmed are gone."""
    stage.loses_data = True
    place = stage.place
    replica = Redis("redis-replica", place.directory, fsync="always")
    replica.start()
    await asyncio.to_thread(replica.wait)
    wire = Link("replica", place.orders.port)
    await wire.open()
    try:
        replica.ask(f"REPLICAOF 127.0.0.1 {wire.port}")
        await _linked(replica)
        await stage.trades(_BOOKS)
        wire.mood = "deaf"
        await stage.change_leader()
        await stage.trades(_BOOKS)
        place.away.add(place.orders.name)
        place.orders.kill()
        replica.ask("REPLICAOF NO ONE")
        for link in place.links.values():
            if link.name.endswith(f"/{place.orders.name}"):
                link.server_port = replica.port
                link.cut()
        how = await _until_stopped(stage)
        return f"promoted; {how}"
    finally:
        wire.close()
        replica.kill()


async def _linked(replica: Redis) -> None:
    """Wait until a replica has what its primary has."""
    while True:
        if "master_link_status:up" in await asyncio.to_thread(replica.ask, "INFO replication"):
            return
        await asyncio.sleep(0.05)


async def disk_full(stage: Stage) -> str:
    """The gateway's disk is full, and then is not."""
    record = Path(stage.place.settings.gateway.record)
    ballast = record.with_name("ballast")
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(b"0" * 4096):
            pass
    await asyncio.sleep(_STILL_S)
    full = await answered(stage.socket)
    await asyncio.sleep(_STILL_S)
    passed = await answered(stage.socket) - full
    ballast.unlink()
    begun_s = stage.clock.monotonic_s()
    recovered = await stage.trades(1, within_s=_HALTS_WITHIN_S)
    took_s = stage.clock.monotonic_s() - begun_s
    return f"{passed} answered while full, again after {took_s:.1f} s: {recovered}"


Scenario = Callable[[Stage], Awaitable[str]]
SCENARIOS: Final[dict[str, Scenario]] = {
    "takeover": takeover,
    "flushall": flushall,
    "flushall_market": flushall_market,
    "old_file": old_file,
    "failover": failover,
    "disk_full": disk_full,
    "provocations": provocations,
}
LIMITED_IN: Final = {"provocations": LIMITED}
NEEDS_ROOT: Final = frozenset({"disk_full"})


# --- how they are run -------------------------------------------------------------------------


async def play(name: str, directory: Path, context: ForkServerContext) -> ScenarioFound:
    """Run one scenario and judge what is left."""
    small = name in NEEDS_ROOT
    if small and os.geteuid() != 0:
        return ScenarioFound(
            name=name, violations=[], seen="skipped: only root mounts a small disk"
        )
    disk: AbstractContextManager[Path | None] = (
        _small_disk(directory / "disk") if small else nullcontext()
    )
    with disk as record:
        chance = random.Random(name)  # noqa: S311 - to be repeated, not secret
        async with Place(
            directory,
            context,
            books=_BOOKS,
            chance=chance,
            record=record,
            limited=LIMITED_IN.get(name, {}),
        ) as place:
            return await _play(name, place)


async def _play(name: str, place: Place) -> ScenarioFound:
    bus = MqttBus(
        place.settings.mqtt, client_id="torture-feed", clean_start=True, session_expiry_s=0
    )
    feed = Feed(bus, SystemClock(), random.Random(name), _JUMP_S)  # noqa: S311 - likewise
    stage, tally = Stage(place, feed), Tally()
    violations: list[str] = []
    async with bus, asyncio.TaskGroup() as tasks:
        background = [
            tasks.create_task(each)
            for each in (place.tending(), feed.run(), follow(place.pages, tally))
        ]
        if not await stage.trades(_BOOKS):
            violations.append(f"{name}: nothing was traded")
        seen = await SCENARIOS[name](stage)
        if stage.loses_data:
            how = await _until_stopped(stage)
            seen = f"{seen}; {how or 'went on'}"
            if not how:
                violations.append(f"{name}: it neither halted nor stopped")
            violations += await _still(name, stage)
        feed.jumps_on = False
        await asyncio.sleep(_STILL_S)
        for task in background:
            task.cancel()
    return ScenarioFound(
        name=name,
        violations=[*violations, *await _judged(stage)],
        seen=seen,
        takeovers_s=stage.takeovers_s,
        guards=tally.counts,
    )


async def _judged(stage: Stage) -> list[str]:
    """Judge what is left, as far as there is still something to hold it against."""
    if stage.loses_journal:
        await asyncio.to_thread(end_programs, stage.place)
        return judge_alone(read_record(Path(stage.place.settings.gateway.record)))
    record, fold = await remains(stage.place)
    found = judge(record, fold, (), stage.plausible or frozenset())
    if stage.loses_data:  # of what was decided only the gateway's record is whole
        found = [each for each in found if each not in fold.faults]
    elif stage.plausible is None:
        found += audit_findings(stage.place)
    else:
        found += _of_the_auditor(stage, record)
    return [each for each in found if not is_of_stopping(each)]


def _of_the_auditor(stage: Stage, record: Record) -> list[str]:
    """What was forged must be found, each of it, and nothing else."""
    lines = lines_of(stage.place.programs[AUDITOR].plan.log, "audit_mismatch")
    strange = {each.order_id for each in record.answers if each.order.decision >= STRANGE}
    named = {name for name in strange if any(f'"{name}"' in line for line in lines)}
    missed = [f"the auditor did not find order {name}" for name in sorted(strange - named)]
    others = [line for line in lines if not any(f'"{name}"' in line for name in named)]
    return missed + [f"the auditor found what is not there: {line[:300]}" for line in others]


async def _until_stopped(stage: Stage) -> str:
    """Wait until the gateway halts or a service has stopped for good; how it was."""
    deadline_s = stage.clock.monotonic_s() + _HALTS_WITHIN_S
    begun_s = stage.clock.monotonic_s()
    while stage.clock.monotonic_s() < deadline_s:
        if await stage.is_halted():
            return f"HALTED after {stage.clock.monotonic_s() - begun_s:.1f} s"
        if stage.place.stopped:
            return f"stopped: {next(iter(stage.place.stopped.values()))[:200]}"
        await asyncio.sleep(0.05)
    return ""


async def _still(name: str, stage: Stage) -> list[str]:
    """Nothing is accepted any more."""
    before = await _accepted(stage)
    await asyncio.sleep(_STILL_S)
    after = await _accepted(stage)
    return [f"{name}: {after - before} accepted while halted"] if after > before else []


async def _accepted(stage: Stage) -> int:
    with suppress(GatewayUnreachable):
        return sum(each.status == "accepted" for each in await gateway_orders(stage.socket))
    return 0


@contextmanager
def _small_disk(directory: Path) -> Iterator[Path]:
    directory.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(directory)]
    subprocess.run(mount, check=True)  # noqa: S603 - our own words
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)  # noqa: S603, S607 - likewise
