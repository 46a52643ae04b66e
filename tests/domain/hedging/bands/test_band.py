from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from shared.domain.hedging.bands.band import (
    Band,
    Situation,
    band_of,
    check_band,
    edge_trade,
    is_timed,
)
from shared.domain.hedging.bands.formulas import BandRefused
from shared.domain.instants import DAY
from shared.domain.strategy_policies import BandKind, BandPolicy

POLICY = BandPolicy(
    half_width=0.05,
    interval_trading_ns=390 * 60 * 10**9,
    proportional_cost=0.001,
    risk_aversion=1.0,
    rate=0.02,
)
HERE = Situation(level=100.0, gamma=0.0396953, volatility=0.2, years=0.25, vanna=0.5)


def test_the_kinds_of_the_specification() -> None:
    assert band_of("fixed", POLICY, HERE) == Band(0.05)
    assert band_of("time", POLICY, HERE) == Band(0.0)
    assert band_of("whalley_wilmott", POLICY, HERE).half_width == pytest.approx(0.061726, abs=1e-6)
    assert band_of("zakamouline", POLICY, HERE).half_width == pytest.approx(0.037533, abs=1e-6)
    assert band_of("leland", POLICY, HERE).half_width == 0.0


def test_leland_and_zakamouline_hedge_the_delta_of_their_own_volatility() -> None:
    assert band_of("leland", POLICY, HERE).shift == pytest.approx(0.5 * (0.186905 - 0.2), abs=1e-6)
    zakamouline = band_of("zakamouline", POLICY, HERE).shift
    assert zakamouline == pytest.approx(0.5 * (0.191628 - 0.2), abs=1e-6)
    short = structs.replace(HERE, gamma=-HERE.gamma)
    assert band_of("leland", POLICY, short).shift > 0 < band_of("zakamouline", POLICY, short).shift


def test_only_intervals_are_timed() -> None:
    assert [is_timed(kind) for kind in ("time", "leland", "fixed")] == [True, True, False]


@pytest.mark.parametrize(
    ("net", "target", "band", "trade"),
    [
        (500.0, 0.0, Band(0.0), -500.0),
        (650.0, 0.0, Band(50.0), -600.0),  # to the edge, not to the centre
        (-650.0, 0.0, Band(50.0), 600.0),
        (50.0, 0.0, Band(50.0), 0.0),  # at the edge is inside
        (130.0, 100.0, Band(20.0), -10.0),
        (130.0, 100.0, Band(20.0, shift=-10.0), 0.0),
        (0.0, 0.0, Band(0.0), 0.0),
    ],
)
def test_a_trade_goes_to_the_nearest_edge(
    net: float, target: float, band: Band, trade: float
) -> None:
    assert edge_trade(net, target, band) == trade


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"level": 0.0}, "level 0 is not above 0"),
        ({"volatility": float("nan")}, "volatility nan"),
        ({"years": -0.1}, "years -0.1"),
        ({"gamma": float("nan")}, "gamma is not finite"),
        ({"vanna": float("inf")}, "vanna is not finite"),
        ({"gamma": 1e300}, "whalley_wilmott is not finite"),
        ({"gamma": 1e150, "level": 1e300}, "whalley_wilmott is not finite"),
    ],
)
def test_what_is_no_figure_makes_no_band(change: dict[str, float], problem: str) -> None:
    with pytest.raises(BandRefused, match=problem):
        band_of("whalley_wilmott", POLICY, structs.replace(HERE, **change))


def test_a_fixed_band_without_a_width_is_refused() -> None:
    with pytest.raises(BandRefused, match="no half_width"):
        band_of("fixed", structs.replace(POLICY, half_width=None), HERE)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"half_width": -1.0}, "half_width must be"),
        ({"kind": "fixed", "half_width": None}, "fixed needs half_width"),
        ({"interval_trading_ns": 0}, "interval must last"),
        ({"trading_year_ns": 0}, "a year must"),
        ({"proportional_cost": 1.0}, "proportional_cost must"),
        ({"order_cost": -1.0}, "order_cost must"),
        ({"risk_aversion": 0.0}, "risk_aversion must"),
        ({"rate": float("inf")}, "rate must"),
    ],
)
def test_numbers_that_no_band_can_use_are_refused(change: dict[str, Any], problem: str) -> None:
    check_band(POLICY)
    with pytest.raises(ValueError, match=problem):
        check_band(structs.replace(POLICY, **change))


def test_an_interval_is_told_in_trading_years() -> None:
    assert POLICY.interval_years == pytest.approx(1 / 252)
    assert structs.replace(POLICY, trading_year_ns=DAY, interval_trading_ns=DAY).interval_years == 1


any_number = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["fixed", "time", "leland", "whalley_wilmott", "zakamouline"]),
    st.builds(
        Situation,
        level=any_number,
        gamma=any_number,
        volatility=any_number,
        years=any_number,
        vanna=any_number,
    ),
    st.floats(-1e12, 1e12),
)
@example("zakamouline", Situation(level=1e-300, gamma=1.0, volatility=1e-300, years=1.0), 0.0)
def test_a_band_is_finite_or_refused_and_its_trade_ends_at_its_edge(
    kind: BandKind, situation: Situation, net: float
) -> None:
    try:
        band = band_of(kind, POLICY, situation)
    except BandRefused:
        return
    assert band.half_width >= 0
    after = net + edge_trade(net, 0.0, band)
    limit = max(abs(net), abs(band.shift), band.half_width)
    assert abs(after + band.shift) <= band.half_width + 1e-9 * limit
