"""What is said of one book: executions, positions, measurements of its Greeks.

Each is taken once. An execution report comes again until its sender has seen it journalled, and so
does a measurement: neither second coming is a fault. A report of positions that is older than what
the same source said before is refused, for it would undo what was told.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from math import isfinite
from typing import Final

from services.ingest.refusal import Refusal
from shared.adapters.bus import Message
from shared.adapters.keyring import Forged, Keyring
from shared.domain.events import (
    ExecutionKind,
    ExecutionReported,
    ExposureMeasured,
    PositionsReported,
)
from shared.domain.intake import MAX_SOURCES
from shared.wire import topics
from shared.wire.codec import decode, instant_ns
from shared.wire.messages import ExecutionMessage, MeasurementMessage, PositionsMessage
from shared.wire.seal import NotSealed

REMEMBERED_EXECUTIONS: Final = 65_536
"""A gateway resends what it has not seen journalled. While a store is away for a second, a desk of
a hundred books makes two thousand reports: those of many seconds are remembered. The checks of
execution ids by order and by book, of those who read the journal, stand behind this one."""

_TRADES: Final = (ExecutionKind.PARTIAL, ExecutionKind.FILL)
BookReport = ExecutionReported | PositionsReported | ExposureMeasured


class BookReports:
    """Takes what is said of books, and remembers what would be a second coming.

    Args:
        keyring: Whose measurements are believed.
        books: Known books.
        executions: Ids of the latest execution reports, the oldest first.
        reported: A former `reported`.
        measured: A former `measured`.
    """

    def __init__(
        self,
        keyring: Keyring,
        books: Collection[str],
        executions: Iterable[str] = (),
        reported: Mapping[str, int] | None = None,
        measured: Mapping[str, int] | None = None,
    ) -> None:
        self._keyring = keyring
        self._books = books
        self.executions = OrderedDict.fromkeys(executions)
        self.reported = dict(reported or {})
        """Instant of the last report of positions, in ns, by book and source."""
        self.measured = dict(measured or {})
        """Sequence of the last measurement, by book."""

    def receive(self, message: Message, latest_ns: int | None = None) -> BookReport | None:
        """Take a message of a book's own topic; `None` when it was taken before.

        What is of the future is refused, as a tick is: it would carry time itself along, and what
        is true of now would be late. A gateway says it again, and is believed then.

        Args:
            message: As it came.
            latest_ns: Nothing later is believed; `None` in a replay: event time knows no future.

        Raises:
            Refusal: It is not to be believed.
            MalformedMessage: It is none.
        """
        book = topics.book_of(message.topic)
        if book not in self._books:
            raise Refusal("unknown_book", book)
        if message.topic == topics.positions(book):
            positions = decode(PositionsMessage, message.payload)
            _check_instant(positions.event_time, latest_ns)
            return self._positions(book, positions)
        if message.topic == topics.measurements(book):
            measurement = self._open(message)
            _check_instant(measurement.event_time, latest_ns)
            return self._measurement(book, measurement)
        execution = decode(ExecutionMessage, message.payload)
        _check_instant(execution.event_time, latest_ns)
        return self._execution(book, execution)

    def _execution(self, book: str, report: ExecutionMessage) -> ExecutionReported | None:
        if report.execution_id in self.executions:
            return None
        execution = _execution(book, report)
        self.executions[report.execution_id] = None
        if len(self.executions) > REMEMBERED_EXECUTIONS:
            self.executions.popitem(last=False)
        return execution

    def _positions(self, book: str, report: PositionsMessage) -> PositionsReported:
        if odd := [name for name, held in report.quantities.items() if not isfinite(held)]:
            raise Refusal("malformed", f"{odd[0]} with quantity {report.quantities[odd[0]]}")
        series, event_ns = f"{book}/{report.source}", instant_ns(report.event_time)
        if event_ns <= self.reported.get(series, -1):
            raise Refusal("late", f"{report.source or 'the same source'} told of a later instant")
        if series not in self.reported and len(self.reported) >= MAX_SOURCES:
            raise Refusal("too_many_sources", report.source)
        self.reported[series] = event_ns
        return PositionsReported(
            book=book, event_ns=event_ns, quantities=report.quantities, source=report.source
        )

    def _open(self, message: Message) -> MeasurementMessage:
        try:
            return self._keyring.open("monitor", message.topic, message.payload, MeasurementMessage)
        except NotSealed as error:
            raise Refusal("unsigned", str(error)) from error
        except Forged as forged:
            raise Refusal(forged.reason, str(forged)) from forged

    def _measurement(self, book: str, said: MeasurementMessage) -> ExposureMeasured | None:
        if said.book != book:
            raise Refusal("malformed", f"the topic says {book}, the measurement {said.book}")
        greeks = {"portfolio_delta": said.portfolio_delta, "put_delta": said.put_delta}
        greeks |= said.greeks
        if odd := [name for name, value in greeks.items() if not isfinite(value)]:
            raise Refusal("malformed", f"{odd[0]} is {greeks[odd[0]]}")
        if said.sequence <= self.measured.get(book, 0):
            return None
        self.measured[book] = said.sequence
        return ExposureMeasured(
            book=book,
            event_ns=instant_ns(said.event_time),
            portfolio_delta=said.portfolio_delta,
            put_delta=said.put_delta,
            greeks=said.greeks,
            sequence=said.sequence,
        )


def _check_instant(event_time: str | int, latest_ns: int | None) -> None:
    if latest_ns is not None and (ahead_ns := instant_ns(event_time) - latest_ns) > 0:
        raise Refusal("future", f"{ahead_ns / 1e9:.3f} s beyond what clocks may differ by")


def _execution(book: str, report: ExecutionMessage) -> ExecutionReported:
    kind = ExecutionKind(report.kind)
    if not isfinite(report.quantity) or (kind in _TRADES) != (report.quantity != 0):
        raise Refusal("malformed", f"{kind.value} with quantity {report.quantity}")
    if kind in _TRADES and not (
        report.price is not None and isfinite(report.price) and report.price > 0
    ):
        raise Refusal("malformed", f"{kind.value} at price {report.price}")
    return ExecutionReported(
        book=book,
        order_id=report.order_id,
        execution_id=report.execution_id,
        kind=kind,
        quantity=report.quantity,
        price=report.price,
        event_ns=instant_ns(report.event_time),
        reason=report.reason,
    )
