"""What suppressed whipsaws would have cost, had each been traded there and back.

Theory of operation. A whipsaw is a condition that broke before its hold was over: nothing was
sent (spec 3). To know what would have been sent, the book is remembered as it stood when the
condition began, and when the condition breaks, that book is asked to rebalance: its orders are
those that a rule without persistence would have sent. Nothing of rules or sizing is done here.

Per leg, with q the signed quantity of such an order, p the currency a point, L and L' the leg's
mark when the condition began and when it broke, and a, b the prices that the paper venue asks of
the first trade and gives for the second (spread and slippage, spec 8):

    certain = q·p·(a − L) + q·p·(L' − b) + 2 commissions
    move    = −(what q earned from L to L')

The move is below 0 where the level had moved on: there the filter cost money instead of saving
it. Left out: what the position earned otherwise in between (theta, realized variance; a whipsaw
lasts minutes or a session or two), and that the trade would have moved the triggers' references.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import fsum
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.accounts.leg_profit import point_value, trade_profit
from shared.domain.effects import Effect, OrderDecided, TriggerChanged, WhipsawSuppressed
from shared.domain.events import RebalanceRequested
from shared.domain.hedging.book import HedgeBook, HedgeBookState
from shared.domain.orders import Order
from shared.domain.paper import price_to_take
from shared.domain.policies import BookPolicy, PaperPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import Mark


class UnmadeTrip(Struct, frozen=True, kw_only=True):
    """The trade there and back that a suppressed whipsaw did not cause.

    Attributes:
        trigger: Whose condition broke.
        since_ns: When it began: the first trade.
        event_ns: When it broke: the second.
        orders: That would have been sent; none when the target was hardly another.
        vega: Of them, signed, currency per vol point.
        certain: Spread, slippage and commission of both trades, the book's currency.
        move: What the level's move would have cost; below 0 when it would have paid.
        is_priced: Whether the condition was seen to begin, and every leg had a mark at both
            instants, of the same contract; else the figures leave out the legs that had not.
    """

    trigger: str
    since_ns: int
    event_ns: int
    orders: int
    vega: float
    certain: float
    move: float
    is_priced: bool

    @property
    def cost(self) -> float:
        """What the whipsaw would have cost."""
        return self.certain + self.move


class WhipsawCost(Struct, frozen=True, kw_only=True):
    """What all of them would have cost together; money in the book's currency.

    Two triggers that began and broke at the same instants stand for one trade.

    Attributes:
        whipsaws: Suppressed.
        traded: Trades there and back that they would have caused …
        unpriced: … or may have caused, and that are not in the sums for want of a price.
        total: `certain` + `move`.
        certain: Spread, slippage and commission.
        move: Of the levels; below 0 when not trading cost money.
        saved: Trades that would have cost something.
        worst: The dearest; `None` without one that is priced and traded.
    """

    whipsaws: int
    traded: int
    unpriced: int
    total: float
    certain: float
    move: float
    saved: int
    worst: float | None


class _Began(NamedTuple):
    """A run of a condition: since when, and the book as it then stood."""

    since_ns: int
    state: HedgeBookState


class WhipsawWatch:
    """Follows a book through a backtest and prices the whipsaws that it suppresses.

    Args:
        book: The book.
        paper: How the venue fills.
        calendar: The book's sessions.

    Attributes:
        trips: One a suppressed whipsaw, in order.
    """

    def __init__(self, book: BookPolicy, paper: PaperPolicy, calendar: SessionCalendar) -> None:
        self._book = book
        self._paper = paper
        self._calendar = calendar
        self._legs = {leg.name: leg for leg in book.legs}
        self._runs: dict[str, _Began] = {}
        self._rolled_ns: dict[str, int] = {}
        self.trips: list[UnmadeTrip] = []

    def follow(self, effects: Iterable[Effect], snapshot: Callable[[], HedgeBookState]) -> None:
        """Take what the book answered to one event, and how it stands since.

        Args:
            effects: All of the event, in order.
            snapshot: Of the book right after it; only called when a condition begins or breaks.
        """
        began: dict[str, int] = {}
        for effect in effects:
            match effect:
                case TriggerChanged(state="pending"):
                    began[effect.trigger] = effect.since_ns
                case TriggerChanged():
                    began.pop(effect.trigger, None)
                case WhipsawSuppressed():
                    self.trips.append(self._trip(effect, snapshot()))
                case _:
                    pass
        if began:
            state = snapshot()
            self._runs |= {name: _Began(since, state) for name, since in began.items()}

    def roll(self, symbol: str, event_ns: int) -> None:
        """Note that a symbol went over to its next contract."""
        self._rolled_ns[symbol] = event_ns

    def _trip(self, whipsaw: WhipsawSuppressed, now: HedgeBookState) -> UnmadeTrip:
        run = self._runs.get(whipsaw.trigger)
        if run is None or run.since_ns != whipsaw.since_ns:  # nobody saw it begin
            run = None
        orders = [] if run is None else self._orders_of(run, whipsaw)
        priced = [] if run is None else self._all_priced(orders, run, _marks(now))
        return UnmadeTrip(
            trigger=whipsaw.trigger,
            since_ns=whipsaw.since_ns,
            event_ns=whipsaw.event_ns,
            orders=len(orders),
            vega=fsum(order.vega for order in orders),
            certain=fsum(certain for certain, _ in priced),
            move=fsum(move for _, move in priced),
            is_priced=run is not None and len(priced) == len(orders),
        )

    def _orders_of(self, run: _Began, whipsaw: WhipsawSuppressed) -> list[Order]:
        """Return what the book would have sent when the condition began."""
        book = HedgeBook.resume(self._book, self._calendar, "", run.state)
        asked = RebalanceRequested(
            scope=whipsaw.book,
            operator="study",
            reason=whipsaw.trigger,
            event_ns=run.since_ns,
        )
        return [each.order for each in book.receive(asked) if isinstance(each, OrderDecided)]

    def _all_priced(
        self, orders: Iterable[Order], run: _Began, marks: Mapping[str, Mark]
    ) -> list[tuple[float, float]]:
        """Return what is certain and what is the move, of each order that has a price."""
        found = (self._priced(order, run, marks) for order in orders)
        return [each for each in found if each is not None]

    def _priced(
        self, order: Order, run: _Began, marks: Mapping[str, Mark]
    ) -> tuple[float, float] | None:
        """Return what is certain and what is the move, of one leg."""
        there, back = _marks(run.state).get(order.symbol), marks.get(order.symbol)
        rolled = self._rolled_ns.get(order.symbol, run.since_ns - 1) >= run.since_ns
        if there is None or back is None or rolled:
            return None
        leg, quantity = self._legs[order.leg], order.signed_quantity
        first = price_to_take(order.side, there, self._paper)
        second = price_to_take("sell" if order.side == "buy" else "buy", back, self._paper)
        crossed = (first - there.level) + (back.level - second)
        certain = quantity * point_value(leg) * crossed + 2.0 * self._paper.commission
        return certain, -trade_profit(leg, quantity, level=there.level, now=back.level)


def whipsaw_cost(trips: Sequence[UnmadeTrip]) -> WhipsawCost:
    """Return what all trips would have cost."""
    instants = {(trip.since_ns, trip.event_ns): trip for trip in trips}
    traded = [trip for trip in instants.values() if trip.orders]
    priced = [trip for trip in traded if trip.is_priced]
    certain, move = fsum(each.certain for each in priced), fsum(each.move for each in priced)
    return WhipsawCost(
        whipsaws=len(trips),
        traded=len(traded),
        unpriced=sum(not trip.is_priced for trip in instants.values()),
        total=certain + move,
        certain=certain,
        move=move,
        saved=sum(trip.cost > 0 for trip in priced),
        worst=max((trip.cost for trip in priced), default=None),
    )


def trips_of(columns: Mapping[str, NDArray[np.generic]]) -> list[UnmadeTrip]:
    """Return trips that were laid out as columns, (n,) each, named as the fields are.

    Raises:
        KeyError: A column is missing.
    """
    names = UnmadeTrip.__struct_fields__
    rows = zip(*(columns[name].tolist() for name in names), strict=True)
    return [UnmadeTrip(**dict(zip(names, row, strict=True))) for row in rows]


def _marks(state: HedgeBookState) -> Mapping[str, Mark]:
    return {} if state.observed is None else state.observed.marks
