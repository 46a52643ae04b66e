"""What must be true of a sweep, judged by what the servers and the gateway's record hold.

The reference is a fold: the pure steps over the whole journal, in one process, without a fault.
Whatever the gateway answered must be an order of that fold, once, with the contents that it has
there; and every order of the fold must have been answered.
"""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from services.command.journal import Replayer
from shared.adapters.connections import RedisSettings
from shared.adapters.redis_store import RedisStore
from shared.adapters.settings import Settings
from shared.adapters.store import Store
from shared.domain.effects import OrderDecided
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.orders import Order
from shared.runtime.site import Site
from shared.wire import keys
from shared.wire.decisions import read_decision
from shared.wire.journal import decode_entry

STRANGE = 90_000_000
"""Decisions from here on were never made: orders of a stranger's."""
_AT_ONCE = 200
_PATIENCE_S = 60.0
"""For a store's answer: the judge computes for seconds between two questions, and hears nothing."""
_ENDS = frozenset(
    (ExecutionKind.FILL, ExecutionKind.CANCEL, ExecutionKind.REJECT, ExecutionKind.EXPIRE)
)
_decode_order = msgspec.msgpack.Decoder(Order).decode
_decode_report = msgspec.msgpack.Decoder(ExecutionReported).decode


class Answer(Struct, frozen=True):
    """An order as the gateway's record holds it."""

    order_id: str
    epoch: int
    received_ns: int
    status: str
    reason: str
    content: bytes

    @property
    def order(self) -> Order:
        """What was asked for."""
        return _decode_order(self.content)


class Record(Struct, frozen=True):
    """The gateway's record, read by our own means.

    Attributes:
        answers: In the order they were given.
        reports: Of the venue and of refusals, in order.
        untold: Reports and trading states that the journal is not known to have.
    """

    answers: list[Answer]
    reports: list[ExecutionReported]
    untold: list[str]


class Fold(Struct, frozen=True):
    """What the pure steps make of the journal.

    Attributes:
        orders: By id, in the order they were decided.
        journalled: How often each report stands in the journal.
        faults: Where the decision log is not what the fold says, in words.
    """

    orders: dict[str, Order]
    journalled: Counter[str]
    faults: tuple[str, ...]


class Halt(Struct, frozen=True, kw_only=True):
    """A time in which nothing may be accepted: from the gateway's word to the resume."""

    scope: str
    from_ns: int
    to_ns: int


def read_record(path: Path) -> Record:
    """Read the record of a gateway that has ended."""
    with contextlib.closing(sqlite3.connect(path)) as record:
        columns = "order_id, epoch, received_ns, status, reason, content"
        rows = record.execute(f"SELECT {columns} FROM orders ORDER BY number")  # noqa: S608 - ours
        answers = [Answer(*row) for row in rows]
        told = record.execute("SELECT payload FROM executions ORDER BY number")
        reports = [_decode_report(payload) for (payload,) in told]
        untold = record.execute("SELECT execution_id FROM executions WHERE journalled = 0")
        names = [name for (name,) in untold]
        changes = record.execute("SELECT name FROM trading_changes WHERE journalled = 0")
        return Record(answers, reports, [*names, *(name for (name,) in changes)])


async def fold_journal(settings: Settings) -> Fold:
    """Fold the journal, and hold the decision log against it."""
    replayer = Replayer(settings, Site(settings=settings).calendar())
    orders: dict[str, Order] = {}
    journalled: Counter[str] = Counter()
    faults: list[str] = []
    decided = 0
    async with (
        RedisStore(_patient(settings.redis.market)) as market,
        RedisStore(_patient(settings.redis.orders)) as store,
    ):
        last = 0
        while entries := await market.read({keys.journal(): last}, count=_AT_ONCE):
            last = entries[-1].index
            for entry in entries:
                for item in decode_entry(entry.payload).items:
                    if isinstance(item, ExecutionReported):
                        journalled[item.execution_id] += 1
            decisions = replayer.take(entries)
            for payload in decisions:
                effect = read_decision(payload).effect
                if isinstance(effect, OrderDecided):
                    orders[effect.order.order_id] = effect.order
            differing = await _differing(store, decisions, after=decided)
            decided += len(decisions)
            if differing:
                faults.append(f"decision {differing} is not what the fold says")
                break
        extent = await store.extent(keys.decisions())
        if extent.last != decided and not faults:
            faults.append(f"{extent.last} decisions, the fold says {decided}")
    return Fold(orders, journalled, tuple(faults))


def _patient(settings: RedisSettings) -> RedisSettings:
    return structs.replace(settings, operation_timeout_s=_PATIENCE_S)


async def _differing(store: Store, decisions: Sequence[bytes], after: int) -> int:
    """Which decision of the log after that one is the first that is another; 0: none."""
    for begin in range(0, len(decisions), _AT_ONCE):
        ours = decisions[begin : begin + _AT_ONCE]
        held = await store.read({keys.decisions(): after + begin}, count=len(ours))
        for there, here in zip(held, ours, strict=False):
            if there.payload != here:
                return there.index
    return 0


def judge(
    record: Record, fold: Fold, halts: Sequence[Halt], plausible: Collection[str] = ()
) -> list[str]:
    """Say what must never be and is.

    Args:
        record: The gateway's.
        fold: What should be in it.
        halts: When nothing may have been accepted.
        plausible: Orders of a stranger with our key, which nobody but an auditor tells from ours.
    """
    return [
        *fold.faults,
        *_of_ids(record),
        *_of_the_fold(record, fold.orders, plausible),
        *_of_admission(record, halts),
        *_of_ends(record),
        *_of_the_journal(record, fold.journalled),
    ]


def judge_alone(record: Record) -> list[str]:
    """Say what must never be in a record, whatever was decided."""
    return [*_of_ids(record), *_of_admission(record, ())]


def _of_ids(record: Record) -> Iterator[str]:
    counts = Counter(each.order_id for each in record.answers)
    yield from (
        f"order {name} was answered {times} times" for name, times in counts.items() if times > 1
    )


def _of_the_fold(
    record: Record, decided: Mapping[str, Order], plausible: Collection[str]
) -> Iterator[str]:
    answered = {each.order_id: each for each in record.answers}
    yield from (f"order {name} was decided and is lost" for name in decided if name not in answered)
    for name, answer in answered.items():
        if answer.order.decision >= STRANGE:
            if answer.status != "refused" and name not in plausible:
                yield f"order {name} is the stranger's, and was {answer.status}"
        elif name not in decided:
            yield f"order {name} was never decided"
        elif decided[name] != answer.order:
            yield f"order {name} is not what was decided"


def _of_admission(record: Record, halts: Sequence[Halt]) -> Iterator[str]:
    high_water = 0
    for each in record.answers:
        if each.epoch < high_water:
            yield f"order {each.order_id} came from epoch {each.epoch}, after {high_water}"
        high_water = max(high_water, each.epoch)
        if each.status != "accepted":
            continue
        order = each.order
        if each.received_ns > order.valid_until_ns:
            yield f"order {each.order_id} was accepted after its valid_until"
        for halt in halts:
            if halt.from_ns < each.received_ns < halt.to_ns and halt.scope in {"all", order.book}:
                yield f"order {each.order_id} was accepted while {halt.scope} was halted"


def _of_ends(record: Record) -> Iterator[str]:
    """Every answered order comes to exactly one end, and trades no more than it may."""
    ends: Counter[str] = Counter()
    traded: Counter[str] = Counter()
    for report in record.reports:
        ends[report.order_id] += report.kind in _ENDS
        traded[report.order_id] += abs(report.quantity)  # type: ignore[assignment] # a float
    for each in record.answers:
        if ends[each.order_id] != 1:
            yield f"order {each.order_id}, {each.status}, came to {ends[each.order_id]} ends"
        if traded[each.order_id] > each.order.quantity * (1 + 1e-9):
            yield f"order {each.order_id} traded more than it said"
    strangers = ends.keys() - {each.order_id for each in record.answers}
    yield from (f"order {name} ended and was never answered" for name in strangers)


def _of_the_journal(record: Record, journalled: Mapping[str, int]) -> Iterator[str]:
    made = {report.execution_id for report in record.reports}
    for name in made:
        if journalled.get(name, 0) != 1:
            yield f"report {name} stands {journalled.get(name, 0)} times in the journal"
    yield from (f"report {name} was never made" for name in journalled.keys() - made)
    yield from (f"report {name} is not known to be journalled" for name in record.untold)
