"""From sums to what is said of a book: totals, betas, what is missing; and the measurement."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from shared.domain.events import ExposureMeasured
from shared.domain.exposure.aggregate import FIGURES, Group, figures
from shared.domain.exposure.observed import ExposureObserved, GroupExposure
from shared.domain.exposure.terms import Floats, Integers

IN_UNITS: Final = frozenset(("delta", "gamma"))
"""Of one underlying each: they do not add up over underlyings."""
OF_THE_INDEX: Final = frozenset(("dollar_delta", "dollar_gamma", "vanna", "charm"))
"""Dollars for a move of the index: an underlying in vol points has no part in them."""


def group_exposures(
    groups: Sequence[Group],
    totals: Floats,
    marked: Sequence[int],
    counts: Sequence[int],
    levels: Mapping[str, float],
) -> list[GroupExposure]:
    """Name every group's figures.

    Args:
        groups: Of one book.
        totals: Of these, shape `(groups, FIGURES)`.
        marked: Positions with a value in each.
        counts: Positions in each.
        levels: By underlying, of those that are known.
    """
    return [
        GroupExposure(
            underlying=group.underlying,
            bucket=group.bucket,
            level=levels.get(group.underlying),
            positions=count,
            marked=having,
            figures=figures(row),
        )
        for group, row, having, count in zip(groups, totals, marked, counts, strict=True)
    ]


def sums_of(groups: Iterable[GroupExposure], in_points: frozenset[str]) -> dict[str, float]:
    """Add the figures of groups up, those in currency.

    Args:
        groups: Of one book.
        in_points: Underlyings whose level is in vol points.
    """
    totals = {name: 0.0 for name in FIGURES if name not in IN_UNITS}
    for group in groups:
        for name in totals:
            if not (name in OF_THE_INDEX and group.underlying in in_points):
                totals[name] += group.figures[name]
    return totals


def beta_delta(
    groups: Iterable[GroupExposure], betas: Mapping[str, float | None]
) -> tuple[float, tuple[str, ...]]:
    """Return dollar delta by beta, and the underlyings with a delta and no beta.

    Args:
        groups: Of one book, those in vol points left out.
        betas: By underlying.
    """
    weighted, without = 0.0, set[str]()
    for group in groups:
        beta = betas.get(group.underlying)
        if beta is not None:
            weighted += beta * group.figures["dollar_delta"]
        elif group.figures["dollar_delta"]:
            without.add(group.underlying)
    return weighted, tuple(sorted(without))


def vix_vega(
    groups: Iterable[GroupExposure], vega_betas: Mapping[str, float], in_points: frozenset[str]
) -> float:
    """Return currency for a point of VIX.

    Weighted vega times vega beta; of what is itself in vol points its delta, multiplier included:
    one point of a VIX future for one of VIX. The volatility of VIX options is no volatility of
    the index and has no part.

    Args:
        groups: Of one book.
        vega_betas: By underlying.
        in_points: Underlyings whose level is in vol points.
    """
    return sum(
        group.figures["delta"]
        if group.underlying in in_points
        else vega_betas[group.underlying] * group.figures["weighted_vega"]
        for group in groups
    )


def measurement(
    observed: ExposureObserved, *, put_delta: float | None, volatilities: Mapping[str, float]
) -> ExposureMeasured:
    """State a book's Greeks for those that act on them; what is unknown has no name in it.

    `delta` and `portfolio_delta` are in units of the index, `gamma` is dollar gamma for 1%; the
    other plain names are totals. A `put_delta` of 0 says that it is not known.

    Args:
        observed: The book's exposure.
        put_delta: Of one hedging put.
        volatilities: At the money, by underlying.
    """
    totals = observed.totals
    greeks = {name: totals[name] for name in ("vega", "theta", "rho", "vanna", "volga", "charm")}
    greeks |= {"gamma": totals["dollar_gamma"], "coverage": observed.coverage}
    if observed.index_delta is not None:
        greeks["delta"] = observed.index_delta
    for group in observed.groups:
        if group.level is not None:
            greeks[f"level.{group.underlying}"] = group.level
        for name, figure in (
            (f"delta.{group.underlying}", "delta"),
            (f"gamma.{group.underlying}", "gamma"),
            (f"vega.{group.bucket}", "vega"),
        ):
            greeks[name] = greeks.get(name, 0.0) + group.figures[figure]
    greeks |= {f"volatility.{name}": value for name, value in volatilities.items()}
    return ExposureMeasured(
        book=observed.book,
        event_ns=observed.event_ns,
        sequence=observed.event_ns,
        portfolio_delta=observed.index_delta or 0.0,
        put_delta=put_delta or 0.0,
        greeks=greeks,
    )


def at_the_money(
    strikes: Floats, underlying: Floats, volatility: Floats, expiry_ns: Integers, earliest_ns: int
) -> float | None:
    """Return the volatility nearest the money of the shortest expiry from `earliest_ns` on.

    Args:
        strikes: Of options on one underlying, shape `(n,)`, like the others.
        underlying: What each is priced on.
        volatility: Implied, NaN where unknown.
        expiry_ns: When each expires.
        earliest_ns: The first expiry that counts.
    """
    known = np.flatnonzero(np.isfinite(volatility) & (expiry_ns >= earliest_ns))
    if not len(known):
        return None
    first = known[expiry_ns[known] == expiry_ns[known].min()]
    distance = np.abs(np.log(strikes[first] / underlying[first]))
    return float(volatility[first[np.argmin(distance)]])
