"""From sums to what is said of a book: totals, betas, what is missing; and the measurement."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import isfinite, nan
from typing import Final

import numpy as np
from msgspec import Struct

from shared.domain.events import ExposureMeasured
from shared.domain.exposure.aggregate import Group, figures
from shared.domain.exposure.observed import ExposureObserved, GroupExposure
from shared.domain.exposure.policy import BUCKETS, FIGURES
from shared.domain.exposure.terms import Floats, Integers
from shared.domain.instruments.instrument import Instrument, Kind

IN_UNITS: Final = frozenset(("delta", "gamma"))
"""Of one underlying each: they do not add up over underlyings."""
OF_THE_INDEX: Final = frozenset(("dollar_delta", "dollar_gamma", "vanna", "volga", "charm"))
"""For a move of the index or of its volatility: an underlying in vol points has no part in them."""
OF_ITS_VOLATILITY: Final = frozenset(("vega", "weighted_vega"))
"""For a vol point of the index: of an underlying in vol points the delta is that, and its own vega,
for a point of the volatility of volatility, has no part in them."""


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
        is_in_points = group.underlying in in_points
        for name in totals:
            if is_in_points and name in OF_ITS_VOLATILITY:
                totals[name] += group.figures["delta"]
            elif not (is_in_points and name in OF_THE_INDEX):
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


class MeasuredLeg(Struct, frozen=True, kw_only=True):
    """What is known of something that a book hedges with.

    Attributes:
        instrument: What it is.
        filled: What the book has traded of it, which the figures hold.
        level: Of its underlying; NaN while unknown or too old to act on, like all below.
        delta: Raw, of one unit of its underlying.
        vega: Raw, per 1.00 of volatility.
        index_delta: Of one contract, in units of the index by its beta; 0 of what has no part in
            the book's `index_delta`.
    """

    instrument: Instrument
    filled: float
    level: float
    delta: float
    vega: float
    index_delta: float


def measurement(
    observed: ExposureObserved,
    legs: Sequence[MeasuredLeg],
    outlooks: Mapping[str, float],
    fresh: Collection[str],
    indices: Mapping[str, str],
) -> ExposureMeasured:
    """State a book's Greeks for those that act on them; what is unknown has no name in it.

    `delta` and `portfolio_delta` are in units of the index, `gamma` is dollar gamma for 1%; the
    other plain names are totals. `delta.U` and `gamma.U` are in units of the underlying U, like
    `vanna.U`, the change of `delta.U` for 1.00 of volatility (bands move by it: spec 11);
    `futures_delta.U` is what futures on U that are no legs, and options on them, add to `delta.U`;
    `vega.U.B` is currency for one point of U's own volatility in the bucket B (spec 4.4), `theta.U`
    currency a calendar day, `years.U` the time to expiry that U's gamma is left for, and
    `filled.L` is what they hold of leg L's own fills; `unit_delta.L` and `unit_vega.L` are of one
    contract. `portfolio_delta` is of what the legs protect, their own fills left out: a hedge that
    counted itself would be sold as soon as it was bought. A `put_delta` of 0 says that one of the
    two is not known.

    Args:
        observed: The book's exposure.
        legs: What it hedges with.
        outlooks: `volatility.U`, at the money, and `years.U`, of those known.
        fresh: Underlyings whose level is young enough to act on.
        indices: By underlying that is a future, the level that it settles on; empty: not known.
    """
    totals = observed.totals
    greeks = {name: totals[name] for name in ("vega", "theta", "rho", "vanna", "volga", "charm")}
    greeks |= {"gamma": totals["dollar_gamma"], "coverage": observed.coverage}
    if observed.index_delta is not None:
        greeks["delta"] = observed.index_delta
    for leg in legs:
        greeks |= _of_leg(leg)
    for group in observed.groups:
        if group.level is not None and group.underlying in fresh:
            name, in_dollars = f"vanna.{group.underlying}", group.level / 100.0
            greeks[f"level.{group.underlying}"] = group.level
            greeks[name] = greeks.get(name, 0.0) + group.figures["vanna"] / in_dollars
        for name, figure in (
            (f"delta.{group.underlying}", "delta"),
            (f"gamma.{group.underlying}", "gamma"),
            (f"theta.{group.underlying}", "theta"),
            (f"vega.{group.underlying}.{group.bucket}", "vega"),
        ):
            greeks[name] = greeks.get(name, 0.0) + group.figures[figure]
    greeks |= _futures_deltas(observed.groups, legs, greeks, indices)
    greeks |= outlooks
    portfolio_delta, put_delta = _protected(observed, legs, fresh)
    return ExposureMeasured(
        book=observed.book,
        event_ns=observed.event_ns,
        sequence=observed.event_ns,
        portfolio_delta=portfolio_delta,
        put_delta=put_delta,
        greeks=greeks,
    )


def _futures_deltas(
    groups: Sequence[GroupExposure],
    legs: Sequence[MeasuredLeg],
    greeks: Mapping[str, float],
    indices: Mapping[str, str],
) -> dict[str, float]:
    """Return what futures add to the delta of each underlying; one that is not known is not in it.

    A future at F moves by F/S for one point of the level S that it settles on (cost of carry: Hull,
    "Options, Futures, and Other Derivatives", on the delta of a futures contract). Of a future that
    nobody knows the level of, any underlying's may be part. A leg is the strategy's to count.
    """
    underlyings = {each.underlying for each in groups}
    underlyings |= {each.instrument.underlying for each in legs}
    own = {each.instrument.symbol for each in legs if each.instrument.kind is Kind.FUTURE}
    deltas = dict.fromkeys(sorted(underlyings), 0.0)
    for group in groups:
        future = group.underlying
        if future not in indices or future in own:
            continue
        for underlying in underlyings - {future}:
            if indices[future] in {"", underlying}:
                levels = [greeks.get(f"level.{name}", nan) for name in (future, underlying)]
                ratio = levels[0] / levels[1] if indices[future] else nan
                deltas[underlying] += group.figures["delta"] * ratio
    return {f"futures_delta.{name}": each for name, each in deltas.items() if isfinite(each)}


def _protected(
    observed: ExposureObserved, legs: Sequence[MeasuredLeg], fresh: Collection[str]
) -> tuple[float, float]:
    """Return the index delta of what the legs protect, and of a put; both 0 while not known."""
    own = sum(leg.filled * leg.index_delta for leg in legs if leg.filled)
    is_whole = observed.marked == observed.positions and not observed.without_beta
    is_fresh = all(group.underlying in fresh for group in observed.groups)
    if observed.index_delta is None or not (is_whole and is_fresh and isfinite(own)):
        return 0.0, 0.0
    return observed.index_delta - own, next(filter(None, map(_put_delta, legs)), 0.0)


def _of_leg(leg: MeasuredLeg) -> dict[str, float]:
    symbol, underlying = leg.instrument.symbol, leg.instrument.underlying
    figures = {f"filled.{symbol}": leg.filled}
    nothing = (f"{name}.{underlying}" for name in ("delta", "gamma", "theta"))
    figures |= dict.fromkeys(nothing, 0.0)
    figures |= dict.fromkeys((f"vega.{underlying}.{bucket}" for bucket in BUCKETS), 0.0)
    if isfinite(leg.level):
        figures[f"level.{underlying}"] = leg.level
    if leg.instrument.option is not None and isfinite(leg.delta):
        figures[f"unit_delta.{symbol}"] = leg.instrument.multiplier * leg.delta
        figures[f"unit_vega.{symbol}"] = leg.instrument.multiplier * leg.vega / 100.0
    return figures


def _put_delta(leg: MeasuredLeg) -> float:
    option = leg.instrument.option
    is_put = option is not None and option.right == "put"
    return leg.delta if is_put and isfinite(leg.delta) else 0.0


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
