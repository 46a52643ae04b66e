"""Screening a run of ticks."""

import numpy as np
import pytest
from fakes.calendars import LENGTH, at, close_of, daily

from shared.domain.instants import HOUR
from shared.domain.market.print_screen import BASKET, DRIVES, IGNORED, screen

CALENDAR = daily(6)
KINDS = np.array([DRIVES, BASKET], dtype=np.int8)


@pytest.fixture(params=["compiled", "plain"])
def screened(request: pytest.FixtureRequest) -> object:
    return screen if request.param == "compiled" else getattr(screen, "py_func", screen)


def verdicts(
    screened: object, prints: list[tuple[int, int]], session: int = 0, now: int = 0
) -> tuple[list[int], list[int], list[int]]:
    """What becomes of (symbol, instant) prints; the clock after each; the newest by symbol."""
    column, event_ns = (np.array(values, dtype=np.int64) for values in zip(*prints, strict=True))
    newest = np.zeros(2, dtype=np.int64)
    start = (session, int(CALENDAR.open_ns[session]) if session else 0, now)
    calendar = (CALENDAR.open_ns, CALENDAR.close_ns)
    verdict, clock = screened(column, event_ns, KINDS, newest, *calendar, start)  # type: ignore[operator]
    return verdict.tolist(), clock.tolist(), newest.tolist()


def test_a_print_counts_as_what_its_symbol_is(screened: object) -> None:
    verdict, _, newest = verdicts(screened, [(0, at(1)), (1, at(1, 5)), (-1, at(1, 9))])
    assert verdict == [DRIVES, BASKET, IGNORED]
    assert newest == [at(1), at(1, 5)]


def test_both_ends_of_a_session_count_and_nothing_beyond(screened: object) -> None:
    instants = [0, at(1) - 1, at(1), close_of(1), close_of(1) + 1, at(6), close_of(6) + 1, at(9)]
    verdict, _, newest = verdicts(screened, [(0, instant) for instant in instants])
    assert verdict == [IGNORED, IGNORED, DRIVES, DRIVES, IGNORED, DRIVES, IGNORED, IGNORED]
    assert newest[0] == at(6)


def test_a_print_older_than_the_last_of_its_symbol_is_superseded(screened: object) -> None:
    prints = [(0, at(1, 9)), (0, at(1, 8)), (0, at(1, 9)), (1, at(1, 8))]
    assert verdicts(screened, prints)[0] == [DRIVES, IGNORED, DRIVES, BASKET]


def test_a_print_of_an_earlier_session_is_superseded(screened: object) -> None:
    assert verdicts(screened, [(0, at(3)), (1, close_of(2))])[0] == [DRIVES, IGNORED]
    assert verdicts(screened, [(1, close_of(2)), (1, at(4))], session=2)[0] == [IGNORED, BASKET]


def test_the_clock_is_the_latest_instant_seen_even_of_prints_that_do_not_count(
    screened: object,
) -> None:
    prints = [(0, at(1)), (-1, at(1, HOUR)), (1, at(1, 5)), (0, close_of(1) + LENGTH)]
    clock = verdicts(screened, prints, now=at(1, 3))[1]
    assert clock == [at(1, 3), at(1, HOUR), at(1, HOUR), close_of(1) + LENGTH]
