"""Bars against the calendar."""

from datetime import date
from itertools import pairwise

import pytest

from shared.adapters.calendars import CalendarError, CalendarOverrides, session_calendar
from shared.adapters.history.series import DailyBar, FindingKind, IntradayBar, Series
from shared.adapters.history.sessions import Sessions, checked
from shared.domain.instants import MINUTE


def closes(*days: date) -> Series:
    bars = tuple(DailyBar(day=day, close=20.0) for day in days)
    return Series(symbol="VIX", bars=bars, place="VIX.csv")


def test_bars_of_every_session_pass_without_a_word() -> None:
    series = closes(date(2018, 2, 2), date(2018, 2, 5))  # a week-end between is no gap
    assert checked([series], "XNYS") == (series,)


def test_sessions_without_a_bar_are_reported_by_run() -> None:
    series = closes(date(2018, 1, 2), date(2018, 1, 4), date(2018, 1, 10))
    (found,) = checked([series], "XNYS")
    assert found.bars == series.bars
    assert [(finding.kind, finding.day) for finding in found.findings] == [
        (FindingKind.GAP, date(2018, 1, 3)),
        (FindingKind.GAP, date(2018, 1, 5)),
    ]
    assert found.findings[0].message == "no bar in 1 session: 2018-01-03"
    assert found.findings[1].message == "no bar in 3 sessions: 2018-01-05 to 2018-01-09"


def test_a_bar_on_a_holiday_is_reported_and_not_used() -> None:
    series = closes(date(2004, 6, 10), date(2004, 6, 11), date(2004, 6, 14))
    (found,) = checked([series], "XNYS")
    assert [bar.day for bar in found.bars if isinstance(bar, DailyBar)] == [
        date(2004, 6, 10),
        date(2004, 6, 14),
    ]
    (finding,) = found.findings
    assert (finding.kind, finding.day) == (FindingKind.CLOSED, date(2004, 6, 11))
    assert str(finding) == "VIX.csv: VIX: 2004-06-11: the exchange was closed; bar not used"


def test_findings_of_the_reader_are_kept_and_come_first() -> None:
    (once,) = checked([closes(date(2018, 1, 2), date(2018, 1, 4))], "XNYS")
    (twice,) = checked([once], "XNYS")
    assert twice.findings == once.findings * 2


def test_the_overrides_close_days_here_too() -> None:
    days = (date(2018, 1, 2), date(2018, 1, 4))
    overrides = CalendarOverrides(closed=(date(2018, 1, 3),))
    assert checked([closes(*days)], "XNYS", overrides) == (closes(*days),)


def test_nothing_to_check_needs_no_calendar() -> None:
    assert checked([closes()], "nowhere") == (closes(),)
    with pytest.raises(CalendarError):
        checked([closes(date(2018, 1, 2))], "nowhere")


def test_intraday_bars_out_of_hours_are_reported_by_day() -> None:
    calendar = session_calendar("XNYS", date(2018, 2, 5), date(2018, 2, 6))
    opening, closing = int(calendar.open_ns[0]), int(calendar.close_ns[0])
    edges = range(opening - 10 * MINUTE, closing + 15 * MINUTE, 5 * MINUTE)
    bars = tuple(
        IntradayBar(start_ns=start, end_ns=end, close=280.0) for start, end in pairwise(edges)
    )
    (found,) = checked([Series(symbol="SPY", bars=bars, place="spy.csv")], "XNYS")
    assert len(found.bars) == 78
    (finding,) = found.findings
    assert finding.message == "2018-02-05: the exchange was closed; 4 bars not used"


def test_a_bar_across_the_close_belongs_to_no_session() -> None:
    sessions = Sessions(session_calendar("XNYS", date(2018, 2, 5), date(2018, 2, 6)))
    closing = int(sessions.calendar.close_ns[0])
    last = IntradayBar(start_ns=closing - MINUTE, end_ns=closing, close=280.0)
    across = IntradayBar(start_ns=closing - MINUTE, end_ns=closing + 1, close=280.0)
    assert sessions.of(last) == 0
    assert sessions.of(across) is None
