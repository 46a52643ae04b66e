"""Orders at the gateway: whose they are, what each is answered; a stranger's is nothing."""

import asyncio
import random
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes.eventually import eventually
from fakes.gateway import Surroundings, clock, order, surroundings, tick
from fakes.keys import make_keyring
from msgspec import structs

from services.gateway.desk import SentOrder
from shared.adapters.bus import BusUnavailable
from shared.adapters.keyring import Keyring, Role
from shared.adapters.record import OrderRecord
from shared.domain.events import ExecutionKind
from shared.domain.instants import SECOND
from shared.domain.orders import Order, order_id
from shared.domain.paper import REMEMBERED_DECISIONS
from shared.domain.trading import TradingState
from shared.wire import codec, topics
from shared.wire.announcements import order_from, order_message
from shared.wire.journal import JournalEntry
from shared.wire.messages import OrderMessage
from shared.wire.seal import Sealed, join, split

ORDERS = topics.orders("overlay")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path


async def test_an_order_is_on_the_disk_when_it_is_acknowledged(path: Path) -> None:
    async with surroundings(path) as around, around.running() as record:
        await around.open_market()
        await around.send(order(1), epoch=4)
        await eventually(lambda: around.answers == ["accepted"])
        (accepted,) = record.orders_since()
        assert (accepted.order_id, accepted.epoch) == ("overlay-00000001-swap", 4)
        wire = around.keyring.open("monitor", ORDERS, accepted.payload, OrderMessage)
        assert order_from(wire) == order(1)
        await eventually(lambda: around.unacknowledged() == 0)


WIRE = order_message(order(1), epoch=1, sequence=1)


@pytest.mark.parametrize(
    ("again", "epoch", "status"),
    [
        (order(1), 2, "duplicate"),
        (order(1), 1, "duplicate"),  # accepted stays acknowledged, also to an old leader
        (order(1, quantity=500.0), 2, "refused"),
        (order(2), 1, "superseded"),
        (order(2), 3, "accepted"),
    ],
)
async def test_a_second_order_is_answered_by_what_it_is(
    path: Path, again: Order, epoch: int, status: str
) -> None:
    async with surroundings(path) as around, around.running() as record:
        await around.open_market()
        await around.send(order(1), epoch=2)
        await eventually(lambda: around.answers == ["accepted"])
        await around.send(again, epoch=epoch)
        await eventually(lambda: around.answers == ["accepted", status])
        assert len(record.orders_since()) == 1 + (status == "accepted")
        assert around.taken(status) == 1 + (status == "accepted")


async def test_an_order_that_is_not_accepted_does_not_trade(path: Path) -> None:
    async with surroundings(path) as around, around.running():
        await around.open_market()
        await around.send(order(1, quantity=200.0))
        await eventually(lambda: around.answers == ["accepted"])
        await around.send(order(1, quantity=300.0))
        await around.send(order(2), epoch=0)
        await eventually(lambda: around.answers == ["accepted", "refused", "superseded"])
        around.scribe.write(tick(15), clock(20), clock(30))
        await eventually(lambda: len(around.scribe.journalled) == 2)
        assert around.scribe.journalled[1].quantity == 200.0


async def test_a_refusal_is_final_and_makes_one_reject_report_through_every_restart(
    path: Path,
) -> None:
    async with surroundings(path) as around:
        for _ in range(3):
            async with around.running():
                if not around.store.last:
                    await around.open_market()
                await around.send(order(1, quantity=3000.0))
                await eventually(lambda: around.answers != [])
                assert set(around.answers) == {"refused"}
                assert around.acks[-1].reason == "max_order_vega: 3000 is beyond 2000"
                await eventually(lambda: len(around.scribe.journalled) == 1)
                around.broker.published.clear()
        (report,) = around.scribe.journalled
        assert (report.kind, report.quantity, report.order_id) == (
            ExecutionKind.REJECT,
            0.0,
            "overlay-00000001-swap",
        )
        assert report.reason == "max_order_vega: 3000 is beyond 2000"


async def test_an_order_waits_until_the_market_it_was_decided_on_has_been_read(
    path: Path,
) -> None:
    async with surroundings(path) as around, around.running():
        await around.open_market()
        jumped = order(1, event_ns=15, reference_price=40.0, limit_price=42.0, notional=16_000.0)
        await around.send(jumped)
        await around.send(jumped)  # sent again meanwhile
        around.scribe.write(tick(12, 40.0))
        await around.reads_all()
        assert around.answers == []
        around.scribe.write(clock(15))
        await eventually(lambda: around.answers == ["accepted"])
        await eventually(lambda: around.unacknowledged() == 0)


async def test_orders_that_waited_are_judged_in_the_order_they_were_decided(path: Path) -> None:
    async with surroundings(path) as around, around.running() as record:
        for decision in (3, 1, 2):
            await around.send(order(decision))
        await around.open_market()
        await eventually(lambda: len(around.answers) == 3)
        assert [each.order_id[-6:] for each in record.orders_since()] == [
            "1-swap",
            "2-swap",
            "3-swap",
        ]


async def test_live_an_order_waits_for_the_print_it_was_decided_on_whatever_the_clock_says(
    path: Path,
) -> None:
    async with surroundings(path) as around:
        around.policy = structs.replace(around.policy, is_live=True)
        around.clock.advance(100.0)
        async with around.running():
            around.scribe.write(clock(100 * SECOND))  # journalled before the print that is older
            await around.reads_all()
            decided_ns = 99 * SECOND
            valid_ns = 200 * SECOND
            decided = order(1, event_ns=decided_ns, valid_until_ns=valid_ns, journal_index=2)
            await around.send(decided)
            await around.send(order(2, event_ns=decided_ns, valid_until_ns=valid_ns))
            await eventually(lambda: len(around.scribe.journalled) == 1)
            assert around.answers == ["refused"]  # the second: there is no price yet
            around.scribe.write(tick(decided_ns))
            await eventually(lambda: around.answers == ["refused", "accepted"])


async def test_live_an_order_that_waits_too_long_is_refused_as_expired(path: Path) -> None:
    async with surroundings(path) as around:
        around.policy = structs.replace(around.policy, is_live=True)
        around.clock.advance(100.0)
        async with around.running():
            await around.send(order(1, event_ns=100 * SECOND, valid_until_ns=110 * SECOND))
            await asyncio.sleep(0)
            assert around.answers == []
            around.clock.advance(11.0)
            await eventually(lambda: around.answers == ["refused"])
            assert around.acks[0].reason.startswith("expired")


async def test_an_order_that_newer_ones_have_outrun_is_refused_with_a_report(path: Path) -> None:
    async with surroundings(path) as around:
        limits = dict.fromkeys(("max_orders_per_minute", "max_orders_per_day"), 1000)
        around.limits = structs.replace(around.limits, **limits, max_repeats=1000)
        async with around.running():
            await around.open_market()
            newer = range(2, REMEMBERED_DECISIONS + 2)
            for decision in newer:
                side = "buy" if decision % 2 == 0 else "sell"
                await around.send(order(decision, side=side, quantity=1.0 + decision / 100))
            await eventually(lambda: around.answers == ["accepted"] * len(newer))
            await around.send(order(1, quantity=1.0))
            await eventually(lambda: around.answers[-1] == "refused")
            assert around.acks[-1].reason.startswith("outrun")
            await eventually(lambda: len(around.scribe.journalled) == 1)
            assert around.scribe.journalled[0].kind is ExecutionKind.REJECT


async def test_an_answer_nobody_hears_leaves_the_order_taken(path: Path) -> None:
    denied = [topics.acks("overlay")]
    async with surroundings(path, denied=denied) as around, around.running() as record:
        await around.open_market()
        await around.send(order(1))
        await eventually(lambda: around.taken("accepted") == 1)
        await around.send(order(1))
        await eventually(lambda: around.taken("duplicate") == 1)
        assert len(record.orders_since()) == 1
        await eventually(lambda: around.unacknowledged() == 0)


# --- strangers -----------------------------------------------------------------------------------


async def test_an_answer_waits_until_the_gateway_is_connected_and_no_order_is_sent_again_for_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(rows: Sequence[object]) -> list[BusUnavailable]:
        return [BusUnavailable("not connected") for _ in rows]

    async with surroundings(path) as around, around.running() as record:
        await around.open_market()
        with monkeypatch.context() as patched:
            patched.setattr(around.bus, "publish_all", refuse)
            around.bus.connected.clear()  # it hears already, and its birth is not told yet
            await around.send(order(1))
            await eventually(lambda: len(record.orders_since()) == 1)
            for _ in range(10):
                await asyncio.sleep(0)
        around.bus.connected.set()
        await eventually(lambda: around.answers == ["accepted"])


async def test_an_order_kept_by_the_broker_is_old_news(path: Path) -> None:
    async with surroundings(path) as around, around.running() as record:
        await around.open_market()
        await around.send(order(1), retain=True)
        await eventually(lambda: around.answers == ["accepted"])  # heard live
        around.bus.cut()
        await eventually(lambda: around.refused("retained") == 1)  # told to a new subscriber
        assert around.answers == ["accepted"]
        assert len(record.orders_since()) == 1
        await eventually(lambda: around.unacknowledged() == 0)


async def test_whatever_is_no_order_of_the_hedgers_is_counted_and_gets_no_answer(
    path: Path,
) -> None:
    stranger = make_keyring()
    async with surroundings(path) as around, around.running() as record:
        await around.open_market()
        elsewhere = Keyring("live", *_parts(around.keyring))
        await around.send(order(1), keyring=stranger)
        await around.send(order(1), role="operator")
        await around.send(order(1), keyring=elsewhere)
        await around.send(order(1), topic=topics.orders("other"))
        await around.send(structs.replace(order(1), order_id="a b"))
        for payload in (b"not json", b"{}\nAAAA", codec.encode(WIRE)):
            await around.client.publish(ORDERS, payload)
        wanted = {
            "unknown_key": 2.0,
            "wrong_environment": 1.0,
            "wrong_book": 1.0,
            "malformed": 4.0,
        }
        await eventually(lambda: {each: around.refused(each) for each in wanted} == wanted)
        assert (around.answers, record.orders_since()) == ([], [])
        await eventually(lambda: around.unacknowledged() == 0)
        alerts = [
            each for each in around.broker.published if each.topic == topics.alerts("critical")
        ]
        assert alerts, "somebody is told"


def _parts(keyring: Keyring) -> tuple[dict[Role, Any], dict[Role, Any]]:
    """The same keys, for another environment."""
    private = {role: each.key for role, each in keyring._private.items()}  # noqa: SLF001 - nobody else may take them
    return private, keyring._trusted  # noqa: SLF001 - likewise


def _flip(payload: bytes, at: int, bit: int) -> bytes:
    changed = bytearray(payload)
    changed[at % len(payload)] ^= 1 << bit
    return bytes(changed)


def _resigned(payload: bytes, change: Callable[[bytes], bytes]) -> bytes:
    sealed = split(payload)
    return join(Sealed(change(sealed.body), sealed.signature))


async def test_of_2_000_altered_orders_none_is_accepted_and_each_is_counted(path: Path) -> None:
    dice = random.Random(7)  # noqa: S311 - a seed
    async with surroundings(path) as around, around.running() as record:
        await around.open_market()
        sound = around.keyring.seal("monitor", ORDERS, WIRE)
        alterations: list[Callable[[], bytes]] = [
            lambda: _flip(sound, dice.randrange(len(sound)), dice.randrange(8)),
            lambda: _resigned(sound, lambda body: body.replace(b'"epoch":1', b'"epoch":9')),
            lambda: _resigned(sound, lambda body: body.replace(b"400.0", b"401.0")),
            lambda: sound[: dice.randrange(len(sound))],
            lambda: sound.partition(b"\n")[0] + b"\n" + b64encode(dice.randbytes(64)),
        ]
        for number in range(2000):
            await around.client.publish(ORDERS, alterations[number % len(alterations)]())
        reasons = ("bad_signature", "malformed", "unknown_key", "wrong_environment", "wrong_book")
        await eventually(lambda: sum(map(around.refused, reasons)) == 2000, within_s=30)
        assert (around.answers, record.orders_since()) == ([], [])
        await around.send(order(1))
        await eventually(lambda: around.answers == ["accepted"])


# --- what trips ----------------------------------------------------------------------------------


@pytest.mark.parametrize("control", ["max_orders_per_minute", "max_repeats"])
async def test_a_runaway_hedger_is_stopped_until_an_operator_resumes(
    path: Path, control: str
) -> None:
    async with surroundings(path) as around:
        around.limits = structs.replace(around.limits, **{control: 5})
        async with around.running() as record:
            await around.open_market()
            for decision in range(1, 51):
                await around.send(order(decision))
            await eventually(lambda: len(around.answers) == 50, within_s=10)
            assert around.answers.count("accepted") == 5
            reasons = [each.reason for each in sorted(around.acks, key=lambda ack: ack.order_id)]
            assert reasons[5].startswith(control)
            assert reasons[6].startswith("halted")
            await eventually(lambda: around.trading() == 2)
            await eventually(lambda: [each.operator for each in around.scribe.states] == [control])
            assert len(record.untold_changes()) == 0
        async with around.running():
            await eventually(lambda: around.trading() == 2)  # still, after a restart
            await around.command("active", scope="overlay")
            await eventually(lambda: around.trading() == 0)
            await around.send(order(51))
            await eventually(lambda: around.answers[-1] == "accepted")


# --- many books at once --------------------------------------------------------------------------

BOOKS = [f"book_{number}" for number in range(8)]


def order_of(book: str, decision: int = 1, **fields: Any) -> Order:  # noqa: ANN401 - any of its fields
    name = order_id(book, decision, "swap")
    return structs.replace(order(decision, **fields), book=book, order_id=name)


def commits_of(record: OrderRecord) -> list[str]:
    """Every commit from now on."""
    seen: list[str] = []
    connection = record._connection  # noqa: SLF001 - how many there are shows nowhere else
    connection.set_trace_callback(lambda text: seen.append(text) if text == "COMMIT" else None)
    return seen


async def test_orders_of_many_books_are_on_the_disk_together_before_any_is_acknowledged(
    path: Path,
) -> None:
    async with surroundings(path) as around:
        around.books = BOOKS
        async with around.running() as record:
            await around.open_market()
            later = {"event_ns": 15, "valid_until_ns": 10**17}
            for book in BOOKS:
                await around.send(
                    order_of(book, quantity=3000.0 if book == "book_3" else 400.0, **later)
                )
            await eventually(lambda: around.unacknowledged() == len(BOOKS))
            commits = commits_of(record)
            around.scribe.write(clock(15))
            wanted = {book: ["refused" if book == "book_3" else "accepted"] for book in BOOKS}
            await eventually(lambda: {book: around.answers_to(book) for book in BOOKS} == wanted)
            assert len(record.orders_since()) == len(BOOKS)
            assert len(commits) <= 3  # the clock, the orders, and the report of the refusal
            await eventually(lambda: around.unacknowledged() == 0)


async def test_orders_of_one_book_that_wait_together_are_judged_one_after_the_other(
    path: Path,
) -> None:
    async with surroundings(path) as around:
        around.limits = structs.replace(around.limits, max_position_vega=1000.0)
        around.books = BOOKS
        async with around.running() as record:
            for decision in range(1, 5):
                for book in BOOKS:
                    await around.send(order_of(book, decision))
            await around.open_market()
            wanted = ["accepted", "accepted", "refused", "refused"]
            await eventually(
                lambda: all(around.answers_to(book) == wanted for book in BOOKS), within_s=10
            )
            assert len(record.orders_since()) == 4 * len(BOOKS)


async def test_a_book_that_trips_is_stopped_and_those_answered_with_it_go_on(path: Path) -> None:
    async with surroundings(path) as around:
        around.limits = structs.replace(around.limits, max_repeats=2)
        around.books = BOOKS
        async with around.running() as record:
            for decision in range(1, 6):
                await around.send(order_of("book_1", decision))
            for book in ("book_0", "book_2"):
                await around.send(order_of(book, 1))
                await around.send(order_of(book, 2))
            await around.open_market()
            await eventually(lambda: len(around.answers_to("book_1")) == 5)
            assert around.answers_to("book_1") == ["accepted"] * 2 + ["refused"] * 3
            for book in ("book_0", "book_2"):
                await eventually(lambda: around.answers_to(book) == ["accepted"] * 2)  # noqa: B023 - awaited here
            assert (around.trading("book_1"), around.trading("book_2")) == (2, 0)
            reasons = [each.reason for each in record.orders_since() if each.status == "refused"]
            assert reasons[0].startswith("max_repeats")
            assert [each[:6] for each in reasons[1:]] == ["halted"] * 2
        async with around.running():
            await eventually(lambda: around.trading("book_1") == 2)


async def test_while_the_disk_fails_no_order_of_a_group_is_acknowledged_or_counted(
    path: Path,
) -> None:
    async with surroundings(path) as around:
        around.limits = structs.replace(around.limits, max_repeats=1)
        around.books = BOOKS
        async with around.running() as record:
            await around.open_market()
            await around.send(order_of("book_0"))
            await eventually(lambda: around.answers_to("book_0") == ["accepted"])
            connection = record._connection  # noqa: SLF001 - a disk cannot be filled here
            connection.execute("PRAGMA query_only = ON")
            for book in BOOKS:  # the first would trip its book
                await around.send(order_of(book, 2))
            await eventually(lambda: "gateway.record" in _troubles(around))
            assert [around.answers_to(book) for book in BOOKS[1:]] == [[]] * (len(BOOKS) - 1)
            assert around.trading("book_0") == 0
            connection.execute("PRAGMA query_only = OFF")
            await eventually(lambda: all(around.answers_to(book) for book in BOOKS))
            assert [around.answers_to(book) for book in BOOKS[1:]] == [["accepted"]] * 7
            assert around.answers_to("book_0") == ["accepted", "refused"]
            await eventually(lambda: around.trading("book_0") == 2)
            around.scribe.write(tick(15), clock(20), clock(30))
            await eventually(lambda: len(around.scribe.journalled) >= 2 * len(BOOKS))


def _troubles(around: Surroundings) -> set[str]:
    return {name for name, check in around.health.report().items() if not check.ready}


async def test_a_group_that_the_disk_did_not_take_counts_for_nothing(path: Path) -> None:
    async with surroundings(path) as around:
        around.limits = structs.replace(around.limits, max_repeats=2)
        around.books = BOOKS
        async with around.gateway() as (gateway, record):
            desk = gateway.desk
            await desk.digest([JournalEntry(0, 0, (tick(5), clock(10)))], 1)
            (first,) = await desk.take([SentOrder(order_of("book_0"), 1, b"")])
            connection = record._connection  # noqa: SLF001 - a disk cannot be filled here
            connection.execute("PRAGMA query_only = ON")
            group = [SentOrder(order_of(book, 2), 3, b"") for book in BOOKS]
            group += [SentOrder(order_of("book_0", number), 3, b"") for number in (3, 4)]
            async with asyncio.TaskGroup() as tasks:
                taking = tasks.create_task(desk.take(group))
                await eventually(lambda: "gateway.record" in _troubles(around))
                assert (desk.epoch, desk.answered) == (1, 1)
                assert desk.states.of("book_0") is TradingState.ACTIVE
                connection.execute("PRAGMA query_only = OFF")
            assert first.status == "accepted"
            labels = ["accepted"] * 8 + ["max_repeats", "halted"]
            assert [each.label for each in taking.result()] == labels
            assert (desk.epoch, desk.answered) == (3, 11)
            assert desk.states.of("book_0") is TradingState.HALTED
            assert [each.epoch for each in record.orders_since()] == [1] + [3] * 10
            in_memory = (desk._venue.snapshot(), desk._gatekeeper.snapshot())  # noqa: SLF001 - all that it knows
        async with around.gateway() as (gateway, _):  # and a restart counts the same
            desk = gateway.desk
            assert (desk._venue.snapshot(), desk._gatekeeper.snapshot()) == in_memory  # noqa: SLF001 - likewise
            assert desk.answered == 11


async def test_a_flood_of_one_book_is_written_down_in_groups(path: Path) -> None:
    async with surroundings(path) as around, around.running() as record:
        commits = commits_of(record)
        for decision in range(1, 201):
            await around.send(order(decision))
        await around.open_market()
        await eventually(lambda: len(around.answers) == 200, within_s=10)
        assert around.answers == ["accepted"] * 200
        assert len(commits) < 20
        numbers = [each.order_id for each in record.orders_since()]
        assert numbers == [order(decision).order_id for decision in range(1, 201)]
