"""Counting prints."""

from fakes.calendars import LENGTH, Desk, at

from shared.domain.market.sources.prints import FIRST, PrintCount


def test_nothing_lies_before_the_first_print() -> None:
    desk = Desk()
    assert PrintCount().elapsed(desk.cursor, desk.enter(at(3))) == FIRST


def test_the_youngest_print_is_where_the_time_counts_from() -> None:
    desk = Desk()
    prints = PrintCount().after(at(1, 10)).after(at(1, 5), prints=3)
    assert prints == PrintCount(4, at(1, 10))
    assert prints.elapsed(desk.cursor, desk.enter(at(2, 10))) == (LENGTH, 1, 1.0)
