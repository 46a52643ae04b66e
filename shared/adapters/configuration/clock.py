"""`[calendar]` and `[clock]`: whose sessions count, and who says what time it is."""

from datetime import date
from typing import Literal

from msgspec import Struct

from shared.adapters.calendars import (
    CalendarError,
    CalendarOverrides,
    regular_session_ns,
    session_calendar,
)
from shared.adapters.configuration.table import Table
from shared.domain.instants import SECOND


class CalendarSettings(Struct, frozen=True, kw_only=True):
    """Whose sessions count, and the reviewed corrections; see `shared.adapters.calendars`."""

    name: str = "XNYS"
    overrides: CalendarOverrides = CalendarOverrides()


class ClockSettings(Struct, frozen=True, kw_only=True):
    """Who says what time it is.

    Attributes:
        source: `wall`: ingest appends clock events from the wall clock; `feed`: a replay does.
        interval_ns: Between two clock events of the wall clock.
    """

    source: Literal["wall", "feed"] = "wall"
    interval_ns: int = SECOND


def read_calendar(table: Table) -> CalendarSettings:
    """`[calendar]`."""
    name = table.text("name", CalendarSettings().name)
    early = table.table("early_closes")
    overrides = CalendarOverrides(
        closed=tuple(sorted(table.dates("closed"))),
        early_closes=tuple(sorted((_date(early, day), early.time(day)) for day in early.keys())),  # noqa: SIM118
    )
    table.refuse_unknown_keys()
    if early.is_sound(*early.keys()) and table.is_sound("name", "closed"):
        _try_calendar(table, name, overrides)
    return CalendarSettings(name=name, overrides=overrides)


def _date(table: Table, key: str) -> date:
    try:
        return date.fromisoformat(key)
    except ValueError:
        table.fault(key, f"{key!r} is not a date", 'write 2026-11-27 = "13:00"')
        return date.min


def _try_calendar(table: Table, name: str, overrides: CalendarOverrides) -> None:
    try:
        regular_session_ns(name)
    except CalendarError as reason:
        problem, _, hint = str(reason).partition(": ")
        table.fault("name", problem, hint or "name another one, such as XNYS")
        return
    for day, _ in overrides.early_closes:
        try:
            session_calendar(name, day, day, overrides)
        except CalendarError as reason:
            table.fault("early_closes", str(reason), "take it out, or correct it")


def read_clock(table: Table) -> ClockSettings:
    """`[clock]`."""
    default = ClockSettings()
    settings = ClockSettings(
        source=table.choice("source", ("wall", "feed"), default.source),
        interval_ns=table.duration("interval", default.interval_ns, positive=True),
    )
    table.refuse_unknown_keys()
    return settings
