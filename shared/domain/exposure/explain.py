"""Where every book's profit came from, followed along the monitor's valuations (spec 7).

Theory of operation. A *step* goes from one valuation to the next, at instants of event time that
the monitor chooses: when it values everything, at every fill and every expiry. Over a step each
instrument's change of value is split (`baselines`) and put on the positions that were held over it.
Then the fills since are booked: at their price against the mark of the valuation before them
(`cost`: spread, fees inside the price, slippage), and what the mark did since then (`trades`). So a
book's total is always

    value now − value at first + received for sales − paid for purchases,

and what the parts leave of it is `unexplained`.

Steps are as short as the monitor's, so what bounces between bid and ask is in the squares: a mark
that goes up and comes back leaves gamma and volga above, delta and vega below, by the same amount.
Their sums, and the total, do not depend on it.

Fills of an instrument without a mark wait with it, until there is one. Fees beside the price, and
interest on cash, reach no journal and are in no figure.

Longer than most: what one step books, in the order in which it is booked.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct, structs
from numba import njit

from shared.domain.effects import AlertRaised
from shared.domain.exposure.attribution import (
    COST_PART,
    OF_THE_MARKET,
    PARTS,
    TRADES_PART,
)
from shared.domain.exposure.baselines import (
    Baselines,
    BaselineState,
    Step,
    Valuation,
    is_marked,
    place,
)
from shared.domain.exposure.policy import ExposurePolicy
from shared.domain.exposure.profit import Profit, ProfitAccount, Suspended
from shared.domain.exposure.swap_profit import Moment, Realized, locate, observed
from shared.domain.exposure.terms import VARIANCE, Floats, Integers, Terms
from shared.domain.hedging.alerts import alert
from shared.domain.sessions import SessionCalendar

_TOTAL: Final = len(PARTS)
_WIDTH: Final = _TOTAL + 1
_UNKNOWN: Final = -1


class Holdings(NamedTuple):
    """All positions, shape `(positions,)` each.

    Attributes:
        books: Names.
        book: Of every position, a number of `books`; int64.
        rows: Its row, −1 where its instrument is unknown; int64.
        units: Quantity times multiplier.
        traded: Rows of what may be traded next, held or not, −1 among them: a fill is held against
            the mark before it.
    """

    books: Sequence[str]
    book: Integers
    rows: Integers
    units: Floats
    traded: Sequence[int] = ()


class Fills(Struct, frozen=True, array_like=True):
    """Executions in one instrument that are not booked yet, added up.

    Attributes:
        quantity: Σq.
        paid: Σ q·price.
        inverse: Σ q/price, for what is worth the square of its level.
    """

    quantity: float = 0.0
    paid: float = 0.0
    inverse: float = 0.0


class BookProfit(Struct, frozen=True, array_like=True):
    """What is remembered of a book.

    Attributes:
        since_ns: Its first step; 0 before.
        session: Since the session opened, in the order of `PARTS`, the total last.
        inception: Since the first step, the same.
        exceeding_ns: Since when too much is unexplained; 0: it is not.
        is_told: Whether that was told.
    """

    since_ns: int = 0
    session: tuple[float, ...] = (0.0,) * _WIDTH
    inception: tuple[float, ...] = (0.0,) * _WIDTH
    exceeding_ns: int = 0
    is_told: bool = False


class ExplainState(Struct, frozen=True, kw_only=True):
    """What a restarted explainer goes on from; arrays as bytes, little endian.

    Attributes:
        books: By name.
        now_ns: Of the last step; 0 before the first.
        opened_ns: Of its session.
        baselines: Of the instruments.
        names: Books that the next three are of.
        book: int64 of shape `(positions,)`.
        held: Rows of the positions; int64.
        units: float64.
        fills: Waiting, by book and symbol.
        realized: Variance of the index.
    """

    books: dict[str, BookProfit] = {}
    now_ns: int = 0
    opened_ns: int = 0
    baselines: BaselineState = BaselineState()
    names: tuple[str, ...] = ()
    book: bytes = b""
    held: bytes = b""
    units: bytes = b""
    fills: dict[str, dict[str, Fills]] = {}
    realized: Realized = Realized()


class ProfitExplainer:
    """Explains profit.

    Args:
        policy: What is too much unexplained.
        terms: Of the rows; it grows.
        calendar: Says when a session opens.
        books: Names of all books.
        state: Where to go on from; `None` at first.
    """

    def __init__(
        self,
        policy: ExposurePolicy,
        terms: Terms,
        calendar: SessionCalendar,
        books: Sequence[str],
        state: ExplainState | None = None,
    ) -> None:
        known = state or ExplainState()
        self._policy = policy
        self._terms = terms
        self._calendar = calendar
        self._books = {book: known.books.get(book, BookProfit()) for book in sorted(books)}
        self._numbers = {book: number for number, book in enumerate(self._books)}
        self._session = _table([each.session for each in self._books.values()])
        self._inception = _table([each.inception for each in self._books.values()])
        self._now_ns = known.now_ns
        self._opened_ns = known.opened_ns
        self._baselines = Baselines(terms, known.baselines)
        self._fills = {
            book: dict(fills) for book, fills in known.fills.items() if book in self._numbers
        }
        self._realized = known.realized
        numbers = np.array([self._numbers.get(name, -1) for name in known.names], dtype=np.int64)
        book = numbers[np.frombuffer(known.book, dtype="<i8")]
        self._book: Integers = book[book >= 0]
        self._held: Integers = np.frombuffer(known.held, dtype="<i8")[book >= 0]
        self._units: Floats = np.frombuffer(known.units, dtype="<f8")[book >= 0]
        self._at: Integers = np.searchsorted(self._baselines.rows, self._held)
        self._seen: Integers | None = None
        self._rows: dict[str, int] = {}
        self._profits = self._said() if self._now_ns else {}

    # --- the grammar -----------------------------------------------------------------------------

    def fill(self, book: str, symbol: str, quantity: float, price: float | None) -> None:
        """Take an execution; it is booked with the next step.

        Args:
            book: Whose.
            symbol: Of the instrument.
            quantity: Signed, in contracts.
            price: In the instrument's unit; `None`: unknown, the next mark counts as it.
        """
        if price is None:
            return
        fills = self._fills.setdefault(book, {})
        known = fills.get(symbol, Fills())
        fills[symbol] = Fills(
            known.quantity + quantity,
            known.paid + quantity * price,
            known.inverse + (quantity / price if price > 0 else 0.0),
        )

    def step(
        self, now_ns: int, valuation: Valuation, holdings: Holdings
    ) -> tuple[AlertRaised, ...]:
        """Explain what has happened since the last step.

        Args:
            now_ns: Of the valuation.
            valuation: Of all rows.
            holdings: Of all books, now; other positions come in other arrays.
        """
        moment = locate(self._calendar, now_ns)
        self._turn(moment, valuation.index_level)
        step = self._baselines.advance(valuation, self._realized.total, moment)
        self._book_positions(step)
        if self._fills or holdings.rows is not self._seen:
            self._hold(holdings, valuation, moment)
            self._book_fills(step)
            self._lay_out(holdings)
            self._seen = holdings.rows
        self._now_ns = now_ns
        self._profits = self._said()
        return tuple(self._judge())

    def profit(self, book: str) -> Profit | None:
        """Say where a book's profit came from; `None` before the first step."""
        return self._profits.get(book)

    def snapshot(self) -> ExplainState:
        """Copy the state."""
        return ExplainState(
            books={
                book: BookProfit(
                    known.since_ns,
                    tuple(self._session[number].tolist()),
                    tuple(self._inception[number].tolist()),
                    known.exceeding_ns,
                    known.is_told,
                )
                for number, (book, known) in enumerate(self._books.items())
            },
            now_ns=self._now_ns,
            opened_ns=self._opened_ns,
            baselines=self._baselines.snapshot(),
            names=tuple(self._books),
            book=self._book.tobytes(),
            held=self._held.tobytes(),
            units=self._units.tobytes(),
            fills={book: dict(fills) for book, fills in self._fills.items()},
            realized=self._realized,
        )

    # --- one step --------------------------------------------------------------------------------

    def _turn(self, moment: Moment, index_level: float) -> None:
        """Begin the session's account anew when one has opened since the last step."""
        has_opened = moment.opened_ns != self._opened_ns
        self._realized = observed(self._realized, index_level, is_new_session=has_opened)
        if has_opened:
            self._opened_ns = moment.opened_ns
            self._session[:] = 0.0
        for book, known in self._books.items():
            if not known.since_ns:
                self._books[book] = structs.replace(known, since_ns=moment.now_ns)

    def _book_positions(self, step: Step) -> None:
        """Put what the instruments have earned on the positions held over the step."""
        earned = np.zeros_like(self._session)
        _add_up(self._book, self._at, self._units, step.parts, step.change, earned)
        self._session += earned
        self._inception += earned

    def _hold(self, holdings: Holdings, valuation: Valuation, moment: Moment) -> None:
        """Begin with what is held, or was traded, since this step; leave what is not any more."""
        traded = [self._row(symbol) for fills in self._fills.values() for symbol in fills]
        traded += holdings.traded
        wanted = np.append(holdings.rows, np.array(traded, dtype=np.int64))
        rows = np.unique(wanted[wanted >= 0])
        if not np.array_equal(rows, self._baselines.rows):
            self._baselines.hold(rows)
            self._baselines.advance(valuation, self._realized.total, moment)

    def _book_fills(self, step: Step) -> None:
        """Book what was traded where there is a mark to hold it against; the rest waits."""
        waiting: dict[str, dict[str, Fills]] = {}
        for book, fills in self._fills.items():
            for symbol, traded in fills.items():
                row = self._row(symbol)
                found = self._mark(row, step)
                if found is None:
                    waiting.setdefault(book, {})[symbol] = traded
                else:
                    self._book_traded(self._numbers[book], row, traded, *found)
        self._fills = waiting

    def _mark(self, row: int, step: Step) -> tuple[float, float] | None:
        """Return the mark that a fill is held against, and what a unit has earned since."""
        at = place(step.rows, row)
        if at is not None and is_marked(step.status[at]):
            return float(step.mark[at]), float(step.change[at])
        mark = self._baselines.mark(row)
        return None if mark is None else (mark, 0.0)

    def _book_traded(self, number: int, row: int, traded: Fills, mark: float, moved: float) -> None:
        multiplier = float(self._terms.multiplier[row])
        if self._terms.model[row] == VARIANCE:
            cost = (mark * mark * traded.inverse - traded.paid) / 2
        else:
            cost = multiplier * (mark * traded.quantity - traded.paid)
        since = multiplier * traded.quantity * moved
        for sums in (self._session, self._inception):
            sums[number, [COST_PART, TRADES_PART, _TOTAL]] += (cost, since, cost + since)

    def _lay_out(self, holdings: Holdings) -> None:
        """Take over what is held, less what waits to be booked."""
        known = holdings.rows >= 0
        numbers = np.array([self._numbers[name] for name in holdings.books], dtype=np.int64)
        waiting = [
            (self._numbers[book], row, -traded.quantity * self._terms.multiplier[row])
            for book, fills in self._fills.items()
            for symbol, traded in fills.items()
            if (row := self._row(symbol)) >= 0
        ]
        books, rows, units = zip(*waiting, strict=True) if waiting else ((), (), ())
        self._book = np.append(numbers[holdings.book[known]], np.array(books, dtype=np.int64))
        self._held = np.append(holdings.rows[known], np.array(rows, dtype=np.int64))
        self._units = np.append(holdings.units[known], np.array(units, dtype=np.float64))
        self._at = np.searchsorted(self._baselines.rows, self._held)

    def _row(self, symbol: str) -> int:
        """Find the row of an instrument; −1: nobody knows it."""
        for instrument in self._terms.instruments[len(self._rows) :]:
            self._rows[instrument.symbol] = len(self._rows)
        return self._rows.get(symbol, _UNKNOWN)

    # --- what is said ----------------------------------------------------------------------------

    def _said(self) -> dict[str, Profit]:
        waiting = self._waiting()
        first, *firsts = np.searchsorted(self._book[waiting], range(len(self._books) + 1)).tolist()
        said = {}
        for (book, number), last in zip(self._numbers.items(), firsts, strict=True):
            said[book] = self._profit(book, number, waiting[first:last])
            first = last
        return said

    def _profit(self, book: str, number: int, waiting: Integers) -> Profit:
        since_ns = self._books[book].since_ns
        rows = np.unique(self._held[waiting])
        return Profit(
            event_ns=self._now_ns,
            session=_account(max(since_ns, self._opened_ns), self._session[number]),
            inception=_account(since_ns, self._inception[number]),
            suspended=tuple(
                self._waits(
                    book, row, float(self._units[waiting[self._held[waiting] == row]].sum())
                )
                for row in rows[: self._policy.most_named].tolist()
            ),
            waiting=len(rows),
        )

    def _waiting(self) -> Integers:
        """Find the positions that wait for a mark, of all books, by book."""
        waiting = np.flatnonzero(~is_marked(self._baselines.status)[self._at])
        return waiting[np.argsort(self._book[waiting], kind="stable")]

    def _waits(self, book: str, row: int, units: float) -> Suspended:
        symbol = self._terms.instruments[row].symbol
        traded = self._fills.get(book, {}).get(symbol, Fills())
        return Suspended(
            symbol=symbol,
            quantity=units / float(self._terms.multiplier[row]) + traded.quantity,
            since_ns=self._baselines.marked_ns(row),
        )

    def _judge(self) -> Iterator[AlertRaised]:
        """Tell of a book of which too much has been unexplained for too long, and when no more."""
        policy, now_ns = self._policy, self._now_ns
        for number, (book, known) in enumerate(self._books.items()):
            account = _account(now_ns, self._session[number])
            gross = sum(map(abs, account.parts.values()))
            limit = max(policy.unexplained_least, policy.unexplained_share * gross)
            figures = {"unexplained": account.unexplained, "limit": limit, "total": account.total}
            exceeds = abs(account.unexplained) > limit
            since_ns = (known.exceeding_ns or now_ns) if exceeds else 0
            is_told = exceeds and (known.is_told or now_ns - since_ns >= policy.unexplained_hold_ns)
            self._books[book] = structs.replace(known, exceeding_ns=since_ns, is_told=is_told)
            if is_told != known.is_told:
                what = "profit_unexplained" if is_told else "profit_explained"
                yield alert(book, now_ns, what, book, figures)


@njit(cache=True)
def _add_up(  # noqa: PLR0913, PLR0917 - compiled code takes columns
    book: Integers, at: Integers, units: Floats, parts: Floats, change: Floats, earned: Floats
) -> None:
    """Add what every position has earned to its book's row of `earned`, the total last."""
    for position in range(len(book)):
        to, row, held = book[position], at[position], units[position]
        for part in range(OF_THE_MARKET):
            earned[to, part] += held * parts[part, row]
        earned[to, -1] += held * change[row]


def _table(rows: Sequence[Sequence[float]]) -> Floats:
    return np.array(rows, dtype=np.float64).reshape(len(rows), _WIDTH)


def _account(since_ns: int, sums: Floats) -> ProfitAccount:
    """Name the sums of one account: what the parts leave of the total is unexplained."""
    *parts, total = sums.tolist()
    return ProfitAccount(
        since_ns=since_ns,
        total=total,
        parts=dict(zip(PARTS, parts, strict=True)),
        unexplained=total - sum(parts),
    )
