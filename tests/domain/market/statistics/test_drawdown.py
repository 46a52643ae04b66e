"""Portfolio value and drawdown."""

import msgspec
import numpy as np
import pytest

from shared.domain.market.statistics.drawdown import PortfolioState, PortfolioValue
from shared.domain.policies import PortfolioPolicy

POLICY = PortfolioPolicy(book="fund", value=1_000.0, weights={"SPX": 0.6, "NDX": 0.3})


def test_a_tenth_down_in_sixty_percent_of_the_portfolio_is_six_percent() -> None:
    portfolio = PortfolioValue(POLICY)
    portfolio.observe("SPX", 100.0)
    assert (portfolio.value, portfolio.drawdown, portfolio.have) == (None, None, 1)
    portfolio.observe("NDX", 50.0)
    assert (portfolio.value, portfolio.drawdown, portfolio.have) == (1_000.0, 0.0, 2)
    portfolio.observe("SPX", 90.0)
    assert portfolio.value == pytest.approx(940.0)
    assert portfolio.drawdown == pytest.approx(-0.06)


def test_it_is_bought_at_the_first_instant_when_all_have_printed() -> None:
    portfolio = PortfolioValue(POLICY)
    for symbol, level in (("SPX", 100.0), ("SPX", 200.0), ("NDX", 50.0), ("NDX", 55.0)):
        portfolio.observe(symbol, level)
    assert portfolio.value == pytest.approx(1_030.0)  # NDX +10% of 0.3; cash stays


def test_the_drawdown_is_the_fall_from_the_running_peak_at_every_prefix() -> None:
    portfolio = PortfolioValue(PortfolioPolicy(book="fund", value=100.0, weights={"SPX": 1.0}))
    levels = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.02, 300)))
    peaks = np.maximum.accumulate(levels)
    for level, peak in zip(levels, peaks, strict=True):
        portfolio.observe("SPX", level)
        assert portfolio.drawdown == pytest.approx(level / peak - 1, abs=1e-12)
        assert (portfolio.drawdown or 0.0) <= 0


def test_a_restart_changes_nothing_and_another_portfolio_starts_anew() -> None:
    going, resumed = PortfolioValue(POLICY), PortfolioValue(POLICY)
    for level in (100.0, 120.0, 90.0):
        for symbol in POLICY.weights:
            going.observe(symbol, level)
            resumed.observe(symbol, level)
            state = msgspec.msgpack.encode(resumed.snapshot())
            resumed = PortfolioValue(POLICY, msgspec.msgpack.decode(state, type=PortfolioState))
            assert (resumed.value, resumed.drawdown) == (going.value, going.drawdown)
    other = PortfolioPolicy(book="fund", value=1_000.0, weights={"SPX": 0.5})
    assert PortfolioValue(other, going.snapshot()).value is None


@pytest.mark.parametrize("weights", [{}, {"SPX": -0.1}, {"SPX": 0.7, "NDX": 0.4}])
def test_weights_that_are_no_portfolio_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weights of fund"):
        PortfolioValue(PortfolioPolicy(book="fund", value=1.0, weights=weights))
