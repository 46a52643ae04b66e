"""The days of spec 12, print by print.

Recorded: the figures of the spec, and the opening, high, low and close of the `arch` package where
it has the day. *Reconstructed*: every path between them: a straight line of logarithms with noise
around it that is pinned at both ends, rounded as the exchange does, the same at every run.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from fakes.pipeline import INTERVAL, Pipeline, Print
from msgspec import structs

from shared.adapters.calendars import session_calendar
from shared.adapters.history.packaged import packaged_history
from shared.adapters.history.series import DailyBar
from shared.adapters.settings import Settings, load_settings
from shared.domain.instants import MINUTE, SECOND
from shared.domain.policies import BookPolicy, SymbolPolicy

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "hedges.toml"
NEW_YORK = ZoneInfo("America/New_York")
AN_HOUR = 240
"""Intervals."""


@cache
def shipped() -> Settings:
    """What is shipped is what must survive: the configuration of `deploy`, with VIX futures."""
    settings = load_settings(CONFIGURATION, {})
    futures = {"VX1": SymbolPolicy(), "VX3": SymbolPolicy()}
    intake = structs.replace(settings.intake, symbols=settings.intake.symbols | futures)
    return structs.replace(settings, intake=intake)


def book(**changes: Any) -> BookPolicy:  # noqa: ANN401 - fields of any type
    """The shipped book, changed."""
    return structs.replace(shipped().books[0], **changes)


@cache
def recorded(symbol: str, day: date) -> DailyBar:
    """A day of the packaged history."""
    (series,) = (each for each in packaged_history() if each.symbol == symbol)
    (bar,) = (bar for bar in series.bars if isinstance(bar, DailyBar) and bar.day == day)
    return bar


def path(*corners: float, intervals: int, noise: float | None = None, seed: int = 0) -> list[float]:
    """Prints through `corners`, evenly spread over so many intervals; the last is the last corner.

    Args:
        corners: Levels.
        intervals: How many prints.
        noise: Of one interval, as a fraction of the level; else as on an ordinary day: an index
            moves less than its volatility.
        seed: Of the noise.
    """
    if noise is None:
        noise = 0.0002 if corners[0] > 1000 else 0.001
    steps = np.arange(1, intervals + 1) / intervals
    line = np.interp(steps, np.linspace(0, 1, len(corners)), np.log(corners))
    walk = np.cumsum(np.random.default_rng(seed).normal(0, noise, intervals))
    levels = np.exp(line + walk - steps * walk[-1])
    return [float(level) for level in np.round(levels, 2)]


class Day(Pipeline):
    """A session in New York, after an afternoon that ended at yesterday's closes.

    Args:
        day: Which.
        closes: Of yesterday, by symbol: the book is hedged at these.
        policy: The book.
        settings: The configuration of the rest.
    """

    def __init__(
        self,
        day: date,
        closes: dict[str, float],
        policy: BookPolicy | None = None,
        settings: Settings | None = None,
    ) -> None:
        settings = settings or shipped()
        calendar = session_calendar("XNYS", day - timedelta(days=8), day + timedelta(days=8))
        super().__init__(settings.intake, settings.signals, policy or book(), calendar)
        self.day = day
        opening = int(calendar.open_ns[calendar.session(self.instant("12:00"))])
        yesterday = calendar.session(opening) - 1
        self._first_quiet(int(calendar.close_ns[yesterday]), closes)
        self.hedge = self.orders
        self.effects.clear()
        self.at(opening)

    def _first_quiet(self, close_ns: int, closes: dict[str, float]) -> None:
        self.at(close_ns - (AN_HOUR + 1) * INTERVAL)
        paths = {
            symbol: path(level * 0.999, level, intervals=AN_HOUR, seed=number)
            for number, (symbol, level) in enumerate(closes.items())
        }
        self.play(**paths)

    def instant(self, clock: str) -> int:
        """`09:54` of this day in New York."""
        local = datetime.combine(self.day, time.fromisoformat(clock), tzinfo=NEW_YORK)
        return int(local.astimezone(UTC).timestamp()) * SECOND

    def until(self, clock: str) -> int:
        """Intervals from now until then."""
        return (self.instant(clock) - self.now) // INTERVAL

    def play(self, **paths: list[float] | list[Print | None]) -> None:
        """Print these, an interval after the other; they are equally long."""
        for levels in zip(*paths.values(), strict=True):
            self.round(dict(zip(paths, levels, strict=True)))

    def silence(self, until: str) -> None:
        """Nothing prints; the clock ticks."""
        for _ in range(self.until(until)):
            self.round({})

    def minutes(self, since: str) -> float:
        """How long ago that was."""
        return (self.now - self.instant(since)) / MINUTE
