"""New York's sessions of a few years, made by hand: the domain's tests use no calendar library."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.instants import SECOND
from shared.domain.sessions import SessionCalendar

NEW_YORK: Final = ZoneInfo("America/New_York")
HOLIDAYS: Final = frozenset(
    {
        date(2025, 1, 1),
        date(2025, 4, 18),  # Good Friday, a third Friday
        date(2025, 12, 25),
        date(2026, 1, 1),
        date(2026, 4, 3),
        date(2026, 6, 19),  # Juneteenth, a third Friday
        date(2026, 11, 26),
        date(2026, 12, 25),
        date(2027, 1, 1),
    }
)
HALF_DAYS: Final = frozenset({date(2026, 11, 27), date(2026, 12, 24)})


def instant(day: date, hour: int, minute: int = 0) -> int:
    """An instant on New York's clock, in ns."""
    local = datetime.combine(day, time(hour, minute), tzinfo=NEW_YORK)
    return int(local.astimezone(UTC).timestamp()) * SECOND


def new_york(start: date = date(2024, 12, 2), end: date = date(2027, 6, 30)) -> SessionCalendar:
    """Sessions from 9:30 to 16:00, on half days to 13:00, with the holidays that tests need."""
    days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    sessions = [day for day in days if day.weekday() < 5 and day not in HOLIDAYS]
    return SessionCalendar(
        [instant(day, 9, 30) for day in sessions],
        [instant(day, 13 if day in HALF_DAYS else 16) for day in sessions],
    )
