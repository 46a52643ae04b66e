"""Counters are summed over lives of processes, and a guard that never fired is named."""

from services.command.torture.guards import PROVOKED_GUARDS, SWEEP_GUARDS, Tally, never_fired

STALE = 'hedge_orders_refused_total{reason="stale_mark"}'


def test_a_counter_is_summed_over_the_lives_of_a_process_each_of_which_begins_at_nought() -> None:
    tally = Tally()
    for value in (2.0, 5.0, 1.0, 1.0):
        tally.take("gateway-1", {STALE: value, "hedge_orders_unacknowledged": 7.0})
    tally.take("gateway-2", {STALE: 3.0})
    assert tally.counts == {STALE: 9}


def test_every_guard_that_never_fired_is_named() -> None:
    counts = dict.fromkeys((*SWEEP_GUARDS, *PROVOKED_GUARDS), 1)
    assert never_fired(counts, PROVOKED_GUARDS) == []
    counts[STALE] = 0
    assert never_fired(counts, PROVOKED_GUARDS) == [STALE]
    assert never_fired(counts, SWEEP_GUARDS) == []
