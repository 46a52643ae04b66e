"""Why an order was sent: what the log tells is what a run of the domain by hand shows."""

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest
from fakes.command import hedgestat
from fakes.recorded_run import RecordedRun, recorded_run, two_books
from fakes.servers import RedisServer
from msgspec import Struct

from services.command.explanation import Explanation, executions_of, explain
from shared.adapters.archive import Archive
from shared.adapters.connections import RedisSettings
from shared.adapters.redis_store import RedisStore
from shared.domain.effects import OrderDecided, TargetChanged, TriggerChanged
from shared.domain.events import Event, ExecutionReported
from shared.domain.hedging.book import HedgeBook
from shared.domain.market.signals import SignalMonitor
from shared.domain.orders import Order
from shared.domain.signals_observed import HedgerInput, SignalsObserved
from shared.domain.tick_block import TickBlock
from shared.runtime.ledger import Ledger, StepOutput
from shared.wire import keys
from shared.wire.decisions import read_decision
from shared.wire.journal import decode_entry

ORDERS = 200


class Seen(Struct):
    """What a run of the domain showed of one order."""

    order: Order
    target: TargetChanged
    observed: SignalsObserved
    triggers: dict[str, list[TriggerChanged]]
    before: list[Order]
    executions: list[ExecutionReported]


class ByHand:
    """Runs monitor and books over the journal, without any of the services' code."""

    def __init__(self, run: RecordedRun) -> None:
        self.seen: dict[str, Seen] = {}
        self._monitor = SignalMonitor(run.settings.signals, run.calendar)
        self._books = {
            policy.name: HedgeBook(policy, run.calendar, run.settings.digest)
            for policy in run.settings.books
        }
        self._changes: dict[str, list[TriggerChanged]] = {name: [] for name in self._books}
        self._orders: dict[str, list[Order]] = {name: [] for name in self._books}
        self._observed: SignalsObserved | None = None
        for number, event in enumerate(events_of(run)):
            for told in self._monitor.receive(event, number):
                self._take(told)

    def _take(self, told: HedgerInput) -> None:
        if isinstance(told, SignalsObserved):
            self._observed = told
            for name in self._books:
                self._decide(name, told)
        if isinstance(told, ExecutionReported):
            self.seen[told.order_id].executions.append(told)
            self._decide(told.book, told)

    def _decide(self, name: str, told: HedgerInput) -> None:
        target: TargetChanged | None = None
        fired: dict[str, list[TriggerChanged]] = {}
        for effect in self._books[name].receive(told):
            if isinstance(effect, TriggerChanged):
                self._changes[name].append(effect)
            if isinstance(effect, TargetChanged):
                target, fired = effect, firing(self._changes[name])
            if isinstance(effect, OrderDecided):
                assert target is not None
                assert self._observed is not None
                self._orders[name].append(effect.order)
                before = list(self._orders[name])
                self.seen[effect.order.order_id] = Seen(
                    effect.order, target, self._observed, fired, before, []
                )


def events_of(run: RecordedRun) -> Iterator[Event]:
    """The events of the journal, one by one."""
    for payload in run.journal:
        for item in decode_entry(payload).items:
            if isinstance(item, TickBlock):
                yield from (item.tick(row) for row in range(len(item)))
            else:
                yield item


def firing(changes: list[TriggerChanged]) -> dict[str, list[TriggerChanged]]:
    """Walk back from the last change of each trigger that fires to where it was inactive."""
    found: dict[str, list[TriggerChanged]] = {}
    for trigger in {change.trigger for change in changes}:
        path: list[TriggerChanged] = []
        for change in reversed(changes):
            if change.trigger == trigger:
                path.insert(0, change)
                if change.previous == "inactive":
                    break
        if path[-1].state == "firing":
            found[trigger] = path
    return found


@pytest.fixture(scope="module")
def run() -> RecordedRun:
    return recorded_run()


def agrees(found: Explanation, seen: Seen, run: RecordedRun) -> bool:
    """Whether an explanation is what was seen."""
    limits = {limit.name: limit.value for limit in found.limits}
    (policy,) = [book for book in run.settings.books if book.name == seen.order.book]
    told = found.grounds.observed
    assert told is not None
    day = {each.event_ns for each in seen.before if _day(each) == _day(seen.order)}
    excerpt = {name: seen.observed.signals[name] for name in told.signals}
    return (
        found.order == seen.order
        and found.target == seen.target
        and {name: list(path) for name, path in found.triggers.items()} == seen.triggers
        and found.executions == tuple(seen.executions)
        and found.grounds.config_digest == run.settings.digest
        and found.grounds.limits == policy.limits
        and (told.event_ns, told.index) == (seen.observed.event_ns, seen.observed.index)
        and told.signals == excerpt
        and {"vix_smooth", f"drawdown.{seen.order.book}"} <= excerpt.keys()
        and told.marks == {"VIX": seen.observed.marks["VIX"]}
        and limits["max_order_vega"] == abs(seen.order.vega)
        and limits["max_orders_per_day"] == len(day)
        and limits["max_position_vega"] == abs(seen.target.current_vega + seen.order.vega)
        and [step.name for step in found.target.steps if step.binding]
        == [step.name for step in seen.target.steps if step.binding]
    )


def _day(order: Order) -> int:
    return order.event_ns // (86_400 * 10**9)


@pytest.mark.timeout(180)
def test_two_hundred_orders_are_explained_as_they_were_decided(run: RecordedRun) -> None:
    seen = ByHand(run).seen
    reporting = [entry for entry in run.entries if b"execution" in entry.payload]
    records = [(n, read_decision(payload)) for n, payload in enumerate(run.decisions, 1)]
    drawn = random.Random(11).sample(sorted(seen), ORDERS)  # noqa: S311 - no secret
    agreed = 0
    for order_id in drawn:
        found = explain(records, order_id, run.calendar)
        assert found is not None
        executions = tuple(executions_of(reporting, order_id))
        found = msgspec.structs.replace(found, executions=executions)
        agreed += agrees(found, seen[order_id], run)
    assert agreed == ORDERS


def test_every_order_is_found_and_one_that_was_never_decided_is_not(run: RecordedRun) -> None:
    records = [(n, read_decision(payload)) for n, payload in enumerate(run.decisions, 1)]
    last = explain(records, run.orders[-1].order_id, run.calendar)
    assert last is not None
    assert read_decision(run.decisions[last.entry - 1]).effect == OrderDecided(order=last.order)
    assert explain(records, "overlay-00099999-varswap_30d", run.calendar) is None


# --- the command -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def autumn() -> RecordedRun:
    return recorded_run(date(2015, 7, 1), date(2015, 12, 31))


@pytest.mark.server
async def test_from_archive_and_store_it_is_told_to_people_and_programs(
    autumn: RecordedRun, tmp_path: Path
) -> None:
    configuration = tmp_path / "hedgestat.toml"
    archive = f'[retention]\narchive = "{tmp_path / "archive"}"'
    configuration.write_text(two_books().replace("[retention]", archive))
    order = next(order for order in autumn.orders if order.trigger == "vix_move")
    Archive(tmp_path / "archive", keys.journal()).write(autumn.entries[:150])
    with RedisServer(tmp_path / "redis", appendfsync="always") as redis:
        url = f"{redis.url}/0"
        async with RedisStore(RedisSettings(url=url)) as store:
            for stage, stream, payloads in (
                ("ingest", keys.journal(), autumn.journal),
                ("hedger", keys.decisions(), autumn.decisions),
            ):
                ledger = Ledger(store, stage)
                await ledger.open()
                await ledger.commit(StepOutput({stream: payloads}), state=b"")
            await store.trim(keys.journal(), 101)

        def why(*words: str) -> tuple[int, str]:
            done = hedgestat(
                *("why", *words, "-c", str(configuration)),
                directory=tmp_path,
                variables={"HEDGESTAT_REDIS_URL": url, "COLUMNS": "200"},
            )
            return done.returncode, done.stdout or done.stderr

        code, told = why(order.order_id, "--json")
        assert code == 0, told
        found = msgspec.json.decode(told, type=Explanation)
        assert found.order == order
        assert next(report.kind for report in found.executions) == "new"
        code, shown = why(order.order_id)
        assert code == 0, shown
        for part in (
            order.order_id,
            "inactive -> pending",
            "pending -> firing",
            "vix_smooth",
            "good",
            "floor_and_cap",
            "max_order_vega",
            found.grounds.config_digest,
            found.grounds.code_version,
            "fill",
        ):
            assert part in shown, part
        code, told = why("overlay-00099999-varswap_30d")
        assert (code, "was decided" in told) == (2, True)
