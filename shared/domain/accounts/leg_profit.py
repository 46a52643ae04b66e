"""What one leg of a hedge is worth: vega and money of a unit, profit of a holding and of a trade.

A variance swap is accounted as `variance_swap` beside this says: struck at the last close,
re-struck at this one; a trade is struck at the market's level at the trade, marked at the close
that follows, and realizes variance from that close on. Everything else earns quantity ×
multiplier × change of its mark: for a VIX future contracts × 1000 × ΔF.
"""

from typing import Final, Literal

from shared.domain.accounts.variance_swap import rolled_profit, swap_value
from shared.domain.policies import BookPolicy, LegPolicy

Measure = Literal["vega", "delta"]
"""What a leg is held for, and so what its size is told and limited in.

Vega: currency per vol point. Delta: units of what it trades. An option has both, and is bought for
its vega; its delta is hedged with a leg that is measured by it.
"""

DELTA_INSTRUMENTS: Final = frozenset({"underlying", "future"})


def measure_of(leg: LegPolicy) -> Measure:
    """Return what a leg's size is told in."""
    return "delta" if leg.instrument in DELTA_INSTRUMENTS else "vega"


def unit_size(leg: LegPolicy) -> float:
    """Return the size of one unit of a leg in its measure.

    Raises:
        ValueError: An option without `vega_per_unit`.
    """
    return leg.multiplier if measure_of(leg) == "delta" else unit_vega(leg)


def point_value(leg: LegPolicy) -> float:
    """Return currency per point of price for one unit of the leg."""
    return 1.0 if leg.instrument == "variance_swap" else leg.multiplier


def unit_vega(leg: LegPolicy) -> float:
    """Return the vega notional of one unit of the leg, currency per vol point (spec 2).

    A variance swap's quantity *is* vega notional in our orders (its variance notional:
    `variance_swap` beside this), a VIX future's vega is its multiplier, a listed option's is
    multiplier × model vega. An underlying or a future of it has none.

    Raises:
        ValueError: An option without `vega_per_unit`.
    """
    if leg.instrument in {"variance_swap", "vix_future"}:
        return point_value(leg)
    if leg.instrument in DELTA_INSTRUMENTS:
        return 0.0
    if leg.vega_per_unit is None:
        raise ValueError(f"leg {leg.name}: the vega of one {leg.instrument} is not known")
    return leg.multiplier * leg.vega_per_unit


def static_quantities(policy: BookPolicy) -> dict[str, float]:
    """Return the base vega as a quantity by leg: split by weight, lots disregarded.

    Of a leg without vega 0: a book that does not stand still has no static twin.

    Raises:
        ValueError: An option leg without `vega_per_unit`.
    """
    legs = [leg for leg in policy.legs if measure_of(leg) == "vega"]
    total = sum(leg.weight for leg in legs)
    return dict.fromkeys((leg.name for leg in policy.legs), 0.0) | {
        leg.name: policy.sizing.base_vega * leg.weight / total / unit_vega(leg) for leg in legs
    }


def holding_profit(  # noqa: PLR0913 - each is one figure of the formula
    leg: LegPolicy, quantity: float, *, before: float, now: float, log_return: float, sessions: int
) -> float:
    """Return what a position earned from one close to another, in currency.

    Args:
        leg: Whose.
        quantity: Signed, in the leg's unit.
        before: Mark of its symbol at the earlier close.
        now: The same at the later one.
        log_return: Of the index between them.
        sessions: Between them; 1 from a session to the next.
    """
    if leg.instrument == "variance_swap":
        return rolled_profit(quantity, before, log_return, now, sessions)
    return quantity * leg.multiplier * (now - before)


def trade_profit(leg: LegPolicy, quantity: float, *, level: float, now: float) -> float:
    """Return what a trade made at the market's `level` earned to the close, cost apart."""
    if leg.instrument == "variance_swap":
        return swap_value(quantity, level, now)
    return quantity * leg.multiplier * (now - level)
