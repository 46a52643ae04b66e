import msgspec
import pytest
from fakes.hedged_market import CALENDAR, MONDAY, instant
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.dealing.cost_ledger import (
    CostLedger,
    CostLedgerState,
    unit_carry,
    year_end_ns,
    year_of,
)
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.instants import DAY, HOUR, MINUTE, SECOND

CLOSE = MONDAY + 6 * HOUR + 30 * MINUTE
THETA = (18.0**2 - 15.0**2) / 36 / 30


def ledger(now: int = MONDAY, vega: float = 600.0) -> CostLedger:
    started = CostLedger(SessionClock(CALENDAR))
    started.advance_to(now)
    started.observe(18.0, 0.15)
    started.hold(vega, now)
    return started


def test_carry_is_implied_minus_realized_variance() -> None:
    assert unit_carry(18.0, 0.15) == pytest.approx(2.75 / 30)


def test_carry_is_never_a_gain() -> None:
    assert unit_carry(18.0, 0.25) == 0.0


@pytest.mark.parametrize(("vix", "rv"), [(None, 0.15), (18.0, None), (0.0, 0.15)])
def test_carry_is_unknown_without_good_signals(vix: float | None, rv: float | None) -> None:
    assert unit_carry(vix, rv) is None


def test_carry_is_booked_right_after_the_close() -> None:
    costs = ledger()
    assert not costs.advance_to(CLOSE)
    assert costs.used == 0
    assert costs.advance_to(CLOSE + 1)
    assert costs.snapshot().booked_ns == CLOSE
    assert costs.used == pytest.approx(600 * THETA * 6.5 / 24)


def test_carry_counts_every_position_for_its_own_time() -> None:
    costs = ledger()
    costs.hold(1000.0, MONDAY + 3 * HOUR)
    costs.advance_to(CLOSE + 1)
    assert costs.used == pytest.approx(THETA * (600 * 3 + 1000 * 3.5) / 24)


def test_a_weekend_costs_three_days() -> None:
    friday = CLOSE + 4 * DAY
    costs = ledger(now=friday + 1)
    costs.advance_to(friday + 3 * DAY + 1)
    assert costs.used == pytest.approx(600 * THETA * 3, rel=1e-9)


def test_closes_that_nobody_announced_are_booked_one_by_one() -> None:
    late, punctual = ledger(), ledger()
    for day in range(5):
        punctual.advance_to(CLOSE + day * DAY + 1)
    late.advance_to(CLOSE + 4 * DAY + 1)
    assert late.snapshot() == punctual.snapshot()


def test_unknown_carry_accrues_nothing_and_is_counted() -> None:
    costs = ledger()
    costs.observe(None, 0.15)
    costs.advance_to(CLOSE + DAY + 1)
    assert costs.used == 0
    assert costs.unknown_days == pytest.approx(1 + 6.5 / 24)


def test_transactions_are_added_and_a_gain_is_subtracted() -> None:
    costs = ledger()
    costs.pay(40.0)
    costs.pay(-15.0)
    assert costs.used == 25.0


def test_a_new_year_starts_from_nothing() -> None:
    costs = ledger()
    costs.pay(40.0)
    costs.advance_to(instant("2024-12-31 23:00"))
    assert costs.used > 40
    assert costs.next_deadline() == instant("2025-01-01 00:00")
    costs.advance_to(instant("2025-01-01 00:00"))
    assert costs.used == 0


def test_the_carry_over_new_year_belongs_to_the_new_one() -> None:
    costs = ledger()
    costs.advance_to(instant("2024-12-31 23:00"))
    costs.advance_to(instant("2025-01-01 21:01"))
    assert costs.used == pytest.approx(600 * THETA)


def test_the_projection_runs_to_the_end_of_the_year() -> None:
    costs = ledger(now=instant("2024-12-16 00:00"))
    assert costs.unit_cost(1000.0, instant("2024-12-22 00:00")) == pytest.approx(1000 * THETA * 10)
    costs.observe(None, None)
    assert costs.unit_cost(1000.0, instant("2024-12-22 00:00")) is None


def test_beyond_the_calendar_only_new_years_pass() -> None:
    costs = ledger(now=int(CALENDAR.close_ns[-1]) + 1)
    assert costs.next_deadline() == year_end_ns(2025)


def test_a_ledger_that_saw_nothing_waits_for_nothing() -> None:
    assert CostLedger(SessionClock(CALENDAR)).next_deadline() is None


def test_years_are_utc() -> None:
    end = year_end_ns(2024)
    assert (year_of(end - 1), year_of(end)) == (2024, 2025)


changes = st.lists(
    st.tuples(st.integers(1, 3 * DAY // SECOND), st.floats(-500, 2000), st.floats(5, 60)),
    max_size=12,
)


@given(changes, st.integers(0, 12))
def test_a_restart_changes_nothing(steps: list[tuple[int, float, float]], at: int) -> None:
    costs, now = ledger(), MONDAY
    other = ledger()
    for number, (seconds, vega, vix) in enumerate(steps):
        now += seconds * SECOND
        if number == at:
            stored = msgspec.msgpack.encode(other.snapshot())
            state = msgspec.msgpack.decode(stored, type=CostLedgerState)
            other = CostLedger(SessionClock(CALENDAR), state)
        for each in (costs, other):
            each.advance_to(now)
            each.observe(vix, 0.15)
            each.hold(vega, now)
            each.pay(1.0)
    assert costs.snapshot() == other.snapshot()


@given(st.integers(MONDAY, int(CALENDAR.close_ns[-1])))
def test_something_is_booked_at_the_deadline_and_nothing_before(start: int) -> None:
    costs = ledger(now=start)
    before = costs.snapshot()
    deadline = costs.next_deadline()
    assert deadline is not None
    costs.advance_to(deadline - 1)
    assert costs.snapshot() == before
    costs.advance_to(deadline)
    assert costs.snapshot() != before
