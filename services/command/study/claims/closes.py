"""The closes that the claims about the market are measured on: a history's own, nothing filled."""

from collections.abc import Sequence
from math import nan

import numpy as np

from services.command.study.material import Material
from shared.adapters.calendars import session_dates
from shared.domain.events import Tick
from shared.domain.study.claims.market import Closes


def closes_of(material: Material, vix_symbol: str, index_symbol: str) -> Closes:
    """Return the last print at each session's close; NaN where the session has none."""
    at_close = {step.clock_ns: step.ticks for step in material.steps}
    sessions = [
        (day, close_ns)
        for day, close_ns in zip(
            session_dates(material.calendar), material.calendar.close_ns.tolist(), strict=True
        )
        if material.first <= day <= material.last
    ]

    def column(symbol: str) -> list[float]:
        return [_last(at_close.get(close_ns, ()), symbol, close_ns) for _, close_ns in sessions]

    return Closes(
        day=np.array([day for day, _ in sessions], dtype="datetime64[D]"),
        vix=np.array(column(vix_symbol), dtype=np.float64),
        index=np.array(column(index_symbol), dtype=np.float64),
    )


def _last(ticks: Sequence[Tick], symbol: str, close_ns: int) -> float:
    prices = [each.price for each in ticks if (each.symbol, each.event_ns) == (symbol, close_ns)]
    return nan if not prices or prices[-1] is None else prices[-1]
