"""The catalogue of instruments, with the calendars that its product codes name."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Final

from shared.adapters.calendars import NO_OVERRIDES, CalendarOverrides, session_calendar
from shared.adapters.configuration.clock import CalendarSettings
from shared.adapters.configuration.instruments import InstrumentSettings
from shared.domain.instruments.catalogue import Catalogue
from shared.domain.sessions import SessionCalendar

FIRST_DAY: Final = date(2010, 1, 1)
LAST_DAY: Final = date(2060, 12, 31)
"""What expires beyond is unknown; a fixed range, so that no name changes its meaning overnight."""


def make_catalogue(instruments: InstrumentSettings, calendar: CalendarSettings) -> Catalogue:
    """Make a catalogue of the known instruments and the configured ones.

    Args:
        instruments: What is configured.
        calendar: Its reviewed corrections hold for the calendar of its name.

    Whoever resolves a symbol makes the calendar by which it expires, and hears its `CalendarError`.
    """
    roots = instruments.all_roots
    return Catalogue(
        roots,
        calendars=_Calendars(tuple(sorted(roots.calendars)), calendar),
        instruments=instruments.declared,
    )


class _Calendars(Mapping[str, SessionCalendar]):
    """Calendars by name, each made when it is asked for: that takes a while."""

    def __init__(self, names: tuple[str, ...], corrected: CalendarSettings) -> None:
        self._names = names
        self._corrected = corrected

    def __getitem__(self, name: str) -> SessionCalendar:
        is_corrected = name == self._corrected.name
        return _sessions(name, self._corrected.overrides if is_corrected else NO_OVERRIDES)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@lru_cache(maxsize=16)
def _sessions(name: str, overrides: CalendarOverrides) -> SessionCalendar:
    return session_calendar(name, FIRST_DAY, LAST_DAY, overrides)
