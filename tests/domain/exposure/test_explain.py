"""Profit explained: what adds up, what waits, what is told, and that a restart changes nothing."""

from collections.abc import Mapping
from math import log, nan

import msgspec
import numpy as np
import pytest
from fakes.exposures import CHAIN, EXPIRY, NOW, SWAP, VX, Market, index, monitor, option, quotes
from fakes.exposures import level as prints
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.accounts.variance_swap import rolled_profit
from shared.domain.effects import AlertRaised
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.exposure.attribution import PARTS
from shared.domain.exposure.baselines import Valuation
from shared.domain.exposure.engine import ExposureEffect
from shared.domain.exposure.explain import ExplainState, Holdings, ProfitExplainer
from shared.domain.exposure.layout import ExposureBook
from shared.domain.exposure.observed import ExposureObserved
from shared.domain.exposure.policy import ExposurePolicy
from shared.domain.exposure.profit import Profit, ProfitAccount
from shared.domain.exposure.revaluation import Revaluation
from shared.domain.exposure.row_values import PRICE
from shared.domain.exposure.terms import Terms
from shared.domain.instants import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from shared.domain.sessions import SessionCalendar

CALL, PUT, LATER = option("call", 100.0), option("put", 95.0), option("call", 104.0)
SPX = index()
SWAPPED, STRUCK = SWAP
INSTRUMENTS = (CALL, PUT, LATER, SPX, VX, SWAPPED, STRUCK)
ROWS = {each.symbol: row for row, each in enumerate(INSTRUMENTS)}
EVER = SessionCalendar([0], [2**62])
POLICY = ExposurePolicy(volatility_roots=("VX", "VARSWAP"))

Books = Mapping[str, Mapping[str, float]]


class World:
    """An explainer, a market for it, and the books."""

    def __init__(
        self,
        books: Books,
        policy: ExposurePolicy = POLICY,
        calendar: SessionCalendar = EVER,
        state: ExplainState | None = None,
    ) -> None:
        self.terms = Terms(policy.volatility_roots)
        self.terms.extend(INSTRUMENTS)
        self.books = {book: dict(held) for book, held in books.items()}
        self.revaluation = Revaluation(self.terms)
        self.revaluation.wanted[:] = True
        self.explainer = ProfitExplainer(policy, self.terms, calendar, list(books), state)

    def trade(self, book: str, symbol: str, quantity: float, price: float | None) -> None:
        self.books[book][symbol] = self.books[book].get(symbol, 0.0) + quantity
        self.explainer.fill(book, symbol, quantity, price)

    def at(
        self,
        now_ns: int,
        level: float = 100.0,
        volatility: float = 0.2,
        vix: float = 20.0,
        unmarked: tuple[str, ...] = (),
    ) -> tuple[AlertRaised, ...]:
        """Value everything and explain it."""
        levels = np.full(len(ROWS), level)
        levels[[ROWS[each.symbol] for each in (VX, SWAPPED, STRUCK)]] = vix
        sigma = np.full(len(ROWS), volatility)
        gone = [ROWS[symbol] for symbol in unmarked]
        levels[gone] = nan
        market = Market(
            underlying=levels,
            rate=np.full(len(ROWS), 0.02),
            carry=np.full(len(ROWS), 0.01),
            volatility=sigma,
            level=levels,
        )
        market.rate[3:] = market.carry[3:] = 0.0
        self.revaluation.refresh(market, now_ns, everything=True)
        valuation = Valuation(
            self.revaluation.values,
            self.revaluation.inputs,
            self.revaluation.valued_ns,
            np.isfinite(levels),
            nan if SPX.symbol in unmarked else level,
        )
        return self.explainer.step(now_ns, valuation, self.holdings())

    def holdings(self) -> Holdings:
        named = [
            (book, symbol, quantity)
            for book in sorted(self.books)
            for symbol, quantity in sorted(self.books[book].items())
            if quantity
        ]
        books = sorted({book for book, _, _ in named})
        rows = [ROWS.get(symbol, -1) for _, symbol, _ in named]
        units = [
            quantity * self.terms.multiplier[row]
            for (_, _, quantity), row in zip(named, rows, strict=True)
        ]
        return Holdings(
            books,
            np.array([books.index(book) for book, _, _ in named], dtype=np.int64),
            np.array(rows, dtype=np.int64),
            np.array(units, dtype=np.float64),
        )

    def value(self, book: str) -> float:
        """What the positions are worth, by the revaluation."""
        return sum(
            quantity
            * float(self.terms.multiplier[ROWS[symbol]])
            * float(self.revaluation.values[PRICE, ROWS[symbol]])
            for symbol, quantity in self.books[book].items()
        )

    def price(self, symbol: str) -> float:
        return float(self.revaluation.values[PRICE, ROWS[symbol]])

    def profit(self, book: str = "a") -> Profit:
        profit = self.explainer.profit(book)
        assert profit is not None
        return profit

    def said(self, book: str = "a") -> ProfitAccount:
        return self.profit(book).inception

    def state(self) -> bytes:
        return msgspec.msgpack.encode(self.explainer.snapshot())


def gross(account: ProfitAccount) -> float:
    return sum(map(abs, account.parts.values()))


def nonzero(account: ProfitAccount) -> set[str]:
    return {name for name, value in account.parts.items() if value}


# --- what adds up --------------------------------------------------------------------------------

moves = st.tuples(
    st.floats(90, 110),
    st.floats(0.1, 0.4),
    st.integers(1, 20),
    st.sampled_from(("a", "b")),
    st.sampled_from((CALL.symbol, PUT.symbol, LATER.symbol, SPX.symbol)),
    st.integers(-3, 3),
    st.booleans(),
)


@settings(max_examples=20, deadline=None)
@given(st.lists(moves, min_size=1, max_size=6))
def test_the_total_is_the_change_of_value_and_the_cash_and_the_sum_of_its_parts(
    history: list[tuple[float, float, int, str, str, int, bool]],
) -> None:
    world = World({"a": {CALL.symbol: 3.0, SPX.symbol: -100.0}, "b": {PUT.symbol: -2.0}})
    world.at(NOW)
    first = {book: world.value(book) for book in "ab"}
    cash, now_ns = {"a": 0.0, "b": 0.0}, NOW
    for level, volatility, hours, book, symbol, quantity, is_lost in history:
        price = world.price(symbol) + 0.1
        multiplier = float(world.terms.multiplier[ROWS[symbol]])
        world.trade(book, symbol, quantity, price)
        cash[book] -= quantity * multiplier * price
        now_ns += hours * HOUR
        world.at(now_ns, level, volatility, unmarked=(symbol,) if is_lost else ())
        world.at(now_ns + 1, level, volatility)
    for book in "ab":
        account = world.said(book)
        assert account.total == pytest.approx(world.value(book) - first[book] + cash[book])
        assert account.total - sum(account.parts.values()) == account.unexplained
        assert tuple(account.parts) == PARTS


def test_on_a_day_of_small_moves_less_than_a_thousandth_is_unexplained() -> None:
    world = World({"a": {CALL.symbol: 10.0, PUT.symbol: -5.0, SPX.symbol: -300.0}})
    generator = np.random.default_rng(1)
    level, volatility = 100.0, 0.2
    for minute in range(120):
        level *= 1 + 5e-4 * float(generator.standard_normal())
        volatility *= 1 + 2e-3 * float(generator.standard_normal())
        world.at(NOW + minute * MINUTE, level, volatility)
    account = world.said()
    assert abs(account.unexplained) < 1e-3 * gross(account)
    assert account.parts["gamma"] > 0 > account.parts["theta"]


def test_a_jump_shows_vanna_and_volga() -> None:
    world = World({"a": {CALL.symbol: 10.0, PUT.symbol: -10.0}})
    world.at(NOW)
    world.at(NOW + SECOND, 95.0, 0.28)
    account = world.said()
    assert nonzero(account) >= {"delta", "gamma", "vega", "vanna", "volga"}
    assert abs(account.parts["vanna"]) > 0.01 * gross(account)
    assert abs(account.unexplained) < 0.005 * gross(account)


def test_a_book_split_in_two_earns_the_same() -> None:
    whole = World({"a": {CALL.symbol: 10.0, PUT.symbol: -5.0}})
    split = World({"a": {CALL.symbol: 10.0}, "b": {PUT.symbol: -5.0}})
    for step, (level, volatility) in enumerate([(100.0, 0.2), (102.0, 0.19), (97.0, 0.25)]):
        whole.at(NOW + step * HOUR, level, volatility)
        split.at(NOW + step * HOUR, level, volatility)
    one, two = split.said("a"), split.said("b")
    assert whole.said().total == pytest.approx(one.total + two.total)
    for name in PARTS:
        assert whole.said().parts[name] == pytest.approx(one.parts[name] + two.parts[name])


def test_before_the_first_valuation_nothing_is_said() -> None:
    assert World({"a": {}}).explainer.profit("a") is None


def test_a_vix_future_earns_vega_and_no_delta() -> None:
    world = World({"a": {VX.symbol: -2.0}})
    world.at(NOW)
    world.at(NOW + SECOND, vix=21.5)
    assert world.said().parts["vega"] == pytest.approx(-3000.0)
    assert nonzero(world.said()) == {"vega"}


# --- executions ----------------------------------------------------------------------------------


def test_a_fill_costs_what_it_was_dealt_beside_the_mark_and_earns_the_move_since() -> None:
    world = World({"a": {SPX.symbol: 1.0}})
    world.at(NOW)
    world.trade("a", SPX.symbol, 10.0, 100.25)
    world.at(NOW + SECOND, 101.0)
    account = world.said()
    assert account.parts["cost"] == pytest.approx(-2.5)
    assert account.parts["trades"] == pytest.approx(10.0)
    assert account.parts["delta"] == pytest.approx(1.0)
    world.at(NOW + 2 * SECOND, 102.0)
    assert world.said().parts["delta"] == pytest.approx(12.0)
    assert world.said().total == pytest.approx(19.5)


def test_what_was_never_held_is_dealt_against_its_first_mark() -> None:
    world = World({"a": {}})
    world.at(NOW)
    world.trade("a", CALL.symbol, 2.0, 1.0)
    world.at(NOW + SECOND)
    assert world.said().parts["cost"] == pytest.approx(200 * (world.price(CALL.symbol) - 1.0))
    assert world.said().parts["trades"] == 0.0


def test_a_position_that_is_closed_earns_nothing_after() -> None:
    world = World({"a": {SPX.symbol: 5.0}})
    world.at(NOW)
    world.trade("a", SPX.symbol, -5.0, 99.0)
    world.at(NOW + SECOND, 99.5)
    world.at(NOW + 2 * SECOND, 120.0)
    assert world.said().total == pytest.approx(-5.0)


def test_a_fill_without_a_price_costs_nothing() -> None:
    world = World({"a": {SPX.symbol: 5.0}})
    world.at(NOW)
    world.trade("a", SPX.symbol, 5.0, None)
    world.at(NOW + SECOND, 101.0)
    assert nonzero(world.said()) == {"delta"}
    world.at(NOW + 2 * SECOND, 102.0)
    assert world.said().total == pytest.approx(15.0)


def test_a_fill_at_nothing_is_all_gain() -> None:
    world = World({"a": {CALL.symbol: 1.0}})
    world.at(NOW)
    world.trade("a", CALL.symbol, 1.0, 0.0)
    mark = world.price(CALL.symbol)
    world.at(NOW)
    assert world.said().parts["cost"] == pytest.approx(100 * mark)


def test_a_variance_swap_is_dealt_at_its_strike() -> None:
    world = World({"a": {SWAPPED.symbol: 100.0}})
    world.at(NOW)
    world.trade("a", SWAPPED.symbol, 50.0, 20.5)
    world.at(NOW + SECOND)
    assert world.said().parts["cost"] == pytest.approx(50 * (20**2 - 20.5**2) / (2 * 20.5))


def test_what_is_traded_of_an_unknown_instrument_waits_for_ever() -> None:
    world = World({"a": {SPX.symbol: 1.0}})
    world.at(NOW)
    world.trade("a", "NOBODY", 5.0, 1.0)
    world.at(NOW + SECOND, 101.0)
    assert world.said().total == pytest.approx(1.0)
    assert world.explainer.snapshot().fills["a"]["NOBODY"].quantity == 5.0


# --- marks that come and go ----------------------------------------------------------------------


def test_what_loses_its_mark_is_named_and_booked_when_it_is_marked_again() -> None:
    world, sighted = World({"a": {CALL.symbol: 2.0}}), World({"a": {CALL.symbol: 2.0}})
    for each in (world, sighted):
        each.at(NOW)
        each.at(NOW + SECOND, 101.0)
    before = world.said().total
    world.at(NOW + 2 * SECOND, 104.0, unmarked=(CALL.symbol,))
    profit = world.profit()
    assert (profit.inception.total, profit.waiting) == (before, 1)
    (waiting,) = profit.suspended
    assert (waiting.symbol, waiting.quantity) == (CALL.symbol, 2.0)
    assert waiting.since_ns == NOW + SECOND
    for each in (world, sighted):
        each.at(NOW + 3 * SECOND, 103.0)
    assert world.said().total == sighted.said().total
    assert world.profit().waiting == 0


def test_what_is_traded_without_a_mark_waits_with_it() -> None:
    world = World({"a": {SPX.symbol: 5.0}})
    world.at(NOW)
    world.at(NOW + SECOND, unmarked=(SPX.symbol,))
    world.trade("a", SPX.symbol, -5.0, 103.0)
    world.at(NOW + 2 * SECOND, unmarked=(SPX.symbol,))
    profit = world.profit()
    assert (profit.suspended[0].quantity, profit.inception.total) == (0.0, 0.0)
    world.at(NOW + 3 * SECOND, 104.0)
    account = world.said()
    assert account.parts["delta"] == pytest.approx(20.0)
    assert account.parts["cost"] == pytest.approx(-5.0)
    assert account.total == pytest.approx(15.0)


def test_every_book_is_told_of_what_waits_in_it_traded_or_held() -> None:
    held = {"a": {PUT.symbol: 1.0}, "b": {CALL.symbol: 2.0, PUT.symbol: 3.0}, "c": {}}
    world = World({**held, "d": {CALL.symbol: 4.0}})
    world.at(NOW, unmarked=(PUT.symbol, CALL.symbol))
    world.trade("a", CALL.symbol, 5.0, 1.0)  # it waits behind all that is held
    world.at(NOW + SECOND, unmarked=(PUT.symbol, CALL.symbol))
    waiting = {
        book: {each.symbol: each.quantity for each in world.profit(book).suspended}
        for book in "abcd"
    }
    assert waiting == {
        "a": {CALL.symbol: 5.0, PUT.symbol: 1.0},
        "b": {CALL.symbol: 2.0, PUT.symbol: 3.0},
        "c": {},
        "d": {CALL.symbol: 4.0},
    }
    assert [world.profit(book).waiting for book in "abcd"] == [2, 2, 0, 1]


def test_a_fill_at_a_fresh_mark_is_booked_though_the_mark_is_lost_after() -> None:
    world = World({"a": {SPX.symbol: 5.0}})
    world.at(NOW)
    world.trade("a", SPX.symbol, 5.0, 101.0)
    world.at(NOW + SECOND, unmarked=(SPX.symbol,))
    assert world.said().total == pytest.approx(-5.0)
    world.at(NOW + 2 * SECOND, 102.0)
    assert world.said().total == pytest.approx(15.0)


def test_the_profit_of_what_was_never_marked_begins_with_its_first_mark() -> None:
    world = World({"a": {CALL.symbol: 1.0, "NOBODY": 1.0}}, ExposurePolicy(most_named=1))
    world.at(NOW, unmarked=(CALL.symbol,))
    profit = world.profit()
    assert profit.suspended[0].since_ns == 0
    world.at(NOW + SECOND, 104.0)
    assert world.said().total == 0.0


def test_what_expires_is_settled_at_its_intrinsic_value_and_earns_nothing_after() -> None:
    world = World({"a": {CALL.symbol: 2.0, PUT.symbol: 1.0, SPX.symbol: 1.0, VX.symbol: 1.0}})
    world.at(EXPIRY - SECOND, 103.0)
    first = world.value("a")
    world.at(EXPIRY + MINUTE, 103.5)
    settled = world.said().total
    assert settled == pytest.approx(2 * 350.0 + 103.5 + 20_000.0 - first)
    world.at(EXPIRY + 2 * MINUTE, 110.0, vix=30.0, unmarked=(PUT.symbol,))
    assert world.said().total == pytest.approx(settled + 6.5)
    assert world.profit().waiting == 0


def test_what_expires_while_its_level_is_unknown_waits_for_the_level() -> None:
    world = World({"a": {CALL.symbol: 1.0}})
    world.at(EXPIRY - SECOND, 103.0)
    first = world.value("a")
    world.at(EXPIRY, unmarked=(CALL.symbol,))
    assert world.profit().waiting == 1
    world.at(EXPIRY + DAY, 104.0)
    assert world.said().total == pytest.approx(400.0 - first)


def test_what_had_expired_before_it_was_seen_earns_nothing() -> None:
    world = World({"a": {CALL.symbol: 1.0}})
    world.at(EXPIRY + DAY, 104.0)
    world.at(EXPIRY + 2 * DAY, 109.0)
    assert world.said().total == 0.0


# --- variance swaps ------------------------------------------------------------------------------


def test_a_variance_swap_earns_realized_less_implied_and_vega() -> None:
    calendar = SessionCalendar([NOW - HOUR, NOW + DAY], [NOW, NOW + DAY + 6 * HOUR])
    world = World({"a": {SWAPPED.symbol: 100.0, STRUCK.symbol: 10.0}}, calendar=calendar)
    world.at(NOW)
    world.at(NOW + DAY, 99.0, vix=21.0)
    world.at(NOW + DAY + 6 * HOUR, 98.0, vix=22.0)
    account = world.said()
    assert nonzero(account) == {"vega", "volga", "carry"}
    assert account.unexplained == pytest.approx(0.0, abs=1e-9)
    constant = rolled_profit(100.0, 20.0, log(0.98), 22.0)
    realized, passed = 1e4 * log(0.98) ** 2 * 365 / 60, 1.25 / 60
    struck = 10 * ((0.5 - passed) * (22**2 - 20**2) - passed * 20**2 + realized) / 40
    assert account.total == pytest.approx(constant + struck)


def test_a_variance_swap_waits_for_the_index() -> None:
    world = World({"a": {SWAPPED.symbol: 100.0}})
    world.at(NOW, unmarked=(SPX.symbol,))
    assert world.profit().waiting == 1
    world.at(NOW + SECOND)
    world.at(NOW + 2 * SECOND, vix=21.0)
    assert world.said().parts["vega"] == pytest.approx(100.0)


# --- sessions and alerts -------------------------------------------------------------------------


def test_the_sessions_account_begins_anew_with_the_opening_gap_in_it() -> None:
    calendar = SessionCalendar([NOW - HOUR, NOW + DAY], [NOW + HOUR, NOW + DAY + HOUR])
    world = World({"a": {SPX.symbol: 10.0}}, calendar=calendar)
    world.at(NOW)
    world.at(NOW + HOUR, 101.0)
    profit = world.profit()
    assert profit.session.since_ns == NOW
    assert profit.session.total == pytest.approx(10.0)
    world.at(NOW + DAY, 104.0)
    profit = world.profit()
    assert (profit.session.since_ns, profit.inception.since_ns) == (NOW + DAY, NOW)
    assert profit.session.total == pytest.approx(30.0)
    assert profit.inception.total == pytest.approx(40.0)


def test_too_much_unexplained_is_told_after_the_hold_and_when_it_is_over() -> None:
    policy = ExposurePolicy(unexplained_share=0.001, unexplained_least=1.0)
    calendar = SessionCalendar([NOW - HOUR, NOW + DAY], [NOW + HOUR, NOW + DAY + HOUR])
    world = World({"a": {CALL.symbol: 100.0}}, policy, calendar)
    world.at(NOW)
    assert world.at(NOW + SECOND, 75.0, 0.9) == ()
    assert abs(world.said().unexplained) > 0.001 * gross(world.said())
    assert world.at(NOW + MINUTE, 75.0, 0.9) == ()
    (told,) = world.at(NOW + SECOND + MINUTE, 75.0, 0.9)
    assert (told.what, told.where, told.severity) == ("profit_unexplained", "a", "warning")
    assert told.figures["unexplained"] == pytest.approx(world.said().unexplained)
    assert abs(told.figures["unexplained"]) > told.figures["limit"]
    assert world.at(NOW + 5 * MINUTE, 75.0, 0.9) == ()
    (over,) = world.at(NOW + DAY, 75.0, 0.9)
    assert over.what == "profit_explained"


def test_a_small_amount_is_not_worth_an_alert() -> None:
    world = World({"a": {CALL.symbol: 0.001}}, ExposurePolicy(unexplained_share=0.0001))
    world.at(NOW)
    world.at(NOW + SECOND, 75.0, 0.9)
    assert world.at(NOW + HOUR, 75.0, 0.9) == ()


# --- restarts ------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(st.lists(moves, min_size=2, max_size=6), st.integers(0, 5))
def test_a_restart_changes_nothing(
    history: list[tuple[float, float, int, str, str, int, bool]], at: int
) -> None:
    books = {
        "a": {CALL.symbol: 3.0, STRUCK.symbol: 5.0},
        "b": {PUT.symbol: -2.0, SWAPPED.symbol: 7.0},
    }
    steady, restarted = World(books), World(books)
    now_ns = NOW
    for number, (level, volatility, hours, book, symbol, quantity, is_lost) in enumerate(history):
        now_ns += hours * HOUR
        for world in (steady, restarted):
            world.trade(book, symbol, quantity, 2.0)
        if number == at:
            state = msgspec.msgpack.decode(restarted.state(), type=ExplainState)
            assert msgspec.msgpack.encode(state) == restarted.state()
            again = World(restarted.books, state=state)
            again.revaluation = restarted.revaluation
            restarted = again
        lost = (symbol, SPX.symbol) if is_lost else ()
        told = [
            world.at(now_ns, level, volatility, 100 * volatility, lost)
            for world in (steady, restarted)
        ]
        assert told[0] == told[1]
    assert steady.state() == restarted.state()
    assert steady.explainer.profit("a") == restarted.explainer.profit("a")


def test_a_book_that_there_is_no_more_is_forgotten_and_a_new_one_begins() -> None:
    world = World({"a": {SPX.symbol: 1.0}, "b": {SPX.symbol: 2.0}})
    world.at(NOW)
    world.trade("a", "NOBODY", 1.0, 1.0)
    world.at(NOW + SECOND, 101.0)
    after = World(
        {"b": {SPX.symbol: 2.0}, "c": {SPX.symbol: 4.0}}, state=world.explainer.snapshot()
    )
    after.at(NOW + 2 * SECOND, 102.0)
    after.at(NOW + 3 * SECOND, 103.0)
    assert after.said("b").total == pytest.approx(6.0)
    assert after.said("c").total == pytest.approx(4.0)
    assert after.explainer.profit("a") is None
    assert after.explainer.snapshot().fills == {}


# --- in the monitor ------------------------------------------------------------------------------

HELD = ExposureBook(name="a", opening={CHAIN[5].symbol: 10.0, "SPX": -500.0}, legs={"stock": "SPX"})


def explained(effects: tuple[ExposureEffect, ...]) -> Profit:
    (observed,) = [each for each in effects if isinstance(each, ExposureObserved)]
    assert observed.profit is not None
    return observed.profit


def test_a_leg_that_is_not_held_is_dealt_against_the_mark_before() -> None:
    made = monitor(ExposureBook(name="a", legs={"stock": "SPX", "lost": "NOBODY"}))
    made.receive_block(quotes(NOW, 100.0))
    made.advance_to(NOW)
    made.receive_block(quotes(NOW + SECOND, 101.0))
    made.receive(bought(100.0, NOW + SECOND))
    account = explained(made.settle()).inception
    assert account.parts["cost"] == pytest.approx(-2.0)
    assert account.parts["trades"] == pytest.approx(100.0)


def bought(quantity: float, event_ns: int) -> ExecutionReported:
    return ExecutionReported(
        book="a",
        order_id="a-00000001-stock",
        execution_id="x1",
        kind=ExecutionKind.FILL,
        quantity=quantity,
        price=100.02,
        event_ns=event_ns,
    )


def test_the_monitor_explains_when_it_values_everything_and_says_so_with_every_exposure() -> None:
    made = monitor(HELD)
    made.receive_block(quotes(NOW, 100.0))
    assert explained(made.settle()).inception.total == 0.0
    made.receive_block(quotes(NOW + 100 * MILLISECOND, 101.0))
    assert explained(made.settle()).event_ns == NOW
    made.receive_block(quotes(NOW + SECOND, 101.0))
    profit = explained(made.settle())
    assert profit.event_ns == NOW + SECOND
    account = profit.inception
    assert account.parts["gamma"] > 0
    assert abs(account.unexplained) < 0.005 * gross(account)


def test_a_fill_in_the_journal_is_explained_at_once() -> None:
    made = monitor(HELD)
    made.receive_block(quotes(NOW, 100.0))
    made.settle()
    made.receive(bought(100.0, NOW + MILLISECOND))
    profit = explained(made.settle())
    assert profit.event_ns == NOW + MILLISECOND
    assert profit.inception.parts["cost"] == pytest.approx(-2.0)


def test_a_book_of_variance_swaps_follows_the_index() -> None:
    made = monitor(ExposureBook(name="a", opening={SWAPPED.symbol: 100.0}))
    effects: tuple[ExposureEffect, ...] = ()
    for seconds, spot, vix in ((0, 100.0, 20.0), (1, 99.0, 21.0)):
        made.receive_block(prints(NOW + seconds * SECOND, spot))
        made.receive_block(prints(NOW + seconds * SECOND, vix, "VIX"))
        effects = made.settle()
    account = explained(effects).inception
    assert account.parts["vega"] == pytest.approx(100.0)
    assert account.parts["carry"] == pytest.approx(100 * 252 / 21 * 1e4 * log(0.99) ** 2 / 40)


def test_an_unexplained_profit_is_an_effect_of_the_monitor() -> None:
    policy = ExposurePolicy(unexplained_share=1e-9, unexplained_least=0.0, unexplained_hold_ns=0)
    made = monitor(HELD, policy=policy)
    made.receive_block(quotes(NOW, 100.0))
    made.settle()
    made.receive_block(quotes(NOW + SECOND, 90.0, volatility=0.4))
    alerts = [each for each in made.settle() if isinstance(each, AlertRaised)]
    assert "profit_unexplained" in {each.what for each in alerts}
