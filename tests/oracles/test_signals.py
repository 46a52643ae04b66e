"""Rolling signals against pandas, at every session of 2014 to 2018."""

import math
from functools import cache
from typing import Final

import numpy as np
import pandas as pd
import pytest
from fakes.studied import calendar, closes_table, demo_settings, steps
from numpy.typing import NDArray

from shared.domain.signals_observed import SignalsObserved
from shared.domain.study.market import StudyMarket

SMOOTHED, PERCENTILE, RETURNS, HEDGE_RETURNS = 5, 504, 20, 60
NAV = 50_000_000.0

EVERYTHING: Final = {
    "[signals.smoothing]": '[signals.correlation]\nbasket = ["SPX", "VIX"]\n[signals.smoothing]',
    'rule = "option_a"': 'rule = "veqtor_like"',
}
"""The demo's configuration, with a basket, and a rule that asks for what is not always told."""


@cache
def observed() -> pd.DataFrame:
    """Every signal at every close, NaN while it is not good."""
    settings = demo_settings(EVERYTHING)
    market, rows = StudyMarket(settings.intake, settings.signals, calendar()), []
    for step in steps(closes=True):
        last = market.take(step.ticks, step.clock).observed[-1]
        assert isinstance(last, SignalsObserved)
        if step.ticks:
            rows.append({name: _value(last, name) for name in last.signals})
    return pd.DataFrame(rows, index=closes_table().index)


def _value(seen: SignalsObserved, name: str) -> float:
    signal = seen.signals[name]
    return signal.value if signal.is_good and signal.value is not None else math.nan


@cache
def in_pandas() -> pd.DataFrame:
    """The same from closes alone."""
    table = closes_table()
    spx, vix = table["SPX"], table["VIX"]
    returns = pd.DataFrame({"SPX": spx, "VIX": vix}).pct_change().map(math.log1p)
    # not `mean`: its running sums round, and two equal averages would no longer tie in the rank
    smooth = vix.rolling(SMOOTHED + 1).apply(math.fsum, raw=True) / (SMOOTHED + 1)
    apart = vix.rolling(5).mean() - vix.rolling(20).mean()
    days = (apart / apart.abs()).rolling(10).sum()  # the sign; NaN would be a tie, and is none
    portfolio = NAV * spx / spx.iloc[0]
    return pd.DataFrame(
        {
            "vix": vix,
            "vix_smooth": smooth,
            "vix_percentile": smooth.rolling(PERCENTILE + 1).apply(_rank, raw=True),
            "vix_trend": (days / 10).where(days.abs() == 10, 0.0).where(days.notna()),
            "index_return": spx.pct_change(),
            "index_return_5d": spx.pct_change(5),
            "rv": (252 / RETURNS * (returns["SPX"] ** 2).rolling(RETURNS).sum()) ** 0.5,
            "correlation": returns["SPX"].rolling(RETURNS).corr(returns["VIX"]),
            "hedge_correlation.overlay": returns["SPX"].rolling(HEDGE_RETURNS).corr(returns["VIX"]),
            "nav.overlay": portfolio,
            "drawdown.overlay": portfolio / portfolio.cummax() - 1,
        }
    )


def _rank(values: NDArray[np.float64]) -> float:
    """Share of all but the last that the last is above, ties half."""
    closes, live = values[:-1], values[-1]
    return float((np.sum(closes < live) + np.sum(closes <= live)) / (2 * len(closes)))


@pytest.mark.parametrize("name", list(in_pandas().columns))
def test_a_signal_is_that_of_pandas_at_every_close(name: str) -> None:
    expected, found = in_pandas()[name], observed()[name]
    assert found.notna().sum() > 700
    pd.testing.assert_series_equal(found, expected, rtol=1e-9, atol=1e-12, check_names=False)
