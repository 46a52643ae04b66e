"""What a source is, and the prints it has taken."""

from typing import Final, Protocol

from msgspec import Struct

from shared.domain.market.readings import Reading
from shared.domain.market.session_cursor import Elapsed, SessionCursor

FIRST: Final = Elapsed(0, 0, 0.0)


class Source(Protocol):
    """Prints in, readings moved.

    Attributes:
        symbols: Whose prints it wants.
        readings: What it moves.
    """

    symbols: tuple[str, ...]
    readings: tuple[Reading, ...]

    def observe(self, symbol: str, level: float, event_ns: int) -> None:
        """Take a print of one of its symbols, inside the session at hand."""


class PrintCount(Struct, frozen=True, array_like=True):
    """Prints that a source took: how many, and the instant of the youngest."""

    observations: int = 0
    event_ns: int = 0

    def after(self, event_ns: int, prints: int = 1) -> "PrintCount":
        """With that many more, the youngest of them at `event_ns`."""
        return PrintCount(self.observations + prints, max(self.event_ns, event_ns))

    def elapsed(self, cursor: SessionCursor, event_ns: int) -> Elapsed:
        """From the youngest print to `event_ns`; nothing before the first."""
        return cursor.since(self.event_ns, event_ns) if self.observations else FIRST
