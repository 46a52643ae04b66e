"""The published programmes: every number of spec section 10."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.hedging.programmes import (
    PremiumLedger,
    PremiumState,
    check_order,
    monetise,
    monetise_sleeve,
    monetise_stage,
    sleeve_stage,
    stage_reached,
    tail_budget,
    veqtor_like,
    vxth,
)
from shared.domain.hedging.rules import PRESETS, parameters_of
from shared.domain.instants import DAY

VXTH = parameters_of(PRESETS["vxth"])
VEQTOR = parameters_of(PRESETS["veqtor_like"])
TAIL = parameters_of(PRESETS["tail_budget"])
BY_VIX = parameters_of(PRESETS["monetise"])
BY_SLEEVE = parameters_of(PRESETS["monetise_sleeve"])


@pytest.mark.parametrize(
    ("front", "percent_of_nav"),
    [(14.99, 0), (15, 1), (30, 1), (30.01, 0.5), (50, 0.5), (50.01, 0), (80, 0)],
)
def test_vxth_is_a_hump_over_the_one_month_forward(front: float, percent_of_nav: float) -> None:
    assert vxth(front, **VXTH) == percent_of_nav


@pytest.mark.parametrize(
    ("rv", "down", "flat", "up"),
    [
        (0.05, 2.5, 2.5, 10),
        (0.10, 2.5, 2.5, 10),
        (0.15, 2.5, 10, 15),
        (0.20, 2.5, 10, 15),
        (0.30, 10, 15, 25),
        (0.35, 10, 15, 25),
        (0.40, 15, 25, 40),
        (0.45, 15, 25, 40),
        (0.60, 25, 40, 40),
    ],
)
def test_veqtor_like_weighs_by_volatility_and_one_step_by_trend(
    rv: float, down: float, flat: float, up: float
) -> None:
    for trend, percent in ((-1.0, down), (0.0, flat), (1.0, up)):
        weight = veqtor_like(rv, trend, 0.0, **VEQTOR) * VEQTOR["normal"]
        assert weight == pytest.approx(percent / 100)


@pytest.mark.parametrize(("five_days", "cash"), [(-0.0199, False), (-0.02, True), (-0.1, True)])
def test_veqtor_like_goes_to_cash_after_five_days_that_lost_two_percent(
    five_days: float, *, cash: bool
) -> None:
    assert (veqtor_like(0.6, 1.0, five_days, **VEQTOR) == 0) is cash


@pytest.mark.parametrize(
    ("vix", "sleeve", "spent", "held"),
    [
        (15.0, 0.0, 0.0, 0.005),  # entry below the gate: up to the stake
        (15.0, 0.002, 0.0, 0.005),
        (15.0, 0.02, 0.0, 0.02),  # already more than the stake: held
        (20.0, 0.0, 0.0, 0.0),  # not at the gate, nor above it
        (35.0, 0.004, 0.0, 0.004),
        (15.0, 0.0, 0.007, 0.003),  # what is left of the budget of 365 days, 1%
        (15.0, 0.001, 0.012, 0.001),  # nothing is left: what is held is held
        (15.0, 0.05, 0.0, 0.05),  # the line itself is not beyond it
        (15.0, 0.0501, 0.0, 0.03),  # harvest: 5% down to 3%
        (80.0, 0.20, 0.012, 0.03),
    ],
)
def test_a_tail_budget_enters_below_its_gate_and_harvests_from_five_percent_to_three(
    vix: float, sleeve: float, spent: float, held: float
) -> None:
    assert tail_budget(vix, sleeve, spent, **TAIL) * TAIL["stake"] == pytest.approx(held)


def spell(levels: list[float]) -> list[float]:
    """What staged monetisation leaves after each decision, one a level of VIX."""
    stage, left = 0, []
    for level in levels:
        left.append(monetise(level, stage, **BY_VIX))
        stage = monetise_stage(level, stage, **BY_VIX)
    return left


def test_each_level_sells_once_a_spell_and_none_is_taken_back_within_it() -> None:
    path = [20.0, 30.0, 30.1, 29.0, 31.0, 45.0, 28.0, 55.0, 24.0, 23.9, 31.0]
    assert spell(path) == [1, 1, 0.75, 0.75, 0.75, 0.5, 0.5, 0.25, 0.25, 1, 0.75]


def test_a_jump_over_all_levels_sells_them_all() -> None:
    assert spell([18.0, 60.0]) == [1, 0.25]


def test_by_sleeve_its_own_sale_ends_no_spell() -> None:
    stage = sleeve_stage(0.06, 0, **BY_SLEEVE)
    assert (stage, monetise_sleeve(0.06, 0, **BY_SLEEVE)) == (2, 0.5)
    assert sleeve_stage(0.03, stage, **BY_SLEEVE) == 2  # half is sold: it would be 6% unsold
    assert sleeve_stage(0.0405, stage, **BY_SLEEVE) == 3
    assert sleeve_stage(0.0119, stage, **BY_SLEEVE) == 0  # 2.38% unsold: below 3% by a fifth


levels = st.floats(5, 100)


@given(st.lists(levels, min_size=1, max_size=30))
def test_the_hedge_only_shrinks_until_the_spell_is_over(path: list[float]) -> None:
    stage = 0
    for level in path:
        after = stage_reached(level, stage, (30.0, 40.0, 50.0), 0.2)
        assert after >= stage or (level < 24 and after == 0)
        stage = after


def test_numbers_that_do_not_rise_are_refused() -> None:
    check_order("x", ("a", "b"), (1.0, 2.0))
    with pytest.raises(ValueError, match="rule x needs b below c"):
        check_order("x", ("a", "b", "c"), (1.0, 2.0, 2.0))


# --- the rolling budget ----------------------------------------------------------------------


def test_premium_counts_for_365_days() -> None:
    ledger = PremiumLedger(PremiumState())
    ledger.pay(1, 10 * DAY, 300.0)
    ledger.pay(20, 40 * DAY, 200.0)
    assert ledger.spent(375 * DAY - 1) == 500.0
    assert ledger.spent(375 * DAY) == 200.0
    ledger.pay(300, 400 * DAY, 50.0)
    assert ledger.snapshot().sessions == (20, 300)
    assert ledger.spent(400 * DAY) == 250.0


def test_a_roll_costs_the_difference_and_a_harvest_refills_nothing() -> None:
    ledger = PremiumLedger(PremiumState())
    ledger.pay(1, DAY, 300.0)
    ledger.pay(2, 2 * DAY, -100.0)
    ledger.pay(2, 2 * DAY + 1, 180.0)
    ledger.pay(3, 3 * DAY, -5000.0)
    assert ledger.spent(3 * DAY) == 380.0


def test_what_a_roll_bought_counts_once_decided_less_what_was_sold_of_it() -> None:
    ledger = PremiumLedger(PremiumState())
    ledger.pay(1, DAY, 300.0)
    ledger.roll(2, 2 * DAY, 1000.0)
    assert ledger.spent(2 * DAY) == 300.0
    ledger.settle()
    assert ledger.spent(2 * DAY) == 1300.0
    ledger.pay(3, 3 * DAY, -600.0)
    assert ledger.spent(3 * DAY) == 700.0


payments = st.lists(st.tuples(st.integers(0, 40), st.floats(-1e6, 1e6)), max_size=30)


@given(payments, st.integers(0, 30))
def test_a_restart_changes_nothing(steps: list[tuple[int, float]], at: int) -> None:
    steady, stopped = PremiumLedger(PremiumState()), PremiumLedger(PremiumState())
    day = 0
    for number, (days, amount) in enumerate(steps):
        if number == at:
            stored = msgspec.msgpack.encode(stopped.snapshot())
            stopped = PremiumLedger(msgspec.msgpack.decode(stored, type=PremiumState))
        day += days
        for ledger in (steady, stopped):
            ledger.pay(day, day * DAY, amount)
        assert steady.spent(day * DAY) == stopped.spent(day * DAY)
    assert steady.snapshot() == stopped.snapshot()
    assert len(steady.snapshot().net) <= 366
