"""What one leg of a hedge is worth: vega and money of a unit, profit of a holding and of a trade.

A variance swap is accounted as `variance_swap` beside this says: struck at the last close,
re-struck at this one; a trade is struck at the market's level at the trade, marked at the close
that follows, and realizes variance from that close on. Everything else earns quantity ×
multiplier × change of its mark: for a VIX future contracts × 1000 × ΔF.
"""

from shared.domain.accounts.variance_swap import rolled_profit, swap_value
from shared.domain.policies import BookPolicy, LegPolicy


def point_value(leg: LegPolicy) -> float:
    """Return currency per point of price for one unit of the leg."""
    return 1.0 if leg.instrument == "variance_swap" else leg.multiplier


def unit_vega(leg: LegPolicy) -> float:
    """Return the vega notional of one unit of the leg, currency per vol point (spec 2).

    A variance swap's quantity *is* vega notional in our orders (its variance notional:
    `variance_swap` beside this), a VIX future's vega is its multiplier, a listed option's is
    multiplier × model vega.

    Raises:
        ValueError: An option without `vega_per_unit`.
    """
    if leg.instrument in {"variance_swap", "vix_future"}:
        return point_value(leg)
    if leg.vega_per_unit is None:
        raise ValueError(f"leg {leg.name}: the vega of one {leg.instrument} is not known")
    return leg.multiplier * leg.vega_per_unit


def static_quantities(policy: BookPolicy) -> dict[str, float]:
    """Return the base vega as a quantity by leg: split by weight, lots disregarded.

    Raises:
        ValueError: An option leg without `vega_per_unit`.
    """
    total = sum(leg.weight for leg in policy.legs)
    return {
        leg.name: policy.sizing.base_vega * leg.weight / total / unit_vega(leg)
        for leg in policy.legs
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
