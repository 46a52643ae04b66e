from math import inf, nan

import pytest
from fakes.hedged_market import MONDAY
from fakes.measured_market import SHARES
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from shared.domain.events import ExposureMeasured
from shared.domain.hedging.session_clock import Moment
from shared.domain.hedging.strategies.outlook import (
    Measurement,
    Outlook,
    StrategyBlind,
    net_delta,
    unit_delta,
    whole_lots,
)
from shared.domain.instants import MINUTE
from shared.domain.strategy_policies import DeltaLegPolicy, ListedLegPolicy

FUTURE = DeltaLegPolicy(name="es", instrument="future", symbol="ESZ26", multiplier=50.0)
CALL = ListedLegPolicy(
    name="call",
    instrument="option",
    symbol="XYZ270115C00100000",
    underlying="XYZ",
    expiry_ns=MONDAY,
    maturity_days=0,
    max_vega=1.0,
    multiplier=100.0,
)
GREEKS = {
    "coverage": 1.0,
    "delta.XYZ": 500.0,
    "futures_delta.XYZ": 0.0,
    "level.XYZ": 100.0,
    "level.ESZ26": 102.0,
    "filled.XYZ": 0.0,
    "filled.ESZ26": 0.0,
    f"filled.{CALL.symbol}": 0.0,
    f"unit_delta.{CALL.symbol}": 60.0,
}


def outlook(
    held: dict[str, float] | None = None, *, age_ns: int = 0, **more: float | None
) -> Outlook:
    """A measurement, some figures in another way, and what is held and ordered by leg."""
    greeks = GREEKS | {name.replace("__", "."): value for name, value in more.items()}
    return Outlook(
        moment=Moment(MONDAY, 0, 0, MONDAY, is_open=True),
        exposure=ExposureMeasured(
            book="overlay",
            event_ns=MONDAY,
            portfolio_delta=0.0,
            put_delta=0.0,
            greeks={name: value for name, value in greeks.items() if value is not None},
        ),
        age_ns=age_ns,
        asked=False,
        marks={},
        expected=lambda leg: (held or {}).get(leg, 0.0),
    )


def measurement(of: Outlook) -> Measurement:
    return Measurement(of, MINUTE, 1.0)


def test_a_strategy_is_blind_before_the_first_measurement() -> None:
    with pytest.raises(StrategyBlind, match="nothing was measured yet"):
        measurement(structs.replace(outlook(), exposure=None))


def test_an_old_measurement_is_not_acted_on() -> None:
    measurement(outlook(age_ns=MINUTE))
    with pytest.raises(StrategyBlind, match="stale") as blind:
        measurement(outlook(age_ns=MINUTE + 1))
    assert blind.value.figures == {"limit_s": 60.0}


@pytest.mark.parametrize("coverage", [0.999, 0.0, nan])
def test_nor_is_one_that_leaves_positions_out(coverage: float) -> None:
    with pytest.raises(StrategyBlind):
        measurement(outlook(coverage=coverage))
    with pytest.raises(StrategyBlind, match="coverage is not measured"):
        measurement(outlook(coverage=None))
    assert Measurement(outlook(coverage=0.5), MINUTE, 0.5).read("coverage") == 0.5


@pytest.mark.parametrize("value", [None, nan, inf])
def test_what_is_missing_is_never_a_number(value: float | None) -> None:
    found = measurement(outlook(delta__XYZ=value))
    with pytest.raises(StrategyBlind, match=r"delta\.XYZ is not measured"):
        found.read("delta.XYZ")


def test_what_may_be_absent_may_still_not_be_nonsense() -> None:
    assert measurement(outlook()).optional("vanna.XYZ", 2.0) == 2.0
    assert measurement(outlook(vanna__XYZ=3.0)).optional("vanna.XYZ", 2.0) == 3.0
    with pytest.raises(StrategyBlind):
        measurement(outlook(vanna__XYZ=nan)).optional("vanna.XYZ", 2.0)


def test_a_level_is_above_zero() -> None:
    with pytest.raises(StrategyBlind, match=r"level\.XYZ is not above 0"):
        measurement(outlook(level__XYZ=0.0)).level("XYZ")


def test_the_delta_of_one_unit() -> None:
    found = measurement(outlook())
    assert unit_delta(found, SHARES, "XYZ") == 1.0
    assert unit_delta(found, FUTURE, "XYZ") == pytest.approx(51.0)  # carry: F/S a point
    assert unit_delta(found, CALL, "XYZ") == 60.0


LEGS = (SHARES, FUTURE, CALL)


def test_what_a_measurement_counts_is_not_counted_again() -> None:
    counted = outlook({"shares": -400.0}, filled__XYZ=-400.0, delta__XYZ=100.0)
    assert net_delta(measurement(counted), counted, LEGS, "XYZ") == 100.0


def test_later_fills_and_open_orders_count() -> None:
    later = outlook({"shares": -400.0, "es": -1.0, "call": 2.0}, filled__XYZ=-100.0)
    net = net_delta(measurement(later), later, LEGS, "XYZ")
    assert net == pytest.approx(500.0 - 300.0 - 51.0 + 120.0)


def test_a_future_that_was_measured_moves_with_its_underlying() -> None:
    held = outlook({"es": -10.0}, filled__ESZ26=-10.0, delta__ESZ26=-500.0)
    net = net_delta(measurement(held), held, LEGS, "XYZ")
    assert net == pytest.approx(500.0 - 510.0)


def test_futures_that_are_no_legs_are_in_the_net() -> None:
    held = outlook(futures_delta__XYZ=5100.0)
    assert net_delta(measurement(held), held, LEGS, "XYZ") == 5600.0


def test_without_them_there_is_no_net() -> None:
    unknown = outlook(futures_delta__XYZ=None)
    with pytest.raises(StrategyBlind, match=r"futures_delta\.XYZ is not measured"):
        net_delta(measurement(unknown), unknown, LEGS, "XYZ")


def test_without_a_statement_of_what_it_counts_there_is_no_net() -> None:
    unsaid = outlook(filled__XYZ=None)
    with pytest.raises(StrategyBlind, match=r"filled\.XYZ is not measured"):
        net_delta(measurement(unsaid), unsaid, LEGS, "XYZ")


@pytest.mark.parametrize(
    ("change", "room", "lot", "lots"),
    [
        (-600.4, 100.0, 1.0, -601.0),  # as few as end inside
        (-600.4, 0.0, 1.0, -600.0),  # no lot does: nearest to the middle
        (0.4, 0.0, 1.0, 0.0),
        (0.6, 0.0, 1.0, 1.0),
        (30.0, 0.0, 50.0, 50.0),
        (20.0, 0.0, 50.0, 0.0),
        (20.0, 20.0, 50.0, 50.0),
        (10.0, 20.0, 50.0, 0.0),
        (500.0000000001, 0.0, 1.0, 500.0),
        (0.0, 10.0, 1.0, 0.0),
    ],
)
def test_lots_are_whole(change: float, room: float, lot: float, lots: float) -> None:
    assert whole_lots(change, room, lot) == lots


@settings(max_examples=60, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(0, 1e4), st.sampled_from([0.1, 1.0, 50.0]))
def test_whole_lots_end_inside_or_within_half_a_lot_of_the_middle(
    change: float, room: float, lot: float
) -> None:
    lots = whole_lots(change, room, lot)
    past_edge = abs(lots) - abs(change)
    tolerance = 1e-6 * max(lot, abs(change))
    inside = -tolerance <= past_edge <= room + tolerance
    assert inside or abs(past_edge - room / 2) <= lot / 2 + tolerance
    assert lots * change >= 0
