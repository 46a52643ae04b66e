"""Shape of the VIX futures curve: front over third month (spec 1, `term_ratio`, `term_state`)."""

from collections.abc import Mapping
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

from shared.domain.instants import DAY
from shared.domain.policies import TermStructurePolicy


class TermState(IntEnum):
    """Where the front stands against the third month."""

    CONTANGO = -1
    FLAT = 0
    BACKWARDATION = 1


def term_state(ratio: float, epsilon: float) -> TermState:
    """Contango below 1 − ε, backwardation above 1 + ε, else flat.

    Example:
        >>> term_state(0.85, 0.01).name, term_state(1.01, 0.01).name, term_state(1.62, 0.01).name
        ('CONTANGO', 'FLAT', 'BACKWARDATION')
    """
    if ratio < 1 - epsilon:
        return TermState.CONTANGO
    return TermState.BACKWARDATION if ratio > 1 + epsilon else TermState.FLAT


def term_symbols(policy: TermStructurePolicy) -> tuple[str, ...]:
    """The futures that the ratio is made of."""
    if policy.constant_maturity:
        return tuple(policy.expiries)
    return (policy.front, policy.third)


class Maturity(NamedTuple):
    """One point of the curve: its level, and the futures that it is made of."""

    level: float
    symbols: tuple[str, ...]


def maturities(
    policy: TermStructurePolicy, levels: Mapping[str, float], now: int
) -> tuple[Maturity | None, Maturity | None]:
    """F1 and F3: the listed contracts, or interpolated to 30 and 90 days from the instant `now`.

    Args:
        policy: Which of the two, and the contracts.
        levels: Live levels of those futures that have printed, vol points.
        now: ns; what has expired by then plays no part.

    Returns:
        Each of the two, or `None` when its contract has not printed, or when no contract lies
        on one side of it: nothing is extrapolated.
    """
    if not policy.constant_maturity:
        return _listed(policy.front, levels), _listed(policy.third, levels)
    curve = sorted(
        (policy.expiries[symbol], symbol) for symbol in levels if policy.expiries[symbol] > now
    )
    front, third = (_interpolated(curve, levels, now + days * DAY) for days in (30, 90))
    return front, third


def _listed(symbol: str, levels: Mapping[str, float]) -> Maturity | None:
    return Maturity(levels[symbol], (symbol,)) if symbol in levels else None


def _interpolated(
    curve: list[tuple[int, str]], levels: Mapping[str, float], expiry: int
) -> Maturity | None:
    for (near, low), (far, high) in pairwise(curve):
        if near <= expiry <= far:
            share = (expiry - near) / (far - near)
            return Maturity(levels[low] + (levels[high] - levels[low]) * share, (low, high))
    return None
