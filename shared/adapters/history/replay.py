"""How recorded bars become ticks and clock events of a replay, in event time.

A bar does not say in which order its high and low came. The usual convention is taken: a bar that
rose made its low first, one that fell its high, at one and two thirds of its length. Nothing
printed at an instant knows anything later, except that order.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from operator import attrgetter

from msgspec import Struct

from shared.adapters.history.series import DailyBar, Series
from shared.adapters.history.sessions import Bar, Sessions
from shared.domain.events import Tick
from shared.domain.sessions import SessionCalendar


class ReplayStep(Struct, frozen=True, kw_only=True):
    """Ticks to publish, then the instant to advance the clock to.

    Attributes:
        clock_ns: Not before any of the ticks.
        ticks: In event-time order, those of one instant by symbol; without source or sequence.
    """

    clock_ns: int
    ticks: tuple[Tick, ...]


def replay_steps(
    history: Sequence[Series], calendar: SessionCalendar, start: date, end: date
) -> Iterator[ReplayStep]:
    """Walk the sessions from `start` to `end`, both included.

    Each session has a step at its opening and one at its closing, and one at the end of every
    intraday bar between, also where no symbol has a bar: time passes all the same. Bars outside
    the sessions do not print; `checked` reports them.
    """
    sessions = Sessions(calendar)
    by_session: dict[int, list[tuple[str, Bar]]] = {}
    for series in history:
        for bar in series.bars:
            session = sessions.of(bar)
            if session is not None:
                by_session.setdefault(session, []).append((series.symbol, bar))
    for session, day in enumerate(sessions.dates):
        if start <= day <= end:
            hours = int(calendar.open_ns[session]), int(calendar.close_ns[session])
            yield from _session_steps(by_session.get(session, []), hours)


def _session_steps(bars: Sequence[tuple[str, Bar]], hours: tuple[int, int]) -> Iterator[ReplayStep]:
    ticks = [tick for symbol, bar in bars for tick in _prints(symbol, bar, _span(bar, hours))]
    ticks.sort(key=lambda tick: (tick.event_ns, tick.symbol))
    clocks = sorted({*hours, *(_span(bar, hours)[1] for _, bar in bars)})
    done = 0
    for clock_ns in clocks:
        upto = bisect_right(ticks, clock_ns, key=attrgetter("event_ns"))
        yield ReplayStep(clock_ns=clock_ns, ticks=tuple(ticks[done:upto]))
        done = upto


def _span(bar: Bar, hours: tuple[int, int]) -> tuple[int, int]:
    return hours if isinstance(bar, DailyBar) else (bar.start_ns, bar.end_ns)


def _prints(symbol: str, bar: Bar, span: tuple[int, int]) -> Iterator[Tick]:
    start, end = span
    third = (end - start) // 3
    if bar.open is not None and bar.high is not None and bar.low is not None:
        rose = bar.close >= bar.open
        first, second = (bar.low, bar.high) if rose else (bar.high, bar.low)
        yield Tick(symbol=symbol, event_ns=start, price=bar.open)
        yield Tick(symbol=symbol, event_ns=start + third, price=first)
        yield Tick(symbol=symbol, event_ns=end - third, price=second)
    yield Tick(symbol=symbol, event_ns=end, price=bar.close)
