import numpy as np
import pytest

from shared.domain.study.whipsaw_cost import (
    RoundTrips,
    levels_at,
    round_trip_costs,
    whipsaw_cost,
)


def trips(*rows: tuple[float, float, float]) -> RoundTrips:
    vega, there, back = np.array(rows, dtype=float).reshape(-1, 3).T
    return RoundTrips(vega=vega, level_there=there, level_back=back)


def test_a_hedge_bought_into_a_spike_and_sold_after_it_loses_spread_and_move() -> None:
    costs = round_trip_costs(trips((400.0, 25.0, 20.0)), spread=0.2, commission=3.0)
    assert costs.tolist() == [400 * 0.2 + 400 * 5.0 + 6.0]


def test_a_hedge_sold_into_a_dip_and_bought_back_loses_them_too() -> None:
    assert round_trip_costs(trips((-400.0, 15.0, 18.0)), spread=0.2).tolist() == [80.0 + 1200.0]


def test_a_level_that_moved_on_would_have_paid() -> None:
    assert round_trip_costs(trips((400.0, 25.0, 26.0)), spread=0.2).tolist() == [80.0 - 400.0]


def test_all_whipsaws_together() -> None:
    found = whipsaw_cost(
        trips((400.0, 25.0, 20.0), (100.0, 20.0, 21.0), (50.0, np.nan, 20.0)),
        spread=0.2,
        commission=1.0,
    )
    assert (found.whipsaws, found.priced, found.saved) == (3, 2, 1)
    assert found.spread == pytest.approx(104.0)
    assert found.move == pytest.approx(1900.0)
    assert found.total == pytest.approx(found.spread + found.move)
    assert found.worst == pytest.approx(2082.0)


def test_no_whipsaw_would_have_cost_nothing() -> None:
    found = whipsaw_cost(trips(), spread=0.2)
    assert (found.whipsaws, found.total, found.worst) == (0, 0.0, None)


def test_a_level_is_the_last_mark_and_never_a_later_one() -> None:
    closes, marks = np.array([10, 20, 30]), np.array([15.0, 16.0, 17.0])
    found = levels_at(np.array([9, 10, 19, 20, 99]), closes, marks)
    assert found == pytest.approx([np.nan, 15.0, 15.0, 16.0, 17.0], nan_ok=True)
    assert np.isnan(levels_at(np.array([5]), closes[:0], marks[:0])).all()
