"""What must be true of a run, judged by what the servers hold when all is quiet (promises A, D).

The reference is a fold: the pure steps over the whole journal, in one batch, without a fault.

Longer than most: every promise that a run is held to, each in a few lines.
"""

import contextlib
import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from services.command.simulation.attacker import FIRST_DECISION
from services.command.simulation.witness import Halt
from services.hedger.step import HedgerStep
from services.signals.step import SignalsStep
from shared.adapters.code_version import code_version
from shared.adapters.memory.store import MemoryStore
from shared.adapters.settings import Settings
from shared.adapters.store import Entry
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.orders import Order
from shared.domain.policies import BookPolicy
from shared.domain.sessions import SessionCalendar
from shared.runtime.ledger import StepOutput
from shared.wire import keys
from shared.wire.journal import decode_entry

_TERMINAL = frozenset(
    (ExecutionKind.FILL, ExecutionKind.CANCEL, ExecutionKind.REJECT, ExecutionKind.EXPIRE)
)
_decode_order = msgspec.msgpack.Decoder(Order).decode
_decode_report = msgspec.msgpack.Decoder(ExecutionReported).decode


class Remains(Struct, frozen=True, kw_only=True):
    """What is left of a run.

    Attributes:
        settings: What the services were told.
        sessions: The calendar they knew.
        market: The store of journal and signal log.
        orders: The store of decisions and outbox.
        record: The gateway's record, closed.
        plausible: Orders of an attacker with our key that may well have been accepted.
        halts: What operators had halted, as the gateway confirmed it.
        findings: Why the auditor stopped trading, each time; `None`: there was no auditor.
        now_ns: When all was quiet.
    """

    settings: Settings
    sessions: SessionCalendar
    market: MemoryStore
    orders: MemoryStore
    record: Path
    plausible: frozenset[str]
    halts: tuple[Halt, ...]
    findings: tuple[str, ...] | None
    now_ns: int


class Judgement(Struct, frozen=True):
    """What was found.

    Attributes:
        violations: What must never be and is, in words.
        orders: How many the record holds.
        digest: Of journal, decisions and record.
    """

    violations: tuple[str, ...]
    orders: int
    digest: str


class Answered(Struct, frozen=True):
    """An order that was answered, as the record holds it."""

    order_id: str
    epoch: int
    received_ns: int
    status: str
    reason: str
    content: bytes

    @property
    def is_accepted(self) -> bool:
        """Whether it was taken; else it was refused, for good."""
        return self.status == "accepted"

    @property
    def order(self) -> Order:
        """The order itself."""
        return _decode_order(self.content)


def judge(remains: Remains) -> Judgement:
    """Compare what is left with what should be."""
    answered, reports, unjournalled = _read(remains.record)
    accepted = [each for each in answered if each.is_accepted]
    orders = [each.order for each in accepted]
    violations = [
        *_against_fold(remains, answered),
        *_of_the_outbox(remains),
        *_of_ids(answered),
        *_of_epochs(answered),
        *_of_expiry(accepted),
        *_of_halts(accepted, remains.halts),
        *_of_the_auditor(answered, remains.findings),
        *_of_ends(answered, reports, remains.now_ns),
        *_of_the_journal(remains, reports),
        *(f"report {name} is not known to be journalled" for name in unjournalled),
        *(text for book in remains.settings.books for text in _of_limits(book, orders, reports)),
    ]
    return Judgement(tuple(violations), len(orders), _digest(remains, answered))


def _read(path: Path) -> tuple[list[Answered], list[ExecutionReported], list[str]]:
    """Read the record by our own means: answered orders, reports, and reports not journalled."""
    with contextlib.closing(sqlite3.connect(path)) as record:
        rows = record.execute(
            "SELECT order_id, epoch, received_ns, status, reason, content FROM orders"
            " ORDER BY number"
        )
        answered = [Answered(*row) for row in rows]
        executions = record.execute("SELECT payload FROM executions ORDER BY number")
        reports = [_decode_report(payload) for (payload,) in executions]
        waiting = record.execute("SELECT execution_id FROM executions WHERE journalled = 0")
        return answered, reports, [name for (name,) in waiting]


def _against_fold(remains: Remains, answered: Sequence[Answered]) -> Iterator[str]:
    """Signal log, decisions and orders are what the pure steps make of the journal."""
    signals = SignalsStep(remains.settings.signals, remains.sessions, None)
    logged = _rows(remains.market, keys.signal_log())
    folded = signals.receive(_entries(remains.market, keys.journal()))
    yield from _compare("signal log", logged, folded, keys.signal_log())
    hedger = HedgerStep(
        remains.settings.books,
        remains.sessions,
        remains.settings.digest,
        None,
        code_version=code_version(),
    )
    decided = hedger.receive(_entries(remains.market, keys.signal_log()))
    decisions = _rows(remains.orders, keys.decisions())
    yield from _compare("decisions", decisions, decided, keys.decisions())
    wanted = {
        order.order_id: order
        for order in map(_decode_order, decided.entries.get(keys.outbox(), ()))
    }
    held = {each.order_id: each.order for each in answered}
    taken = {each.order_id for each in answered if each.is_accepted}
    yield from (f"order {name} was decided and is lost" for name in wanted.keys() - held.keys())
    yield from (
        f"order {name} was never decided" for name in taken - wanted.keys() - remains.plausible
    )
    yield from (
        f"order {name} is not what was decided"
        for name in sorted(wanted.keys() & held.keys())
        if wanted[name] != held[name]
    )


def _compare(what: str, found: Sequence[bytes], folded: StepOutput, stream: str) -> Iterator[str]:
    """What a stage wrote is what the fold says; but for the last few entries, all of it."""
    expected = folded.entries.get(stream, ())
    for number, (ours, theirs) in enumerate(zip(found, expected, strict=False), 1):
        if ours != theirs:
            yield f"{what}: entry {number} is not what the fold says"
            return
    if len(found) > len(expected):
        yield f"{what}: {len(found)} entries, the fold says {len(expected)}"
    if len(found) < len(expected) - _BEHIND:
        yield f"{what}: {len(found)} entries, the fold has come to {len(expected)}"


_ROUNDING = 1e-9
_BEHIND = 5
"""The clock went on to the end: a stage may be a few entries behind."""


def _of_the_outbox(remains: Remains) -> Iterator[str]:
    rows = remains.orders.streams[keys.outbox()]
    if rows:
        yield f"the outbox still holds {len(rows)} order(s)"


def _of_ids(answered: Sequence[Answered]) -> Iterator[str]:
    for name, times in Counter(each.order_id for each in answered).items():
        if times > 1:
            yield f"order {name} was answered {times} times"


def _of_epochs(answered: Sequence[Answered]) -> Iterator[str]:
    high_water = 0
    for each in answered:
        if each.epoch < high_water:
            yield f"order {each.order_id} came from epoch {each.epoch}, after {high_water}"
        high_water = max(high_water, each.epoch)


def _of_expiry(accepted: Sequence[Answered]) -> Iterator[str]:
    for each in accepted:
        if each.received_ns > each.order.valid_until_ns:
            yield f"order {each.order_id} was accepted after its valid_until"


def _of_halts(accepted: Sequence[Answered], halts: Sequence[Halt]) -> Iterator[str]:
    for each in accepted:
        if any(halt.forbids(each.order.book, each.received_ns) for halt in halts):
            yield f"order {each.order_id} was accepted while its book was halted"


def _of_the_auditor(answered: Sequence[Answered], findings: Sequence[str] | None) -> Iterator[str]:
    """The auditor has found what nobody decided, once there is any, and nothing else (A8)."""
    if findings is None:
        return
    strange = [each.order_id for each in answered if each.order.decision >= FIRST_DECISION]
    for finding in findings:
        if not any(name in finding for name in strange):
            yield f"the auditor found what is not there: {finding}"
    if strange and not findings:
        yield f"the auditor did not find order {strange[0]}, which nobody decided"


def _of_ends(
    answered: Sequence[Answered], reports: Sequence[ExecutionReported], now_ns: int
) -> Iterator[str]:
    """Every order has come to exactly one end, or may still."""
    ends = Counter(report.order_id for report in reports if report.kind in _TERMINAL)
    for each in answered:
        order, times = each.order, ends.pop(each.order_id, 0)
        if times > 1:
            yield f"order {each.order_id} came to {times} ends"
        if not times and (now_ns > order.valid_until_ns or not each.is_accepted):
            yield f"order {each.order_id} never came to an end"
        traded = sum(abs(report.quantity) for report in reports if report.order_id == each.order_id)
        if traded > (order.quantity if each.is_accepted else 0.0) * (1 + _ROUNDING):
            yield f"order {each.order_id} traded {traded} of {order.quantity}"
    yield from (f"order {name} ended and was never answered" for name in ends)


def _of_the_journal(remains: Remains, reports: Sequence[ExecutionReported]) -> Iterator[str]:
    """Every report stands in the journal once."""
    journalled = Counter(
        item.execution_id
        for payload in _rows(remains.market, keys.journal())
        for item in decode_entry(payload).items
        if isinstance(item, ExecutionReported)
    )
    for report in reports:
        times = journalled.pop(report.execution_id, 0)
        if times != 1:
            yield f"report {report.execution_id} stands {times} times in the journal"
    yield from (f"report {name} was never made" for name in journalled)


def _of_limits(
    book: BookPolicy, orders: Sequence[Order], reports: Sequence[ExecutionReported]
) -> Iterator[str]:
    """Nothing that was accepted is over a limit; the run lies in one session."""
    limits, ours = book.limits, [order for order in orders if order.book == book.name]
    for order in ours:
        if abs(order.vega) > limits.max_order_vega:
            yield f"order {order.order_id} has a vega of {order.vega:g}"
        if order.notional > limits.max_order_notional:
            yield f"order {order.order_id} has a notional of {order.notional:g}"
    if len(ours) > limits.max_orders_per_day:
        yield f"{book.name} sent {len(ours)} orders in a session"
    turnover = sum(order.notional for order in ours)
    if turnover > limits.max_daily_turnover * (1 + _ROUNDING):
        yield f"{book.name} ordered {turnover:g} in a session"
    vega = 0.0
    for report in reports:
        vega += report.quantity if report.book == book.name else 0.0
        if abs(vega) > limits.max_position_vega * (1 + _ROUNDING):
            yield f"{book.name} holds a vega of {vega:g} after {report.execution_id}"
            return


def _rows(store: MemoryStore, stream: str) -> list[bytes]:
    return list(store.streams[stream].values())


def _entries(store: MemoryStore, stream: str) -> list[Entry]:
    return [Entry(stream, index, payload) for index, payload in store.streams[stream].items()]


def _digest(remains: Remains, answered: Sequence[Answered]) -> str:
    digest = hashlib.sha256()
    for store, stream in (
        (remains.market, keys.journal()),
        (remains.market, keys.signal_log()),
        (remains.orders, keys.decisions()),
    ):
        for payload in _rows(store, stream):
            digest.update(payload)
    for each in answered:
        digest.update(msgspec.msgpack.encode(each))
    return digest.hexdigest()
