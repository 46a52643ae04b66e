"""The gateway's own record, in SQLite: what was accepted, what was done, how far it has read.

The gateway is the authority on orders. Ids are kept for ever, so that a resend, a replay and a
second leader can never make an order count twice; the epoch only ever rises, so that a superseded
leader is refused even if the lease's store went back in time. All is on the disk (`WAL`,
`synchronous=FULL`) before a call returns, and one process at a time has the file.

The class is synchronous and small: callers run it in a thread. A lock keeps two threads apart.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal, Self

from msgspec import Struct

SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE accepted_orders (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  order_id TEXT NOT NULL UNIQUE,
  epoch INTEGER NOT NULL,
  received_ns INTEGER NOT NULL,
  payload BLOB NOT NULL
);
CREATE TABLE executions (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  execution_id TEXT NOT NULL UNIQUE,
  payload BLOB NOT NULL,
  journalled INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX executions_unjournalled ON executions (number) WHERE journalled = 0;
CREATE TABLE gateway (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL,
  journal_cursor TEXT NOT NULL,
  venue_state BLOB
);
INSERT INTO gateway VALUES (1, 0, '', NULL);
"""


class RecordInUse(RuntimeError):  # noqa: N818 - reads as what happened, like KeyError
    """Another process has the file: two gateways would be two authorities."""


Status = Literal["accepted", "refused"]


class RecordedOrder(Struct, frozen=True, kw_only=True):
    """An order that was answered, and how: for good.

    Attributes:
        number: Counts answered orders from 1.
        order_id: Its id.
        epoch: Of the leader that sent it.
        received_ns: When the gateway answered, by its own clock.
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


class Accepted(Struct, frozen=True):
    """The order is new and on the disk; `number` counts accepted orders from 1."""

    number: int


class Duplicate(Struct, frozen=True):
    """The very same bytes were accepted before, as `number`: acknowledge again, do nothing."""

    number: int


class StaleEpoch(Struct, frozen=True):
    """A newer leader has spoken: `high_water` is its epoch. Nothing was written."""

    high_water: int


class Conflict(Struct, frozen=True):
    """The id was accepted before with other bytes, as `number`. Nothing was written."""

    number: int


Verdict = Accepted | Duplicate | StaleEpoch | Conflict


class AcceptedOrder(Struct, frozen=True, kw_only=True):
    """One accepted order, as it came.

    Attributes:
        number: Counts accepted orders from 1.
        order_id: Its id.
        epoch: Of the leader that sent it.
        payload: The raw bytes that were signed.
        received_ns: When the gateway got it, by its own clock.
    """

    number: int
    order_id: str
    epoch: int
    payload: bytes
    received_ns: int


class Progress(Struct, frozen=True, kw_only=True):
    """How far the venue has read the journal, and its state there."""

    cursor: str
    state: bytes


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
            ValueError: It was written by a newer version.
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

    def accept(self, order_id: str, epoch: int, payload: bytes, received_ns: int) -> Verdict:
        """Write a new order down, or say why not.

        A duplicate is told before a stale epoch: what was accepted stays acknowledged, so that a
        new leader's resend of an old leader's order can leave its outbox.

        Args:
            order_id: Its id.
            epoch: Of the leader that sent it.
            payload: The raw bytes, signature included.
            received_ns: Now, by the gateway's clock.
        """
        with self._transaction() as connection:
            known = connection.execute(
                "SELECT number, payload FROM accepted_orders WHERE order_id = ?", (order_id,)
            ).fetchone()
            if known is not None:
                number, before = known
                return Duplicate(number) if before == payload else Conflict(number)
            (high_water,) = connection.execute("SELECT epoch FROM gateway").fetchone()
            if epoch < high_water:
                return StaleEpoch(high_water)
            connection.execute("UPDATE gateway SET epoch = ?", (epoch,))
            (number,) = connection.execute(
                "INSERT INTO accepted_orders (order_id, epoch, received_ns, payload)"
                " VALUES (?, ?, ?, ?) RETURNING number",
                (order_id, epoch, received_ns, payload),
            ).fetchone()
            return Accepted(number)

    def orders_since(self, number: int = 0) -> list[AcceptedOrder]:
        """Return the orders accepted after that one, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT number, order_id, epoch, payload, received_ns FROM accepted_orders"
                " WHERE number > ? ORDER BY number",
                (number,),
            ).fetchall()
        return [
            AcceptedOrder(
                number=number, order_id=order_id, epoch=epoch, payload=payload, received_ns=received
            )
            for number, order_id, epoch, payload, received in rows
        ]

    def advance(
        self,
        cursor: str,
        state: bytes,
        executions: Iterable[tuple[str, bytes]],
        journalled: Iterable[str] = (),
    ) -> None:
        """Move on in the journal: all that this part of it meant, in one transaction.

        Args:
            cursor: Of the last journal entry that `state` has seen.
            state: The venue's snapshot right after it.
            executions: Id and payload of each report made since the last call, in order.
            journalled: Ids of the executions that stand in this part of the journal; an unknown
                id is ignored. Noted with the cursor, for they are not read again.

        Raises:
            sqlite3.IntegrityError: An execution id was written before; nothing has changed.
        """
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO executions (execution_id, payload) VALUES (?, ?)", executions
            )
            connection.executemany(
                "UPDATE executions SET journalled = 1 WHERE execution_id = ?",
                [(execution_id,) for execution_id in journalled],
            )
            connection.execute(
                "UPDATE gateway SET journal_cursor = ?, venue_state = ?", (cursor, state)
            )

    def progress(self) -> Progress | None:
        """Return what the last `advance` wrote; `None` before the first."""
        with self._lock:
            cursor, state = self._connection.execute(
                "SELECT journal_cursor, venue_state FROM gateway"
            ).fetchone()
        return None if state is None else Progress(cursor=cursor, state=state)

    def epoch(self) -> int:
        """Return the highest epoch that an accepted order had; 0 before the first."""
        with self._lock:
            (epoch,) = self._connection.execute("SELECT epoch FROM gateway").fetchone()
        return int(epoch)

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

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection:  # commits, or rolls back when anything is raised
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # until close or death of the process
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN EXCLUSIVE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise ValueError(f"the record has schema {version}; this version knows {SCHEMA_VERSION}")
    if version == 0:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")
