"""Expected shortfall: against a plain simulation of every day."""

import numpy as np
import pytest
from fakes.exposures import NOW, columns, market, option

from shared.domain.exposure.aggregate import Portfolio
from shared.domain.exposure.policy import ExposurePolicy, Shock
from shared.domain.exposure.revaluation import Revaluation
from shared.domain.exposure.risk import RiskDesk
from shared.domain.exposure.scenarios import Scenarios
from shared.domain.exposure.shortfall import (
    LEAST_DAYS,
    Close,
    candidates,
    daily_shocks,
    expected_shortfall,
)
from shared.domain.exposure.terms import Terms


def test_a_shock_is_what_happened_from_one_close_to_the_next() -> None:
    closes = [Close(100.0, 20.0), Close(95.0, 26.0), Close(95.0, 24.0)]
    assert daily_shocks(closes) == (Shock(95.0 / 100.0 - 1.0, 6.0), Shock(0.0, -2.0))
    assert daily_shocks(closes[:1]) == ()


@pytest.mark.parametrize(
    ("profits", "days", "expected"),
    [
        ([-10.0, -20.0, -30.0, 5.0], 80, 25.0),  # two days of 80
        ([-10.0, -20.0, -30.0, 5.0], 100, (30 + 20 + 0.5 * 10) / 2.5),  # two and a half
        ([-10.0, -20.0], 80, 15.0),
        ([5.0, 6.0, 7.0], 40, 0.0),  # no loss
    ],
)
def test_it_is_the_mean_of_the_worst(profits: list[float], days: int, expected: float) -> None:
    found = expected_shortfall(np.array(profits), 0.975, days)
    assert found == pytest.approx(expected)


def test_candidates_hold_the_worst_days_of_every_book() -> None:
    estimates = np.column_stack((np.arange(400.0), -np.arange(400.0)))
    found = set(candidates(estimates, 0.975).tolist())
    assert {*range(10), *range(390, 400)} <= found
    assert len(found) < 80


def test_it_equals_the_revaluation_of_every_single_day() -> None:
    generator = np.random.default_rng(7)
    days = LEAST_DAYS
    spot = generator.standard_t(4, days) * 0.01
    points = -80 * spot + generator.normal(0, 1, days)
    history = [Shock(float(s), float(p)) for s, p in zip(spot, points, strict=True)]
    terms = Terms()
    terms.extend([option("call", 110.0), option("put", 90.0)])
    revaluation = Revaluation(terms)
    revaluation.wanted[:] = True
    revaluation.refresh(market(2, level=100.0), NOW, everything=True)
    held = columns([("a", 0, -5.0), ("a", 1, -8.0), ("b", 1, 3.0)])
    portfolio = Portfolio(terms, held, NOW)
    beta = np.ones(2)
    desk = RiskDesk(ExposurePolicy(), history)
    risks = desk.risks(terms, portfolio, revaluation.values, revaluation.inputs, beta, NOW)
    every = Scenarios(terms, beta, NOW).profits(
        portfolio, history, revaluation.values, revaluation.inputs, by_tenor=True
    )
    for number, book in enumerate(("a", "b")):
        worst = np.sort(every[:, number])[:7]
        weights = np.array([1.0] * 6 + [0.25])
        assert risks[book].shortfall == pytest.approx(-(worst @ weights) / 6.25)
        assert risks[book].shortfall_days == days
