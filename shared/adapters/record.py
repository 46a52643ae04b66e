"""The gateway's own record, in SQLite: what it answered, what was done, how far it has read.

The gateway is the authority on orders. Answers are kept for ever, so that a resend, a replay and a
second leader can never make an order count twice, and a refusal stays one; the epoch only ever
rises, so that a superseded leader is refused even if the lease's store went back in time; trading
states survive everything. All is on the disk (`WAL`, `synchronous=FULL`) before a call returns, and
one process at a time has the file.

Each call that writes is one transaction. Orders add rows; everything else takes the gateway's
whole state (`Progress`) with it. So a restart takes the state, and the orders after it once more.

The class is synchronous: callers run it in a thread. A lock keeps two threads apart.

Longer than most: every statement that touches the file is here.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal, Self

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from shared.domain.trading import TradingStateSet

SCHEMA_VERSION: Final = 2
_SCHEMA: Final = """
CREATE TABLE orders (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  order_id TEXT NOT NULL UNIQUE,
  epoch INTEGER NOT NULL,
  received_ns INTEGER NOT NULL,
  at_ns INTEGER NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  content BLOB NOT NULL,
  payload BLOB NOT NULL
);
CREATE TABLE executions (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  execution_id TEXT NOT NULL UNIQUE,
  payload BLOB NOT NULL,
  journalled INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX executions_unjournalled ON executions (number) WHERE journalled = 0;
CREATE TABLE trading_changes (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  payload BLOB NOT NULL,
  journalled INTEGER NOT NULL
);
CREATE TABLE commands (
  key_id TEXT PRIMARY KEY,
  issued_ns INTEGER NOT NULL
);
CREATE TABLE epochs (
  epoch INTEGER PRIMARY KEY,
  holder TEXT NOT NULL
);
CREATE TABLE gateway (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL,
  journal_cursor TEXT NOT NULL,
  state BLOB
);
INSERT INTO gateway VALUES (1, 0, '', NULL);
"""

Status = Literal["accepted", "refused"]


class RecordInUse(RuntimeError):  # noqa: N818 - reads as what happened, like KeyError
    """Another process has the file: two gateways would be two authorities."""


class RecordOutdated(ValueError):  # noqa: N818 - likewise
    """The file was written by another version, and is not converted."""


class RecordedOrder(Struct, frozen=True, kw_only=True):
    """An order that was answered, and how: for good.

    Attributes:
        number: Counts answered orders from 1.
        order_id: Its id.
        epoch: Of the leader that sent it.
        received_ns: When the gateway judged it, by its own clock.
        status: `accepted` or `refused`.
        reason: Of a refusal.
        payload: The sealed bytes, as they first came.
    """

    number: int
    order_id: str
    epoch: int
    received_ns: int
    status: Status
    reason: str
    payload: bytes


class Known(Struct, frozen=True):
    """What was answered before to an id; `content` is what the order said, its envelope aside."""

    status: Status
    reason: str
    content: bytes


class Answered(Struct, frozen=True, kw_only=True):
    """An answer to a new order; see `RecordedOrder` and `Known`.

    `at_ns` is the instant that the gateway counts it at.
    """

    order_id: str
    epoch: int
    received_ns: int
    at_ns: int
    status: Status
    reason: str
    content: bytes
    payload: bytes


class Accepted(Struct, frozen=True):
    """An order that was accepted, and the instant it was counted at."""

    content: bytes
    at_ns: int


class Progress(Struct, frozen=True, kw_only=True):
    """How far the gateway has read the journal, and its state there.

    Attributes:
        cursor: How far.
        state: There.
        journalled: Ids of executions that stand in the journal since the last progress, up to this
            one: with the cursor, for they are not read again. An unknown id is ignored.
    """

    cursor: str
    state: bytes
    journalled: tuple[str, ...] = ()


class Change(Struct, frozen=True, kw_only=True):
    """A trading state that was set, and whether the journal must yet be told."""

    state: TradingStateSet
    untold: bool


def change_name(state: TradingStateSet) -> str:
    """Name a change of a trading state that the journal is told: its instants only rise."""
    return f"{state.scope}/{state.event_ns}"


class OrderRecord:
    """The open record. Make it with `open`; a context manager that closes it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> "OrderRecord":
        """Open the file, made when missing, readable by its owner alone.

        Raises:
            RecordInUse: Another process, or another object of this one, has it open.
            RecordOutdated: It was written by another version.
            sqlite3.DatabaseError: It is not such a file, or is damaged.
        """
        with suppress(FileExistsError):  # to open and close one that exists would drop its locks
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        path.chmod(0o600)  # SQLite gives its -wal file the same mode
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection)
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            raise RecordInUse(f"{path} is in use by another gateway") from error
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- orders ------------------------------------------------------------------------------

    def known(self, order_ids: Sequence[str]) -> dict[str, Known]:
        """Return what was answered to ids; those never answered are not in it."""
        which = f"WHERE order_id IN ({', '.join('?' * len(order_ids))})"
        with self._lock:
            rows = self._connection.execute(
                f"SELECT order_id, status, reason, content FROM orders {which}",  # noqa: S608 - ours
                order_ids,
            ).fetchall()
        return {order_id: Known(*answer) for order_id, *answer in rows}

    def answer(
        self,
        orders: Sequence[Answered],
        progress: Progress | None = None,
        executions: Iterable[tuple[str, bytes]] = (),
        changes: Iterable[Change] = (),
    ) -> int:
        """Write answers down, all or none, with all that came of them.

        Args:
            orders: The answers, in order; at least one.
            progress: The gateway right after them, when it changed more than orders do.
            executions: Id and payload of the reports that refusals make.
            changes: Trading states that tripped throttles set.

        Returns:
            How many orders were ever answered.

        Raises:
            sqlite3.IntegrityError: An id was answered before; nothing has changed.
        """
        with self._transaction() as connection:
            _raise_epoch(connection, max(order.epoch for order in orders))
            _insert(connection, "orders", Answered.__struct_fields__, map(astuple, orders))
            (number,) = connection.execute("SELECT last_insert_rowid()").fetchone()
            _write_executions(connection, executions)
            _write_changes(connection, changes)
            if progress is not None:
                _write_progress(connection, progress)
            return int(number)

    def accepted_since(self, number: int) -> list[Accepted]:
        """Return the orders accepted after the answer of that number, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT content, at_ns FROM orders WHERE number > ? AND status = 'accepted'"
                " ORDER BY number",
                (number,),
            ).fetchall()
        return [Accepted(*row) for row in rows]

    def orders_since(self, number: int = 0, limit: int = -1) -> list[RecordedOrder]:
        """Return the orders answered after that one, oldest first, at most `limit` of them."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT number, order_id, epoch, received_ns, status, reason, payload FROM orders"
                " WHERE number > ? ORDER BY number LIMIT ?",
                (number, limit),
            ).fetchall()
        return [
            RecordedOrder(
                number=number,
                order_id=order_id,
                epoch=epoch,
                received_ns=received_ns,
                status=status,
                reason=reason,
                payload=payload,
            )
            for number, order_id, epoch, received_ns, status, reason, payload in rows
        ]

    def answered(self) -> int:
        """Return how many orders were ever answered."""
        with self._lock:
            (number,) = self._connection.execute(
                "SELECT coalesce(max(number), 0) FROM orders"
            ).fetchone()
        return int(number)

    # --- the journal -------------------------------------------------------------------------

    def advance(
        self,
        progress: Progress,
        executions: Iterable[tuple[str, bytes]] = (),
        journalled_changes: Iterable[str] = (),
    ) -> None:
        """Move on in the journal: all that this part of it meant.

        Args:
            progress: Right after it.
            executions: Id and payload of each report made since the last call, in order.
            journalled_changes: Names of the trading states that stand in this part of the journal;
                an unknown one is ignored. Noted with the cursor, for they are not read again.

        Raises:
            sqlite3.IntegrityError: An execution id was written before; nothing has changed.
        """
        with self._transaction() as connection:
            _write_executions(connection, executions)
            connection.executemany(
                "UPDATE trading_changes SET journalled = 1 WHERE name = ?",
                [(name,) for name in journalled_changes],
            )
            _write_progress(connection, progress)

    def progress(self) -> Progress | None:
        """Return what was last written; `None` before the first."""
        with self._lock:
            cursor, state = self._connection.execute(
                "SELECT journal_cursor, state FROM gateway"
            ).fetchone()
        return None if state is None else Progress(cursor=cursor, state=state)

    def executions(self) -> int:
        """Return how many executions were ever written."""
        with self._lock:
            (count,) = self._connection.execute("SELECT count(*) FROM executions").fetchone()
        return int(count)

    def unjournalled(self) -> list[tuple[str, bytes]]:
        """Return id and payload of the executions that the journal may not have, oldest first."""
        with self._lock:
            return self._connection.execute(
                "SELECT execution_id, payload FROM executions WHERE journalled = 0 ORDER BY number"
            ).fetchall()

    # --- trading states and commands -----------------------------------------------------------

    def change(
        self,
        changes: Iterable[Change],
        progress: Progress,
        command: tuple[str, int] | None = None,
    ) -> None:
        """Write trading states down.

        Args:
            changes: What was set, in order.
            progress: The gateway right after it.
            command: Key and `issued_at`, in ns, of the command that wanted it.
        """
        with self._transaction() as connection:
            if command is not None:
                connection.execute(
                    "INSERT INTO commands VALUES (?, ?) ON CONFLICT (key_id)"
                    " DO UPDATE SET issued_ns = max(issued_ns, excluded.issued_ns)",
                    command,
                )
            _write_changes(connection, changes)
            _write_progress(connection, progress)

    def changes(self) -> list[TradingStateSet]:
        """Return every trading state that was ever set, oldest first."""
        return self._changes("")

    def untold_changes(self) -> list[TradingStateSet]:
        """Return those that the journal may not have, oldest first."""
        return self._changes("WHERE journalled = 0")

    def _changes(self, which: str) -> list[TradingStateSet]:
        with self._lock:
            rows = self._connection.execute(
                f"SELECT payload FROM trading_changes {which} ORDER BY number"  # noqa: S608 - ours
            ).fetchall()
        return [msgspec.msgpack.decode(payload, type=TradingStateSet) for (payload,) in rows]

    def last_command_ns(self, key_id: str) -> int:
        """Return the `issued_at` of the newest command that a key gave; 0 before the first."""
        with self._lock:
            row = self._connection.execute(
                "SELECT issued_ns FROM commands WHERE key_id = ?", (key_id,)
            ).fetchone()
        return 0 if row is None else int(row[0])

    # --- epochs --------------------------------------------------------------------------------

    def epoch(self) -> int:
        """Return the highest epoch of any answered order or announcement; 0 before the first."""
        with self._lock:
            (epoch,) = self._connection.execute("SELECT epoch FROM gateway").fetchone()
        return int(epoch)

    def holder(self, epoch: int) -> str | None:
        """Return who announced an epoch; `None` when nobody did."""
        with self._lock:
            row = self._connection.execute(
                "SELECT holder FROM epochs WHERE epoch = ?", (epoch,)
            ).fetchone()
        return None if row is None else str(row[0])

    def announce(self, epoch: int, holder: str) -> None:
        """Write down who holds an epoch from now on."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO epochs VALUES (?, ?)", (epoch, holder))
            _raise_epoch(connection, epoch)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection:  # commits, or rolls back when anything is raised
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection


def _raise_epoch(connection: sqlite3.Connection, epoch: int) -> None:
    """Raise the mark; a row that stays as it is is not written, and it holds the whole state."""
    connection.execute("UPDATE gateway SET epoch = ? WHERE epoch < ?", (epoch, epoch))


def _write_progress(connection: sqlite3.Connection, progress: Progress) -> None:
    connection.executemany(
        "UPDATE executions SET journalled = 1 WHERE execution_id = ?",
        [(execution_id,) for execution_id in progress.journalled],
    )
    connection.execute(
        "UPDATE gateway SET journal_cursor = ?, state = ?", (progress.cursor, progress.state)
    )


def _write_executions(
    connection: sqlite3.Connection, executions: Iterable[tuple[str, bytes]]
) -> None:
    _insert(connection, "executions", ("execution_id", "payload"), executions)


def _insert(
    connection: sqlite3.Connection,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
) -> None:
    """Insert rows by one statement each hundred: a thread gives Python up at every statement."""
    values = tuple(rows)
    for first in range(0, len(values), 100):
        some = values[first : first + 100]
        places = ", ".join([f"({', '.join('?' * len(columns))})"] * len(some))
        connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES {places}",  # noqa: S608 - ours
            [value for row in some for value in row],
        )


def _write_changes(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    connection.executemany(
        "INSERT INTO trading_changes (name, payload, journalled) VALUES (?, ?, ?)",
        [
            (change_name(each.state), msgspec.msgpack.encode(each.state), not each.untold)
            for each in changes
        ],
    )


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # until close or death of the process
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN EXCLUSIVE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version not in {0, SCHEMA_VERSION}:
        raise RecordOutdated(
            f"the gateway's record has schema {version}, this version writes {SCHEMA_VERSION}: "
            "move it away once no order is open"
        )
    if version == 0:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")
