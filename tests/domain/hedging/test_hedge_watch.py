from datetime import UTC, datetime

import msgspec
from fakes.hedged_market import CALENDAR, MONDAY
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.domain.dealing.dealer import Lack
from shared.domain.effects import AlertRaised
from shared.domain.hedging.hedge_watch import GRACE_NS, HedgeWatch, HedgeWatchState
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.instants import DAY, HOUR, MINUTE, SECOND

ORDER_NS = 10 * MINUTE
LACKS = {"swap": Lack(600.0, 0.0)}
LATE = MONDAY + ORDER_NS + GRACE_NS
CLOSE = MONDAY + 6 * HOUR + 30 * MINUTE
SUMMER = int(datetime(2025, 7, 2, 12, tzinfo=UTC).timestamp()) * SECOND
"""The middle of a year."""


def make_watch(state: HedgeWatchState | None = None) -> HedgeWatch:
    return HedgeWatch("overlay", ORDER_NS, SessionClock(CALENDAR), state)


def whats(alerts: list[AlertRaised]) -> list[str]:
    return [each.what for each in alerts]


# --- the target ------------------------------------------------------------------------------


def test_a_position_off_its_target_is_told_once_with_what_it_lacks() -> None:
    watch = make_watch()
    assert watch.follow(LACKS, MONDAY) == []
    assert watch.next_deadline(MONDAY) == LATE
    assert watch.look(LATE - 1, 0.0) == []
    assert watch.look(LATE, 0.0) == []  # seen for the first time: its fill may come yet
    (told,) = watch.look(LATE + MINUTE, 0.0)
    assert (told.what, told.severity, told.where) == ("off_target", "critical", "swap")
    assert told.figures == {"swap.target": 600.0, "swap.held": 0.0}
    assert watch.is_off
    assert watch.look(LATE + HOUR, 0.0) == []
    assert watch.next_deadline(LATE + HOUR) is None


def test_a_new_target_does_not_begin_the_wait_again() -> None:
    watch = make_watch()
    watch.follow(LACKS, MONDAY)
    watch.follow({"swap": Lack(900.0, 0.0)}, MONDAY + MINUTE)
    assert watch.next_deadline(MONDAY + MINUTE) == LATE


def test_a_fill_in_time_ends_it_unseen() -> None:
    watch = make_watch()
    watch.follow(LACKS, MONDAY)
    watch.look(LATE, 0.0)
    assert watch.follow({}, LATE + SECOND) == []
    assert watch.look(LATE + HOUR, 0.0) == []


def test_a_late_fill_is_told_too() -> None:
    watch = make_watch()
    watch.follow(LACKS, MONDAY)
    watch.look(LATE, 0.0)
    watch.look(LATE + MINUTE, 0.0)
    assert whats(watch.follow(LACKS, LATE + 2 * MINUTE)) == []
    assert whats(watch.follow({}, LATE + 3 * MINUTE)) == ["on_target"]
    assert not watch.is_off


def test_the_wait_stands_still_while_the_market_is_closed() -> None:
    watch = make_watch()
    watch.follow(LACKS, CLOSE - MINUTE)
    following = MONDAY + DAY
    assert watch.next_deadline(CLOSE) == following + ORDER_NS + GRACE_NS - MINUTE


def test_a_deadline_on_the_close_is_seen_at_the_next_opening() -> None:
    watch = make_watch()
    watch.follow(LACKS, CLOSE - ORDER_NS - GRACE_NS)
    assert watch.next_deadline(CLOSE - HOUR) == CLOSE
    assert watch.next_deadline(CLOSE + HOUR) == MONDAY + DAY


def test_beyond_the_calendar_it_waits_for_its_last_close() -> None:
    watch = make_watch()
    last = int(CALENDAR.close_ns[-1])
    watch.follow(LACKS, last - MINUTE)
    assert watch.next_deadline(last - MINUTE) == last
    assert watch.next_deadline(last + 1) is None


# --- the budget ------------------------------------------------------------------------------


def test_a_budget_that_goes_faster_than_the_year_is_told_once() -> None:
    watch = make_watch()
    assert watch.look(SUMMER, 0.59) == []
    (told,) = watch.look(SUMMER, 0.61)
    assert (told.what, told.severity) == ("budget_burning", "warning")
    assert told.figures["used"] == 0.61
    assert 1.2 < told.figures["rate"] < 1.23
    assert watch.look(SUMMER + DAY, 0.62) == []
    assert watch.look(SUMMER + 20 * DAY, 0.63) == []  # 1.13 of the year: not below 1 yet
    assert whats(watch.look(SUMMER + 60 * DAY, 0.64)) == ["budget_calm"]


def test_the_first_cost_of_a_year_burns_nothing() -> None:
    watch = make_watch()
    new_year = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * SECOND
    assert watch.look(new_year, 0.19) == []
    assert watch.look(new_year + DAY, 0.1999) == []
    assert whats(watch.look(new_year + 2 * DAY, 0.2)) == ["budget_burning"]


def test_a_budget_that_is_spent_pages_and_a_new_year_ends_it() -> None:
    watch = make_watch()
    (told,) = watch.look(SUMMER, 1.0)
    assert (told.what, told.severity) == ("budget_spent", "critical")
    assert watch.look(SUMMER + DAY, 1.1) == []
    assert whats(watch.look(SUMMER + 183 * DAY, 0.0)) == ["budget_calm"]


# --- the laws --------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(
        st.sampled_from([{}, LACKS, {"swap": Lack(1.0, 9.0)}, None]),
        st.sampled_from([SECOND, MINUTE, 7 * MINUTE, HOUR, DAY]),
        st.sampled_from([0.0, 0.3, 0.95, 1.2]),
    ),
    max_size=12,
)


@settings(max_examples=100)
@given(steps, st.integers(0, 11))
def test_a_restart_changes_nothing(
    journal: list[tuple[dict[str, Lack] | None, int, float]], at: int
) -> None:
    steady, stopped, now = make_watch(), make_watch(), MONDAY
    for number, (lacks, pause, used) in enumerate(journal):
        now += pause
        if number == at:
            stored = msgspec.msgpack.encode(stopped.snapshot())
            stopped = make_watch(msgspec.msgpack.decode(stored, type=HedgeWatchState))
        if lacks is not None:
            assert steady.follow(lacks, now) == stopped.follow(lacks, now)
        assert steady.look(now, used) == stopped.look(now, used)
    assert steady.snapshot() == stopped.snapshot()


@settings(max_examples=100)
@given(steps)
@example([({}, 4 * DAY, 0.0), (LACKS, SECOND, 0.0), (None, DAY, 0.0)])  # late on a Saturday
def test_nothing_changes_before_the_deadline_and_something_does_at_it(
    journal: list[tuple[dict[str, Lack] | None, int, float]],
) -> None:
    watch, now, used = make_watch(), MONDAY, 0.0
    for lacks, pause, share in journal:
        now, used = now + pause, share
        if lacks is not None:
            watch.follow(lacks, now)
        watch.look(now, used)
    for _ in range(3):
        before, deadline = watch.snapshot(), watch.next_deadline(now)
        if deadline is None:
            return
        watch.look(deadline - 1, used)
        assert watch.snapshot() == before
        watch.look(deadline, used)
        assert watch.snapshot() != before
        now = deadline
