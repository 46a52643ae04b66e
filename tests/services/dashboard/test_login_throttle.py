from fakes.clock import ManualClock
from hypothesis import given
from hypothesis import strategies as st

from services.dashboard.login_throttle import MOST_IN_ALL, MOST_OF_A_NAME, WINDOW_S, Throttle


def test_a_name_waits_until_its_failures_are_old() -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    for _ in range(MOST_OF_A_NAME):
        assert throttle.wait_s("ann") == 0
        throttle.failed("ann")
        clock.advance(10)
    assert throttle.wait_s("ann") == WINDOW_S - 10 * MOST_OF_A_NAME
    assert throttle.wait_s("bob") == 0
    clock.advance(WINDOW_S - 10 * MOST_OF_A_NAME)
    assert throttle.wait_s("ann") == 0


def test_all_wait_when_too_many_failed() -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    for number in range(MOST_IN_ALL):
        throttle.failed(f"name{number}")
    assert throttle.wait_s("ann") == WINDOW_S


def test_who_succeeds_is_forgiven_their_own_failures() -> None:
    throttle = Throttle(ManualClock())
    for name in ("ann", "bob"):
        for _ in range(MOST_OF_A_NAME):
            throttle.failed(name)
    throttle.succeeded("ann")
    assert throttle.wait_s("ann") == 0
    assert throttle.wait_s("bob") == WINDOW_S


@given(st.lists(st.tuples(st.sampled_from("abcdefghijklmnop"), st.floats(0, 100)), max_size=300))
def test_however_names_take_turns_no_more_than_so_many_guesses_fall_into_a_window(
    attempts: list[tuple[str, float]],
) -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    guesses: list[tuple[float, str]] = []
    for name, pause_s in attempts:
        clock.advance(pause_s)
        if throttle.wait_s(name) > 0:
            continue
        throttle.failed(name)
        now_s = clock.monotonic_s()
        guesses = [each for each in guesses if now_s - each[0] < WINDOW_S] + [(now_s, name)]
        assert len(guesses) <= MOST_IN_ALL
        assert sum(other == name for _, other in guesses) <= MOST_OF_A_NAME
