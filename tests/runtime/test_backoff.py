"""Waits grow, stay bounded, and are not the same for everybody."""

from itertools import islice

from shared.runtime.backoff import delays_s


def test_waits_double_up_to_the_longest_and_never_fall_below_half() -> None:
    waits = list(islice(delays_s(first_s=1.0, most_s=5.0), 6))
    for wait, longest in zip(waits, [1.0, 2.0, 4.0, 5.0, 5.0, 5.0], strict=True):
        assert longest / 2 <= wait <= longest


def test_two_who_lost_the_same_server_do_not_come_back_at_once() -> None:
    assert list(islice(delays_s(), 5)) != list(islice(delays_s(), 5))
