"""Sessions of a study, made up or from the history that `arch` carries."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from arch.data import sp500
from numpy.typing import ArrayLike

from shared.domain.study.daily import DailyRows

DAY_NS = 86_400 * 10**9


def study_rows(
    nav: Sequence[float], *, first: str = "2020-01-01", **columns: ArrayLike
) -> DailyRows:
    """One session a calendar day from `first` on; a column not given is zero, or not known."""
    count = len(nav)
    day = np.datetime64(first, "D") + np.arange(count)
    given = {
        "day": day,
        "close_ns": day.astype(np.int64) * DAY_NS + 21 * 3600 * 10**9,
        "nav": np.asarray(nav, dtype=float),
        "carry": np.zeros(count),
        "cost": np.zeros(count),
        "static_profit": np.zeros(count),
        "turnover_vega": np.zeros(count),
        "trades": np.zeros(count, dtype=np.int64),
        "multiplier": np.full(count, np.nan),
        "at_floor": np.zeros(count, dtype=bool),
        "at_cap": np.zeros(count, dtype=bool),
        "regime": np.full(count, "low"),
    }
    return DailyRows(**given | {name: np.asarray(values) for name, values in columns.items()})


@cache
def index_rows(seed: int = 1) -> DailyRows:
    """The S&P 500, 1999 to 2018, with a made-up hedge that earns when the index falls."""
    closes = sp500.load()["Close"]
    nav = closes.to_numpy() * 1000.0
    days = closes.index.to_numpy().astype("datetime64[D]")
    moves = np.concatenate([[0.0], np.diff(nav)])
    rng = np.random.default_rng(seed)
    multiplier = np.clip(rng.normal(1.0, 0.5, len(nav)), 0.2, 2.0)
    static = np.where(moves < 0, -0.3 * moves, -0.25 * moves) - 20.0
    return study_rows(
        nav.tolist(),
        day=days,
        close_ns=days.astype(np.int64) * DAY_NS + 21 * 3600 * 10**9,
        carry=multiplier * static,
        cost=rng.uniform(0, 30, len(nav)),
        static_profit=static,
        turnover_vega=rng.uniform(0, 100, len(nav)),
        trades=rng.integers(0, 3, len(nav)),
        multiplier=multiplier,
        at_floor=multiplier == 0.2,
        at_cap=multiplier == 2.0,
        regime=rng.choice(["low", "medium", "high"], len(nav)),
    )
