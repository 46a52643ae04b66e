"""Allocation of a book's vega over its legs, and from vega to quantities (spec section 2)."""

import re
from collections.abc import Sequence
from math import floor, inf, isfinite
from typing import Final

from msgspec import Struct, structs

from shared.domain.accounts.leg_profit import unit_vega
from shared.domain.hedging.rules import short_weight
from shared.domain.policies import LegPolicy

SHORT_DAYS: Final = 92
"""A leg of at most this maturity is short (3M)."""

OPTION_DAYS: Final = 90
"""Options younger than this need an opt-in: the hedge-decay guard."""

FUTURE_MULTIPLIERS: Final = frozenset({1000.0, 100.0})
"""Cboe VX and its mini, VXM: currency per point. Any other is a slip of the pen (promises B2)."""

_NAME: Final = re.compile(r"[a-z0-9_]{1,32}")


class Allocation(Struct, frozen=True, kw_only=True):
    """The book's vega over its legs, in the policy's order.

    Attributes:
        vegas: Target vega notional of each leg.
        weights: Each leg's share after the term structure, before any limit; they sum to 1.
        note: What moved vega between legs, for a person.
        excess: Vega beyond every leg's limit, which is not hedged.
    """

    vegas: tuple[float, ...]
    weights: tuple[float, ...]
    note: str
    excess: float


def check_legs(legs: Sequence[LegPolicy]) -> None:
    """Refuse legs that cannot be sized.

    Raises:
        ValueError: With the leg's name and what is wrong with it.
    """
    check_leg_names(legs)
    if not sum(leg.weight for leg in legs) > 0:
        raise ValueError("the weights of the legs must add up to more than 0")
    for leg in legs:
        for problem, wrong in _problems(leg):
            if wrong:
                raise ValueError(f"leg {leg.name}: {problem}")


def check_leg_names(legs: Sequence[LegPolicy]) -> None:
    """Refuse legs that cannot be told apart.

    Raises:
        ValueError: There is none, or two have one name.
    """
    names = [leg.name for leg in legs]
    if not legs or len(set(names)) != len(names):
        raise ValueError("a book needs at least one leg, and each its own name")


def _problems(leg: LegPolicy) -> list[tuple[str, bool]]:
    option = leg.instrument in {"vix_call", "put"}
    vega = leg.vega_per_unit
    young = option and leg.maturity_days < OPTION_DAYS and not leg.allow_under_90_days
    future = leg.instrument == "vix_future"
    return [
        ("its name must match [a-z0-9_]{1,32}", not _NAME.fullmatch(leg.name)),
        ("its weight must be finite and not negative", not 0 <= leg.weight < inf),
        ("max_vega must be finite and above 0", not 0 < leg.max_vega < inf),
        ("lot must be above 0", not 0 < leg.lot < inf),
        ("an option under 90 days decays fast: set allow_under_90_days to hold it", young),
        ("an option needs vega_per_unit above 0", option and not (vega and 0 < vega < inf)),
        ("multiplier must be finite and above 0", not 0 < leg.multiplier < inf),
        ("a VIX future is 1000 (or 100) a point", future and _unknown_future(leg)),
        (
            "the quantity of a variance swap is its vega: multiplier must be 1",
            leg.instrument == "variance_swap" and leg.multiplier != 1,
        ),
    ]


def _unknown_future(leg: LegPolicy) -> bool:
    return leg.multiplier not in FUTURE_MULTIPLIERS


def quantity_for(leg: LegPolicy, vega: float, unit: float | None = None) -> float:
    """Return the quantity nearest to `vega`, in whole lots, never beyond the leg's limit.

    Args:
        leg: Whose.
        vega: Currency per vol point.
        unit: Vega of one unit as measured; `None`: as configured.
    """
    lot_vega = (unit_vega(leg) if unit is None else unit) * leg.lot
    most = floor(leg.max_vega / lot_vega + 1e-9)
    return min(floor(vega / lot_vega + 0.5), most) * leg.lot


def weights_of(legs: Sequence[LegPolicy], term_ratio: float | None) -> tuple[float, ...]:
    """Return each leg's share, re-weighted between short and long by F1/F3 when it is given.

    With legs on one side only there is nothing to split.
    """
    total = sum(leg.weight for leg in legs)
    short = sum(leg.weight for leg in legs if leg.maturity_days <= SHORT_DAYS)
    long = total - short
    if term_ratio is None or short <= 0 or long <= 0:
        return tuple(leg.weight / total for leg in legs)
    share = short_weight(term_ratio)
    return tuple(
        leg.weight / short * share
        if leg.maturity_days <= SHORT_DAYS
        else leg.weight / long * (1 - share)
        for leg in legs
    )


def allocate(legs: Sequence[LegPolicy], vega: float, term_ratio: float | None) -> Allocation:
    """Split `vega` over the legs; what one leg may not hold goes to those with room.

    Args:
        legs: In the policy's order.
        vega: The book's target, currency per vol point, not negative and finite.
        term_ratio: F1/F3, or `None` for the policy's own weights.
    """
    if not isfinite(vega):
        raise ValueError(f"a vega of {vega} cannot be allocated")
    weights = weights_of(legs, term_ratio)
    vegas = [0.0] * len(legs)
    rest = vega
    room = {number for number, weight in enumerate(weights) if weight > 0}
    while rest > 0 and room:
        total = sum(weights[number] for number in room)
        wanted = {number: vegas[number] + rest * weights[number] / total for number in room}
        full = {number for number in room if wanted[number] >= legs[number].max_vega}
        for number in full or room:
            vegas[number] = min(wanted[number], legs[number].max_vega)
        rest = max(0.0, vega - sum(vegas)) if full else 0.0
        room -= full
    return Allocation(
        vegas=tuple(vegas), weights=weights, note=_note(legs, vegas, weights, rest), excess=rest
    )


def over_all(
    legs: Sequence[LegPolicy], held: Sequence[LegPolicy], allocation: Allocation
) -> Allocation:
    """Say of the legs that are not to be held that they hold nothing.

    Args:
        legs: All of the book's, in the policy's order.
        held: Those that were allocated to, in the same order.
        allocation: Over `held`.
    """
    if len(held) == len(legs):
        return allocation
    shares = dict(zip((leg.name for leg in held), allocation.vegas, strict=True))
    weights = dict(zip((leg.name for leg in held), allocation.weights, strict=True))
    return structs.replace(
        allocation,
        vegas=tuple(shares.get(leg.name, 0.0) for leg in legs),
        weights=tuple(weights.get(leg.name, 0.0) for leg in legs),
    )


def _note(
    legs: Sequence[LegPolicy], vegas: Sequence[float], weights: Sequence[float], excess: float
) -> str:
    shares = ", ".join(
        f"{leg.name} {weight:.4f}" for leg, weight in zip(legs, weights, strict=True)
    )
    full = [leg.name for leg, vega in zip(legs, vegas, strict=True) if vega >= leg.max_vega]
    limits = f"; at their limit: {', '.join(full)}" if full else ""
    lost = f"; {excess:.6g} vega is beyond every leg's limit and is not hedged" if excess else ""
    return f"weights {shares}{limits}{lost}"
