import numpy as np
import pytest
from fakes.hedged_market import CALENDAR, FUTURE, SWAP, HedgedMarket, policy

from shared.domain.accounts.variance_swap import swap_value
from shared.domain.effects import Effect
from shared.domain.hedging.book import HedgeBookState
from shared.domain.instants import MINUTE
from shared.domain.policies import BookPolicy, PaperPolicy
from shared.domain.study.whipsaw_cost import (
    UnmadeTrip,
    WhipsawWatch,
    trips_of,
    whipsaw_cost,
)

PAPER = PaperPolicy(half_spread=0.01, slippage=0.0, commission=3.0)
SWAPS = policy(triggers={"fast": None})
FUTURES = policy(legs=(FUTURE,), triggers={"fast": None})


class WatchedMarket:
    """A market whose book is hedged at VIX 20, and watched for whipsaws."""

    def __init__(self, book: BookPolicy = SWAPS, paper: PaperPolicy = PAPER) -> None:
        self.market = HedgedMarket(book).hedged(20.0)
        self.watch = WhipsawWatch(book, paper, CALENDAR)
        self.snapshots = 0

    def vix(self, level: float, *, future: float = 20.0) -> list[Effect]:
        """Print VIX, and mark the future, a minute later."""
        self.market.marks["VX6"] = future
        effects = self.market.vix(level, after=MINUTE)
        self.watch.follow(effects, self.snapshot)
        return effects

    def snapshot(self) -> HedgeBookState:
        self.snapshots += 1
        return self.market.book.snapshot()


def only(watched: WatchedMarket) -> UnmadeTrip:
    (trip,) = watched.watch.trips
    return trip


def test_a_hedge_bought_into_a_spike_and_sold_after_it_loses_spread_and_move() -> None:
    watched = WatchedMarket(FUTURES)  # 800 vega at 20: option_a, base 1000
    watched.vix(32.0, future=25.0)  # 2000 wanted: 2 contracts rather than 1
    watched.vix(40.0, future=30.0)
    since_ns = watched.market.now - MINUTE
    watched.vix(20.0, future=22.0)
    trip = only(watched)
    assert (trip.trigger, trip.since_ns, trip.event_ns) == (
        "vix_move",
        since_ns,
        watched.market.now,
    )
    assert (trip.orders, trip.vega, trip.is_priced) == (1, 1000.0, True)
    assert trip.certain == pytest.approx(1000 * (0.25 + 0.22) + 6.0)
    assert trip.move == pytest.approx(1000 * (25.0 - 22.0))
    assert trip.cost == pytest.approx(trip.certain + trip.move)
    assert watched.market.orders == []


def test_a_hedge_sold_into_a_dip_and_bought_back_loses_them_too() -> None:
    watched = WatchedMarket()
    watched.vix(15.0)
    watched.vix(20.0)
    trip = only(watched)
    assert trip.vega == -500.0
    assert trip.certain == pytest.approx(500 * (0.15 + 0.20) + 6.0)
    assert trip.move == pytest.approx(swap_value(500.0, 15.0, 20.0))
    assert trip.move > 0


def test_a_level_that_moved_on_would_have_paid() -> None:
    watched = WatchedMarket(FUTURES)
    watched.vix(32.0, future=25.0)
    watched.vix(20.0, future=27.0)
    assert only(watched).move == pytest.approx(-2000.0)


def test_slippage_is_paid_both_ways() -> None:
    without = WatchedMarket(FUTURES)
    with_it = WatchedMarket(FUTURES, PaperPolicy(half_spread=0.01, slippage=0.002, commission=3.0))
    for watched in (without, with_it):
        watched.vix(32.0, future=25.0)
        watched.vix(20.0, future=25.0)
    extra = only(with_it).certain - only(without).certain
    assert extra == pytest.approx(1000 * 2 * 0.002 * 25)


def test_a_target_that_hardly_changes_would_not_have_been_traded() -> None:
    watched = WatchedMarket(policy(sizing={"min_trade_vega": 600.0}, triggers={"fast": None}))
    watched.vix(15.0)
    watched.vix(20.0)
    trip = only(watched)
    assert (trip.orders, trip.vega, trip.cost, trip.is_priced) == (0, 0.0, 0.0, True)


def test_a_leg_that_rolled_in_between_has_no_price() -> None:
    book = policy(legs=(FUTURE, SWAP), triggers={"fast": None})
    watched = WatchedMarket(book)
    watched.watch.roll("VX6", watched.market.now)  # before: does not matter
    watched.vix(32.0)
    watched.watch.roll("VX6", watched.market.now)
    watched.vix(20.0)
    trip = only(watched)
    assert trip.orders == 2
    assert not trip.is_priced
    assert trip.certain > 0  # the swap's, which did not roll


def test_a_roll_before_the_condition_does_not_matter() -> None:
    watched = WatchedMarket(FUTURES)
    watched.watch.roll("VX6", watched.market.now)
    watched.vix(32.0)
    watched.vix(20.0)
    assert only(watched).is_priced


def test_a_leg_without_a_mark_afterwards_has_no_price() -> None:
    watched = WatchedMarket(FUTURES)
    watched.vix(32.0)
    del watched.market.marks["VX6"]
    effects = watched.market.vix(20.0, after=MINUTE)
    watched.watch.follow(effects, watched.market.book.snapshot)
    trip = only(watched)
    assert (trip.orders, trip.is_priced, trip.cost) == (1, False, 0.0)


def test_a_book_is_only_looked_at_when_a_condition_begins_or_breaks() -> None:
    watched = WatchedMarket()
    watched.vix(21.0)
    assert watched.snapshots == 0
    watched.vix(25.0)
    watched.vix(26.0)
    assert watched.snapshots == 1
    watched.vix(20.0)
    assert watched.snapshots == 2


def test_a_condition_that_fires_at_once_is_no_whipsaw() -> None:
    watched = WatchedMarket()
    for _ in range(20):
        watched.vix(25.0)
    assert watched.market.orders != []
    assert watched.watch.trips == []
    asked = watched.market.ask()  # begins and fires on one event
    watched.watch.follow(asked, watched.snapshot)
    assert watched.snapshots == 1


def test_a_whipsaw_that_nobody_saw_begin_has_no_price() -> None:
    watched = WatchedMarket()
    watched.market.vix(25.0, after=MINUTE)  # unseen
    watched.vix(20.0)
    trip = only(watched)
    assert (trip.orders, trip.cost, trip.is_priced) == (0, 0.0, False)
    assert whipsaw_cost([trip]).unpriced == 1


def test_a_whipsaw_of_which_another_beginning_was_seen_has_no_price() -> None:
    watched = WatchedMarket()
    watched.vix(25.0)
    watched.market.vix(20.0, after=MINUTE)  # unseen …
    watched.market.vix(25.0, after=MINUTE)  # … and begun anew
    watched.vix(20.0)
    trip = only(watched)
    assert (trip.since_ns, trip.is_priced) == (watched.market.now - MINUTE, False)


# --- together -----------------------------------------------------------------------------------


def trip(*, at: int, cost: tuple[float, float], orders: int = 1, priced: bool = True) -> UnmadeTrip:
    return UnmadeTrip(
        trigger="vix_move",
        since_ns=at,
        event_ns=at + 1,
        orders=orders,
        vega=100.0 * orders,
        certain=cost[0],
        move=cost[1],
        is_priced=priced,
    )


def test_all_whipsaws_together() -> None:
    found = whipsaw_cost(
        [
            trip(at=1, cost=(80.0, 2000.0)),
            trip(at=2, cost=(20.0, -100.0)),
            trip(at=3, cost=(0.0, 0.0), orders=0),
            trip(at=4, cost=(5.0, 0.0), priced=False),
        ]
    )
    assert (found.whipsaws, found.traded, found.unpriced, found.saved) == (4, 3, 1, 1)
    assert (found.certain, found.move, found.total) == (100.0, 1900.0, 2000.0)
    assert found.worst == 2080.0


def test_two_triggers_at_the_same_instants_are_one_trade() -> None:
    found = whipsaw_cost([trip(at=1, cost=(80.0, 2000.0)), trip(at=1, cost=(80.0, 2000.0))])
    assert (found.whipsaws, found.traded, found.total) == (2, 1, 2080.0)


def test_no_whipsaw_would_have_cost_nothing() -> None:
    found = whipsaw_cost([])
    assert (found.whipsaws, found.traded, found.total, found.worst) == (0, 0, 0.0, None)


def test_trips_come_back_from_columns() -> None:
    trips = [trip(at=1, cost=(80.0, 2000.0)), trip(at=2, cost=(0.0, 0.0), orders=0, priced=False)]
    names = UnmadeTrip.__struct_fields__
    columns = {name: np.array([getattr(each, name) for each in trips]) for name in names}
    assert trips_of(columns | {"observations": np.array([3, 4])}) == trips
    assert trips_of({name: column[:0] for name, column in columns.items()}) == []
