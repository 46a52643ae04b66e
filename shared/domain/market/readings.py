"""A signal and the instant from which it is stale (spec 1, quality)."""

from msgspec import Struct
from msgspec.structs import replace

from shared.domain.market.session_cursor import SessionCursor
from shared.domain.signals_observed import Quality, Signal


class ReadingState(Struct, frozen=True, kw_only=True):
    """A signal as its last print left it, and the instant its age counts from."""

    signal: Signal
    oldest_ns: int


class Reading:
    """One named signal: moved by prints, aged by time.

    Its age counts in trading time from `oldest_ns`: the oldest of the prints it needs, so that a
    ratio with one dead leg is not good. Only a good signal becomes stale; a warming one has no
    value that could mislead.

    Args:
        name: Of the signal.
        unit: Of its value.
        limit_ns: Trading time after which it is stale.
        need: How much its window holds when full.
        cursor: Knows trading time.
    """

    def __init__(
        self, name: str, unit: str, limit_ns: int, cursor: SessionCursor, need: int = 1
    ) -> None:
        self.name = name
        self.unit = unit
        self.need = need
        self.signal = Signal(value=None, unit=unit, quality=Quality.WARMING, need=need)
        self.stale_from: int | None = None
        self._limit_ns = limit_ns
        self._cursor = cursor
        self._oldest_ns = 0
        self._stale: Signal | None = None

    def move(  # noqa: PLR0913 - the fields of a signal
        self,
        value: float | None,
        *,
        event_ns: int,
        oldest_ns: int,
        observations: int,
        have: int = 1,
        state: str = "",
        known: Quality = Quality.GOOD,
    ) -> None:
        """Take a new value, of the quality `known`; `None` while its window is not full."""
        self._hold(
            Signal(
                value=value,
                unit=self.unit,
                quality=Quality.WARMING if value is None else known,
                event_ns=event_ns,
                observations=observations,
                have=have,
                need=self.need,
                state=state,
            ),
            oldest_ns,
        )

    def _hold(self, signal: Signal, oldest_ns: int) -> None:
        if not signal.is_good:
            self.stale_from = None
        elif self.stale_from is None or oldest_ns != self._oldest_ns:
            # stale when *older* than the limit: one ns more
            self.stale_from = self._cursor.after_trading(oldest_ns, self._limit_ns + 1)
        self.signal, self._oldest_ns, self._stale = signal, oldest_ns, None

    def at(self, now: int) -> Signal:
        """The signal with its quality at the instant `now`."""
        if self.stale_from is None or now < self.stale_from:
            return self.signal
        if self._stale is None:
            self._stale = replace(self.signal, quality=Quality.STALE)
        return self._stale

    def snapshot(self) -> ReadingState:
        """State for `restore`."""
        return ReadingState(signal=self.signal, oldest_ns=self._oldest_ns)

    def restore(self, state: ReadingState) -> None:
        """Go on where `state` was taken."""
        self._hold(state.signal, state.oldest_ns)
