from fakes.clock import ManualClock

from services.dashboard.security_rates import MOST_REMEMBERED, Rates


def test_a_bucket_empties_at_once_and_fills_with_time_up_to_its_size() -> None:
    clock = ManualClock()
    rates = Rates(clock, a_second=2, at_once=3)
    assert [rates.take("a") for _ in range(4)] == [True, True, True, False]
    assert rates.take("b")
    clock.advance(0.5)
    assert [rates.take("a") for _ in range(2)] == [True, False]
    clock.advance(1_000)
    assert [rates.take("a") for _ in range(4)] == [True, True, True, False]


def test_a_refusal_costs_nothing() -> None:
    clock = ManualClock()
    rates = Rates(clock, a_second=1, at_once=1)
    rates.take("a")
    for _ in range(10):
        clock.advance(0.0625)
        assert not rates.take("a")
    clock.advance(0.375)
    assert rates.take("a")


def test_of_many_names_the_one_that_was_longest_not_seen_is_forgotten() -> None:
    rates = Rates(ManualClock(), a_second=1, at_once=1)
    rates.take("first")
    rates.take("kept")
    for number in range(MOST_REMEMBERED - 1):
        rates.take(f"{number}")
        rates.take("kept")
    assert rates.take("first"), "forgotten, so full again"
    assert not rates.take("kept")
