"""The falls that everybody remembers, and what a hedge did in them.

First and last day are the S&P 500's highest and lowest close around each, so that the same crisis
means the same sessions for every variant, whatever its portfolio did.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.accounts.effectiveness import SessionResult, WindowResult, measure_window


class Crisis(Struct, frozen=True):
    """A fall of the S&P 500.

    Attributes:
        name: As people call it.
        first: Day of the high: the hedge counts from this close on.
        last: Day of the low.
    """

    name: str
    first: date
    last: date


class CrisisResult(Struct, frozen=True, kw_only=True):
    """What happened from the close of one day to the close of another.

    Attributes:
        name: Of the crisis.
        first: Day of the high.
        last: Day of the low.
        result: Portfolio loss, gain and effectiveness of hedge and static hedge.
    """

    name: str
    first: date
    last: date
    result: WindowResult


NAMED_CRISES: Final = (
    Crisis("Gulf war 1990", date(1990, 7, 16), date(1990, 10, 11)),
    Crisis("Asia 1997", date(1997, 10, 7), date(1997, 10, 27)),
    Crisis("LTCM 1998", date(1998, 7, 17), date(1998, 8, 31)),
    Crisis("Dot-com 2000-2002", date(2000, 3, 24), date(2002, 10, 9)),
    Crisis("Financial crisis 2008", date(2007, 10, 9), date(2009, 3, 9)),
    Crisis("Flash crash and euro 2010", date(2010, 4, 23), date(2010, 7, 2)),
    Crisis("Debt ceiling and euro 2011", date(2011, 7, 22), date(2011, 10, 3)),
    Crisis("August 2015", date(2015, 8, 17), date(2015, 8, 25)),
    Crisis("February 2018", date(2018, 1, 26), date(2018, 2, 8)),
    Crisis("Fourth quarter 2018", date(2018, 9, 20), date(2018, 12, 24)),
    Crisis("COVID 2020", date(2020, 2, 19), date(2020, 3, 23)),
    Crisis("Rates 2022", date(2022, 1, 3), date(2022, 10, 12)),
    Crisis("August 2024", date(2024, 7, 16), date(2024, 8, 5)),
    Crisis("Tariffs 2025", date(2025, 2, 19), date(2025, 4, 8)),
)


def crisis_results(
    days: NDArray[np.datetime64],
    results: Sequence[SessionResult],
    crises: Sequence[Crisis] = NAMED_CRISES,
) -> tuple[CrisisResult, ...]:
    """Measure the crises that the sessions cover from the first day to the last.

    Args:
        days: Of the sessions, `datetime64[D]`, (n,), oldest first.
        results: The sessions, n.
        crises: Which; a crisis that the data hold only in part is left out.
    """
    return tuple(
        CrisisResult(
            name=crisis.name,
            first=crisis.first,
            last=crisis.last,
            result=measure_window(
                results,
                after_ns=results[crossed.start].close_ns,
                end_ns=results[crossed.stop - 1].close_ns,
            ),
        )
        for crisis, crossed in crisis_slices(days, crises)
    )


def crisis_slices(
    days: NDArray[np.datetime64], crises: Sequence[Crisis] = NAMED_CRISES
) -> tuple[tuple[Crisis, slice], ...]:
    """Return the crises that `days`, rising, cover, and their sessions, first and last included.

    A first day without a session begins at the session before it; likewise the last.
    """
    found = []
    for crisis in crises:
        start, stop = np.searchsorted(days, [_day(crisis.first), _day(crisis.last)], side="right")
        covered = len(days) and start > 0 and days[-1] >= _day(crisis.last)
        if covered:
            found.append((crisis, slice(int(start) - 1, int(stop))))
    return tuple(found)


def _day(day: date) -> np.datetime64:
    return np.datetime64(day, "D")
