"""Durations in nanoseconds; an instant is an integer count of them since the Unix epoch, UTC."""

from typing import Final

MICROSECOND: Final = 1_000
MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
"""A calendar day. An exchange session is not a duration: `shared.domain.sessions`."""
