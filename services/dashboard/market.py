"""The market as the page shows it: signals that belong to no book, the curve, the regime."""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from shared.domain.instants import DAY
from shared.domain.policies import SignalPolicy
from shared.domain.signals_observed import Mark, Signal, SignalsObserved
from shared.wire.announcements import signal_message
from shared.wire.messages import SignalMessage
from shared.wire.times import format_instant
from shared.wire.views import CurvePointView, MarketView, RegimeView

Expiries = Callable[[str], int | None]
"""When a future expires, ns; `None` for what is no VIX future of its own expiry."""

_NOMINAL_DAYS: Final = (30.0, 90.0)
"""Of a front and a third month that have no expiry in their names."""


class MarketPicture:
    """The last snapshot of the market.

    Args:
        policy: What the signals are made of.
        books: Names of the books: signals end with them.
        expiry_of: Of a VIX future.

    Attributes:
        observed: The last snapshot; `None` before the first.
        first_index: Index of the first entry of the log that was read; 0 before.
    """

    def __init__(self, policy: SignalPolicy, books: Collection[str], expiry_of: Expiries) -> None:
        self.observed: SignalsObserved | None = None
        self.first_index = 0
        self._policy = policy
        self._books = frozenset(books)
        self._expiry_of = expiry_of
        self._places: dict[str, tuple[str, str]] = {}
        self._regime = ""
        self._regime_since_ns: int | None = None

    @property
    def event_ns(self) -> int:
        """The market's instant; 0 before the first event."""
        return 0 if self.observed is None else self.observed.event_ns

    @property
    def youngest_ns(self) -> int:
        """Instant of the youngest print in any signal; 0 before it."""
        if self.observed is None:
            return 0
        return max((each.event_ns for each in self.observed.signals.values()), default=0)

    def take(self, observed: SignalsObserved) -> None:
        """Take the next snapshot."""
        is_first, self.observed = self.observed is None, observed
        regime = observed.signals.get("regime")
        if regime is None or regime.state == self._regime:
            return
        cut_short = is_first and self.first_index > 1  # it may have stood for long
        self._regime_since_ns = None if cut_short else regime.event_ns or observed.event_ns
        self._regime = regime.state

    def values(self, observed: SignalsObserved) -> dict[str, dict[str, float | None]]:
        """Return the value of every signal of a snapshot, by scope and name."""
        values: dict[str, dict[str, float | None]] = {"": {}}
        for name, signal in observed.signals.items():
            scope, own = self._place(name)
            values.setdefault(scope, {})[own] = signal.value
        return values

    def of_book(self, book: str) -> dict[str, Signal]:
        """Return the signals of one book, by name without it."""
        if self.observed is None:
            return {}
        placed = ((self._place(name), signal) for name, signal in self.observed.signals.items())
        return {own: signal for (scope, own), signal in placed if scope == book}

    def messages_of(self, scope: str) -> dict[str, SignalMessage]:
        """Return the signals of a scope as they are told."""
        return {name: signal_message(name, each) for name, each in self.of_book(scope).items()}

    def view(self) -> MarketView:
        """Return the market."""
        observed = self.observed
        if observed is None:
            return MarketView(event_time=None, signals={}, silent=(), curve=(), regime=None)
        since_ns = self._regime_since_ns
        return MarketView(
            event_time=format_instant(observed.event_ns),
            signals=self.messages_of(""),
            silent=observed.silent,
            curve=self._curve(observed.event_ns, observed.marks, observed.signals),
            regime=RegimeView(
                state=self._regime, since=format_instant(since_ns) if since_ns else None
            )
            if self._regime
            else None,
        )

    def _place(self, name: str) -> tuple[str, str]:
        """Return scope and name of a signal: `drawdown.overlay` is `drawdown` of `overlay`."""
        place = self._places.get(name)
        if place is None:
            own, _, book = name.partition(".")
            place = self._places[name] = (book, own) if book in self._books else ("", name)
        return place

    def _curve(
        self, now_ns: int, marks: Mapping[str, Mark], signals: Mapping[str, Signal]
    ) -> tuple[CurvePointView, ...]:
        futures = [
            point
            for symbol, mark in marks.items()
            if (point := self._point(symbol, mark, now_ns)) is not None
        ]
        if not futures:
            return ()
        vix = signals.get("vix")
        if vix is not None and vix.value is not None:
            futures.append(
                CurvePointView(
                    symbol=self._policy.vix_symbol,
                    days=0.0,
                    level=vix.value,
                    event_time=format_instant(vix.event_ns),
                )
            )
        return tuple(sorted(futures, key=lambda point: point.days))

    def _point(self, symbol: str, mark: Mark, now_ns: int) -> CurvePointView | None:
        days = self._days(symbol, now_ns)
        level = mark.middle
        if days is None or days < 0 or level is None:
            return None
        event_time = format_instant(mark.event_ns)
        return CurvePointView(symbol=symbol, days=days, level=level, event_time=event_time)

    def _days(self, symbol: str, now_ns: int) -> float | None:
        term = self._policy.term_structure
        expiry_ns = term.expiries.get(symbol) or self._expiry_of(symbol)
        if expiry_ns is not None:
            return (expiry_ns - now_ns) / DAY
        nominal = dict(zip((term.front, term.third), _NOMINAL_DAYS, strict=True))
        return nominal.get(symbol)
