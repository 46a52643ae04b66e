"""One sweep: a place is built, broken for a while, left to recover, and judged.

Longer than most: the sweep from its first process to its verdict, in the order in which it goes.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Final

from msgspec import Struct

from services.command.endings import Failed
from services.command.torture.feed import Feed
from services.command.torture.guards import Tally, follow, scrape
from services.command.torture.hands import SUBSCRIPTIONS, Operator, Stranger
from services.command.torture.judgement import Fold, Record, fold_journal, judge, read_record
from services.command.torture.nemesis import Nemesis
from services.command.torture.pace import Owed
from services.command.torture.place import Place, lines_of
from shared.adapters.bus import Subscription
from shared.adapters.clock import SystemClock
from shared.adapters.control_socket import GatewayRefused, GatewayUnreachable, gateway_status
from shared.adapters.keyring import Keyring
from shared.adapters.mqtt import MqttBus
from shared.domain.instants import SECOND
from shared.wire import keys

_STARTS_WITHIN_S: Final = 60.0
_SETTLES_WITHIN_S: Final = 60.0
_GOES_ON_S: Final = 1.0
_RECOVERS_WITHIN_S: Final = 20.0
_SAYS_EVERY_S: Final = 3.0
_COUNTS_EVERY_S: Final = 0.1
_QUIET_LOOKS: Final = 35
"""Of a tenth of a second: longer than an order of the hasty books may be open."""
_MOST_WAITING: Final = 300
"""Orders in the outbox from which on the market holds still: it must not bury what is looked at."""
_DENSE_PAUSE_S: Final = 0.05
"""Between two jumps of the dense part, when nothing holds the market."""
_DENSE_WITHIN_S: Final = 60.0
"""For how long there may be no further answer in the dense part."""
MOST_UNKNOWN_S: Final = 10.0
"""How long after the last fault an order may be unknown: all but one in a hundred of them …"""
_NEVER_UNKNOWN_S: Final = 60.0
"""… and the last one."""
_ONE_IN: Final = 100
_SWEEPS_MORE: Final = 2
AUDITOR: Final = "auditor-1"


class SweepPlan(Struct, frozen=True, kw_only=True):
    """What a sweep is to be.

    Attributes:
        seed: Of all that is left to chance.
        seconds: For how long things break in storms.
        books: How many.
        jump_s: Between two jumps of VIX.
        directory: Where.
        orders: Of the dense part, which comes before the storms: VIX jumps as fast as orders are
            answered, until so many are.
        kills: In the dense part, everybody in turn.
    """

    seed: int
    seconds: float
    books: int
    jump_s: float
    directory: Path
    orders: int = 0
    kills: int = 0


class SweepFound(Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        plan: What it was to be.
        violations: What must never be and is.
        answers: Orders in the gateway's record, by status and reason.
        done: What was broken, by kind and victim.
        guards: Counters of all services.
        waits_s: Orders that were decided before the last fault ended, and answered after it, by
            name: how long after.
        recovery_s: From the end of the last fault to the next answer; `None`: none came.
        halts: How often a book was halted and resumed.
        ends: Processes that ended by themselves, by reason.
        stopped: Those that would not go on: the sweep stopped safely.
    """

    plan: SweepPlan
    violations: list[str]
    answers: Counter[str]
    done: Counter[str]
    guards: Counter[str]
    waits_s: dict[str, float]
    recovery_s: float | None
    halts: int
    ends: Counter[str]
    stopped: dict[str, str]

    @property
    def unknown(self) -> int:
        """How many orders nobody knew the answer to when the last fault ended."""
        return len(self.waits_s)

    @property
    def orders(self) -> int:
        """How many were answered."""
        return self.answers.total()

    @property
    def kills(self) -> int:
        """How often something was killed."""
        return sum(times for what, times in self.done.items() if what.startswith("kill"))


class Sweep:
    """A sweep while it runs.

    Args:
        plan: What it is to be.
        place: Where; entered.
        say: Told of progress, every few seconds.
    """

    def __init__(self, plan: SweepPlan, place: Place, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._place = place
        self._say = say
        self._clock = SystemClock()
        self._tally = Tally()
        chance = random.Random(plan.seed)  # noqa: S311 - to be repeated, not secret
        settings = place.settings
        keyring = Keyring.load(Path(settings.keys.directory), settings.trading.environment)
        books = [book.name for book in settings.books]
        self._socket = gateway_socket(place)
        self._feed_bus = MqttBus(
            settings.mqtt, client_id="torture-feed", clean_start=True, session_expiry_s=0
        )
        self._stranger_bus = MqttBus(
            settings.mqtt,
            client_id="torture-stranger",
            clean_start=True,
            session_expiry_s=0,
            subscriptions=[Subscription(topic) for topic in SUBSCRIPTIONS],
        )
        self._feed = Feed(self._feed_bus, self._clock, random.Random(plan.seed), plan.jump_s)  # noqa: S311 - likewise
        self._nemesis = Nemesis(place, chance)
        self._operator = Operator(self._socket, keyring, books, self._clock, random.Random(1))  # noqa: S311 - likewise
        self._stranger = Stranger(
            self._stranger_bus,
            keyring,
            books,
            self._clock,
            random.Random(plan.seed),  # noqa: S311 - likewise
        )

    async def run(self) -> SweepFound:
        """Break things, let them recover, judge."""
        async with self._feed_bus, self._stranger_bus, asyncio.TaskGroup() as tasks:
            background = [
                tasks.create_task(each)
                for each in (
                    self._place.tending(),
                    self._feed.run(),
                    follow(self._place.pages, self._tally),
                    self._holding(),
                )
            ]
            await self._until_answered(1, _STARTS_WITHIN_S)
            hands = [
                tasks.create_task(each) for each in (self._operator.run(), self._stranger.run())
            ]
            saying = tasks.create_task(self._saying())
            loop = asyncio.get_running_loop()
            await self._dense_part()
            await self._nemesis.run(loop.time() + self._plan.seconds)
            healed_ns = self._clock.now_ns()
            for task in (*hands, saying):
                task.cancel()
            await self._until_recovered()
            self._feed.jumps_on = False
            await self._settle()
            for task in background:
                task.cancel()
        return await self._judge(healed_ns)

    async def _dense_part(self) -> None:
        """Let VIX jump as fast as orders are answered, and kill everybody in turn meanwhile."""

        async def until(share: float) -> None:
            await self._until_answered(int(share * self._plan.orders), _DENSE_WITHIN_S)

        self._feed.pause_s = _DENSE_PAUSE_S
        await self._nemesis.in_turn(self._plan.kills, until)
        self._feed.pause_s = self._plan.jump_s

    async def _until_answered(self, count: int, within_s: float) -> None:
        """Wait until so many orders are answered; `within_s` without a further one is too long."""
        most, deadline_s = 0, self._clock.monotonic_s() + within_s
        while (now := await answered(self._socket)) < count:
            if now > most:
                most, deadline_s = now, self._clock.monotonic_s() + within_s
            if self._clock.monotonic_s() > deadline_s:
                raise Failed(f"no order within {within_s:g} s: see {self._plan.directory}")
            await asyncio.sleep(0.1)

    async def _until_recovered(self) -> None:
        """Let the market go on until an order is answered: without one no recovery is measured."""
        begun_s, before = self._clock.monotonic_s(), -1
        while (since_s := self._clock.monotonic_s() - begun_s) < _RECOVERS_WITHIN_S:
            now = await answered(self._socket)
            before = now if before < 0 else before
            if now > before and since_s > _GOES_ON_S:
                return
            await asyncio.sleep(0.1)

    async def _holding(self) -> None:
        """Hold the market still while too much waits."""
        owed = Owed(self._plan.books)
        while True:
            waiting = await asyncio.to_thread(outbox_length, self._place)
            owed.count(self._feed.jumps, await answered(self._socket), self._clock.monotonic_s())
            self._feed.is_held = waiting > _MOST_WAITING or owed.is_too_much
            await asyncio.sleep(_COUNTS_EVERY_S)

    async def _saying(self) -> None:
        while True:
            await asyncio.sleep(_SAYS_EVERY_S)
            kills, others = self._nemesis.kills, self._nemesis.done.total() - self._nemesis.kills
            orders = await answered(self._socket)
            shown = "the gateway is away" if orders < 0 else f"{orders:,} orders"
            self._say(f"{shown}, {kills} kills, {others} other faults")

    async def _settle(self) -> None:
        """Wait until nothing is on its way; a book that rested a minute may order meanwhile."""
        deadline_s = self._clock.monotonic_s() + _SETTLES_WITHIN_S
        before = -1
        while before != (now := await answered(self._socket)):
            before = now
            await self._until_quiet(deadline_s)
            await self._until_audited(deadline_s)
            if self._clock.monotonic_s() > deadline_s or self._place.stopped:
                return

    async def _until_quiet(self, deadline_s: float) -> None:
        quiet = 0
        while (
            quiet < _QUIET_LOOKS
            and self._clock.monotonic_s() < deadline_s
            and not self._place.stopped
        ):
            is_quiet = await asyncio.to_thread(outbox_length, self._place) == 0
            quiet = quiet + 1 if is_quiet and await reports_waiting(self._place) == 0 else 0
            await asyncio.sleep(0.1)

    async def _until_audited(self, deadline_s: float) -> None:
        seen = await audit_sweeps(self._place)
        while self._clock.monotonic_s() < deadline_s and not self._place.stopped:
            sweeps = await audit_sweeps(self._place)
            if sweeps >= seen + _SWEEPS_MORE:
                return
            seen = min(seen, sweeps) if sweeps >= 0 else seen
            await asyncio.sleep(0.1)

    async def _judge(self, healed_ns: int) -> SweepFound:
        record, fold = await remains(self._place)
        violations = judge(record, fold, self._operator.halts)
        if self._place.stopped:  # safely: what was answered is right, and no more was
            violations = [each for each in violations if not is_of_stopping(each)]
        violations += audit_findings(self._place)
        waits_s = {
            each.order_id: (each.received_ns - healed_ns) / SECOND
            for each in record.answers
            if each.order.event_ns < healed_ns < each.received_ns
        }
        violations += of_the_unknown(waits_s)
        after = [each.received_ns for each in record.answers if each.received_ns > healed_ns]
        return SweepFound(
            plan=self._plan,
            violations=violations,
            answers=Counter(
                f"{each.status} {each.reason.partition(':')[0]}".strip() for each in record.answers
            ),
            done=self._nemesis.done,
            guards=self._tally.counts,
            waits_s=waits_s,
            recovery_s=(min(after) - healed_ns) / SECOND if after else None,
            halts=len(self._operator.halts),
            ends=self._place.ends,
            stopped=self._place.stopped,
        )


async def sweep(
    plan: SweepPlan, context: ForkServerContext, say: Callable[[str], None]
) -> SweepFound:
    """Run one sweep.

    Args:
        plan: What it is to be.
        context: What services are forked from.
        say: Told of progress, every few seconds.

    Raises:
        Failed: A server does not start, or nothing is ever ordered.
    """
    chance = random.Random(plan.seed)  # noqa: S311 - to be repeated, not secret
    async with Place(plan.directory, context, books=plan.books, chance=chance) as place:
        return await Sweep(plan, place, say).run()


def of_the_unknown(waits_s: Mapping[str, float]) -> list[str]:
    """Say which orders were unknown for too long after the last fault (promises A2).

    One in a hundred may be, for a minute: of fewer than a hundred none.
    """
    late = {name: wait_s for name, wait_s in waits_s.items() if wait_s > MOST_UNKNOWN_S}
    if len(late) * _ONE_IN < max(1, len(waits_s)):
        late = {name: wait_s for name, wait_s in late.items() if wait_s > _NEVER_UNKNOWN_S}
    return [
        f"order {name} was unknown {wait_s:.1f} s after the last fault"
        for name, wait_s in late.items()
    ]


def audit_findings(place: Place) -> list[str]:
    """What the auditor found, where nothing was forged: each of them a false alarm, and a halt."""
    return [
        f"the auditor found what is not there: {line[:300]}"
        for line in lines_of(place.programs[AUDITOR].plan.log, "audit_mismatch")
    ]


async def audit_sweeps(place: Place) -> int:
    """How often the auditor that runs now has read the whole record; -1 when it does not say."""
    page = await scrape(place.programs[AUDITOR].plan.port)
    return int(page.get("hedge_audit_sweeps_total", -1.0))


def is_of_stopping(violation: str) -> bool:
    """Whether a violation only says that something is not done yet."""
    ends = ("is lost", "came to 0 ends", "stands 0 times in the journal")
    return violation.endswith((*ends, "is not known to be journalled"))


def gateway_socket(place: Place) -> Path:
    """The gateway's own door."""
    path = place.settings.gateway.socket_path
    assert path is not None  # noqa: S101 - the campaign's configuration has one
    return path


async def answered(socket: Path) -> int:
    """How many orders the gateway has answered; -1 when it does not say."""
    try:
        return (await gateway_status(socket)).answered
    except (GatewayUnreachable, GatewayRefused):
        return -1


def outbox_length(place: Place) -> int:
    """How many orders wait for the gateway's answer; -1 when the store does not say."""
    reply = place.orders.ask(f"XLEN {keys.outbox()}")
    return int(reply[1:]) if reply.startswith(":") else -1


async def reports_waiting(place: Place) -> int:
    """How many reports of the gateway the journal does not have; -1 when it does not say."""
    page = await scrape(place.programs["gateway-1"].plan.port)
    return int(page.get("hedge_gateway_reports_waiting", -1.0))


async def remains(place: Place) -> tuple[Record, Fold]:
    """End all services and read what is left."""
    await asyncio.to_thread(end_programs, place)
    await asyncio.to_thread(_restart_servers, place)
    record = read_record(Path(place.settings.gateway.record))
    return record, await fold_journal(place.settings)


def end_programs(place: Place) -> None:
    """Ask all services to end, and see that they do."""
    for program in place.programs.values():
        program.end(within_s=6.0)


def _restart_servers(place: Place) -> None:
    for server in place.servers.values():
        if not server.is_running:
            server.start()
        server.wait()
