"""The signals' answer to an event: every signal's value and quality, and the marks of the legs."""

from enum import StrEnum
from math import isfinite

from msgspec import Struct

from shared.domain.events import ExecutionReported, ExposureMeasured, RebalanceRequested
from shared.domain.trading import TradingStateSet


class Quality(StrEnum):
    """Whether a rule may act on a signal: only `good` may (spec section 1).

    `stale`: older than its limit. `frozen`: prints come and repeat themselves. `halted`: the
    market prints nothing (both spec 12).
    """

    GOOD = "good"
    WARMING = "warming"
    STALE = "stale"
    FROZEN = "frozen"
    HALTED = "halted"


class Signal(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One number about the market, with its age and quality.

    Attributes:
        value: In `unit`; `None` until there is one. A stale signal keeps its last value.
        unit: `points`, `decimal`, `ratio`, `per_day`, `state` …
        quality: Rules act on `good` alone.
        event_ns: Instant of the youngest tick in it; 0 before the first.
        observations: Prints of its driving symbol so far: tells a new print from an old one.
        have: How full its window is …
        need: … of how many.
        state: The name of a state for regime and term structure, else empty.
    """

    value: float | None
    unit: str
    quality: Quality
    event_ns: int = 0
    observations: int = 0
    have: int = 0
    need: int = 0
    state: str = ""

    @property
    def is_good(self) -> bool:
        """Whether a rule may act on it."""
        return self.quality is Quality.GOOD


class Mark(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """The last good level of a symbol that a leg is priced with."""

    level: float
    event_ns: int
    bid: float | None = None
    ask: float | None = None

    @property
    def middle(self) -> float | None:
        """The middle of a sound quote, else the level; `None` unless finite and above 0."""
        quoted = self.bid is not None and self.ask is not None and 0 < self.bid <= self.ask
        middle = (self.bid + self.ask) / 2 if quoted else self.level  # type: ignore[operator] # quoted says so
        return middle if isfinite(middle) and middle > 0 else None


class SignalsObserved(Struct, frozen=True, kw_only=True, tag="signals"):
    """All signals right after one event of the journal.

    Attributes:
        event_ns: The event's instant.
        index: The event's number in the journal.
        cause: The driving symbol that printed, or `clock`.
        signals: By name. Those of one book carry its name: `drawdown.{book}`,
            `hedge_correlation.{book}`, `nav.{book}`.
        marks: By symbol.
        silent: Symbols of the feeds that have missed prints, of the index and of VIX.
    """

    event_ns: int
    index: int
    cause: str
    signals: dict[str, Signal]
    marks: dict[str, Mark] = {}
    silent: tuple[str, ...] = ()


HedgerInput = (
    SignalsObserved | ExecutionReported | RebalanceRequested | ExposureMeasured | TradingStateSet
)
"""What the signal log holds, in journal order: one input for the hedger, so one order of things."""
