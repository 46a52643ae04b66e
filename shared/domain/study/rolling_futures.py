"""A VIX future followed from contract to contract, marked at settlements."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from shared.domain.exposure.attribution import COLUMNS, DELTA, PRICE, UNDERLYING
from shared.domain.instruments.expiries import SessionDays
from shared.domain.study.contracts import Contract, ContractHistory, Roll, RollingFuture
from shared.domain.study.curve import VixCurve, expiries_after, settlement_ns
from shared.domain.study.points import Points

Floats = NDArray[np.float64]


def future_history(
    future: RollingFuture, points: Points, curve: VixCurve, days: SessionDays
) -> ContractHistory:
    """Follow a VIX future from contract to contract; it is marked at settlements alone.

    Args:
        future: Which, rolled how.
        points: Where.
        curve: Settlements by contract.
        days: The exchange's sessions.
    """
    count = len(points)
    number, level = np.full(count, -1, dtype=np.int64), np.full(count, np.nan)
    held: list[date] = []
    rolls: list[Roll] = []
    last = np.nan
    taken = np.full(count, np.nan)
    for point in np.flatnonzero(points.is_close).tolist():
        day = points.days[point]
        if held:
            number[point] = len(held) - 1
            now = curve.level(day, held[-1])
            if now is not None:
                level[point] = taken[point] = last = now
        wanted = _wanted(future, curve, day, days)
        fresh = None if wanted is None else curve.level(day, wanted)
        if wanted is None or fresh is None or (held and wanted <= held[-1]):
            continue
        if held:
            rolls.append(Roll(point=point, given_up=last, taken_on=fresh))
        else:
            number[point], level[point] = 0, fresh
        held.append(wanted)
        taken[point] = last = fresh
    contracts = tuple(
        Contract(name=f"VX {expiry}", expiry_ns=settlement_ns(expiry, days)) for expiry in held
    )
    return ContractHistory(
        instrument=future,
        contracts=contracts,
        number=number,
        level=level,
        before=_linear(taken),
        after=_linear(level),
        rolls=tuple(rolls),
        notes=curve.notes(points.days[0], points.days[-1]),
    )


def _wanted(future: RollingFuture, curve: VixCurve, day: date, days: SessionDays) -> date | None:
    """Return the expiry of the contract to hold after a day's close."""
    alive = expiries_after(curve.expiries, day)
    if len(alive) <= future.position:
        return alive[future.position - 1] if len(alive) == future.position else None
    due = days.sessions_between(day, alive[0]) <= future.sessions_before
    return alive[future.position - 1 + due]


def _linear(level: Floats) -> Floats:
    columns = np.zeros((COLUMNS, len(level)))
    columns[PRICE], columns[UNDERLYING], columns[DELTA] = level, level, 1.0
    return columns
