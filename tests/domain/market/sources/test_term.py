"""The futures curve as signals."""

from fakes.calendars import Desk, at

from shared.domain.instants import DAY, MINUTE
from shared.domain.market.sources.term import TermSource, TermState
from shared.domain.policies import SignalPolicy, TermStructurePolicy
from shared.domain.signals_observed import Quality


def test_both_legs_make_a_ratio_and_a_state() -> None:
    desk = Desk()
    source = TermSource(SignalPolicy(), desk.cursor, TermState())
    ratio, state = source.readings
    source.observe("VX1", 72.6, desk.enter(at(1)))  # 2020-03-16
    assert (ratio.signal.quality, ratio.signal.have, ratio.need) == (Quality.WARMING, 1, 2)
    source.observe("VX3", 44.9, desk.enter(at(1, MINUTE)))
    assert ratio.signal.value == 72.6 / 44.9
    assert (state.signal.value, state.signal.state) == (1.0, "backwardation")
    source.observe("VX1", 30.0, desk.enter(at(1, MINUTE)))
    assert (state.signal.value, state.signal.state) == (-1.0, "contango")


def test_it_carries_the_youngest_leg_and_is_as_old_as_the_oldest() -> None:
    desk = Desk()
    source = TermSource(SignalPolicy(), desk.cursor, TermState())
    source.observe("VX3", 20.0, desk.enter(at(1)))
    for minute in range(7):
        source.observe("VX1", 18.0, desk.enter(at(1, minute * MINUTE)))
    (ratio, _), now = source.readings, at(1, 6 * MINUTE)
    assert ratio.signal.event_ns == now
    assert ratio.at(now).quality == Quality.STALE  # the third month has been silent for 6 minutes


def test_at_constant_maturity_only_the_contracts_used_must_be_fresh() -> None:
    expiries = {f"F{days}": at(1) + days * DAY for days in (20, 40, 80, 100, 200)}
    policy = SignalPolicy(
        term_structure=TermStructurePolicy(constant_maturity=True, expiries=expiries)
    )
    desk = Desk()
    source = TermSource(policy, desk.cursor, TermState())
    source.observe("F200", 30.0, desk.enter(at(1)))
    for symbol, level in (("F20", 10.0), ("F40", 20.0), ("F80", 20.0), ("F100", 40.0)):
        source.observe(symbol, level, desk.enter(at(1, 9 * MINUTE)))
    ratio, _ = source.readings
    assert ratio.at(at(1, 9 * MINUTE)).is_good
    assert ratio.signal.value is not None
    assert abs(ratio.signal.value - 15.0 / 30.0) < 1e-3
    assert ratio.signal.observations == 5


def test_a_restart_keeps_the_contracts_that_are_still_in_the_curve() -> None:
    desk = Desk()
    source = TermSource(SignalPolicy(), desk.cursor, TermState())
    source.observe("VX1", 18.0, desk.enter(at(1)))
    source.observe("VX3", 20.0, desk.enter(at(1)))
    assert (
        TermSource(SignalPolicy(), desk.cursor, source.snapshot()).snapshot() == source.snapshot()
    )
    rolled = SignalPolicy(term_structure=TermStructurePolicy(front="VX2", third="VX3"))
    assert list(TermSource(rolled, desk.cursor, source.snapshot()).snapshot().last) == ["VX3"]


def test_the_front_future_alone_is_told_when_a_rule_asks_for_it() -> None:
    desk = Desk()
    policy = SignalPolicy(asked=("front_future",))
    source = TermSource(policy, desk.cursor, TermState())
    source.observe("VX3", 20.0, desk.enter(at(1)))
    front = source.readings[2]
    assert (front.name, front.signal.quality) == ("front_future", Quality.WARMING)
    source.observe("VX1", 18.0, desk.enter(at(1)))
    assert (front.signal.value, front.signal.unit) == (18.0, "points")
    source.observe("VX3", 20.0, desk.enter(at(1, 6 * MINUTE)))
    assert front.at(at(1, 6 * MINUTE)).quality is Quality.STALE  # the third month is none of it


def test_the_front_is_thirty_days_ahead_at_constant_maturity() -> None:
    expiries = {f"F{days}": at(1) + days * DAY for days in (20, 40)}
    structure = TermStructurePolicy(
        front="F20", third="F40", constant_maturity=True, expiries=expiries
    )
    desk = Desk()
    policy = SignalPolicy(term_structure=structure, asked=("front_future",))
    source = TermSource(policy, desk.cursor, TermState())
    source.observe("F20", 10.0, desk.enter(at(1)))
    source.observe("F40", 20.0, desk.enter(at(1)))
    assert source.readings[2].signal.value == 15.0
