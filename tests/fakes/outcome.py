"""What a run has left behind: equal runs leave equal outcomes, byte by byte."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from fakes.witness import Witness

from shared.adapters.connections import RedisSettings
from shared.adapters.redis_store import RedisStore
from shared.domain.effects import OrderDecided
from shared.domain.events import ExecutionReported
from shared.domain.orders import Order
from shared.wire import keys
from shared.wire.decisions import read_decision
from shared.wire.journal import decode_entry


class Outcome(msgspec.Struct, frozen=True):
    """Decisions, orders, executions.

    Attributes:
        decisions: The decision log.
        accepted: Every order in the gateway's record, in order of acceptance.
        executions: Every report in the gateway's record, in the order they were made.
        journalled: Every report in the journal, in order.
    """

    decisions: tuple[bytes, ...]
    accepted: tuple[bytes, ...]
    executions: tuple[bytes, ...]
    journalled: tuple[bytes, ...]

    @property
    def decided(self) -> list[Order]:
        """The orders of the decision log."""
        effects = [read_decision(each).effect for each in self.decisions]
        return [effect.order for effect in effects if isinstance(effect, OrderDecided)]

    @property
    def orders(self) -> list[Order]:
        """The orders of the gateway's record."""
        return [msgspec.msgpack.decode(payload, type=Order) for payload in self.accepted]

    @property
    def reports(self) -> list[ExecutionReported]:
        """The execution reports of the gateway's record."""
        return [msgspec.msgpack.decode(each, type=ExecutionReported) for each in self.executions]


class Run(msgspec.Struct, frozen=True):
    """A run that came to its end.

    Attributes:
        outcome: What it left.
        sent: The order messages on the broker, but for who sent them, as the witness saw them.
        length: The last number of the feed's series.
    """

    outcome: Outcome
    sent: list[dict[str, Any]]
    length: int

    def half_way(self, witness: Witness) -> bool:
        """Whether another run of the same ticks has come so far."""
        return self.come_to(1 / 2)(witness)

    def come_to(self, share: float) -> Callable[[Witness], bool]:
        """Whether another run of the same ticks has come to this share of them."""
        return lambda witness: witness.reached >= share * self.length

    def next_order_after(self, share: float) -> Callable[[Witness], bool]:
        """Whether another run has just sent the first order after this share of them."""
        count = int(share * len(self.sent)) + 1
        return lambda witness: len(witness.orders) >= count


def read_outcome(store_url: str, record: Path) -> Outcome:
    """Read it from the store and, if there is one, the record of a gateway that has ended."""
    journal, decisions = asyncio.run(_streams(store_url, keys.journal(), keys.decisions()))
    reports = [
        msgspec.msgpack.encode(item)
        for payload in journal
        for item in decode_entry(payload).items
        if isinstance(item, ExecutionReported)
    ]
    return Outcome(
        decisions=decisions,
        accepted=_column(record, "SELECT content FROM orders WHERE status = 'accepted'"),
        executions=_column(record, "SELECT payload FROM executions"),
        journalled=tuple(reports),
    )


async def _streams(url: str, *names: str) -> list[tuple[bytes, ...]]:
    async with RedisStore(RedisSettings(url=url)) as store:
        entries = [await store.read({name: 0}, count=1_000_000) for name in names]
    return [tuple(entry.payload for entry in each) for each in entries]


def _column(record: Path, query: str) -> tuple[bytes, ...]:
    if not record.exists():
        return ()
    with contextlib.closing(sqlite3.connect(record)) as connection:
        return tuple(value for (value,) in connection.execute(f"{query} ORDER BY number"))
