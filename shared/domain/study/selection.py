"""The best of many is better than it is: Sharpe ratios deflated by the number of trials.

Sources: D. Bailey, M. López de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk 15
(2012): probabilistic Sharpe ratio; the same, "The Deflated Sharpe Ratio", Journal of Portfolio
Management 40 (2014).

Ratios are *per session* unless a name says `annual`; kurtosis is 3 for a normal distribution.
Trials are taken as independent. Neighbours in a sweep are not: the deflation then asks for too
much rather than too little.
"""

from collections.abc import Sequence
from math import e, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.accounts.variance_swap import SESSIONS_PER_YEAR

NORMAL: Final = NormalDist()
EULER: Final = 0.5772156649015329
"""The Euler-Mascheroni constant."""


class Selection(Struct, frozen=True, kw_only=True):
    """The chosen variant's Sharpe ratio in the light of all that were tried.

    Attributes:
        trials: Variants tried, the chosen one included.
        annual_sharpe: As measured, √252 times the ratio per session.
        annual_expected_maximum: Of the best of as many trials without any skill.
        probabilistic: Probability that the true ratio is above 0, were this the only trial.
        deflated: Probability that it is above that of the best of trials without skill.
        skewness: Of the session returns.
        kurtosis: Of the session returns, 3 for a normal distribution.
        years: Of the backtest, 252 sessions each.
        warning: A sentence, when the number of trials explains the ratio; `None` when not.
    """

    trials: int
    annual_sharpe: float
    annual_expected_maximum: float
    probabilistic: float
    deflated: float
    skewness: float
    kurtosis: float
    years: float
    warning: str | None


def judge_selection(
    returns: NDArray[np.float64],
    *,
    trials: int,
    annual_sharpes: Sequence[float] = (),
    confidence: float = 0.95,
) -> Selection:
    """Return what is left of a Sharpe ratio when all trials are counted.

    Args:
        returns: Of the chosen variant, one a session, (n,).
        trials: Variants tried, also those that were thrown away.
        annual_sharpes: Of the variants of which it is known; their deviation is that of the
            trials. With fewer than two it is that of no skill, 1/√n per session.
        confidence: Under which a warning is given.

    Raises:
        ValueError: Fewer than two returns, returns without deviation, or no trial.
    """
    if len(returns) < 2 or not np.ptp(returns):  # noqa: PLR2004 - what a deviation needs
        raise ValueError("returns without deviation have no Sharpe ratio")
    count = len(returns)
    centred = returns - np.mean(returns)
    spread = float(np.std(returns))
    skewness = float(np.mean(centred**3)) / spread**3
    kurtosis = float(np.mean(centred**4)) / spread**4
    ratio = float(np.mean(returns) / np.std(returns, ddof=1))
    known = len(annual_sharpes) > 1
    deviation = (
        float(np.std(annual_sharpes, ddof=1)) / sqrt(SESSIONS_PER_YEAR)
        if known
        else 1.0 / sqrt(count)
    )
    benchmark = expected_maximum_sharpe(trials, deviation)
    deflated = probabilistic_sharpe(
        ratio, count, benchmark=benchmark, skewness=skewness, kurtosis=kurtosis
    )
    annual = ratio * sqrt(SESSIONS_PER_YEAR)
    annual_benchmark = benchmark * sqrt(SESSIONS_PER_YEAR)
    return Selection(
        trials=trials,
        annual_sharpe=annual,
        annual_expected_maximum=annual_benchmark,
        probabilistic=probabilistic_sharpe(ratio, count, skewness=skewness, kurtosis=kurtosis),
        deflated=deflated,
        skewness=skewness,
        kurtosis=kurtosis,
        years=count / SESSIONS_PER_YEAR,
        warning=_warning(trials, annual, annual_benchmark, deflated, confidence),
    )


def probabilistic_sharpe(
    sharpe: float,
    observations: int,
    *,
    benchmark: float = 0.0,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
) -> float:
    """Return the probability that the true ratio is above `benchmark`.

    Φ((SR − SR*)·√(n − 1) / √(1 − γ₃·SR + (γ₄ − 1)/4·SR²)).

    Args:
        sharpe: Measured, per observation.
        observations: n ≥ 2.
        benchmark: SR*, per observation.
        skewness: γ₃ of the returns.
        kurtosis: γ₄ of the returns, 3 for a normal distribution.

    Raises:
        ValueError: Too few observations, or moments that no sample with this ratio has.
    """
    if observations < 2:  # noqa: PLR2004 - what a deviation needs
        raise ValueError(f"a Sharpe ratio needs at least 2 observations, not {observations}")
    deviation = _deviation(sharpe, skewness, kurtosis)
    return NORMAL.cdf((sharpe - benchmark) * sqrt(observations - 1) / deviation)


def expected_maximum_sharpe(trials: int, deviation: float = 1.0) -> float:
    """Return the ratio expected of the best of `trials` without skill.

    σ·((1 − γ)·Φ⁻¹(1 − 1/N) + γ·Φ⁻¹(1 − 1/(N·e))), γ the Euler-Mascheroni constant: the mean of
    the extreme value distribution that the maximum of N normal variables tends to. 0 for one.

    Args:
        trials: N ≥ 1.
        deviation: σ of the trials' ratios; the result has its unit.

    Raises:
        ValueError: No trial.
    """
    if trials < 1:
        raise ValueError(f"at least one variant was tried, not {trials}")
    if trials == 1:
        return 0.0
    usual = NORMAL.inv_cdf(1.0 - 1.0 / trials)
    extreme = NORMAL.inv_cdf(1.0 - 1.0 / (trials * e))
    return deviation * ((1.0 - EULER) * usual + EULER * extreme)


def _deviation(sharpe: float, skewness: float, kurtosis: float) -> float:
    variance = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2
    if variance <= 0:
        raise ValueError(f"no returns have skewness {skewness} and kurtosis {kurtosis}")
    return sqrt(variance)


def _warning(
    trials: int, annual: float, annual_benchmark: float, deflated: float, confidence: float
) -> str | None:
    if trials == 1 or deflated >= confidence:
        return None
    return (
        f"{trials} variants were tried: the best of as many without any skill would show a Sharpe "
        f"ratio of {annual_benchmark:.2f}, this one shows {annual:.2f}. The probability that it is "
        f"better than luck is {deflated:.0%}, under {confidence:.0%}."
    )
