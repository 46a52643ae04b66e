"""Each estimator against numpy, at every print of a random history."""

from typing import get_args

import msgspec
import numpy as np
import pytest

from shared.domain.instants import MINUTE
from shared.domain.market.statistics.realized_volatility import RealizedVolatility
from shared.domain.market.statistics.session_moves import SessionMovesState
from shared.domain.policies import Estimator, RealizedVolatilityPolicy

ESTIMATORS = get_args(Estimator)
PRINTS_A_DAY = 6


def history(days: int, seed: int = 1) -> np.ndarray:
    """Levels, shape `(days, PRINTS_A_DAY)`, one print every five minutes."""
    random = np.random.default_rng(seed)
    return 100 * np.exp(np.cumsum(random.normal(0.0005, 0.01, days * PRINTS_A_DAY))).reshape(
        days, -1
    )


def expected(kind: Estimator, days: list[np.ndarray], n: int) -> float:
    """The textbook's formula over the last `n` sessions of `days`."""
    window = days[-n:]
    before = np.array([day[-1] for day in days[-n - 1 : -1]])
    opens, closes = (np.array([day[i] for day in window]) for i in (0, -1))
    highs, lows = (np.array([edge(day) for day in window]) for edge in (np.max, np.min))
    returns, overnight = np.log(closes / before), np.log(opens / before)
    match kind:
        case "zero_mean":
            variance = np.mean(returns**2)
        case "demeaned":
            variance = np.var(returns, ddof=1)
        case "ewma":
            weights = 0.94 ** np.arange(n)[::-1]
            variance = np.sum(weights * returns**2) * (1 - 0.94) / (1 - 0.94**n)
        case "intraday":
            inside = sum(np.sum(np.diff(np.log(day)) ** 2) for day in window)
            variance = (np.sum(overnight**2) + inside) / n
        case "parkinson":
            variance = np.mean(np.log(highs / lows) ** 2) / (4 * np.log(2))
        case _:
            c, u, d = (np.log(levels / opens) for levels in (closes, highs, lows))
            k = 0.34 / (1.34 + (n + 1) / (n - 1))
            satchell = np.mean(u * (u - c) + d * (d - c))
            variance = np.var(overnight, ddof=1) + k * np.var(c, ddof=1) + (1 - k) * satchell
    return float(np.sqrt(252 * variance))


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_the_estimator_is_its_formula_at_every_print(kind: Estimator) -> None:
    volatility = RealizedVolatility(RealizedVolatilityPolicy(estimator=kind))
    days = history(45)
    seen: list[np.ndarray] = []
    for day in days:
        for i, level in enumerate(day):
            volatility.observe(float(level), int(i == 0), i * 5 * MINUTE)
            sofar = [*seen, day[: i + 1]]
            if len(sofar) <= 20:
                assert volatility.value is None
                assert volatility.have == len(sofar) - 1
            else:
                assert volatility.value == pytest.approx(expected(kind, sofar, 20), rel=1e-10)
                assert volatility.have == volatility.need == 20
            if len(seen) > 20:
                assert volatility.completed_value == pytest.approx(expected(kind, seen, 20))
        seen.append(day)


def test_a_move_of_one_percent_a_day_is_sixteen_percent_a_year() -> None:
    volatility = RealizedVolatility(RealizedVolatilityPolicy())
    for day in range(21):
        volatility.observe(100.0 * np.exp(0.01 * (day % 2)), int(day > 0), 0)
    assert volatility.value == pytest.approx(0.01 * np.sqrt(252))


def test_after_a_missing_day_the_completed_sessions_stand_alone() -> None:
    volatility = RealizedVolatility(RealizedVolatilityPolicy())
    for day in history(30)[:, -1]:
        volatility.observe(float(day), 1, 0)
    volatility.observe(500.0, 2, 0)  # the day before had no print: its jump is not a day's return
    assert volatility.live_return is None
    assert volatility.value == volatility.completed_value
    assert volatility.have == volatility.completed == 20


def test_a_level_that_never_moves_has_no_volatility() -> None:
    for kind in ESTIMATORS:
        volatility = RealizedVolatility(RealizedVolatilityPolicy(estimator=kind))
        for _ in range(30):
            volatility.observe(100.0, 1, 0)
        assert volatility.value == 0


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_restart_at_any_print_changes_nothing(kind: Estimator) -> None:
    policy = RealizedVolatilityPolicy(estimator=kind, returns=4)
    going, days = RealizedVolatility(policy), history(12, seed=2)
    resumed = RealizedVolatility(policy)
    for day in days:
        for i, level in enumerate(day):
            for volatility in (going, resumed):
                volatility.observe(float(level), int(i == 0), i * 5 * MINUTE)
            state = msgspec.msgpack.encode(resumed.snapshot())
            resumed = RealizedVolatility(
                policy, msgspec.msgpack.decode(state, type=SessionMovesState)
            )
            assert (resumed.value, resumed.completed_value) == (going.value, going.completed_value)


def test_one_return_is_too_few() -> None:
    with pytest.raises(ValueError, match="two returns"):
        RealizedVolatility(RealizedVolatilityPolicy(returns=1))
