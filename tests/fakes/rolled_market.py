"""Eighteen made-up months of an index, VIX and its futures: synthetic, seeded, with a fall in them.

The index is a random walk whose volatility VIX tells; futures lie between VIX and its long run.
"""

from datetime import date
from functools import cache
from typing import Final

import numpy as np
from fakes.new_york import new_york

from shared.domain.events import ClockAdvanced, Tick
from shared.domain.instruments.expiries import SessionDays
from shared.domain.study.curve import Settlement, VixCurve, monthly_expiries
from shared.domain.study.points import Points, points_of

CALENDAR: Final = new_york()
DAYS: Final = SessionDays(CALENDAR)
FIRST, SESSIONS = 20, 380
FALL: Final = range(200, 215)
"""Sessions in which the index falls and VIX doubles."""

Steps = list[tuple[tuple[Tick, ...], ClockAdvanced]]


@cache
def steps(seed: int = 1) -> Steps:
    """Two steps a session: an opening and a close of both symbols."""
    random = np.random.default_rng(seed)
    index, vix = 6000.0, 17.0
    made: Steps = []
    for number in range(SESSIONS):
        session = FIRST + number
        drift, target = (-0.02, 45.0) if number in FALL else (0.0007, 16.0)
        for instant_ns in CALENDAR.hours(session):
            shock = float(random.standard_normal())
            index *= float(np.exp(drift / 2 + vix / 100 / 30 * shock))
            vix *= float(np.exp(0.06 * (np.log(target / vix)) - 0.04 * shock))
            ticks = (
                Tick(symbol="SPX", event_ns=instant_ns, price=round(index, 2)),
                Tick(symbol="VIX", event_ns=instant_ns, price=round(vix, 2)),
            )
            made.append((ticks, ClockAdvanced(event_ns=instant_ns)))
    return made


def points(seed: int = 1) -> Points:
    """The points of these steps."""
    return points_of([(clock.event_ns, ticks) for ticks, clock in steps(seed)], CALENDAR)


@cache
def curve(seed: int = 1, first: date = date.min) -> VixCurve:
    """Settlements of the eight monthly futures alive at each close, from a day on."""
    at, settlements = points(seed), []
    expiries = list(monthly_expiries(at.days[0], at.days[-1], DAYS))
    for point in np.flatnonzero(at.is_close).tolist():
        day = at.days[point]
        alive = [expiry for expiry in expiries if expiry > day][:8]
        for expiry in alive if day >= first else []:
            weight = float(np.exp(-(expiry - day).days / 100))
            level = 19.0 + (float(at.vix[point]) - 19.0) * weight
            settlements.append(Settlement(day, expiry, round(level, 3)))
    return VixCurve(settlements)


def without(points: Points, **missing: list[int]) -> Points:
    """The same points with some of the index's or VIX's prints missing."""
    index, vix = points.index.copy(), points.vix.copy()
    index[list(missing.get("index", []))] = np.nan
    vix[list(missing.get("vix", []))] = np.nan
    return Points(
        clock_ns=points.clock_ns,
        session=points.session,
        is_close=points.is_close,
        index=index,
        vix=vix,
        days=points.days,
    )
