"""What the hedge earned, session by session, beside a static hedge and none (spec 7).

Theory of operation. Levels are followed as they come; when time passes a session's close they
become that session's closing levels, and one `SessionResult` is made from them:

- *dynamic*: what was held at the last close earns the move from close to close; what was traded
  since earns the move from the market's level at the trade to this close. The difference between
  that level and the price paid is transaction cost, and so is the commission.
- *static*: the base vega, split over the legs by weight, held throughout at no transaction cost
  but that of its rolls.
- *none*: nothing. Its profit is 0; only the portfolio is left.

How each instrument earns is in `shared.domain.accounts.leg_profit`. Where a leg's symbol goes on
from one contract to the next (`Rolled`), what is measured from moves with it: a leg earns what the
contract that was held has earned, and the roll costs what both deals cost.

A session in which the index or a leg did not print is counted as skipped: the next good close
accounts for the whole time since the last good one, and no level is made up.

Longer than most: one account of one book, from what it hears to what a session earned.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from math import fsum, log
from typing import Final

from msgspec import Struct

from shared.domain.accounts.effectiveness import (
    ComparisonReport,
    SessionResult,
    WindowResult,
    measure_window,
    summarize,
)
from shared.domain.accounts.leg_profit import (
    holding_profit,
    point_value,
    static_quantities,
    trade_profit,
    unit_vega,
)
from shared.domain.accounts.rolled import Rolled
from shared.domain.effects import TargetChanged
from shared.domain.events import ExecutionReported
from shared.domain.policies import BookPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import Mark, SignalsObserved

REMEMBERED_EXECUTIONS: Final = 256
"""A report comes twice only when a process died between writing and noting it: seconds apart."""

FOREVER_NS: Final = 2**63 - 1
"""After the calendar's last close nothing closes any more."""


class Trade(Struct, frozen=True):
    """A trade since the last counted close: signed quantity, and the market's level at it."""

    leg: str
    quantity: float
    level: float


class ComparisonState(Struct, frozen=True, kw_only=True):
    """Everything a comparison remembers; one row a session, the rest bounded.

    Attributes:
        session: The session whose close comes next, one past the calendar's last when none does;
            `None` before the first event.
        counted: The last session that counted; `None` before one did.
        closes: Level by symbol at that session's close.
        marks: Last level by symbol.
        nav: The portfolio's last value.
        held: Quantity by leg at the last counted close.
        trades: Since then.
        cost: Transaction cost since then, currency.
        static_cost: What the rolls of the static hedge cost since then, currency.
        turnover: Vega traded since then, unsigned, currency per vol point.
        target: The last one.
        executions: The last execution ids.
        skipped: Sessions that did not count.
        results: Of those that did.
    """

    session: int | None = None
    counted: int | None = None
    closes: dict[str, float] = {}
    marks: dict[str, Mark] = {}
    nav: Mark | None = None
    held: dict[str, float] = {}
    trades: tuple[Trade, ...] = ()
    cost: float = 0.0
    static_cost: float = 0.0
    turnover: float = 0.0
    target: TargetChanged | None = None
    executions: tuple[str, ...] = ()
    skipped: int = 0
    results: tuple[SessionResult, ...] = ()


class HedgeComparison:
    """One book's hedge as it was traded, beside the static one and none.

    Args:
        policy: The book.
        calendar: Its sessions.
        index_symbol: Whose returns a variance swap realizes; its marks must be in the snapshots.
        commission: Per execution that trades, in the book's currency.

    Raises:
        ValueError: An option leg without `vega_per_unit`.
    """

    def __init__(
        self,
        policy: BookPolicy,
        calendar: SessionCalendar,
        index_symbol: str = "SPX",
        commission: float = 0.0,
    ) -> None:
        self._book = policy.name
        self._legs = {leg.name: leg for leg in policy.legs}
        self._static = static_quantities(policy)
        self._calendar = calendar
        self._index = index_symbol
        self._symbols = sorted({index_symbol, *(leg.symbol for leg in policy.legs)})
        self._commission = commission
        self._load(ComparisonState())

    @classmethod
    def resume(
        cls,
        policy: BookPolicy,
        calendar: SessionCalendar,
        state: ComparisonState,
        index_symbol: str = "SPX",
        commission: float = 0.0,
    ) -> "HedgeComparison":
        """Go on from a snapshot as if never stopped."""
        comparison = cls(policy, calendar, index_symbol, commission)
        comparison._load(state)
        return comparison

    def snapshot(self) -> ComparisonState:
        """Return all that `resume` needs."""
        return ComparisonState(
            session=self._session,
            counted=self._counted,
            closes=self._closes,
            marks=dict(self._marks),
            nav=self._nav,
            held=dict(self._held),
            trades=tuple(self._trades),
            cost=self._cost,
            static_cost=self._static_cost,
            turnover=self._turnover,
            target=self._target,
            executions=tuple(self._executions),
            skipped=self._skipped,
            results=tuple(self._results),
        )

    def _load(self, state: ComparisonState) -> None:
        self._await(state.session)
        self._counted = state.counted
        self._closes = state.closes  # replaced as a whole, never changed
        self._marks = dict(state.marks)
        self._nav = state.nav
        self._held = dict(state.held)
        self._trades = list(state.trades)
        self._cost = state.cost
        self._static_cost = state.static_cost
        self._turnover = state.turnover
        self._target = state.target
        self._executions = deque(state.executions, maxlen=REMEMBERED_EXECUTIONS)
        self._skipped = state.skipped
        self._results = list(state.results)

    def receive(self, event: SignalsObserved | ExecutionReported) -> tuple[SessionResult, ...]:
        """Take one event of the signal log; returns the results of sessions it has closed.

        Raises:
            KeyError: An execution of a leg that the book does not have.
        """
        results = self.advance_to(event.event_ns)
        if isinstance(event, SignalsObserved):
            self._observe(event)
        elif event.book == self._book and event.price is not None and event.quantity:
            self._trade(event, event.price)
        return results

    def receive_target(self, target: TargetChanged) -> tuple[SessionResult, ...]:
        """Take one target of the decision log; returns the results of sessions it has closed."""
        results = self.advance_to(target.event_ns)
        if target.book == self._book:
            self._target = target
        return results

    def receive_roll(self, rolled: Rolled) -> tuple[SessionResult, ...]:
        """Take a roll; returns the results of sessions it has closed.

        What is held goes over to the new contract at the two levels that it names, and what was
        measured from the old one's is measured from the new one's.
        """
        results = self.advance_to(rolled.event_ns)
        for name in [name for name, leg in self._legs.items() if leg.symbol == rolled.symbol]:
            self._trades = [
                _moved(trade, rolled) if trade.leg == name else trade for trade in self._trades
            ]
            self._cost += self._roll_cost(name, self._position(name), rolled)
            self._static_cost += self._roll_cost(name, self._static[name], rolled)
        if rolled.symbol in self._closes:
            level = self._closes[rolled.symbol] + rolled.jump
            self._closes = {**self._closes, rolled.symbol: level}
        if rolled.symbol in self._marks:
            self._marks[rolled.symbol] = Mark(level=rolled.taken_on, event_ns=rolled.event_ns)
        return results

    def advance_to(self, now: int) -> tuple[SessionResult, ...]:
        """Close every session whose close lies before `now`, in ns.

        A print *at* the close belongs to the session; hence before, and not at, `now`.
        """
        if now <= self._closes_ns:
            return ()
        coming = self._calendar.closed(now)
        closing = range(coming if self._session is None else self._session, coming)
        self._await(coming)
        return tuple(result for session in closing for result in self._close(session))

    def next_deadline(self) -> int | None:
        """Return the instant, in ns, right after the coming close; `None` when none is known."""
        return self._closes_ns + 1 if 0 <= self._closes_ns < FOREVER_NS else None

    def report(self) -> ComparisonReport:
        """Return the figures since inception."""
        return summarize(self._results, skipped=self._skipped)

    def window(self, start_ns: int, end_ns: int) -> WindowResult:
        """Return the figures of the sessions that close in [`start_ns`, `end_ns`]."""
        return measure_window(self._results, after_ns=start_ns - 1, end_ns=end_ns)

    @property
    def closes(self) -> Mapping[str, float]:
        """Level by symbol at the last counted close, moved along with every roll since."""
        return self._closes

    def _position(self, leg: str) -> float:
        return self._held.get(leg, 0.0) + fsum(t.quantity for t in self._trades if t.leg == leg)

    def _roll_cost(self, leg: str, quantity: float, rolled: Rolled) -> float:
        """Two deals, if anything is held."""
        commission = 2 * self._commission if quantity else 0.0
        return abs(quantity) * rolled.cost * point_value(self._legs[leg]) + commission

    def _await(self, session: int | None) -> None:
        self._session = session
        self._closes_ns = -1
        if session is not None:
            known = session < len(self._calendar)
            self._closes_ns = self._calendar.hours(session)[1] if known else FOREVER_NS

    def _observe(self, observed: SignalsObserved) -> None:
        for symbol in self._symbols:
            mark, known = observed.marks.get(symbol), self._marks.get(symbol)
            if mark is not None and (known is None or mark.event_ns >= known.event_ns):
                self._marks[symbol] = mark  # one from before a roll is of the old contract
        nav = observed.signals.get(f"nav.{self._book}")
        if nav is not None and nav.value is not None:
            self._nav = Mark(level=nav.value, event_ns=nav.event_ns)

    def _trade(self, execution: ExecutionReported, price: float) -> None:
        if execution.execution_id in self._executions:
            return
        self._executions.append(execution.execution_id)
        leg = self._legs[execution.order_id.rpartition("-")[2]]  # see `orders.order_id`
        mark = self._marks.get(leg.symbol)
        level = price if mark is None else mark.level
        self._trades.append(Trade(leg.name, execution.quantity, level))
        self._cost += execution.quantity * (price - level) * point_value(leg) + self._commission
        self._turnover += abs(execution.quantity) * unit_vega(leg)

    def _close(self, session: int) -> Iterator[SessionResult]:
        opened_ns, _ = self._calendar.hours(session)
        marks = [(symbol, self._marks.get(symbol)) for symbol in self._symbols]
        closes = {s: m.level for s, m in marks if m is not None and m.event_ns >= opened_ns}
        if len(closes) < len(marks):
            self._skipped += 1
            return
        result = self._result(session, closes)
        self._results.append(result)
        for trade in self._trades:
            self._held[trade.leg] = self._held.get(trade.leg, 0.0) + trade.quantity
        self._trades.clear()
        self._cost = self._static_cost = self._turnover = 0.0
        self._closes, self._counted = closes, session
        yield result

    def _result(self, session: int, closes: dict[str, float]) -> SessionResult:
        opened_ns, close_ns = self._calendar.hours(session)
        nav = self._nav if self._nav and self._nav.event_ns >= opened_ns else None
        return SessionResult(
            close_ns=close_ns,
            nav=None if nav is None else nav.level,
            dynamic_carry=self._earned(self._held, session, closes) + self._earned_since(closes),
            transaction_cost=self._cost,
            static_carry=self._earned(self._static, session, closes) - self._static_cost,
            turnover_vega=self._turnover,
            trades=len(self._trades),
            multiplier=None if self._target is None else self._target.multiplier,
            at_floor=self._target is not None and self._target.at_floor,
            at_cap=self._target is not None and self._target.at_cap,
        )

    def _earned(self, held: dict[str, float], session: int, closes: dict[str, float]) -> float:
        """Return what positions earned from the last counted close to this one."""
        if self._counted is None:
            return 0.0
        log_return = log(closes[self._index] / self._closes[self._index])
        return fsum(
            holding_profit(
                leg,
                held[name],
                before=self._closes[leg.symbol],
                now=closes[leg.symbol],
                log_return=log_return,
                sessions=session - self._counted,
            )
            for name, leg in self._legs.items()
            if name in held
        )

    def _earned_since(self, closes: dict[str, float]) -> float:
        """Return what the trades since the last counted close earned to this one, cost apart."""
        legs = [self._legs[trade.leg] for trade in self._trades]
        return fsum(
            trade_profit(leg, trade.quantity, level=trade.level, now=closes[leg.symbol])
            for leg, trade in zip(legs, self._trades, strict=True)
        )


def _moved(trade: Trade, rolled: Rolled) -> Trade:
    return Trade(trade.leg, trade.quantity, trade.level + rolled.jump)
