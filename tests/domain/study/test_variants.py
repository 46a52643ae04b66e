"""Variants of a book; and that the benchmarks hold what they say, in the backtest itself."""

from math import inf

import pytest
from fakes.hedged_market import FUTURE, SWAP, HedgedMarket, policy
from msgspec import UNSET, structs

from shared.domain.effects import TargetChanged
from shared.domain.instants import DAY
from shared.domain.policies import BudgetPolicy, LegPolicy, NavSharePolicy
from shared.domain.study.variants import LEAST_PREMIUM, VariantName, variant_book

BOOK = policy(
    sizing={
        "budget": BudgetPolicy(annual=1.0),
        "scale_by_hedge_correlation": True,
        "equity_share": 0.5,
        "cap": 0.5,
    }
)
PUT = LegPolicy(
    name="put95",
    instrument="put",
    symbol="SPXP",
    maturity_days=30,
    max_vega=1.0,
    multiplier=100.0,
    vega_per_unit=2.5,
    allow_under_90_days=True,
)


def test_static_holds_the_base_whatever_it_costs() -> None:
    market = HedgedMarket(variant_book(BOOK, "static"))
    for level in (12.0, 40.0, 80.0):
        market.vix(level, after=DAY)
    (target,) = market.of(TargetChanged)
    assert (target.multiplier, target.target_vega) == (1.0, 1000.0)
    assert len(market.orders) == 1


def test_none_holds_nothing() -> None:
    market = HedgedMarket(variant_book(BOOK, "none"))
    for level in (12.0, 40.0, 80.0):
        market.vix(level, after=DAY)
    assert market.of(TargetChanged)[0].target_vega == 0.0
    assert market.orders == []


def test_puts_on_full_notional_are_the_portfolio_over_a_hundred_times_the_index() -> None:
    market = HedgedMarket(variant_book(BOOK, "pput_like", legs=(PUT,)))
    market.marks |= {"SPX": 2500.0, "SPXP": 20.0}
    market.vix(18.0)
    assert market.orders[0].quantity == 50_000_000 / (2500 * 100)
    (note,) = [step.note for step in market.of(TargetChanged)[0].steps if step.name == "rule"]
    assert note.endswith("1 x 1 of 5e+07 at 2500 = 200 contracts")


@pytest.mark.parametrize(
    ("name", "leg", "share", "days"),
    [
        ("vxth", structs.replace(PUT, instrument="vix_call"), 0.01, 36.0),
        ("veqtor_like", FUTURE, 0.10, 0.5),
        ("tail_budget", PUT, 0.005, 36.0),
    ],
)
def test_a_programme_brings_its_rule_its_share_and_its_schedule(
    name: VariantName, leg: LegPolicy, share: float, days: float
) -> None:
    book = variant_book(BOOK, name, legs=(leg,))
    assert [rule.kind for rule in book.rules] == [name]
    least = 0.0 if leg is FUTURE else LEAST_PREMIUM
    assert book.sizing.nav_share == NavSharePolicy(share=share, least_level=least)
    assert (book.sizing.floor, book.sizing.budget) == (0.0, None)
    assert (book.triggers.schedule_days, book.triggers.vix_points) == (days, inf)
    assert (book.triggers.fast, book.triggers.regime_change) == (None, False)
    assert book.order.collar > BOOK.order.collar
    assert book.limits.max_orders_per_day == BOOK.limits.max_orders_per_day


@pytest.mark.parametrize(
    ("name", "leg"), [("pput_like", FUTURE), ("vxth", SWAP), ("tail_budget", FUTURE)]
)
def test_legs_that_it_does_not_trade_are_refused(name: VariantName, leg: LegPolicy) -> None:
    with pytest.raises(ValueError, match=r"pput_like holds|nav_share needs|legs that are options"):
        variant_book(BOOK, name, legs=(leg,))


def test_what_the_book_had_of_its_own_is_gone() -> None:
    own = structs.replace(
        BOOK, sizing=structs.replace(BOOK.sizing, nav_share=NavSharePolicy(share=0.01))
    )
    assert variant_book(own, "static").sizing.nav_share is UNSET
