"""The gateway's record: what was answered is on the disk, once, and stays."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from shared.adapters.record import (
    Accepted,
    Answered,
    Change,
    Known,
    OrderRecord,
    Progress,
    RecordedOrder,
    RecordInUse,
    RecordOutdated,
    Status,
    change_name,
)
from shared.domain.trading import TradingState, TradingStateSet

PROGRESS = Progress(cursor="5", state=b"state")


def answered(
    order_id: str, epoch: int = 1, status: Status = "accepted", content: bytes = b"one"
) -> Answered:
    return Answered(
        order_id=order_id,
        epoch=epoch,
        received_ns=10,
        at_ns=9,
        status=status,
        reason="" if status == "accepted" else "halted",
        content=content,
        payload=content + b" sealed",
    )


def change(
    state: TradingState = TradingState.HALTED, event_ns: int = 7, *, untold: bool = True
) -> Change:
    return Change(
        state=TradingStateSet(
            scope="all",
            state=state,
            authority="operator",
            operator="ann",
            reason="drill",
            event_ns=event_ns,
        ),
        untold=untold,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.sqlite"


@pytest.fixture
def record(path: Path) -> Iterator[OrderRecord]:
    with OrderRecord.open(path) as opened:
        yield opened


def test_answers_are_numbered_in_their_order_and_kept_for_ever(path: Path) -> None:
    with OrderRecord.open(path) as record:
        assert record.answered() == 0
        assert record.answer([answered("a")], PROGRESS) == 1
        assert record.answer([answered("b", 2, "refused", b"two")], PROGRESS) == 2
    with OrderRecord.open(path) as record:
        assert record.known(["b", "c", "a"]) == {
            "a": Known("accepted", "", b"one"),
            "b": Known("refused", "halted", b"two"),
        }
        assert record.known(["c"]) == record.known([]) == {}
        assert record.answered() == 2
        assert record.orders_since(1) == [
            RecordedOrder(
                number=2,
                order_id="b",
                epoch=2,
                received_ns=10,
                status="refused",
                reason="halted",
                payload=b"two sealed",
            )
        ]
        assert [order.order_id for order in record.orders_since(0, 1)] == ["a"]


def test_an_id_is_answered_once_whatever_it_says_then(record: OrderRecord) -> None:
    record.answer([answered("a")], PROGRESS)
    after = Progress(cursor="6", state=b"after")
    with pytest.raises(sqlite3.IntegrityError):
        record.answer([answered("b"), answered("a", 9)], after, [("a-1", b"")], [change()])
    assert record.progress() == PROGRESS
    assert record.epoch() == 1
    assert record.unjournalled() == []
    assert record.changes() == []


def test_answers_are_written_down_together_or_not_at_all(record: OrderRecord) -> None:
    assert record.answer([answered("a"), answered("b", 4), answered("c", 2)], PROGRESS) == 3
    assert record.epoch() == 4
    with pytest.raises(sqlite3.IntegrityError):
        record.answer([answered("d"), answered("b"), answered("e")])
    assert [order.order_id for order in record.orders_since()] == ["a", "b", "c"]
    assert record.answer([answered("e")]) == record.answered()


def test_to_confirm_an_epoch_does_not_write_the_gateways_state_again(record: OrderRecord) -> None:
    record.answer([answered("a", 4)], Progress(cursor="5", state=bytes(1_000_000)))
    connection = record._connection  # noqa: SLF001 - what it costs shows nowhere else
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    record.answer([answered("b", 4), answered("c", 3)])
    _, pages, _ = connection.execute("PRAGMA wal_checkpoint").fetchone()
    assert 0 < pages < 20


def test_an_answer_takes_its_report_its_changes_and_the_state_with_it(path: Path) -> None:
    with OrderRecord.open(path) as record:
        assert record.progress() is None
        record.answer([answered("a", 3, "refused")], PROGRESS, [("a-1", b"reject")], [change()])
    with OrderRecord.open(path) as record:
        assert record.progress() == PROGRESS
        assert record.unjournalled() == [("a-1", b"reject")]
        assert record.untold_changes() == [change().state]
        assert record.epoch() == 3


def test_accepted_orders_after_a_number_are_told_with_the_instant_they_count_at(
    record: OrderRecord,
) -> None:
    for order_id, status in (("a", "accepted"), ("b", "refused"), ("c", "accepted")):
        record.answer([answered(order_id, status=status, content=order_id.encode())])  # type: ignore[arg-type] # a literal
    assert record.accepted_since(0) == [Accepted(b"a", 9), Accepted(b"c", 9)]
    assert record.accepted_since(1) == [Accepted(b"c", 9)]
    assert record.progress() is None


def test_progress_and_executions_are_written_together(path: Path) -> None:
    with OrderRecord.open(path) as record:
        record.advance(PROGRESS, [("a-1", b"new"), ("a-2", b"fill")])
        assert record.executions() == 2
    with OrderRecord.open(path) as record:
        assert record.progress() == PROGRESS
        assert record.unjournalled() == [("a-1", b"new"), ("a-2", b"fill")]


def test_an_execution_written_twice_leaves_everything_as_it_was(record: OrderRecord) -> None:
    record.advance(PROGRESS, [("a-1", b"new")])
    after = Progress(cursor="6", state=b"six")
    with pytest.raises(sqlite3.IntegrityError):
        record.advance(
            structs.replace(after, journalled=("a-1",)), [("a-2", b"fill"), ("a-1", b"new")]
        )
    assert record.progress() == PROGRESS
    assert record.unjournalled() == [("a-1", b"new")]
    record.advance(after, [("a-2", b"fill")])
    assert len(record.unjournalled()) == 2


def test_what_the_journal_has_is_not_offered_again(record: OrderRecord) -> None:
    record.advance(PROGRESS, [("a-1", b"new"), ("a-2", b"fill"), ("b-1", b"new")])
    record.change([change(event_ns=7), change(event_ns=8)], PROGRESS)
    name = change_name(change(event_ns=7).state)
    journalled = ("a-1", "b-1", "never-heard-of")
    record.advance(structs.replace(PROGRESS, journalled=journalled), [], [name, "nor of this"])
    assert record.unjournalled() == [("a-2", b"fill")]
    assert record.untold_changes() == [change(event_ns=8).state]


def test_trading_states_and_the_commands_that_set_them_survive(path: Path) -> None:
    with OrderRecord.open(path) as record:
        assert record.last_command_ns("key") == 0
        record.change([change(untold=False)], PROGRESS, ("key", 7))
        record.change([change(TradingState.ACTIVE, 9, untold=False)], PROGRESS, ("key", 9))
    with OrderRecord.open(path) as record:
        assert [each.state for each in record.changes()] == ["halted", "active"]
        assert record.untold_changes() == []
        assert record.last_command_ns("key") == 9
        assert record.last_command_ns("another") == 0


def test_the_instant_of_a_keys_last_command_never_falls(record: OrderRecord) -> None:
    record.change([], PROGRESS, ("key", 9))
    record.change([], PROGRESS, ("key", 7))
    assert record.last_command_ns("key") == 9


def test_an_epoch_belongs_to_who_announced_it_first_and_the_mark_never_falls(path: Path) -> None:
    with OrderRecord.open(path) as record:
        assert (record.epoch(), record.holder(5)) == (0, None)
        record.announce(5, "one")
        record.announce(3, "other")
        record.announce(5, "another")
        record.answer([answered("a", 4)], PROGRESS)
    with OrderRecord.open(path) as record:
        assert record.epoch() == 5
        assert (record.holder(5), record.holder(3)) == ("one", "other")


def test_only_the_owner_can_read_the_files(path: Path) -> None:
    path.touch(mode=0o644)
    with OrderRecord.open(path) as record:
        record.answer([answered("a")], PROGRESS)
        files = list(path.parent.iterdir())
        assert {file.name for file in files} >= {path.name, path.name + "-wal"}
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_every_commit_waits_for_the_disk(record: OrderRecord) -> None:
    connection = record._connection  # noqa: SLF001 - what is promised is this setting
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def _open_elsewhere(path: Path) -> subprocess.CompletedProcess[str]:
    script = "import sys; from pathlib import Path; from shared.adapters.record import OrderRecord;"
    script += "OrderRecord.open(Path(sys.argv[1])).close()"
    return subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=False
    )


def test_a_second_process_is_told_that_the_record_is_in_use(path: Path) -> None:
    with OrderRecord.open(path):
        second = _open_elsewhere(path)
    assert second.returncode != 0
    assert f"RecordInUse: {path} is in use by another gateway" in second.stderr
    assert _open_elsewhere(path).returncode == 0


def test_a_refused_second_opening_in_one_process_does_not_unlock_the_first(path: Path) -> None:
    with OrderRecord.open(path):
        with pytest.raises(RecordInUse):
            OrderRecord.open(path)
        assert "RecordInUse" in _open_elsewhere(path).stderr


@pytest.mark.parametrize("version", [1, 3])
def test_a_record_of_another_version_is_refused_and_released(path: Path, version: int) -> None:
    with OrderRecord.open(path):
        pass
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA user_version = {version}")
    other.close()
    for _ in range(2):
        with pytest.raises(RecordOutdated, match=f"schema {version}, .* writes 2"):
            OrderRecord.open(path)


def test_a_file_that_is_no_record_is_refused_as_such(path: Path) -> None:
    path.write_bytes(b"not a database, whatever its name" * 40)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        OrderRecord.open(path)


def test_another_programs_database_is_not_taken_for_a_record_in_use(path: Path) -> None:
    with sqlite3.connect(path) as foreign:
        foreign.execute("CREATE TABLE orders (number)")
    foreign.close()
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        OrderRecord.open(path)


def test_a_directory_is_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        OrderRecord.open(tmp_path)


def test_two_threads_do_not_meet_in_one_transaction(record: OrderRecord) -> None:
    def answer_many(name: str) -> None:
        for number in range(100):
            record.answer([answered(f"{name}{number}")], PROGRESS)

    threads = [threading.Thread(target=answer_many, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [order.number for order in record.orders_since()] == list(range(1, 201))


_WRITER = """
import sys
from pathlib import Path
from shared.adapters.record import Answered, OrderRecord, Progress
record = OrderRecord.open(Path(sys.argv[1]))
progress = record.progress()
start = 0 if progress is None else int(progress.state) + 1
for number in range(start, start + 1_000_000):
    progress = Progress(cursor=f"{number}-0", state=str(number).encode())
    order = Answered(
        order_id=f"order-{number}", epoch=1, received_ns=number, at_ns=number,
        status="accepted", reason="",
        content=b"x" * 500, payload=b"y" * 500,
    )
    record.answer([order], progress, [(f"order-{number}-1", b"fill")])
    print(number, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 20, 97])
def test_what_was_confirmed_survives_kill_9(path: Path, lines: int) -> None:
    confirmed = -1
    for _ in range(2):  # the second time, the writer recovers the file itself
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, path], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            confirmed = [int(writer.stdout.readline()) for _ in range(lines)][-1]
            writer.kill()
            rest = writer.stdout.read().split()
            confirmed = int(rest[-1]) if rest else confirmed
    with OrderRecord.open(path) as record:
        orders, progress = record.orders_since(), record.progress()
        executions = record.unjournalled()
    assert len(orders) >= confirmed + 1
    assert [order.order_id for order in orders] == [f"order-{n}" for n in range(len(orders))]
    assert progress is not None
    last = int(progress.state)  # cursor, state and executions: all of one transaction or none
    assert progress.cursor == f"{last}-0"
    assert [execution_id for execution_id, _ in executions] == [
        f"order-{n}-1" for n in range(last + 1)
    ]
    assert confirmed <= last <= len(orders) - 1
