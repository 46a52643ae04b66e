"""A change of value, split: what is left, what each part is, and what is in vol points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.domain.exposure.attribution import (
    CARRY,
    CARRY_PART,
    CHARM,
    COLUMNS,
    DELTA,
    DELTA_PART,
    GAMMA,
    GAMMA_PART,
    OF_THE_MARKET,
    PRICE,
    RATE,
    THETA,
    THETA_PART,
    UNDERLYING,
    VANNA,
    VANNA_PART,
    VEGA,
    VEGA_PART,
    VOLATILITY,
    VOLGA,
    VOLGA_PART,
    YEARS,
)
from shared.domain.exposure.attribution import (
    attribute as attribute_into,
)
from shared.domain.exposure.terms import Floats
from shared.domain.pricing.kernel import Output, evaluate

STRIKES = np.array([85.0, 95.0, 100.0, 105.0, 120.0])
NOT_IN_POINTS = np.zeros(len(STRIKES), dtype=np.bool_)
COLUMN_OF = {
    Output.PRICE: PRICE,
    Output.DELTA: DELTA,
    Output.GAMMA: GAMMA,
    Output.VEGA: VEGA,
    Output.THETA: THETA,
    Output.VANNA: VANNA,
    Output.VOLGA: VOLGA,
    Output.CHARM: CHARM,
}


def attribute(before: Floats, after: Floats, years: Floats, in_points: NDArray[np.bool_]) -> Floats:
    """Explain all of them."""
    parts = np.zeros((OF_THE_MARKET, len(years)))
    wanted = np.ones(len(years), dtype=np.bool_)
    attribute_into(before, after, years, in_points, wanted, parts)
    return parts


def valuation(
    underlying: float = 100.0,
    years: float = 30 / 365,
    rate: float = 0.03,
    carry: float = 0.01,
    volatility: float = 0.2,
) -> Floats:
    """Calls at every strike."""
    of_all = [np.full(len(STRIKES), each) for each in (1.0, underlying, years, rate, carry)]
    sign, spot, left, interest, cost = of_all
    out = np.empty((len(Output), len(STRIKES)))
    evaluate(sign, spot, STRIKES, left, interest, cost, np.full(len(STRIKES), volatility), out)
    columns = np.empty((COLUMNS, len(STRIKES)))
    for output, column in COLUMN_OF.items():
        columns[column] = out[output]
    columns[UNDERLYING], columns[YEARS] = spot, left
    columns[RATE], columns[CARRY], columns[VOLATILITY] = interest, cost, volatility
    return columns


def unexplained_share(before: Floats, after: Floats, years: float) -> float:
    parts = attribute(before, after, np.full(len(STRIKES), years), NOT_IN_POINTS)
    left = after[PRICE] - before[PRICE] - parts.sum(axis=0)
    return float(np.abs(left).sum() / np.abs(parts).sum())


@pytest.mark.parametrize(
    ("after", "years", "most"),
    [
        (valuation(underlying=102.0), 0.0, 1e-4),
        (valuation(underlying=95.0, volatility=0.28), 0.0, 1e-3),
        (valuation(underlying=101.0, years=29 / 365, volatility=0.195), 1 / 365, 2e-3),
        (valuation(underlying=101.0, rate=0.032, carry=0.011), 0.0, 1e-3),
        (valuation(underlying=90.0, years=27 / 365, volatility=0.4), 3 / 365, 1e-2),
    ],
    ids=["move", "jump", "day", "rates", "crash over a weekend"],
)
def test_hardly_anything_is_left(after: Floats, years: float, most: float) -> None:
    assert unexplained_share(valuation(), after, years) < most


def test_less_is_left_than_by_the_greeks_of_the_first_end_or_of_the_middle() -> None:
    before, after = valuation(), valuation(underlying=95.0, volatility=0.28)
    spot, sigma, middle = -5.0, 0.08, (before + after) / 2
    taylor = (
        before[DELTA] * spot
        + before[GAMMA] * spot**2 / 2
        + before[VEGA] * sigma
        + before[VANNA] * spot * sigma
        + before[VOLGA] * sigma**2 / 2
    )
    trapezoid = middle[DELTA] * spot + middle[VEGA] * sigma
    ours = attribute(before, after, np.zeros(len(STRIKES)), NOT_IN_POINTS).sum(axis=0)
    left = [
        float(np.abs(after[PRICE] - before[PRICE] - explained).sum())
        for explained in (ours, trapezoid, taylor)
    ]
    assert 10 * left[0] < left[1] < left[2] / 2


@settings(max_examples=15, deadline=None)
@given(st.floats(-0.01, 0.01), st.floats(-0.005, 0.005), st.floats(0, 0.5))
def test_small_moves_leave_hardly_anything(move: float, sigma: float, days: float) -> None:
    before = valuation()
    after = valuation(100 * (1 + move), (30 - days) / 365, volatility=0.2 + sigma)
    parts = attribute(before, after, np.full(len(STRIKES), days / 365), NOT_IN_POINTS)
    left = np.abs(after[PRICE] - before[PRICE] - parts.sum(axis=0))
    assert left.sum() <= 2e-3 * np.abs(parts).sum() + 1e-9


def test_each_part_is_what_it_is_called() -> None:
    before = valuation()
    moved = attribute(before, valuation(underlying=101.0), np.zeros(len(STRIKES)), NOT_IN_POINTS)
    assert moved[DELTA_PART] == pytest.approx(before[DELTA] * 1.0)
    assert np.all(moved[GAMMA_PART] > 0)
    assert moved[VEGA_PART:, :] == pytest.approx(0.0, abs=1e-3)
    calm = attribute(
        before, valuation(years=29 / 365), np.full(len(STRIKES), 1 / 365), NOT_IN_POINTS
    )
    assert np.all(calm[THETA_PART] < 0)
    assert np.abs(np.delete(calm, THETA_PART, axis=0)).max() == 0.0
    wild = attribute(
        before, valuation(underlying=99.0, volatility=0.22), np.zeros(len(STRIKES)), NOT_IN_POINTS
    )
    assert wild[VEGA_PART] == pytest.approx(before[VEGA] * 0.02)
    assert wild[VANNA_PART, 0] > 0 > wild[VANNA_PART, -1]
    assert wild[VOLGA_PART, 0] > 0
    dearer = attribute(before, valuation(rate=0.031), np.zeros(len(STRIKES)), NOT_IN_POINTS)
    assert np.all(dearer[CARRY_PART] < 0)
    assert dearer[THETA_PART] == pytest.approx(0.0, abs=1e-12)


def test_in_vol_points_a_move_is_vega_and_its_square_volga() -> None:
    before, after = valuation(), valuation(underlying=101.0)
    still = np.zeros(len(STRIKES))
    plain = attribute(before, after, still, NOT_IN_POINTS)
    points = attribute(before, after, still, ~NOT_IN_POINTS)
    assert np.array_equal(points[VEGA_PART], plain[DELTA_PART] + plain[VEGA_PART])
    assert np.array_equal(points[VOLGA_PART], plain[GAMMA_PART] + plain[VOLGA_PART])
    assert not points[[DELTA_PART, GAMMA_PART]].any()


def test_what_is_linear_is_all_delta() -> None:
    before = np.zeros((COLUMNS, 1))
    before[DELTA], before[VOLATILITY] = 1.0, np.nan
    after = before.copy()
    after[PRICE] = after[UNDERLYING] = 3.0
    parts = attribute(before, after, np.array([0.1]), np.array([False]))
    assert parts[DELTA_PART] == 3.0
    assert parts.sum() == 3.0


def test_what_is_not_wanted_is_not_touched() -> None:
    parts = np.full((OF_THE_MARKET, len(STRIKES)), 7.0)
    still = np.zeros(len(STRIKES))
    attribute_into(valuation(), valuation(101.0), still, NOT_IN_POINTS, NOT_IN_POINTS, parts)
    assert np.all(parts == 7.0)
