"""The band policies: where the net delta may lie now, and the trade to the edge of it (spec 11)."""

from math import copysign, inf, isfinite

from msgspec import Struct

from shared.domain.hedging.bands.formulas import (
    BandRefused,
    leland_number,
    leland_volatility,
    whalley_wilmott_half_width,
    zakamouline_h0,
    zakamouline_h1,
    zakamouline_k,
    zakamouline_volatility,
)
from shared.domain.strategy_policies import BandKind, BandPolicy


class Situation(Struct, frozen=True, kw_only=True):
    """What a band is made from: the exposure of a book to one underlying, hedge aside.

    Attributes:
        level: Of the underlying, above 0.
        gamma: Units of the underlying a point of it, signed; its sign says long or short.
        volatility: At the money, decimal.
        years: Left to expiry.
        vanna: Change of delta for 1.00 of volatility, units; 0 where unknown, and then no band
            is moved by a volatility of its own.
    """

    level: float
    gamma: float
    volatility: float
    years: float
    vanna: float = 0.0


class Band(Struct, frozen=True):
    """Where the net delta may lie: within `half_width` of the target less `shift`.

    Attributes:
        half_width: Units of the underlying, ≥ 0.
        shift: Delta at the band's own volatility (Leland's σ̂, Zakamouline's σ_m) less the
            measured one, to first order: vanna × (σ_m − σ).
    """

    half_width: float
    shift: float = 0.0


def check_band(policy: BandPolicy) -> None:
    """Refuse numbers that no band can use.

    Raises:
        ValueError: With what is wrong.
    """
    width = policy.half_width
    problems = {
        "half_width must be finite and not negative": width is not None and not 0 <= width < inf,
        "the band fixed needs half_width": policy.kind == "fixed" and width is None,
        "interval must last some time": not policy.interval_trading_ns > 0,
        "a year must have trading time": not policy.trading_year_ns > 0,
        "proportional_cost must lie in 0..1": not 0 <= policy.proportional_cost < 1,
        "order_cost must be finite and not negative": not 0 <= policy.order_cost < inf,
        "risk_aversion must be finite and above 0": not 0 < policy.risk_aversion < inf,
        "rate must be finite": not isfinite(policy.rate),
    }
    for problem, wrong in problems.items():
        if wrong:
            raise ValueError(problem)


def is_timed(kind: BandKind) -> bool:
    """Whether a band is adjusted at intervals, to its centre: it has no width."""
    return kind in {"time", "leland"}


def band_of(kind: BandKind, policy: BandPolicy, situation: Situation) -> Band:
    """Return a band of a kind.

    Raises:
        BandRefused: It has no answer here; the text says why.
    """
    if kind == "fixed" and policy.half_width is None:
        raise BandRefused("no half_width is configured")
    if kind == "time":
        return Band(0.0)
    if kind == "fixed" and policy.half_width is not None:
        return Band(policy.half_width)
    _check(situation)
    try:
        band = _MAKERS[kind](policy, situation)
    except ArithmeticError:
        band = Band(inf)
    if not (isfinite(band.half_width) and isfinite(band.shift)):
        raise BandRefused(f"{kind} is not finite at {situation}")
    return band


def edge_trade(net_delta: float, target: float, band: Band) -> float:
    """Return the signed change of delta that brings the net to the nearest edge of its band.

    Not to its centre: beyond the edge the cost of trading is more than the risk is worth.

    Example:
        >>> edge_trade(650.0, 0.0, Band(50.0))
        -600.0
    """
    away = net_delta + band.shift - target
    excess = abs(away) - band.half_width
    return -copysign(excess, away) if excess > 0 else 0.0


def _check(situation: Situation) -> None:
    for name in ("level", "volatility", "years"):
        value = getattr(situation, name)
        if not (isfinite(value) and value > 0):
            raise BandRefused(f"{name} {value:.6g} is not above 0")
    for name in ("gamma", "vanna"):
        if not isfinite(getattr(situation, name)):
            raise BandRefused(f"{name} is not finite")


def _leland(policy: BandPolicy, situation: Situation) -> Band:
    volatility = situation.volatility
    number = leland_number(2 * policy.proportional_cost, volatility, policy.interval_years)
    own = leland_volatility(volatility, number, is_long=situation.gamma > 0)
    return Band(0.0, situation.vanna * (own - volatility))


def _whalley_wilmott(policy: BandPolicy, situation: Situation) -> Band:
    return Band(
        whalley_wilmott_half_width(
            cost=policy.proportional_cost,
            risk_aversion=policy.risk_aversion,
            level=situation.level,
            gamma=situation.gamma,
            years=situation.years,
            rate=policy.rate,
        )
    )


def _zakamouline(policy: BandPolicy, situation: Situation) -> Band:
    cost, aversion, rate = policy.proportional_cost, policy.risk_aversion, policy.rate
    level, gamma = situation.level, situation.gamma
    volatility, years = situation.volatility, situation.years
    h0 = zakamouline_h0(
        cost=cost, risk_aversion=aversion, level=level, volatility=volatility, years=years
    )
    h1 = zakamouline_h1(
        cost=cost,
        risk_aversion=aversion,
        gamma=gamma,
        volatility=volatility,
        years=years,
        rate=rate,
    )
    k = zakamouline_k(
        cost=cost,
        risk_aversion=aversion,
        level=level,
        gamma=gamma,
        volatility=volatility,
        years=years,
        rate=rate,
    )
    own = zakamouline_volatility(volatility, k, is_long=gamma > 0)
    return Band(h0 + h1, situation.vanna * (own - volatility))


_MAKERS = {
    "leland": _leland,
    "whalley_wilmott": _whalley_wilmott,
    "zakamouline": _zakamouline,
}
