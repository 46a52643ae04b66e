from math import inf, nan
from typing import Any

import pytest
from fakes.hedged_market import CALENDAR, FUTURE, MONDAY, SWAP, HedgedMarket, policy
from msgspec import structs

from shared.domain.events import ExposureMeasured
from shared.domain.hedging.conditions import Facts
from shared.domain.hedging.rules import PRESETS
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.hedging.sizing import BudgetRoom
from shared.domain.hedging.targets import Target, TargetSizer
from shared.domain.instants import MINUTE
from shared.domain.policies import BookPolicy, BudgetPolicy, LegPolicy
from shared.domain.signals_observed import Mark, Quality

CLOCK = SessionClock(CALENDAR)
PUT = LegPolicy(
    name="put",
    instrument="put",
    symbol="SPXP",
    maturity_days=180,
    max_vega=1e9,
    multiplier=100.0,
    vega_per_unit=2.5,
)
MARKS = {"VIX": Mark(level=22.0, event_ns=MONDAY), "VX6": Mark(level=20.0, event_ns=MONDAY)}


def facts(quality: dict[str, Quality] | None = None, **levels: float) -> Facts:
    market = HedgedMarket()
    market.qualities = quality or {}
    market.levels |= levels
    seen = Facts()
    seen.moment = CLOCK.at(MONDAY)
    seen.signals = market.observed("VIX").signals
    seen.vix = market.levels["vix_smooth"]
    return seen


def target(
    book: BookPolicy,
    seen: Facts,
    marks: dict[str, Mark] | None = None,
    **more: Any,  # noqa: ANN401 - passed on
) -> Target | None:
    asked: dict[str, Any] = {"held": None, "confirmed_by": "initial", "budget": None} | more
    return TargetSizer(book, CLOCK).target(seen, MARKS if marks is None else marks, **asked)


def test_the_worked_example_of_the_specification() -> None:
    found = target(policy(), facts(vix_smooth=22.0))
    assert found is not None
    assert (found.multiplier, found.vega, found.quantities) == (1.0, 1000.0, (1000.0,))
    assert [step.name for step in found.steps] == [
        "rule",
        "persistence",
        "equity_share",
        "budget",
        "floor_and_cap",
        "allocation",
    ]
    (leg,) = found.legs
    assert (leg.leg, leg.vega, leg.quantity, leg.mark) == ("swap", 1000.0, 1000.0, 22.0)


def test_without_a_good_signal_there_is_no_target() -> None:
    seen = facts()
    seen.vix = None
    assert target(policy(), seen) is None


def test_the_hedge_correlation_is_needed_only_when_asked_for() -> None:
    stale = {"hedge_correlation.overlay": Quality.STALE}
    asking = policy(sizing={"scale_by_hedge_correlation": True})
    assert target(policy(), facts(stale)) is not None
    assert target(asking, facts(stale)) is None
    found = target(asking, facts(vix_smooth=22.0))
    assert found is not None
    assert found.multiplier == 0.5


def test_legs_follow_the_term_structure_when_asked() -> None:
    book = policy(legs=(SWAP, FUTURE), sizing={"split_by_term_structure": True})
    found = target(book, facts(vix_smooth=32.0, term_ratio=1.0))
    assert found is not None
    assert found.quantities == (1000.0, 1.0)
    assert found.quality is Quality.GOOD


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.WARMING])
def test_without_the_term_structure_the_own_weights_stand_and_the_quality_says_so(
    quality: Quality,
) -> None:
    book = policy(legs=(SWAP, FUTURE), sizing={"split_by_term_structure": True})
    found = target(book, facts({"term_ratio": quality}, term_ratio=9.0))
    assert found is not None
    assert [leg.weight for leg in found.legs] == [0.5, 0.5]
    assert found.quality is quality


def test_a_signal_that_is_missing_altogether_is_warming() -> None:
    book = policy(sizing={"split_by_term_structure": True})
    seen = facts()
    seen.signals = {name: each for name, each in seen.signals.items() if name != "term_ratio"}
    found = target(book, seen)
    assert found is not None
    assert found.quality is Quality.WARMING


def test_the_budget_needs_vix_and_realized_volatility() -> None:
    book = policy(sizing={"budget": BudgetPolicy(annual=1000.0)})
    sizer = TargetSizer(book, CLOCK)
    assert sizer.signals == ("vix_smooth", "vix", "rv")
    assert sizer.is_complete(facts())
    assert not sizer.is_complete(facts({"rv": Quality.WARMING}))
    found = target(book, facts(vix_smooth=22.0), budget=BudgetRoom(500.0, 1000.0))
    assert found is not None
    assert found.multiplier == 0.5


def test_a_rule_on_another_signal_reads_that_signal() -> None:
    found = target(policy(rules=(PRESETS["realized_vol"],)), facts(rv=0.225))
    assert found is not None
    assert (found.rule, found.steps[0].note) == (1.5, "realized_vol(rv 0.225)")


def test_legs_limits_show_in_the_multiplier() -> None:
    small = LegPolicy(
        name="swap", instrument="variance_swap", symbol="VIX", maturity_days=30, max_vega=250.0
    )
    found = target(policy(legs=(small,)), facts(vix_smooth=22.0))
    assert found is not None
    assert (found.multiplier, found.vega, found.steps[-1].binding) == (0.25, 250.0, True)


def test_a_leg_without_a_price_has_a_wanted_quantity_but_no_target_quantity() -> None:
    found = target(policy(), facts(vix_smooth=22.0), marks={})
    assert found is not None
    assert found.quantities == (1000.0,)
    assert (found.legs[0].quantity, found.legs[0].mark) == (None, None)


def price(mark: Mark | None, minutes: int = 0) -> float | None:
    seen = facts()
    seen.moment = CLOCK.at(MONDAY + minutes * MINUTE)
    return TargetSizer(policy(), CLOCK).price(seen, mark)


def test_the_middle_of_a_quote_prices_before_its_last_level() -> None:
    assert price(Mark(level=22.0, event_ns=MONDAY, bid=20.0, ask=21.0)) == 20.5


@pytest.mark.parametrize(("bid", "ask"), [(21.0, 20.0), (0.0, 20.0), (None, 20.0), (20.0, None)])
def test_a_quote_that_makes_no_sense_leaves_the_level(bid: float | None, ask: float | None) -> None:
    assert price(Mark(level=22.0, event_ns=MONDAY, bid=bid, ask=ask)) == 22.0


@pytest.mark.parametrize("level", [nan, inf, 0.0, -1.0])
def test_no_order_is_priced_by_a_level_that_is_no_price(level: float) -> None:
    assert price(Mark(level=level, event_ns=MONDAY)) is None


def test_an_old_mark_prices_nothing() -> None:
    mark = Mark(level=22.0, event_ns=MONDAY)
    assert price(mark, minutes=5) == 22.0
    assert price(mark, minutes=6) is None
    assert price(None) is None


def test_the_age_of_a_mark_counts_from_its_own_instant() -> None:
    mark = Mark(level=22.0, event_ns=MONDAY + 30 * MINUTE, bid=21.0, ask=21.0)
    assert price(mark, minutes=35) == 21.0
    assert price(mark, minutes=36) is None


def delta_book(**changes: Any) -> BookPolicy:  # noqa: ANN401 - passed on
    return policy(
        rules=(PRESETS["delta"],),
        legs=(PUT,),
        sizing={"base_vega": 500_000.0} | changes,
    )


def test_the_delta_rule_holds_its_contracts() -> None:
    seen = facts()
    seen.exposure = ExposureMeasured(
        book="overlay", event_ns=MONDAY, portfolio_delta=50_000.0, put_delta=-0.25
    )
    found = target(delta_book(), seen)
    assert found is not None
    assert found.quantities == (2000.0,)
    assert found.multiplier == 1.0


def test_the_delta_rule_is_bound_by_the_cap_as_any_other() -> None:
    seen = facts()
    seen.exposure = ExposureMeasured(
        book="overlay", event_ns=MONDAY, portfolio_delta=50_000.0, put_delta=-0.01
    )
    found = target(delta_book(), seen)
    assert found is not None
    assert (found.quantities, found.at_cap) == ((4000.0,), True)


def test_without_exposure_the_delta_rule_is_unknown() -> None:
    assert target(delta_book(), facts()) is None
    assert TargetSizer(delta_book(), CLOCK).signals == ()


def test_an_exposure_measured_too_long_ago_is_unknown() -> None:
    seen = facts()
    seen.exposure = ExposureMeasured(
        book="overlay", event_ns=MONDAY, portfolio_delta=50_000.0, put_delta=-0.25
    )
    for minutes, known in ((5, True), (6, False)):
        seen.moment = CLOCK.at(MONDAY + minutes * MINUTE)
        assert (target(delta_book(), seen) is not None) is known


def test_the_delta_rule_needs_one_put() -> None:
    with pytest.raises(ValueError, match="exactly one leg"):
        TargetSizer(policy(rules=(PRESETS["delta"],)), CLOCK)


def test_the_delta_rule_must_count_the_contracts_that_its_leg_trades() -> None:
    mini = structs.replace(PUT, multiplier=10.0)
    with pytest.raises(ValueError, match=r"contract_multiplier = 100 .* leg put, 10"):
        TargetSizer(policy(rules=(PRESETS["delta"],), legs=(mini,)), CLOCK)
    TargetSizer(policy(rules=(PRESETS["delta"],), legs=(PUT,)), CLOCK)
