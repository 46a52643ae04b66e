import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.record import (
    Accepted,
    AcceptedOrder,
    Conflict,
    Duplicate,
    OrderRecord,
    Progress,
    RecordInUse,
    StaleEpoch,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.sqlite"


@pytest.fixture
def record(path: Path) -> Iterator[OrderRecord]:
    with OrderRecord.open(path) as opened:
        yield opened


def test_a_new_order_is_accepted_and_numbered(record: OrderRecord) -> None:
    assert record.accept("a", 1, b"one", 10) == Accepted(1)
    assert record.accept("b", 1, b"two", 20) == Accepted(2)
    assert record.orders_since(1) == [
        AcceptedOrder(number=2, order_id="b", epoch=1, payload=b"two", received_ns=20)
    ]
    assert [order.order_id for order in record.orders_since()] == ["a", "b"]


def test_a_resend_of_the_same_bytes_is_a_duplicate_for_ever(path: Path) -> None:
    with OrderRecord.open(path) as record:
        record.accept("a", 1, b"one", 10)
    with OrderRecord.open(path) as record:
        assert record.accept("a", 1, b"one", 99) == Duplicate(1)
        assert len(record.orders_since()) == 1


def test_the_same_id_with_other_bytes_is_a_conflict_and_changes_nothing(
    record: OrderRecord,
) -> None:
    record.accept("a", 1, b"one", 10)
    assert record.accept("a", 1, b"another", 11) == Conflict(1)
    assert [order.payload for order in record.orders_since()] == [b"one"]


def test_an_epoch_below_the_high_water_mark_is_refused_also_after_a_restart(path: Path) -> None:
    with OrderRecord.open(path) as record:
        record.accept("a", 7, b"one", 10)
    with OrderRecord.open(path) as record:
        assert record.epoch() == 7
        assert record.accept("b", 6, b"two", 11) == StaleEpoch(7)
        assert len(record.orders_since()) == 1
        assert record.accept("b", 7, b"two", 11) == Accepted(2)


def test_an_old_leaders_accepted_order_stays_acknowledged_after_a_takeover(
    record: OrderRecord,
) -> None:
    record.accept("a", 1, b"one", 10)
    record.accept("b", 2, b"two", 11)
    assert record.accept("a", 1, b"one", 12) == Duplicate(1)


def test_a_conflict_with_a_newer_epoch_does_not_raise_the_mark(record: OrderRecord) -> None:
    record.accept("a", 1, b"one", 10)
    record.accept("a", 9, b"forged", 11)
    assert record.epoch() == 1


def test_progress_and_executions_are_written_together(path: Path) -> None:
    with OrderRecord.open(path) as record:
        assert record.progress() is None
        record.advance("5-0", b"state", [("a-1", b"new"), ("a-2", b"fill")])
    with OrderRecord.open(path) as record:
        assert record.progress() == Progress(cursor="5-0", state=b"state")
        assert record.unjournalled() == [("a-1", b"new"), ("a-2", b"fill")]


def test_an_execution_written_twice_leaves_everything_as_it_was(record: OrderRecord) -> None:
    record.advance("5-0", b"five", [("a-1", b"new")])
    with pytest.raises(sqlite3.IntegrityError):
        record.advance("6-0", b"six", [("a-2", b"fill"), ("a-1", b"new")], ["a-1"])
    assert record.progress() == Progress(cursor="5-0", state=b"five")
    assert record.unjournalled() == [("a-1", b"new")]
    record.advance("6-0", b"six", [("a-2", b"fill")])
    assert len(record.unjournalled()) == 2


def test_what_the_journal_has_is_not_offered_again(record: OrderRecord) -> None:
    record.advance("5-0", b"", [("a-1", b"new"), ("a-2", b"fill"), ("b-1", b"new")])
    record.advance("6-0", b"", [], ["a-1", "b-1", "never-heard-of"])
    assert record.unjournalled() == [("a-2", b"fill")]


def test_only_the_owner_can_read_the_files(path: Path) -> None:
    path.touch(mode=0o644)
    with OrderRecord.open(path) as record:
        record.accept("a", 1, b"one", 10)
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


def test_a_record_of_a_newer_version_is_refused_and_released(path: Path) -> None:
    with OrderRecord.open(path):
        pass
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 2")
    newer.close()
    for _ in range(2):
        with pytest.raises(ValueError, match="schema 2"):
            OrderRecord.open(path)


def test_a_file_that_is_no_record_is_refused_as_such(path: Path) -> None:
    path.write_bytes(b"not a database, whatever its name" * 40)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        OrderRecord.open(path)


def test_another_programs_database_is_not_taken_for_a_record_in_use(path: Path) -> None:
    with sqlite3.connect(path) as foreign:
        foreign.execute("CREATE TABLE accepted_orders (number)")
    foreign.close()
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        OrderRecord.open(path)


def test_a_directory_is_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        OrderRecord.open(tmp_path)


def test_two_threads_do_not_meet_in_one_transaction(record: OrderRecord) -> None:
    def accept_many(name: str) -> None:
        for number in range(100):
            record.accept(f"{name}{number}", 1, b"bytes", number)

    threads = [threading.Thread(target=accept_many, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [order.number for order in record.orders_since()] == list(range(1, 201))


_WRITER = """
import sys
from pathlib import Path
from shared.adapters.record import OrderRecord
record = OrderRecord.open(Path(sys.argv[1]))
progress = record.progress()
start = 0 if progress is None else int(progress.state) + 1
for number in range(start, start + 1_000_000):
    record.accept(f"order-{number}", 1, b"x" * 500, number)
    record.advance(f"{number}-0", str(number).encode(), [(f"order-{number}-1", b"fill")])
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
