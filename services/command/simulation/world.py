"""One seed from beginning to end: the services, what befalls them, and what was left when quiet.

First a storm: the market prints, operators command, and everything fails that this seed has drawn.
Then the weather clears, the market stops, and all that was decided must come to its end. What the
servers then hold is judged by `judgement`.

Longer than most: one hand starts, kills, revives and waits for everything.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, structs
from prometheus_client import CollectorRegistry

from services.command.endings import FOR_A_REASON, leaves
from services.command.simulation.attacker import Attacker
from services.command.simulation.guards import guards_of
from services.command.simulation.judgement import Remains, judge
from services.command.simulation.links import StoreServer, Wire
from services.command.simulation.loop import Process, VirtualClock, VirtualLoop
from services.command.simulation.market import Market
from services.command.simulation.nemesis import Life, Nemesis
from services.command.simulation.people import Operators
from services.command.simulation.place import SimulatedSite, Surroundings
from services.command.simulation.weather import Weather
from services.command.simulation.witness import WitnessedBroker
from services.command.up import ALL_SERVICES, SERVICES
from shared.adapters.keyring import Keyring
from shared.adapters.memory.store import MemoryStore
from shared.adapters.settings import Settings
from shared.domain.events import ClockAdvanced
from shared.domain.instants import DAY, HOUR, MINUTE, SECOND
from shared.domain.sessions import SessionCalendar
from shared.domain.trading import ALL
from shared.runtime.site import Site
from shared.wire import keys
from shared.wire.journal import decode_entry

MONDAY: Final = 1_733_149_800 * SECOND
"""2024-12-02 14:30 UTC: an opening."""

SESSIONS: Final = SessionCalendar(
    [MONDAY + day * DAY for day in range(-5, 5)],
    [MONDAY + day * DAY + 6 * HOUR + 30 * MINUTE for day in range(-5, 5)],
)

_SHORTEST_STORM_S: Final = 1.5
_LONGEST_STORM_S: Final = 3.5
_LONGEST_RESTART_S: Final = 1.0
_ATTACKED: Final = 0.4
_ALL_DOUBLED: Final = 0.15
_REPLICA: Final = "-b"
_AUDITED: Final = 0.4
_AUDITOR: Final = "auditor"
_LOOK_EVERY_S: Final = 0.25
_QUIET_LOOKS: Final = 4
"""In a row: longer than it takes the gateway to count what a refusal has made."""
_QUIET_S: Final = 2.0
"""After the last print: by then the last decision was made and expired, none being valid for longer
than 1 s."""
_LONGEST_DRAIN_S: Final = 120.0


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one seed.

    Attributes:
        seed: Which.
        violations: What must never happen and did, in words.
        faults: How often each fault struck.
        guards: How often each guard fired.
        endings: How often a process ended by itself, by the name of the reason.
        orders: How many the gateway's record holds.
        digest: Of decisions, record and the order of all events.
        virtual_s: How much time passed in it.
    """

    seed: int
    violations: tuple[str, ...]
    faults: dict[str, int]
    guards: dict[str, int]
    endings: dict[str, int]
    orders: int
    digest: str
    virtual_s: float


def simulate(
    seed: int,
    settings: Settings,
    keyring: Keyring,
    record: Path,
    tell: Callable[[str], None] | None = None,
) -> Outcome:
    """Run one seed.

    Args:
        seed: Of everything.
        settings: What the services are told.
        keyring: What they sign with.
        record: Where the gateway keeps its record; must not exist.
        tell: Told of all that happens.
    """
    random.seed(seed)  # the pauses between attempts
    loop = VirtualLoop(seed)
    weather = Weather(seed, loop.time, tell)
    world = World(loop, weather, _settings(settings, record), keyring)
    try:
        loop.run_until_complete(world.run())
    finally:
        loop.close()
    remains = Remains(
        settings=world.settings,
        sessions=SESSIONS,
        market=world.around.market.store,
        orders=world.around.orders.store,
        record=record,
        plausible=frozenset(world.attacker.plausible),
        halts=tuple(world.around.broker.halts(keyring)),
        findings=tuple(world.around.broker.findings(keyring)) if world.is_audited else None,
        now_ns=world.clock.now_ns(),
    )
    judgement = judge(remains)
    weather.note(judgement.digest)
    return Outcome(
        seed=seed,
        violations=(*world.violations, *judgement.violations),
        faults=dict(weather.struck),
        guards=dict(world.guards),
        endings=dict(world.endings),
        orders=judgement.orders,
        digest=weather.digest,
        virtual_s=loop.time(),
    )


def _settings(settings: Settings, record: Path) -> Settings:
    """What the services of one seed are told: everything they keep lies beside the record."""
    socket, heads = record.with_name("gateway.sock"), record.with_name("decision-heads")
    return structs.replace(
        settings,
        gateway=structs.replace(settings.gateway, record=str(record), socket=str(socket)),
        auditor=structs.replace(settings.auditor, heads=str(heads)),
    )


class World:
    """Everything of one seed.

    Attributes:
        violations: What must never happen and did.
        endings: How often a process ended by itself, and why.
        guards: How often each guard fired.
        is_audited: Whether an auditor looks.
    """

    def __init__(
        self, loop: VirtualLoop, weather: Weather, settings: Settings, keyring: Keyring
    ) -> None:
        self.violations: list[str] = []
        self.endings: Counter[str] = Counter()
        self.guards: Counter[str] = Counter()
        self.settings = settings
        self.is_audited = weather.chance(_AUDITED)
        begins_ns = MONDAY + weather.one_of((HOUR, 3 * HOUR, 6 * HOUR + 29 * MINUTE + 40 * SECOND))
        self.clock = VirtualClock(loop, begins_ns)
        self._loop = loop
        self._weather = weather
        self._keyring = keyring
        self.around = Surroundings(
            broker=WitnessedBroker(self.clock.now_ns, carry=Wire(weather).carry, now_s=loop.time),
            market=StoreServer(MemoryStore(loop.time)),
            orders=StoreServer(MemoryStore(loop.time)),
            weather=weather,
            sessions=SESSIONS,
            kill=self.kill,
        )
        self._lives: dict[str, Life] = {}
        self._expired_ns = 0
        self._audited: tuple[Life, float] | None = None
        self._market = Market(self.around.broker, self.clock, weather)
        self._nemesis = Nemesis(loop, self.around, self._lives, self._market)
        scopes = (ALL, *(book.name for book in settings.books))
        self._operators = Operators(self._market, self.clock, weather, keyring, scopes)
        self.attacker = Attacker(
            broker=self.around.broker,
            market=self._market,
            clock=self.clock,
            weather=weather,
            keyring=keyring,
            books=settings.books,
        )

    async def run(self) -> None:
        """Storm, calm, end."""
        self._loop.set_exception_handler(self._unhandled)
        async with asyncio.TaskGroup() as tasks:
            services = [
                tasks.create_task(self._keep_alive(name, tasks), name=f"init {name}")
                for name in self._names()
            ]
            market = tasks.create_task(self._market.run(), name="market")
            storm = [
                tasks.create_task(doing, name=name)
                for name, doing in (
                    ("nemesis", self._nemesis.run(tasks)),
                    ("operators", self._operators.run()),
                    ("attacker", self._attack()),
                )
            ]
            await asyncio.sleep(self._weather.between(_SHORTEST_STORM_S, _LONGEST_STORM_S))
            for each in storm:
                each.cancel()
            self._weather.clear_up()  # what faults began ends in its own time
            await asyncio.sleep(self._weather.between(0.3, 1.0))
            market.cancel()
            await self._drain()
            for service in services:
                service.cancel()
            for life in self._lives.values():
                self.kill(life.process, "the end")

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take what a callback raised, or a task that nobody waited for.

        asyncio's streams, before 3.12, call a conversation that was cancelled an error.
        """
        if isinstance(context.get("exception"), asyncio.CancelledError):
            return
        self.violations.append(f"{context['message']}: {context.get('exception')!r}")

    def _names(self) -> list[str]:
        """Processes: one of each service, two hedgers, at times two of all that have leaders.

        At times there is an auditor too.
        """
        doubled = (
            ("hedger", "ingest", "signals") if self._weather.chance(_ALL_DOUBLED) else ("hedger",)
        )
        auditor = [_AUDITOR] if self.is_audited else []
        return [*SERVICES, *(f"{name}{_REPLICA}" for name in doubled), *auditor]

    def kill(self, process: Process, why: str) -> None:
        """Kill a process: from now on nothing it does has any effect."""
        if not process.is_alive:
            return
        self._weather.note(f"{process.name} is killed: {why}")
        life = self._lives[process.name]
        process.is_alive = False
        self._loop.thaw(process)
        life.cut()
        if life.task is not None:
            life.task.cancel()

    async def _keep_alive(self, name: str, tasks: asyncio.TaskGroup) -> None:
        """Start a service again whenever it ends, as an init system does."""
        main = ALL_SERVICES[name.removesuffix(_REPLICA)]
        while True:
            process = Process(name)
            life = Life(process, self._site(process))
            self._lives[name] = life
            self._weather.note(f"{name} starts")
            life.task = self._loop.start(process, self._live(life, main), tasks)
            while not life.task.done():
                await asyncio.wait({life.task}, timeout=None if process.is_alive else 0.01)
                if not process.is_alive:
                    life.task.cancel()  # again: a task group passes a cancellation on once
            process.is_alive = False
            await asyncio.sleep(self._weather.between(0.05, _LONGEST_RESTART_S))

    async def _live(self, life: Life, main: Callable[[Site], Awaitable[None]]) -> None:
        name = life.process.name
        reasons: list[BaseException] = []
        try:
            await main(life.site)
            reasons.append(RuntimeError("it just ended"))
        except* FOR_A_REASON as stopped:
            reasons += leaves(stopped)
        except* Exception as failure:  # noqa: BLE001 - whatever it is, it is a violation
            reasons += leaves(failure)
        finally:
            self.guards.update(guards_of(life.site.registry))
        for reason in reasons if life.process.is_alive else ():
            self._weather.note(f"{name} ends: {type(reason).__name__}: {reason}")
            self.endings[f"{name}: {type(reason).__name__}"] += 1
            if not isinstance(reason, FOR_A_REASON):
                self.violations.append(f"{name} broke: {type(reason).__name__}: {reason}")

    def _site(self, process: Process) -> SimulatedSite:
        return SimulatedSite(
            settings=self.settings,
            instance=_REPLICA if process.name.endswith(_REPLICA) else "",
            clock=self.clock,
            registry=CollectorRegistry(),
            keys=self._keyring,
            process=process,
            around=self.around,
            buses=[],
        )

    async def _attack(self) -> None:
        if self._weather.chance(_ATTACKED):
            await self.attacker.run()

    async def _drain(self) -> None:
        """Wait until nothing is on its way any more."""
        self._expired_ns = self.clock.now_ns() + round(_QUIET_S * SECOND)
        await asyncio.sleep(_QUIET_S)
        deadline_s = self._loop.time() + _LONGEST_DRAIN_S
        quiet_looks = 0
        while quiet_looks < _QUIET_LOOKS:
            left = self._left()
            quiet_looks = 0 if left else quiet_looks + 1
            if self._loop.time() > deadline_s:
                self.violations.append(f"not drained after {_LONGEST_DRAIN_S:.0f} s: {left}")
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    def _left(self) -> str:
        """Say what is still on its way; nothing when all is done."""
        waiting = len(self.around.orders.store.streams[keys.outbox()])
        if waiting:
            return f"{waiting} order(s) in the outbox"
        gateway = self._lives["gateway"]
        reports = gateway.site.registry.get_sample_value("hedge_gateway_reports_waiting")
        if not gateway.process.is_alive or reports is None:
            return "no gateway"
        if reports:
            return f"{reports:.0f} report(s) not journalled"
        read = gateway.site.registry.get_sample_value("hedge_gateway_journal_entries") or 0
        if not self._is_past_expiry(int(read)):
            return "the gateway has not read on to where the last order expires"
        if behind := self._stages_behind():
            return behind
        return self._not_audited() if self.is_audited else ""

    def _stages_behind(self) -> str:
        """Say which stage has yet to take what is there; one that leads is soon done."""
        market, orders = self.around.market.store, self.around.orders.store
        for stage, store, stream in (
            ("signals", market, keys.journal()),
            ("hedger", orders, keys.signal_log()),
        ):
            record = store.records[stage]
            taken = max(record.cursors.get(stream, 0), record.reached.get(stream, 0))
            if taken < market.last[stream] - _BEHIND:
                return f"{stage} has taken {taken} of {market.last[stream]} entries"
        return ""

    def _is_past_expiry(self, read: int) -> bool:
        """Whether the gateway has read a clock event after which no order can be open."""
        journal = self.around.market.store.streams[keys.journal()]
        for index in range(read, max(0, read - _LOOKED_BACK), -1):
            for item in decode_entry(journal[index]).items if index in journal else ():
                if isinstance(item, ClockAdvanced):
                    return item.event_ns > self._expired_ns
        return False

    def _not_audited(self) -> str:
        """Say what the auditor has yet to see: it must look at all of the record once more."""
        life = self._lives[_AUDITOR]
        sweeps = life.site.registry.get_sample_value("hedge_audit_sweeps_total") or 0.0
        if self._audited is None or self._audited[0] is not life:
            self._audited = life, sweeps
        return "" if sweeps >= self._audited[1] + _SWEEPS else "not audited to the end"


_SWEEPS: Final = 2
_BEHIND: Final = 3
"""The clock goes on: a reader that keeps up is that far behind at most."""
_LOOKED_BACK: Final = 50
"""Entries of the journal: the clock goes on, so the last event of it is not far."""
