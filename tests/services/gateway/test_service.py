"""The gateway takes each order once, trades it, and reports until the journal has it."""

from pathlib import Path

import pytest
from fakes.eventually import eventually
from fakes.gateway import EXECUTIONS, JOURNAL, Surroundings, clock, order, surroundings, tick
from fakes.interrupted import run_for_turns
from fakes.store import Fault
from msgspec import msgpack, structs

from services.gateway.service import SERVICE
from shared.adapters.control_socket import gateway_orders, gateway_status
from shared.adapters.record import OrderRecord
from shared.adapters.store import StoreUnavailable
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.runtime.stage import InputGap
from shared.wire.times import format_instant

AWAY = Fault(StoreUnavailable("no answer from the store"), applied=False)
READ = "hedge_gateway_journal_entries"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path


async def test_an_order_trades_and_its_reports_reach_the_journal_once(path: Path) -> None:
    async with surroundings(path) as around, around.running():
        await around.open_market()
        await around.send(order(1))
        await eventually(lambda: around.answers == ["accepted"])
        around.scribe.write(tick(15), clock(20), clock(30))
        await eventually(lambda: len(around.scribe.journalled) == 3)
        assert [(each.kind, each.quantity) for each in around.scribe.journalled] == [
            (ExecutionKind.NEW, 0.0),
            (ExecutionKind.PARTIAL, 300.0),
            (ExecutionKind.FILL, 100.0),
        ]
        await eventually(lambda: any(each.sequence == 3 for each in around.progress))


async def test_a_report_is_sent_again_until_the_journal_has_it(path: Path) -> None:
    async with surroundings(path) as around, around.running() as record:
        await around.open_market()
        around.scribe.deaf = True
        await around.send(order(1))
        await eventually(lambda: around.answers == ["accepted"])
        around.scribe.write(clock(20))
        await eventually(lambda: any(each.topic == EXECUTIONS for each in around.broker.published))
        assert format_instant(20) not in {each.settled for each in around.progress}
        around.scribe.deaf = False
        around.clock.advance(1.0)
        await eventually(lambda: len(around.scribe.journalled) == 1)
        await eventually(lambda: any(each.sequence == 1 for each in around.progress))
        await eventually(lambda: record.unjournalled() == [])


async def test_after_a_crash_reports_that_were_not_journalled_are_sent_again(path: Path) -> None:
    async with surroundings(path) as around:
        async with around.running():
            await around.open_market()
            around.scribe.deaf = True
            await around.send(order(1))
            await eventually(lambda: around.answers == ["accepted"])
            around.scribe.write(clock(20))
            await eventually(
                lambda: any(each.topic == EXECUTIONS for each in around.broker.published)
            )
        around.scribe.deaf = False
        async with around.running():
            await eventually(lambda: len(around.scribe.journalled) == 1)
            await eventually(lambda: any(each.sequence == 1 for each in around.progress))


async def test_after_a_crash_reports_that_the_journal_has_are_not_sent_again(path: Path) -> None:
    async with surroundings(path) as around:
        around.scribe.deaf = True
        async with around.running() as record:
            await around.open_market()
            await around.send(order(1))
            await eventually(lambda: around.answers == ["accepted"])
            around.scribe.write(clock(20), tick(25), clock(30))
            await eventually(lambda: len(record.unjournalled()) == 2)
            made = [payload for _, payload in record.unjournalled()]
        around.scribe.write(*(msgpack.decode(each, type=ExecutionReported) for each in made))
        known = len(around.broker.published)
        around.store.faults = iter([AWAY])  # so that there is time to send them
        async with around.running() as record:
            await eventually(lambda: record.unjournalled() == [])
        assert EXECUTIONS not in {each.topic for each in around.broker.published[known:]}


async def test_after_a_restart_what_was_settled_is_said_again(path: Path) -> None:
    async with surroundings(path) as around:
        async with around.running():
            around.scribe.write(clock(10))
            await eventually(lambda: around.progress != [])
        around.broker.published.clear()
        async with around.running():
            await eventually(lambda: around.progress != [])


async def test_a_journal_shorter_than_the_record_ends_it(path: Path) -> None:
    async with surroundings(path) as around:
        async with around.running() as record:
            around.scribe.write(clock(10), clock(20))
            await eventually(lambda: (record.progress() or None) is not None)
            await eventually(lambda: around.progress != [])
        around.store.streams[JOURNAL].clear()
        around.store.last[JOURNAL] = 0
        async with around.gateway() as (gateway, _):
            with pytest.raises(ExceptionGroup) as ended:
                await gateway.run()
            assert ended.group_contains(InputGap)


async def test_a_journal_trimmed_beyond_the_record_ends_it(path: Path) -> None:
    async with surroundings(path) as around:
        async with around.running():
            around.scribe.write(clock(10))
            await eventually(lambda: around.progress != [])
        around.scribe.write(clock(20), clock(30))
        await around.store.trim(JOURNAL, 3)
        async with around.gateway() as (gateway, _):
            with pytest.raises(ExceptionGroup) as ended:
                await gateway.run()
            assert ended.group_contains(InputGap, match="goes on at 3")


async def test_a_new_record_begins_where_a_trimmed_journal_does(path: Path) -> None:
    async with surroundings(path) as around:
        around.scribe.write(clock(10), clock(20))
        await around.store.trim(JOURNAL, 2)
        async with around.running():
            await eventually(lambda: around.progress != [])
            await eventually(lambda: around.store.records[SERVICE].cursors.get(JOURNAL) == 2)


async def test_while_the_journal_cannot_be_read_it_is_not_ready_and_says_why(path: Path) -> None:
    async with surroundings(path) as around, around.running():
        around.scribe.write(clock(10))
        await eventually(lambda: around.progress != [])
        assert around.health.is_ready
        around.store.faults = iter([AWAY] * 4)
        around.scribe.write(clock(20))
        around.clock.advance(5.5)
        await eventually(lambda: not around.health.is_ready)
        reason = around.health.report()["gateway.journal"].reason
        assert reason.startswith("the journal was not read for 6 s")
        await eventually(lambda: around.health.is_ready)


async def test_orders_that_come_while_it_writes_to_the_disk_are_not_lost(path: Path) -> None:
    async with surroundings(path) as around:
        async with around.running():
            await around.open_market()
            for decision in range(1, 30):
                await around.send(order(decision))
                around.scribe.write(tick(10 * decision + 1), clock(10 * decision + 2))
            await eventually(lambda: len(around.answers) == 29)
            around.scribe.write(clock(2000), clock(3000), clock(4000))
            await eventually(lambda: filled(around) == 29)
        assert len({each.execution_id for each in around.scribe.journalled}) == len(
            around.scribe.journalled
        )


def filled(around: Surroundings) -> int:
    return sum(each.kind is ExecutionKind.FILL for each in around.scribe.journalled)


async def test_cut_off_at_any_await_no_order_trades_twice_or_never(path: Path) -> None:
    for turns in range(0, 120, 4):
        here = path / str(turns)
        here.mkdir()
        async with surroundings(here) as around:
            await around.send(order(1))
            await around.send(order(2))
            await around.send(order(3, quantity=3000.0))  # too much
            around.scribe.write(tick(5), clock(10), tick(15), clock(20))
            async with around.gateway() as (gateway, _):
                await run_for_turns(turns, gateway.run())
            around.broker.kill()  # and nothing is redelivered
            around.broker.start()
            await eventually(lambda: all(_connected(around)))
            around.broker.published.clear()
            async with around.running() as record:
                for decision in (1, 2):
                    await around.send(order(decision))
                await around.send(order(3, quantity=3000.0))
                await eventually(lambda: len(around.answered) == 3)
                around.scribe.write(tick(25), clock(30), clock(40), clock(50))
                await eventually(lambda: filled(around) == 2)
                around.clock.advance(100.0)
                await eventually(lambda: record.unjournalled() == [])
                assert [each.status for each in record.orders_since()] == [
                    "accepted",
                    "accepted",
                    "refused",
                ]
            for name in ("overlay-00000001-swap", "overlay-00000002-swap"):
                own = [each for each in around.scribe.journalled if each.order_id == name]
                assert sum(each.quantity for each in own) == 400.0
                assert [each.kind for each in own].count(ExecutionKind.NEW) == 1
            refused = [each for each in around.scribe.journalled if each.order_id[-6:] == "3-swap"]
            assert [each.kind for each in refused] == [ExecutionKind.REJECT]


def _connected(around: Surroundings) -> list[bool]:
    return [bus.connected.is_set() and bus.reconnects == 1 for bus in around.buses]


async def test_ticks_alone_are_not_written_down_and_are_read_again_after_a_crash(
    path: Path,
) -> None:
    async with surroundings(path) as around:
        around.scribe.write(clock(10), tick(15))
        async with around.running() as record:
            await eventually(lambda: kept(record) == "2")
            around.scribe.write(tick(16))
            await eventually(lambda: around.registry.get_sample_value(READ) == 3)
            assert kept(record) == "2"
        async with around.running() as record:
            around.scribe.write(clock(20))
            await eventually(lambda: kept(record) == "4")


def kept(record: OrderRecord) -> str:
    progress = record.progress()
    return "" if progress is None else progress.cursor


async def test_its_own_door_tells_how_it_is_and_what_it_answered(path: Path) -> None:
    async with surroundings(path) as around:
        door = path / "gateway.sock"
        around.policy = structs.replace(around.policy, socket=door)
        async with around.running():
            await around.open_market()
            await around.send(order(1), epoch=4)
            await around.send(order(2, quantity=3000.0), epoch=4)
            await eventually(lambda: around.answers == ["accepted", "refused"])
            status = await gateway_status(door)
            assert status.scopes == {"all": "active", "overlay": "active"}
            assert (status.epoch, status.answered, status.trouble) == (4, 2, {})
            first, second = await gateway_orders(door)
            assert (first.status, second.status, second.number) == ("accepted", "refused", 2)
            assert second.reason == "max_order_vega: 3000 is beyond 2000"
            sent = [each for each in around.broker.published if each.topic.endswith("/orders")]
            assert [each.payload for each in sent] == [first.payload, second.payload]
            assert await gateway_orders(door, 1) == [second]


class FullDisk:
    """A record's connection whose disk is full until it is not."""

    def __init__(self, record: OrderRecord) -> None:
        self._record = record
        self._connection = record._connection  # noqa: SLF001 - a disk cannot be filled here

    def fill(self) -> None:
        size = self._connection.execute("PRAGMA page_count").fetchone()[0]
        self._connection.execute(f"PRAGMA max_page_count = {size}")

    def free(self) -> None:
        self._connection.execute("PRAGMA max_page_count = 1000000")


async def test_while_the_disk_is_full_nothing_is_acknowledged_and_then_everything_is(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with surroundings(path) as around, around.running() as record:
        await around.open_market()
        disk = FullDisk(record)
        disk.fill()
        for decision in range(1, 40):
            await around.send(order(decision))
        await eventually(lambda: "gateway.record" in troubles(around))
        answered = len(around.answers)
        assert answered < 39
        assert len(record.orders_since()) == answered
        await around.command("halted")
        disk.free()
        await eventually(lambda: len(around.answers) == 39)
        assert around.trading() == 2
        accepted = [each for each in record.orders_since() if each.status == "accepted"]
        assert len(accepted) == answered, "what waited was judged anew, after the halt"
        await eventually(lambda: "gateway.record" not in troubles(around))
        assert any("record_unwritable" in str(each.payload) for each in around.broker.published)
    assert not any(record.exc_info for record in caplog.records), "one line, no traceback"


def troubles(around: Surroundings) -> set[str]:
    return {name for name, check in around.health.report().items() if not check.ready}
