"""VIX and what is read off it."""

from fakes.calendars import Desk, at, close_of

from shared.domain.instants import MINUTE, SECOND
from shared.domain.market.sources.vix import VixSource, VixState
from shared.domain.policies import SignalPolicy, SmoothingPolicy
from shared.domain.signals_observed import Quality, Signal


def told(
    policy: SignalPolicy, prints: list[tuple[int, float]], desk: Desk | None = None
) -> dict[str, Signal]:
    desk = desk or Desk(1_000)
    source = VixSource(policy, desk.cursor, VixState())
    for event_ns, level in prints:
        source.observe("VIX", level, desk.enter(event_ns))
    return {reading.name: reading.signal for reading in source.readings}


def test_one_print_gives_a_level_and_a_regime() -> None:
    signals = told(SignalPolicy(), [(at(1), 26.0)])
    assert (signals["vix"].value, signals["vix"].unit) == (26.0, "points")
    assert signals["vix_smooth"].value == 26.0
    assert (signals["regime"].value, signals["regime"].state) == (2.0, "high")
    assert {signal.observations for signal in signals.values()} == {1}


def test_smoothing_halves_a_jump_after_its_half_life_of_trading_time() -> None:
    signals = told(SignalPolicy(), [(close_of(1) - 10 * MINUTE, 20.0), (at(2, 20 * MINUTE), 30.0)])
    assert signals["vix_smooth"].value == 25.0


def test_a_smoother_that_is_not_full_has_no_value_and_closes_nothing() -> None:
    policy = SignalPolicy(
        smoothing=SmoothingPolicy(method="sma", sessions=5), percentile_sessions=2
    )
    prints = [(close_of(day), 10.0 + day) for day in range(1, 9)]
    early = told(policy, prints[:5])
    assert early["vix_smooth"].quality == Quality.WARMING
    assert (early["vix_smooth"].have, early["vix_smooth"].need) == (5, 6)
    assert early["vix_percentile"].have == 0
    late = told(policy, prints)
    assert late["vix_smooth"].value == 15.5
    assert late["vix_percentile"].value == 1.0


def test_the_percentile_ranks_the_smoothed_level_among_its_closes() -> None:
    policy = SignalPolicy(percentile_sessions=4)
    signals = told(
        policy, [(close_of(day), level) for day, level in enumerate((20, 30, 10, 40, 25), 1)]
    )
    assert signals["vix_percentile"].value == 0.5
    assert signals["vix_percentile"].unit == "fraction"


def test_transitions_are_of_closes_above_the_upper_threshold() -> None:
    states = [False] * 10 + [True] * 5
    prints = [(close_of(1 + day), 30.0 if states[day % 15] else 20.0) for day in range(152)]
    policy = SignalPolicy(transition_half_life_sessions=1e9)
    signals = told(policy, prints)
    low_to_high = signals["transition_p_low_to_high"].value
    high_to_low = signals["transition_p_high_to_low"].value
    stationary = signals["transition_stationary_high"].value
    assert low_to_high is not None
    assert high_to_low is not None
    assert stationary is not None
    assert abs(low_to_high - 0.1) < 1e-6
    assert abs(high_to_low - 0.2) < 1e-6
    assert abs(stationary - 1 / 3) < 1e-6
    assert told(policy, prints[:20])["transition_p_low_to_high"].have == 13


def test_what_is_read_off_a_vix_that_repeats_itself_is_frozen() -> None:
    prints = [(at(1, quarter * 15 * SECOND), 20.0) for quarter in range(9)]
    assert {signal.quality for signal in told(SignalPolicy(), prints[:8]).values()} == {
        Quality.GOOD,
        Quality.WARMING,
    }
    assert {signal.quality for signal in told(SignalPolicy(), prints).values()} == {
        Quality.FROZEN,
        Quality.WARMING,
    }
    back = [*prints, (at(1, 3 * MINUTE), 20.1), (at(1, 4 * MINUTE), 20.1)]
    assert Quality.FROZEN not in {signal.quality for signal in told(SignalPolicy(), back).values()}


def test_a_restart_changes_nothing() -> None:
    desk, policy = Desk(), SignalPolicy(percentile_sessions=3)
    going = resumed = VixSource(policy, desk.cursor, VixState())
    for day in range(1, 40):
        now = desk.enter(at(day, day * MINUTE))
        resumed = VixSource(policy, desk.cursor, going.snapshot())
        going.observe("VIX", 10.0 + day, now)
        resumed.observe("VIX", 10.0 + day, now)
        assert resumed.snapshot() == going.snapshot()


def test_the_trend_is_told_only_when_a_rule_asks_for_it() -> None:
    prints = [(close_of(1 + day), 20.0 + max(0, day - 19)) for day in range(31)]
    assert "vix_trend" not in told(SignalPolicy(), prints)
    asked = SignalPolicy(asked=("vix_trend",))
    early = told(asked, prints[:28])["vix_trend"]
    assert (early.quality, early.have, early.need) == (Quality.WARMING, 28, 29)
    late = told(asked, prints)["vix_trend"]
    assert (late.value, late.state, late.unit) == (1.0, "up", "state")


def test_a_restart_keeps_the_closes_of_the_trend() -> None:
    desk, policy = Desk(), SignalPolicy(asked=("vix_trend",))
    going = VixSource(policy, desk.cursor, VixState())
    for day in range(1, 40):
        now = desk.enter(at(day))
        going.observe("VIX", 10.0 + day, now)
        resumed = VixSource(policy, desk.cursor, going.snapshot())
        assert resumed.snapshot() == going.snapshot()
