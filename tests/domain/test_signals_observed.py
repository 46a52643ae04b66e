from math import inf, nan

import pytest

from shared.domain.signals_observed import Mark, Quality, Signal


def test_a_rule_acts_on_good_signals_alone() -> None:
    good = [Signal(value=1.0, unit="points", quality=each).is_good for each in Quality]
    assert good == [each is Quality.GOOD for each in Quality]


@pytest.mark.parametrize(
    ("bid", "ask", "middle"),
    [
        (19.0, 20.0, 19.5),
        (19.5, 19.5, 19.5),
        (None, 20.0, 18.0),
        (19.0, None, 18.0),
        (20.0, 19.0, 18.0),  # crossed
        (0.0, 19.0, 18.0),
        (nan, 19.0, 18.0),
        (19.0, inf, None),
    ],
)
def test_the_middle_is_that_of_a_sound_quote_else_the_level(
    bid: float | None, ask: float | None, middle: float | None
) -> None:
    assert Mark(level=18.0, event_ns=1, bid=bid, ask=ask).middle == middle


@pytest.mark.parametrize("level", [0.0, -1.0, nan, inf])
def test_a_level_that_is_no_price_has_no_middle(level: float) -> None:
    assert Mark(level=level, event_ns=1).middle is None
