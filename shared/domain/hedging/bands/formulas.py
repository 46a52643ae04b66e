"""The formulas of spec section 11, each as printed there; pure scalars.

Symbols: λ one-way proportional cost, γ absolute risk aversion (per currency), S the underlying's
level, Γ the gamma held (units of the underlying a point, signed), σ volatility (decimal), τ years
left, r the continuously compounded rate. Half-widths are in units of the underlying. With absolute
risk aversion they hold for a whole book as for one option: Γ is then the book's.
"""

from math import cbrt, exp, pi, pow, sqrt  # noqa: A004 - of floats, a float
from typing import Final

NEAREST_YEARS: Final = 1 / 252
"""H0 grows without bound as the expiry comes near: it is capped at its value a session before."""


class BandRefused(ValueError):  # noqa: N818 - reads as what happened, like KeyError
    """The band has no answer here; the text says why."""


def leland_number(round_trip_cost: float, volatility: float, interval_years: float) -> float:
    """Return Le = √(2/π)·k/(σ√δt), k = 2λ (Leland 1985).

    Example:
        >>> round(leland_number(0.002, 0.2, 1 / 252), 6)
        0.12666
    """
    return sqrt(2 / pi) * round_trip_cost / (volatility * sqrt(interval_years))


def leland_volatility(volatility: float, number: float, *, is_long: bool) -> float:
    """Return σ̂: σ√(1 − Le) for long gamma, σ√(1 + Le) for short.

    Raises:
        BandRefused: Long with Le ≥ 1: at such costs and so short an interval there is no σ̂.
    """
    if is_long and number >= 1:
        raise BandRefused(f"Leland number {number:.6g} is not below 1 on the long side")
    return volatility * sqrt(1 - number if is_long else 1 + number)


def whalley_wilmott_half_width(  # noqa: PLR0913 - the formula's own figures
    *, cost: float, risk_aversion: float, level: float, gamma: float, years: float, rate: float
) -> float:
    """Return H = (3/2·e^(−rτ)·λ·S·Γ²/γ)^(1/3) (Whalley and Wilmott 1997).

    Not the variant with S²Γ²σ² that circulates: it fails the dimension check.
    """
    return cbrt(1.5 * exp(-rate * years) * cost * level * gamma**2 / risk_aversion)


def zakamouline_h0(
    *, cost: float, risk_aversion: float, level: float, volatility: float, years: float
) -> float:
    """Return H0 = λ/(γSσ²τ), the part of the band that needs no gamma; capped near expiry."""
    return cost / (risk_aversion * level * volatility**2 * max(years, NEAREST_YEARS))


def zakamouline_h1(  # noqa: PLR0913 - the formula's own figures
    *, cost: float, risk_aversion: float, gamma: float, volatility: float, years: float, rate: float
) -> float:
    """Return H1 = 1.12·λ^0.31·τ^0.05·(e^(−rτ)/σ)^0.25·(|Γ|/γ)^0.5 (Zakamouline 2006)."""
    discounted = pow(exp(-rate * years) / volatility, 0.25)
    return 1.12 * pow(cost, 0.31) * pow(years, 0.05) * discounted * sqrt(abs(gamma) / risk_aversion)


def zakamouline_k(  # noqa: PLR0913 - the formula's own figures
    *,
    cost: float,
    risk_aversion: float,
    level: float,
    gamma: float,
    volatility: float,
    years: float,
    rate: float,
) -> float:
    """Return K = −4.76·λ^0.78/τ^0.02·(e^(−rτ)/σ)^0.25·(γS²|Γ|)^0.15, at most 0."""
    discounted = pow(exp(-rate * years) / volatility, 0.25)
    aversion = pow(risk_aversion * level**2 * abs(gamma), 0.15)
    return -4.76 * pow(cost, 0.78) / pow(years, 0.02) * discounted * aversion


def zakamouline_volatility(volatility: float, k: float, *, is_long: bool) -> float:
    """Return σ_m: σ√(1 + K) for long gamma, σ√(1 − K) for short.

    Raises:
        BandRefused: 1 + K ≤ 0: costs beyond what the approximation was fitted for.
    """
    if 1 + k <= 0:
        raise BandRefused(f"Zakamouline's 1 + K = {1 + k:.6g} is not above 0")
    return volatility * sqrt(1 + k if is_long else 1 - k)


def derman_kamal_error(vega: float, volatility: float, rebalances: int) -> float:
    """Return the standard deviation of N rebalances' hedging error: √(π/4)·vega·σ/√N.

    Args:
        vega: Currency per 1.00 of volatility.
        volatility: Decimal.
        rebalances: N, at least 1.
    """
    return sqrt(pi / 4) * vega * volatility / sqrt(rebalances)
