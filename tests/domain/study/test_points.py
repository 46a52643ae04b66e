from datetime import date

import numpy as np
from fakes import rolled_market
from fakes.new_york import instant

from shared.domain.events import Tick
from shared.domain.study.points import points_of

DAY = date(2025, 1, 6)
OPENS, NOON, CLOSES = instant(DAY, 9, 30), instant(DAY, 12), instant(DAY, 16)


def test_a_point_has_the_last_levels_of_its_step_and_no_others() -> None:
    steps = [
        (OPENS, [Tick(symbol="SPX", event_ns=OPENS, price=6000.0)]),
        (
            NOON,
            [
                Tick(symbol="SPX", event_ns=OPENS + 1, price=6001.0),
                Tick(symbol="VIX", event_ns=OPENS + 2, bid=16.0, ask=17.0),
                Tick(symbol="SPX", event_ns=NOON, price=6002.0),
            ],
        ),
        (CLOSES, [Tick(symbol="VIX", event_ns=CLOSES, bid=16.0)]),
    ]
    points = points_of(steps, rolled_market.CALENDAR)
    assert len(points) == 3
    assert points.clock_ns.tolist() == [OPENS, NOON, CLOSES]
    assert points.is_close.tolist() == [False, False, True]
    assert len(set(points.session.tolist())) == 1
    assert points.days == (DAY,) * 3
    np.testing.assert_array_equal(points.index, [6000.0, 6002.0, np.nan])
    np.testing.assert_array_equal(points.vix, [np.nan, 16.5, np.nan])


def test_nothing_has_no_points() -> None:
    assert len(points_of([], rolled_market.CALENDAR)) == 0
