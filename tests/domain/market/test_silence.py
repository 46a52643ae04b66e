"""Missed prints."""

from fakes.calendars import Desk, at, close_of

from shared.domain.instants import HOUR, SECOND
from shared.domain.market.silence import FeedWatch

INTERVAL = 15 * SECOND


class Feed:
    """Prints, followed by a watch."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.watch = FeedWatch(INTERVAL, self.desk.cursor)

    def prints(self, *instants: int) -> None:
        for now in instants:
            self.watch.observe(self.desk.enter(now))


def test_one_print_says_nothing_about_the_next() -> None:
    feed = Feed()
    assert feed.watch.silent_from is None
    feed.prints(at(1))
    assert feed.watch.silent_from is None
    assert not feed.watch.is_silent(at(1, HOUR))


def test_a_regular_feed_is_silent_when_two_intervals_have_passed() -> None:
    feed = Feed()
    feed.prints(at(1), at(1, INTERVAL))
    assert not feed.watch.is_silent(at(1, 3 * INTERVAL))
    assert feed.watch.is_silent(at(1, 3 * INTERVAL) + 1)
    assert feed.watch.silent_from == at(1, 3 * INTERVAL) + 1


def test_it_speaks_again_with_its_next_print_and_is_regular_after_two() -> None:
    feed = Feed()
    feed.prints(at(1), at(1, INTERVAL), at(1, HOUR))
    assert not feed.watch.is_silent(at(1, HOUR) + 60 * INTERVAL)
    feed.prints(at(1, HOUR + INTERVAL))
    assert feed.watch.is_silent(at(1, HOUR + 3 * INTERVAL) + 1)


def test_closed_hours_are_no_silence_and_the_morning_may_be() -> None:
    feed = Feed()
    feed.prints(close_of(1) - INTERVAL, close_of(1))
    assert not feed.watch.is_silent(at(2, 2 * INTERVAL))
    assert feed.watch.is_silent(at(2, 2 * INTERVAL) + 1)


def test_of_a_feed_that_prints_once_a_session_nothing_is_missed() -> None:
    feed = Feed()
    feed.prints(*(close_of(day) for day in range(1, 9)))
    assert feed.watch.silent_from is None


def test_a_print_again_or_late_changes_nothing() -> None:
    feed = Feed()
    feed.prints(at(1), at(1, INTERVAL))
    before = feed.watch.snapshot()
    feed.prints(at(1, INTERVAL), at(1))
    assert feed.watch.snapshot() == before


def test_a_restart_changes_nothing() -> None:
    feed = Feed()
    for number in (0, 1, 2, 9, 10, 40):
        again = FeedWatch(INTERVAL, feed.desk.cursor, feed.watch.snapshot())
        feed.prints(at(1, number * INTERVAL))
        again.observe(at(1, number * INTERVAL))
        assert (again.snapshot(), again.silent_from) == (
            feed.watch.snapshot(),
            feed.watch.silent_from,
        )
