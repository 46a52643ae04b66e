import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.gatekeeping.dead_man import HALTED_S, LONGEST_STEP_S, REDUCING_S, DeadMan
from shared.domain.trading import TradingState


def silent(seconds: float) -> DeadMan:
    dead_man = DeadMan()
    for _ in range(round(seconds / 0.25)):
        dead_man.pass_time(0.25)
    return dead_man


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [(0.0, "active"), (1.75, "active"), (2.0, "reducing"), (2.75, "reducing"), (3.0, "halted")],
)
def test_silence_asks_for_ever_stricter_states(seconds: float, wanted: str) -> None:
    assert silent(seconds).wanted == wanted


def test_a_heartbeat_ends_the_silence() -> None:
    dead_man = silent(9.0)
    assert not dead_man.heard
    dead_man.hear()
    assert (dead_man.wanted, dead_man.heard) == (TradingState.ACTIVE, True)


def test_one_that_was_itself_frozen_has_not_lost_its_hedger() -> None:
    dead_man = DeadMan()
    dead_man.pass_time(60.0)
    assert (dead_man.wanted, dead_man.silent_s) == (TradingState.ACTIVE, LONGEST_STEP_S)


@given(st.lists(st.floats(0.01, 0.25), min_size=1, max_size=60))
def test_it_halts_as_soon_as_three_seconds_have_passed_and_not_before(steps: list[float]) -> None:
    dead_man, passed = DeadMan(), 0.0
    for step in steps:
        dead_man.pass_time(step)
        passed += step
        assert (dead_man.wanted is TradingState.HALTED) == (passed >= HALTED_S)
        assert (dead_man.wanted is TradingState.ACTIVE) == (passed < REDUCING_S)
