"""From the signal log to decisions and orders: pure."""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import UNSET, Struct

from shared.adapters.store import Entry
from shared.domain.effects import Effect, OrderDecided, TargetChanged
from shared.domain.events import ExecutionReported, ExposureMeasured, RebalanceRequested
from shared.domain.hedging.book import HedgeBook, HedgeBookState
from shared.domain.policies import BookPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput, SignalsObserved
from shared.domain.trading import ALL, TradingStateSet
from shared.runtime.ledger import StepOutput
from shared.wire import keys
from shared.wire.decisions import ChainHead, DecisionRecord, Grounds, append
from shared.wire.journal import decode_log

_encode = msgspec.msgpack.Encoder().encode


class HedgerState(Struct, frozen=True):
    """What a restarted hedger goes on from.

    Attributes:
        books: By name.
        clock_ns: The last clock event taken: what this stage can say is settled.
        reports: How many execution reports and measurements were taken.
        chain: The last entry of the decision log.
    """

    books: dict[str, HedgeBookState] = {}
    clock_ns: int = 0
    reports: int = 0
    chain: ChainHead = ChainHead()


class HedgerStep:
    """The hedger stage's step: every book sees every snapshot, and its own reports.

    Args:
        policies: The books.
        calendar: When the market is open.
        config_digest: Goes into every order.
        state: Where to go on from; `None` at first.
        code_version: Of what decides here; stands with every decision.
    """

    def __init__(
        self,
        policies: Sequence[BookPolicy],
        calendar: SessionCalendar,
        config_digest: str,
        state: bytes | None,
        *,
        code_version: str = "",
    ) -> None:
        stored = HedgerState() if state is None else _decode_state(state)
        self._config_digest = config_digest
        self._code_version = code_version
        self._limits = {policy.name: policy.limits for policy in policies}
        self.chain = stored.chain
        """The last entry of the decision log."""
        self.clock_ns = stored.clock_ns
        self.reports = stored.reports
        self.effects: list[Effect] = []
        """Of the last batch, for metrics."""
        self.observed: SignalsObserved | None = None
        """The last that was taken, for health; no part of the state."""
        self.books: dict[str, HedgeBook] = {}
        for policy in policies:
            known = stored.books.get(policy.name)
            self.books[policy.name] = (
                HedgeBook(policy, calendar, config_digest)
                if known is None
                else HedgeBook.resume(policy, calendar, config_digest, known)
            )

    def receive(self, entries: Sequence[Entry]) -> StepOutput:
        """Take a batch of the signal log."""
        self.effects = []
        decisions = [
            self._append(effect)
            for entry in entries
            for event in decode_log(entry.payload)
            for effect in self._receive(event)
        ]
        return _output(self.effects, decisions)

    def snapshot(self) -> bytes:
        """Return the state from which an equal step can be made."""
        books = {name: book.snapshot() for name, book in self.books.items()}
        return _encode(HedgerState(books, self.clock_ns, self.reports, self.chain))

    def _receive(self, event: HedgerInput) -> list[Effect]:
        if isinstance(event, SignalsObserved):
            self.observed = event
            if event.cause == "clock":
                self.clock_ns = event.event_ns
        self.reports += isinstance(event, ExecutionReported | ExposureMeasured)
        return [effect for book in self._concerned(event) for effect in book.receive(event)]

    def _concerned(self, event: HedgerInput) -> Iterable[HedgeBook]:
        match event:
            case SignalsObserved():
                name = ALL
            case RebalanceRequested() | TradingStateSet():
                name = event.scope
            case _:
                name = event.book
        if name == ALL:
            return self.books.values()
        return (self.books[name],) if name in self.books else ()

    def _append(self, effect: Effect) -> bytes:
        """Write an effect down behind the last one; a new target with what it stands on."""
        self.effects.append(effect)
        grounds = self._grounds(effect.book) if isinstance(effect, TargetChanged) else None
        entry, self.chain = append(self.chain, DecisionRecord(effect, grounds))
        return entry

    def _grounds(self, book: str) -> Grounds:
        state = self.books[book].snapshot()
        return Grounds(
            code_version=self._code_version,
            config_digest=self._config_digest,
            limits=self._limits[book],
            observed=state.observed,
            measured=UNSET if state.exposure is None else state.exposure,
        )


def _output(effects: Sequence[Effect], decisions: list[bytes]) -> StepOutput:
    orders = [_encode(effect.order) for effect in effects if isinstance(effect, OrderDecided)]
    entries = {
        keys.decisions(): decisions,
        keys.outbox(): orders,
    }
    return StepOutput({stream: rows for stream, rows in entries.items() if rows})


_decode_state = msgspec.msgpack.Decoder(HedgerState).decode
