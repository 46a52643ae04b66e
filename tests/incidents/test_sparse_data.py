"""Data of a few prints a session: neither repetition nor silence means anything in it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from shared.adapters.calendars import session_calendar
from shared.adapters.history.packaged import packaged_history
from shared.adapters.history.replay import replay_steps
from shared.adapters.history.series import IntradayBar, Series
from shared.adapters.settings import load_settings
from shared.domain.events import ClockAdvanced, Tick
from shared.domain.instants import MINUTE, SECOND
from shared.domain.market.signals import SignalMonitor
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import Quality, SignalsObserved

DEMO = Path(__file__).parents[2] / "deploy" / "demo.toml"
UNKNOWN_TO_SPARSE_DATA = {Quality.FROZEN, Quality.HALTED}


def observed(
    history: Sequence[Series], calendar: SessionCalendar, first: date, last: date
) -> Iterator[SignalsObserved]:
    """Every snapshot of a replay under the demo's configuration."""
    monitor = SignalMonitor(load_settings(DEMO, {}).signals, calendar)
    for step in replay_steps(history, calendar, first, last):
        events: list[Tick | ClockAdvanced] = [*step.ticks]
        events.append(ClockAdvanced(event_ns=step.clock_ns))
        for event in events:
            for output in monitor.receive(event, 0):
                assert isinstance(output, SignalsObserved)
                yield output


def test_five_years_of_daily_bars_are_never_frozen_halted_or_silent() -> None:
    first, last = date(2014, 1, 3), date(2018, 12, 31)
    calendar = session_calendar("XNYS", first, last)
    seen = list(observed(packaged_history(), calendar, first, last))
    assert len(seen) > 2 * len(calendar)
    assert {each.silent for each in seen} == {()}
    qualities = {signal.quality for each in seen for signal in each.signals.values()}
    assert not qualities & UNKNOWN_TO_SPARSE_DATA


@pytest.mark.parametrize("interval_minutes", [5, 30])
def test_intraday_bars_that_do_not_move_are_never_frozen_nor_halted(interval_minutes: int) -> None:
    day = date(2018, 2, 5)
    calendar = session_calendar("XNYS", day, day)
    opening, closing = int(calendar.open_ns[0]), int(calendar.close_ns[0])
    length_ns = interval_minutes * MINUTE
    bars = tuple(
        IntradayBar(start_ns=start_ns, end_ns=start_ns + length_ns, close=20.0)
        for start_ns in range(opening, (opening + closing) // 2, length_ns)
    )
    history = [Series(symbol=symbol, bars=bars) for symbol in ("VIX", "SPX")]
    seen = list(observed(history, calendar, day, day))
    assert datetime.fromtimestamp(seen[-1].event_ns / SECOND, UTC).hour == 21
    qualities = {signal.quality for each in seen for signal in each.signals.values()}
    assert not qualities & UNKNOWN_TO_SPARSE_DATA
