"""One session of a book of options, for the demo: levels, quotes and positions.

Levels are real at both ends, the closes of one session and of the one before from the packaged
history; between them runs a Brownian bridge, drawn once from a fixed seed. Quotes are generated
from a smile around the level of VIX: nobody's quotes of that day.
"""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise
from typing import Final

import numpy as np
from msgspec import Struct

from services.command.endings import Refused
from services.command.generated_chain import Climate, GeneratedChain
from shared.adapters.history.packaged import packaged_history
from shared.adapters.history.readers import HistoryError
from shared.adapters.history.replay import ReplayStep
from shared.adapters.history.series import DailyBar
from shared.domain.events import Tick
from shared.domain.instants import SECOND
from shared.domain.instruments.catalogue import Catalogue
from shared.domain.sessions import SessionCalendar

DAY: Final = date(2018, 2, 5)
EXPIRIES: Final = (
    date(2018, 2, 9),
    date(2018, 2, 23),
    date(2018, 3, 29),
    date(2018, 6, 29),
    date(2018, 12, 31),
)
STRIKES: Final = tuple(float(strike) for strike in range(2200, 3405, 10))
CLIMATE: Final = Climate()
_STEP_NS: Final = 60 * SECOND
_SEED: Final = 20180205
_ROUGHNESS: Final = 0.006
"""Deviation of the bridge at its middle, relative."""
_NEAR: Final = 0.05
_SLICES: Final = 4
"""Every option is quoted once in so many steps."""


class Ends(Struct, frozen=True):
    """A level at the close before, and at the close."""

    before: float
    after: float


class ExposureSession:
    """The session.

    Args:
        catalogue: Knows the options.
        calendar: Knows its hours.

    Raises:
        Refused: The history is not installed.
    """

    def __init__(self, catalogue: Catalogue, calendar: SessionCalendar) -> None:
        self.chain = GeneratedChain(catalogue, "SPXW", EXPIRIES, STRIKES, CLIMATE)
        self._closes = _closes()
        noon = datetime.fromisoformat(f"{DAY}T17:00:00+00:00")
        session = calendar.session(int(noon.timestamp()) * SECOND)
        self._hours = int(calendar.open_ns[session]), int(calendar.close_ns[session])

    @property
    def positions(self) -> dict[str, float]:
        """A desk that is short near strikes and long far ones, in all expiries."""
        held = {}
        for instrument in self.chain.instruments:
            assert instrument.option is not None  # noqa: S101 - the chain holds options alone
            distance = abs(instrument.option.strike / self._closes["SPX"].before - 1)
            held[instrument.symbol] = -5.0 if distance < _NEAR else 4.0
        return held

    @property
    def story(self) -> str:
        """What it is, in a line."""
        spot, vix = self._closes["SPX"], self._closes["VIX"]
        return (
            f"{len(self.chain.instruments):,} SPXW options, quotes generated from a smile (SSVI); "
            f"levels real at the closes of {DAY} and the session before (S&P 500 {spot.before:,.2f}"
            f" -> {spot.after:,.2f}, VIX {vix.before} -> {vix.after}), synthetic in between"
        )

    @property
    def count(self) -> int:
        """How many steps it has."""
        opened_ns, closed_ns = self._hours
        return (closed_ns - opened_ns) // _STEP_NS + 1

    def steps(self) -> Iterator[ReplayStep]:
        """Walk the session, a step a minute."""
        opened_ns, closed_ns = self._hours
        clocks = range(opened_ns, closed_ns + 1, _STEP_NS)
        spot = _bridge(self._closes["SPX"], len(clocks), _ROUGHNESS)
        vix = _bridge(self._closes["VIX"], len(clocks), 0.0)
        count = len(self.chain.instruments)
        edges = np.linspace(0, count, _SLICES + 1).astype(int).tolist()
        slices = [slice(None), *(slice(first, last) for first, last in pairwise(edges))]
        for number, clock_ns in enumerate(clocks):
            rows = slices[1 + number % _SLICES if number else 0]
            ticks = [
                Tick(symbol="SPX", event_ns=clock_ns, price=round(spot[number], 2)),
                Tick(symbol="VIX", event_ns=clock_ns, price=round(vix[number], 2)),
                *self.chain.quotes(clock_ns, spot[number], vix[number] / 100, rows),
            ]
            yield ReplayStep(clock_ns=clock_ns, ticks=tuple(ticks))


def _closes() -> dict[str, Ends]:
    try:
        history = packaged_history()
    except HistoryError as error:
        raise Refused(str(error)) from error
    closes = {}
    for series in history:
        bars = [bar for bar in series.bars if isinstance(bar, DailyBar) and bar.day <= DAY]
        closes[series.symbol] = Ends(bars[-2].close, bars[-1].close)
    return closes


def _bridge(ends: Ends, count: int, roughness: float) -> list[float]:
    """Go from one level to the other, on a path that is the same every time."""
    generator = np.random.default_rng(_SEED)
    share = np.linspace(0.0, 1.0, count)
    walk = np.concatenate(([0.0], np.cumsum(generator.normal(0, 1 / np.sqrt(count), count - 1))))
    bridge = walk - share * walk[-1]
    logs = np.log(ends.before) + share * np.log(ends.after / ends.before)
    path: list[float] = np.exp(logs + 2 * roughness * bridge).tolist()
    return path
