"""Scenarios: full revaluation elsewhere, against the same formula by hand."""

import numpy as np
import pytest
from fakes.exposures import NOW, SWAP, VX, columns, index, market, option

from shared.domain.exposure.aggregate import Portfolio
from shared.domain.exposure.policy import ExposurePolicy, Shock
from shared.domain.exposure.revaluation import Revaluation
from shared.domain.exposure.risk import RiskDesk
from shared.domain.exposure.row_values import PRICE
from shared.domain.exposure.scenarios import GRID, STRESS_DAYS, Scenarios
from shared.domain.exposure.terms import Floats, Terms
from shared.domain.instants import DAY

ROWS = [option("call", 100.0), option("put", 95.0, expiry_ns=NOW + 120 * DAY), index(), VX, SWAP[0]]
HELD = [("a", 0, 2.0), ("a", 1, -1.0), ("b", 2, 10.0), ("b", 3, 1.0), ("b", 4, 500.0)]


def world(level: float = 100.0) -> tuple[Terms, Revaluation, Portfolio]:
    terms = Terms(("VX",))
    terms.extend(ROWS)
    revaluation = Revaluation(terms)
    revaluation.wanted[:] = True
    seen = market(len(ROWS), level=level)
    for row in (3, 4):
        seen.underlying[row] = seen.level[row] = 20.0
    revaluation.refresh(seen, NOW, everything=True)
    return terms, revaluation, Portfolio(terms, columns(HELD), NOW)


def profits(*shocks: Shock, by_tenor: bool = False, beta: float = 1.0) -> Floats:
    terms, revaluation, portfolio = world()
    scenarios = Scenarios(terms, np.full(len(terms), beta), NOW)
    return scenarios.profits(
        portfolio, shocks, revaluation.values, revaluation.inputs, by_tenor=by_tenor
    )


def revalued(level: float, *points: float) -> Floats:
    """Prices of the two options at a level, each with its volatility moved by points."""
    terms = Terms()
    terms.extend(ROWS[:2])
    there = Revaluation(terms)
    there.wanted[:] = True
    seen = market(2, level=level)
    seen.volatility[:] = 0.2 + np.array(points) / 100
    there.refresh(seen, NOW, everything=True)
    prices: Floats = there.values[PRICE]
    return prices


def test_nothing_moves_nothing_is_earned() -> None:
    assert profits(Shock(0.0, 0.0)).tolist() == [[0.0, 0.0]]


def test_options_are_valued_in_full_where_the_shock_puts_them() -> None:
    now, there = revalued(100.0, 0, 0), revalued(90.0, 10, 10)
    earned = profits(Shock(-0.1, 10.0))
    assert earned[0, 0] == pytest.approx(100 * ((there - now) @ [2.0, -1.0]))


def test_an_underlying_moves_by_its_beta() -> None:
    now, there = revalued(100.0, 0, 0), revalued(95.0, 0, 0)
    earned = profits(Shock(-0.1, 0.0), beta=0.5)
    assert earned[0, 0] == pytest.approx(100 * ((there - now) @ [2.0, -1.0]))


def test_points_of_30_days_move_longer_volatilities_less() -> None:
    now, there = revalued(100.0, 0, 0), revalued(100.0, 10, 10 * np.sqrt(30 / 120))
    earned = profits(Shock(0.0, 10.0), by_tenor=True)
    assert earned[0, 0] == pytest.approx(100 * ((there - now) @ [2.0, -1.0]))


def test_what_is_in_points_sees_points_alone() -> None:
    swap = 500 * (30**2 - 20**2) / 40
    assert profits(Shock(-0.1, 10.0))[0, 1] == pytest.approx(10 * -10 + 1000 * 10 + swap)
    assert profits(Shock(0.0, -40.0))[0, 1] == pytest.approx(
        1000 * -19 + 500 * (1**2 - 20**2) / 40  # not below one point
    )


def test_volatility_does_not_fall_below_one_percent() -> None:
    now, there = revalued(100.0, 0, 0), revalued(100.0, -19, -19)
    assert profits(Shock(0.0, -40.0))[0, 0] == pytest.approx(100 * ((there - now) @ [2.0, -1.0]))


def test_what_has_no_value_earns_nothing_anywhere() -> None:
    terms, revaluation, portfolio = world(level=np.nan)
    scenarios = Scenarios(terms, np.ones(len(terms)), NOW)
    earned = scenarios.profits(portfolio, GRID, revaluation.values, revaluation.inputs)
    assert (earned[:, 0] == 0).all()


def test_the_stress_days_are_what_happened() -> None:
    assert {day: round(shock.spot, 4) for day, shock in STRESS_DAYS.items()} == {
        "1987-10-19": -0.2047,
        "2008-10": -0.1694,
        "2018-02-05": -0.041,
        "2020-03-16": -0.1198,
    }
    assert {day: round(shock.volatility, 2) for day, shock in STRESS_DAYS.items()} == {
        "1987-10-19": 113.82,
        "2008-10": 20.5,
        "2018-02-05": 20.01,
        "2020-03-16": 24.86,
    }
    assert len(GRID) == 42


def test_the_worst_is_the_worst_of_grid_and_days() -> None:
    terms, revaluation, portfolio = world()
    desk = RiskDesk(ExposurePolicy(), ())
    beta = np.ones(len(terms))
    risks = desk.risks(terms, portfolio, revaluation.values, revaluation.inputs, beta, NOW)
    for risk in risks.values():
        cells = (*risk.grid, *risk.stress)
        assert risk.worst.profit == min(cell.profit for cell in cells)
        assert len(cells) == 46
        assert risk.shortfall is None
    assert risks["a"].grid[0].name == "spot -30% volatility -10"
