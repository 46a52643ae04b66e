"""What suppressed whipsaws would have cost, had each been traded there and back.

A whipsaw is a condition that broke before its hold was over (`effects.WhipsawSuppressed`).
Without persistence the hedge would have been traded when the condition began, and traded back
when it broke. With ΔN the vega of the first trade (positive: bought), L and L' the level of what
is traded at the two instants, s the venue's full bid-ask spread and f its commission per trade:

    cost = |ΔN|·s + ΔN·(L − L') + 2f

The first term is certain: half the spread is paid each way. The second is the move in between: a
hedge bought into a spike and sold after it loses it; below 0 when the level had moved on, and
the filter cost money instead of saving it. What the larger hedge earned otherwise in between
(theta, realized variance) is left out: whipsaws last minutes or a session or two.
"""

from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrips:
    """Trades there and back that were not made, one a whipsaw; columns of shape (n,).

    Attributes:
        vega: ΔN of the first trade, signed, currency per vol point.
        level_there: L at the first trade, vol points; NaN when not known.
        level_back: L' at the second, vol points; NaN when not known.
    """

    vega: NDArray[np.float64]
    level_there: NDArray[np.float64]
    level_back: NDArray[np.float64]


class WhipsawCost(Struct, frozen=True, kw_only=True):
    """What all of them would have cost together; money in the book's currency.

    Attributes:
        whipsaws: Suppressed.
        priced: Those of which both levels are known; the rest is not in the sums.
        total: Spread, commission and move.
        spread: Of it, spread and commission: certain.
        move: Of it, the level's move; below 0 when not trading cost money.
        saved: Whipsaws that would have cost something.
        worst: The dearest; `None` without one that is priced.
    """

    whipsaws: int
    priced: int
    total: float
    spread: float
    move: float
    saved: int
    worst: float | None


def round_trip_costs(
    trips: RoundTrips, *, spread: float, commission: float = 0.0
) -> NDArray[np.float64]:
    """Return what each round trip would have cost, (n,); NaN where a level is not known.

    Args:
        trips: There and back.
        spread: s, full bid-ask spread, vol points.
        commission: f, per trade, the book's currency.
    """
    return _certain(trips, spread, commission) + _move(trips)


def whipsaw_cost(trips: RoundTrips, *, spread: float, commission: float = 0.0) -> WhipsawCost:
    """Return what all round trips would have cost; arguments as above."""
    costs = round_trip_costs(trips, spread=spread, commission=commission)
    known = ~np.isnan(costs)
    return WhipsawCost(
        whipsaws=len(costs),
        priced=int(np.sum(known)),
        total=float(np.sum(costs[known])),
        spread=float(np.sum(_certain(trips, spread, commission)[known])),
        move=float(np.sum(_move(trips)[known])),
        saved=int(np.sum(costs[known] > 0)),
        worst=float(np.max(costs[known])) if known.any() else None,
    )


def levels_at(
    instants: NDArray[np.int64], close_ns: NDArray[np.int64], levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the last daily mark at or before each instant, (n,); NaN before the first.

    Never one after it: a study must not trade at a price that was still to come.

    Args:
        instants: In ns, (n,).
        close_ns: Of the sessions, rising, (m,).
        levels: Closing marks, vol points, (m,).
    """
    latest = np.searchsorted(close_ns, instants, side="right") - 1
    return np.concatenate([levels, [np.nan]])[latest]  # before the first: −1, the NaN at the end


def _certain(trips: RoundTrips, spread: float, commission: float) -> NDArray[np.float64]:
    return np.abs(trips.vega) * spread + 2.0 * commission


def _move(trips: RoundTrips) -> NDArray[np.float64]:
    return trips.vega * (trips.level_there - trips.level_back)
