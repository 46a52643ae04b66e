"""Tells a person when the model of an expiry goes wrong, and when it is right again (spec 5)."""

import numpy as np
from numpy.typing import NDArray

from shared.domain.effects import AlertRaised
from shared.domain.hedging.alerts import alert
from shared.domain.marks.columns import NEVER, RowMemory
from shared.domain.marks.expiries import Expiries
from shared.domain.marks.policy import MarkPolicy
from shared.domain.trading import ALL


def error_alerts(
    expiries: Expiries, rows: RowMemory, now_ns: int, policy: MarkPolicy
) -> tuple[AlertRaised, ...]:
    """Raise an alert for every expiry whose error has been on the other side for the hold.

    Widened: more than `max_missed` of its options are missed; narrowed: not more than `min_missed`.
    In between, and while nothing can be compared, neither.
    """
    memory = expiries.memory
    turns = np.where(
        memory.is_wide, memory.missed <= policy.min_missed, memory.missed > policy.max_missed
    )
    memory.since_ns[~turns] = NEVER
    memory.since_ns[turns & (memory.since_ns == NEVER)] = now_ns
    held = np.flatnonzero(turns & (now_ns - memory.since_ns >= policy.error_hold_ns))
    memory.is_wide[held] ^= True
    memory.since_ns[held] = NEVER
    return tuple(_alert(expiries, rows, number, now_ns) for number in held)


def _alert(expiries: Expiries, rows: RowMemory, number: np.intp, now_ns: int) -> AlertRaised:
    memory, members = expiries.memory, expiries.members(int(number))
    return alert(
        ALL,
        now_ns,
        "model_error_widened" if memory.is_wide[number] else "model_error_narrowed",
        expiries.names[number],
        {
            "missed": float(memory.missed[number]),
            "compared": float(memory.compared[number]),
            "worst_half_spreads": worst(rows.model_error_half_spreads[members]),
            "worst_points": worst(rows.model_error_points[members]),
            "worst_price": worst(rows.model_error[members]),
        },
    )


def worst(errors: NDArray[np.float64]) -> float:
    """The largest of some errors either way, its sign kept; 0 when none is known."""
    known = errors[np.isfinite(errors)]
    return float(known[np.argmax(np.abs(known))]) if len(known) else 0.0
