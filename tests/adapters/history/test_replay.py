"""Bars become ticks and clock events, in event time and always the same."""

from datetime import date, timedelta
from itertools import pairwise

from shared.adapters.calendars import session_calendar
from shared.adapters.history.packaged import packaged_history
from shared.adapters.history.replay import ReplayStep, replay_steps
from shared.adapters.history.series import DailyBar, IntradayBar, Series
from shared.domain.events import Tick
from shared.domain.instants import HOUR, MINUTE

MONDAY, TUESDAY = date(2018, 2, 5), date(2018, 2, 6)
CALENDAR = session_calendar("XNYS", MONDAY, TUESDAY)
OPEN, CLOSE = int(CALENDAR.open_ns[0]), int(CALENDAR.close_ns[0])
THIRD = 2 * HOUR + 10 * MINUTE
ROSE = DailyBar(day=MONDAY, open=18.44, high=38.8, low=16.8, close=37.32)
FELL = DailyBar(day=MONDAY, open=2741.06, high=2763.39, low=2638.17, close=2648.94)


def series(symbol: str, *bars: DailyBar) -> Series:
    return Series(symbol=symbol, bars=bars)


def prints(steps: list[ReplayStep]) -> list[tuple[str, int, float | None]]:
    return [(tick.symbol, tick.event_ns, tick.price) for step in steps for tick in step.ticks]


def test_a_session_is_an_opening_step_and_a_closing_step() -> None:
    history = [series("VIX", ROSE), series("SPX", FELL)]
    opening, closing = replay_steps(history, CALENDAR, MONDAY, MONDAY)
    assert (opening.clock_ns, closing.clock_ns) == (OPEN, CLOSE)
    assert prints([opening]) == [("SPX", OPEN, 2741.06), ("VIX", OPEN, 18.44)]
    assert prints([closing]) == [
        ("SPX", OPEN + THIRD, 2763.39),  # it fell: high first
        ("VIX", OPEN + THIRD, 16.8),  # it rose: low first
        ("SPX", CLOSE - THIRD, 2638.17),
        ("VIX", CLOSE - THIRD, 38.8),
        ("SPX", CLOSE, 2648.94),
        ("VIX", CLOSE, 37.32),
    ]


def test_the_feed_numbers_the_ticks() -> None:
    (opening, _) = replay_steps([series("VIX", ROSE)], CALENDAR, MONDAY, MONDAY)
    assert opening.ticks == (Tick(symbol="VIX", event_ns=OPEN, price=18.44),)


def test_a_close_alone_prints_at_the_close() -> None:
    history = [series("VIX", DailyBar(day=MONDAY, close=37.32))]
    steps = list(replay_steps(history, CALENDAR, MONDAY, MONDAY))
    assert [step.clock_ns for step in steps] == [OPEN, CLOSE]
    assert prints(steps) == [("VIX", CLOSE, 37.32)]


def test_time_passes_in_a_session_without_a_bar() -> None:
    steps = list(replay_steps([series("VIX", ROSE)], CALENDAR, TUESDAY, TUESDAY))
    assert [step.clock_ns for step in steps] == [
        int(CALENDAR.open_ns[1]),
        int(CALENDAR.close_ns[1]),
    ]
    assert prints(steps) == []


def test_a_bar_on_a_day_without_a_session_does_not_print() -> None:
    saturday = DailyBar(day=MONDAY - timedelta(days=2), close=17.31)
    steps = replay_steps([series("VIX", saturday, ROSE)], CALENDAR, saturday.day, MONDAY)
    assert ("VIX", CLOSE, 37.32) in (seen := prints(list(steps)))
    assert 17.31 not in [price for _, _, price in seen]


def test_intraday_bars_step_one_by_one_beside_daily_ones() -> None:
    minutes = [OPEN, OPEN + 5 * MINUTE, OPEN + 10 * MINUTE]
    bars = tuple(
        IntradayBar(start_ns=start, end_ns=end, open=1.0, high=3.0, low=0.5, close=2.0)
        for start, end in pairwise(minutes)
    )
    history = [Series(symbol="SPY", bars=bars), series("VIX", ROSE)]
    steps = list(replay_steps(history, CALENDAR, MONDAY, MONDAY))
    assert [step.clock_ns for step in steps] == [*minutes, CLOSE]
    assert prints(steps[:2]) == [
        ("SPY", OPEN, 1.0),
        ("VIX", OPEN, 18.44),
        ("SPY", OPEN + 100_000_000_000, 0.5),
        ("SPY", OPEN + 200_000_000_000, 3.0),
        ("SPY", OPEN + 5 * MINUTE, 2.0),  # one bar closes …
        ("SPY", OPEN + 5 * MINUTE, 1.0),  # … and the next opens
    ]


def test_five_years_come_out_in_order_and_the_same_twice() -> None:
    start, end = date(2014, 1, 3), date(2018, 12, 31)
    calendar = session_calendar("XNYS", start, end)
    steps = list(replay_steps(packaged_history(), calendar, start, end))
    assert len(steps) == 2 * len(calendar) == 2 * 1257
    instants = [
        instant for step in steps for instant in (*(t.event_ns for t in step.ticks), step.clock_ns)
    ]
    assert instants == sorted(instants)
    assert steps == list(replay_steps(packaged_history(), calendar, start, end))
