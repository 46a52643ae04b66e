"""Programmes in a book: signals to orders, restart and deadline."""

from collections.abc import Callable

import pytest
from fakes.hedged_market import MONDAY, HedgedMarket, policy, restarted, timeless
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from shared.domain.accounts.rolled import Rolled
from shared.domain.effects import OrderWithheld, TargetChanged, WhipsawSuppressed
from shared.domain.events import ExecutionKind
from shared.domain.hedging.conditions import Facts
from shared.domain.hedging.programme_triggers import SleeveBeyond, StageReached
from shared.domain.hedging.rules import PRESETS
from shared.domain.hedging.targets import check_programme
from shared.domain.instants import DAY, HOUR, MINUTE
from shared.domain.policies import BookPolicy, Hold, LegPolicy, NavSharePolicy, RulePolicy
from shared.domain.signals_observed import Quality
from shared.domain.study.variants import variant_book

CALL = LegPolicy(
    name="call",
    instrument="vix_call",
    symbol="VIXC",
    maturity_days=30,
    max_vega=1e12,
    multiplier=100.0,
    vega_per_unit=0.3,
    allow_under_90_days=True,
)
NAV = 50_000_000.0
STAGED = policy(
    rules=(PRESETS["monetise"],), triggers={"vix_points": 1e9, "drawdown": 1e9, "fast": None}
)
VXTH = variant_book(policy(legs=(CALL,)), "vxth")
TAIL = variant_book(policy(legs=(CALL,)), "tail_budget")
BY_SLEEVE = structs.replace(
    TAIL,
    rules=(PRESETS["monetise_sleeve"],),
    sizing=structs.replace(TAIL.sizing, nav_share=NavSharePolicy(share=0.01)),
)


def with_calls(book: BookPolicy, price: float = 1.0) -> HedgedMarket:
    market = HedgedMarket(book)
    market.marks["VIXC"] = price
    market.marked_at["VIXC"] = market.now
    return market


def move(market: HedgedMarket, minutes: int = 20, **levels: float) -> None:
    """These levels, each minute, for so long."""
    for _ in range(minutes):
        market.tick(after=MINUTE, **levels)


def decided(market: HedgedMarket) -> list[tuple[str, float]]:
    """Trigger and rule multiplier of every decision."""
    targets: list[TargetChanged] = market.of(TargetChanged)
    return [(target.trigger, target.steps[0].multiplier) for target in targets]


# --- staged monetisation ---------------------------------------------------------------------


def test_a_spike_sells_by_stages_each_once_a_spell() -> None:
    market = HedgedMarket(STAGED)
    for level in (18.0, 33.0, 29.0, 34.0, 52.0, 26.0, 23.0):
        move(market, vix=level, vix_smooth=level)
        if market.orders and market.book.position("swap") != market.orders[-1].target_quantity:
            market.fill()
    stages = [each for each in decided(market) if each[0] in {"initial", "stage"}]
    assert stages == [("initial", 1.0), ("stage", 0.75), ("stage", 0.25), ("stage", 1.0)]


def test_a_spike_shorter_than_the_hold_sells_nothing_and_is_counted() -> None:
    market = HedgedMarket(STAGED).hedged(18.0)
    move(market, minutes=10, vix=45.0, vix_smooth=45.0)
    move(market, vix=18.0, vix_smooth=18.0)
    assert market.orders == []
    assert [each.trigger for each in market.of(WhipsawSuppressed)] == ["stage"]


def test_a_sale_that_the_venue_rejects_takes_its_stage_back_and_is_tried_again() -> None:
    market = HedgedMarket(STAGED).hedged(18.0)
    move(market, minutes=16, vix=33.0, vix_smooth=33.0)
    (order,) = market.orders
    assert market.book.snapshot().references.stage == 1
    market.send(market.report(order, ExecutionKind.REJECT, 0.0, None))
    assert market.book.snapshot().references.stage == 0
    move(market, minutes=40, vix=33.0, vix_smooth=33.0)
    assert [each.quantity for each in market.orders] == [250.0, 250.0]


def test_the_stage_is_told_with_its_figures() -> None:
    facts, condition = Facts(), StageReached(driver="vix_smooth", hold=Hold())
    assert condition.inputs(facts) == {"reference_stage": 0.0}
    assert condition.judge(facts).holds is None
    facts.stage = 2
    assert condition.inputs(facts) == {"stage": 2.0, "reference_stage": 0.0}


# --- a share of NAV --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("front", "price", "contracts"), [(20.0, 1.0, 5000.0), (35.0, 2.0, 1250.0), (12.0, 1.0, 0.0)]
)
def test_vxth_pays_its_share_of_nav_in_premium(
    front: float, price: float, contracts: float
) -> None:
    market = with_calls(VXTH, price)
    market.tick(front_future=front)
    target = market.of(TargetChanged)[0]
    assert target.legs[0].quantity == contracts
    assert sum(order.quantity for order in market.orders) == contracts
    assert contracts * price * 100 == NAV * 0.01 * {20.0: 1, 35.0: 0.5, 12.0: 0}[front]


def test_between_two_strikes_it_keeps_its_contracts() -> None:
    market = with_calls(VXTH)
    market.tick()
    market.fill()
    for _ in range(30):
        market.tick(after=DAY, vix=60.0, vix_smooth=60.0, front_future=60.0, regime=2.0)
    assert len(market.orders) == 1
    for _ in range(8):
        market.tick(after=DAY, front_future=60.0)
    assert [order.trigger for order in market.orders] == ["initial", "schedule"]
    assert market.orders[1].side == "sell"


def test_a_premium_needs_a_price_and_a_nav_but_nothing_does_not() -> None:
    market = with_calls(VXTH)
    del market.marks["VIXC"]
    move(market, front_future=20.0)
    assert market.of(TargetChanged) == []
    move(market, front_future=10.0)
    assert market.of(TargetChanged)[0].target_vega == 0.0
    other = with_calls(VXTH)
    other.qualities["nav.overlay"] = Quality.STALE
    move(other, front_future=20.0)
    assert other.of(TargetChanged) == []


# --- the tail budget -------------------------------------------------------------------------


def test_a_tail_budget_buys_its_stake_and_harvests_what_it_becomes() -> None:
    market = with_calls(TAIL)
    move(market, minutes=2)
    assert market.orders[0].quantity == 2500  # 0.5% of 50 million at 100 a call
    market.fill()
    market.marks["VIXC"] = 9.0  # 4.5% of NAV: held
    move(market, nav=NAV)
    market.marks["VIXC"] = 12.0  # 6%
    move(market, minutes=10, nav=NAV)
    assert len(market.orders) == 1
    move(market, minutes=10, nav=NAV)
    assert [order.trigger for order in market.orders] == ["initial", "harvest"]
    assert market.orders[1].target_quantity == 1250  # 3% at 1200 a call
    market.fill()
    move(market, minutes=40, nav=NAV)
    assert len(market.orders) == 2


def test_premium_paid_is_out_of_the_budget_for_a_year() -> None:
    market = with_calls(TAIL)
    market.tick()
    market.fill()
    for price in (0.4, 0.2, 0.2):
        market.marks["VIXC"] = price
        market.tick(after=7 * DAY)
        market.ask()
        if market.book.position("call") != market.orders[-1].target_quantity:
            market.fill()
    premiums = [order.quantity * order.reference_price * 100 for order in market.orders]
    assert premiums == pytest.approx([250_000, 150_000, 100_000])  # 1% of NAV, then no more
    assert market.book.snapshot().dealer.premiums.net == pytest.approx(premiums)


def test_a_sleeve_without_a_price_is_unknown_and_fires_nothing() -> None:
    facts = Facts()
    condition = SleeveBeyond(driver="nav.overlay", limit=0.05, margin=0.1, hold=Hold())
    assert condition.judge(facts).holds is None
    assert condition.inputs(facts) == {"limit": 0.05}
    facts.sleeve = 0.06
    assert condition.inputs(facts) == {"sleeve": 0.06, "limit": 0.05}
    market = with_calls(TAIL)
    market.tick()
    market.fill()
    del market.marks["VIXC"]
    move(market, minutes=40)
    assert len(market.orders) == 1


def test_by_sleeve_a_stage_is_observed_by_the_portfolio() -> None:
    market = with_calls(BY_SLEEVE)
    move(market, minutes=2)
    market.fill()
    market.marks["VIXC"] = 4.0  # 4% of NAV
    move(market, minutes=20, nav=NAV)
    (_, order) = market.orders
    assert (order.trigger, order.side) == ("stage", "sell")


# --- a symbol that goes over to its next contract ----------------------------------------------


def rolled(market: HedgedMarket, given_up: float, taken_on: float) -> None:
    """The calls go over to the next contract, right now; the book is started anew after it."""
    roll = Rolled(symbol="VIXC", event_ns=market.now + 1, given_up=given_up, taken_on=taken_on)
    market.book.roll(roll)
    market.book = restarted(market.book, market.policy)


def test_after_a_roll_nothing_is_sized_by_the_price_of_the_old_contract() -> None:
    market = with_calls(VXTH)
    market.tick()
    market.fill()
    rolled(market, 0.001, 2.0)
    market.send(market.observed("clock"))
    assert [each.control for each in market.ask() if isinstance(each, OrderWithheld)] == []
    assert len(market.orders) == 1
    market.marks["VIXC"] = 2.0
    market.tick(after=MINUTE)
    assert [order.target_quantity for order in market.orders] == [5000, 2500]


def test_what_a_roll_bought_by_itself_is_no_sleeve_to_keep_and_counts_when_decided() -> None:
    market = with_calls(TAIL)
    market.tick()
    market.fill()
    rolled(market, 0.0, 4.0)  # 2500 calls that ended at nothing are 1 million's worth of new ones
    market.marks["VIXC"] = 4.0
    market.tick(after=MINUTE)
    market.ask()
    assert market.orders[-1].target_quantity == 625  # the stake again: 0.5% at 400 a call
    market.fill()
    assert market.book.snapshot().dealer.premiums.net == (500_000,)  # one stake, and the other


# --- what a book must be ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("book", "message"),
    [
        (structs.replace(TAIL, legs=(CALL, structs.replace(CALL, name="b"))), "exactly one leg"),
        (
            structs.replace(
                TAIL, sizing=structs.replace(TAIL.sizing, nav_share=NavSharePolicy(share=0.01))
            ),
            "its stake, 0.005, must be",
        ),
        (
            structs.replace(
                VXTH, sizing=structs.replace(VXTH.sizing, nav_share=NavSharePolicy(share=0.0))
            ),
            "finite and above 0",
        ),
        (
            structs.replace(
                VXTH,
                legs=(structs.replace(CALL, instrument="put"),),
                rules=(PRESETS["delta"],),
            ),
            "nothing to size",
        ),
        (policy(rules=(PRESETS["monetise_sleeve"],)), "legs that are options"),
    ],
)
def test_a_book_that_cannot_do_what_its_programme_asks_is_refused(
    book: BookPolicy, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_programme(book)


# --- the laws --------------------------------------------------------------------------------

Step = Callable[[HedgedMarket], object]


def _levels(after: int, vix: float, price: float, front: float) -> Step:
    def step(market: HedgedMarket) -> object:
        market.marks["VIXC"] = price
        return market.tick(after=after, vix=vix, vix_smooth=vix, front_future=front, nav=NAV)

    return step


def _answer(kind: ExecutionKind) -> Step:
    def step(market: HedgedMarket) -> object:
        if not market.orders:
            return None
        order = market.orders[-1]
        filled = order.signed_quantity if kind is ExecutionKind.FILL else 0.0
        price = order.reference_price if filled else None
        return market.send(market.report(order, kind, filled, price))

    return step


def _roll(given_up: float, taken_on: float) -> Step:
    def step(market: HedgedMarket) -> object:
        evening = MONDAY + (market.now - MONDAY) // DAY * DAY + 7 * HOUR
        market.clock(after=max(0, evening - market.now))
        rolled(market, given_up, taken_on)
        return None

    return step


def _quality(name: str, quality: Quality) -> Step:
    def step(market: HedgedMarket) -> object:
        market.qualities[name] = quality
        return market.tick(after=MINUTE)

    return step


vixes = st.sampled_from([12.0, 18.0, 22.0, 33.0, 45.0, 60.0])
steps = st.lists(
    st.one_of(
        st.builds(
            _levels,
            st.sampled_from([MINUTE, 16 * MINUTE, 2 * HOUR, DAY, 12 * DAY]),
            vixes,
            st.sampled_from([0.1, 1.0, 6.0, 15.0]),
            vixes,
        ),
        st.builds(_roll, st.sampled_from([0.001, 3.0]), st.sampled_from([0.5, 4.0])),
        st.builds(_answer, st.sampled_from([ExecutionKind.FILL] * 3 + [ExecutionKind.REJECT])),
        st.builds(
            _quality,
            st.sampled_from(["vix_smooth", "front_future", "nav.overlay"]),
            st.sampled_from([Quality.GOOD, Quality.STALE]),
        ),
    ),
    max_size=20,
)
BOOKS = st.sampled_from([STAGED, VXTH, TAIL, BY_SLEEVE])


@settings(max_examples=50, deadline=None)
@given(steps, st.integers(0, 20), BOOKS)
def test_a_restart_changes_nothing(journal: list[Step], at: int, book: BookPolicy) -> None:
    steady, stopped = with_calls(book), with_calls(book)
    for number, step in enumerate(journal):
        if number == at:
            stopped.book = restarted(stopped.book, book)
        step(steady)
        step(stopped)
    assert steady.effects == stopped.effects
    assert steady.book.snapshot() == stopped.book.snapshot()
    assert steady.book.next_deadline() == stopped.book.next_deadline()


@settings(max_examples=50, deadline=None)
@given(steps, BOOKS)
def test_nothing_changes_before_the_deadline_and_something_does_at_it(
    journal: list[Step], book: BookPolicy
) -> None:
    market = with_calls(book)
    market.tick()
    for step in journal:
        step(market)
    for _ in range(4):
        asked, before = market.book, market.book.snapshot()
        deadline = asked.next_deadline()
        if deadline is None:
            return
        assert asked.advance_to(deadline - 1) == ()
        assert timeless(asked.snapshot()) == timeless(before)
        asked.advance_to(deadline)
        assert timeless(asked.snapshot()) != timeless(before)


def test_a_staged_rule_goes_with_another_but_not_with_a_second_one() -> None:
    product = HedgedMarket(policy(rules=(PRESETS["option_a"], PRESETS["monetise"])))
    product.vix(32.0)
    assert decided(product)[0] == ("initial", 2.0 * 0.75)
    two = (PRESETS["monetise"], RulePolicy(kind="monetise", parameters={"first": 25.0}))
    with pytest.raises(ValueError, match="one rule with stages"):
        HedgedMarket(policy(rules=two))


def test_more_than_three_numbers_are_refused_as_more_than_three_rules_are() -> None:
    with pytest.raises(ValueError, match="read 4 inputs"):
        HedgedMarket(policy(rules=(PRESETS["veqtor_like"], PRESETS["option_a"])))
