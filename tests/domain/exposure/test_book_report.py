"""What a book's sums and its measurement say: no two units in one figure."""

import pytest
from fakes.exposures import NOW, VX, index

from shared.domain.events import ExposureMeasured
from shared.domain.exposure.book_report import MeasuredLeg, measurement, sums_of
from shared.domain.exposure.observed import ExposureObserved, GroupExposure
from shared.domain.exposure.policy import FIGURES
from shared.domain.instruments.instrument import Instrument, Kind, Model

POINTS = frozenset({VX.symbol})


def group(underlying: str, bucket: str, level: float | None, **figures: float) -> GroupExposure:
    return GroupExposure(
        underlying=underlying,
        bucket=bucket,
        level=level,
        positions=1,
        marked=1,
        figures=dict.fromkeys(FIGURES, 0.0) | figures,
    )


OPTIONS = group("SPX", "31-90d", 5000.0, delta=500.0, vega=900.0, weighted_vega=600.0, volga=3.0)
VIX_CALLS = group(VX.symbol, "31-90d", 20.0, delta=70.0, vega=4000.0, weighted_vega=2500.0, volga=8)


def leg(instrument: Instrument, level: float) -> MeasuredLeg:
    return MeasuredLeg(
        instrument=instrument, filled=0.0, level=level, delta=1.0, vega=0.0, index_delta=0.0
    )


def measured(
    *groups: GroupExposure,
    legs: tuple[MeasuredLeg, ...] = (),
    stale: str = "",
    indices: dict[str, str] | None = None,
) -> ExposureMeasured:
    observed = ExposureObserved(
        book="a",
        event_ns=NOW,
        youngest_ns=NOW,
        groups=groups,
        totals=sums_of(groups, POINTS),
        beta_delta=0.0,
        without_beta=(),
        index_delta=None,
        vix_vega=0.0,
        positions=len(groups),
        marked=len(groups),
        unmarked=(),
        expired=(),
        conflated=0,
    )
    fresh = {each.underlying for each in groups} - {stale}
    return measurement(observed, legs, {}, fresh, indices or {})


def test_the_volatility_of_volatility_is_in_no_vega_of_the_index() -> None:
    totals = sums_of((OPTIONS, VIX_CALLS), POINTS)
    assert totals["vega"] == 970.0  # a point of a VIX future is one, as in the vega to VIX
    assert totals["weighted_vega"] == 670.0
    assert totals["volga"] == 3.0


def test_vega_is_measured_by_underlying_and_bucket() -> None:
    nasdaq = group("NDX", "31-90d", 18_000.0, vega=50.0)
    greeks = measured(OPTIONS, VIX_CALLS, nasdaq, legs=(leg(index(), 5000.0),)).greeks
    assert greeks["vega.SPX.31-90d"] == 900.0
    assert greeks["vega.NDX.31-90d"] == 50.0
    assert greeks[f"vega.{VX.symbol}.31-90d"] == 4000.0
    assert greeks["vega.SPX.366d+"] == 0.0  # known to be nothing, for it may be hedged
    assert "vega.31-90d" not in greeks


ES = Instrument(
    symbol="ESH26",
    kind=Kind.FUTURE,
    root="ES",
    underlying="ESH26",
    model=Model.LINEAR,
    multiplier=50.0,
    index="SPX",
)
FUTURES = group("ESH26", "31-90d", 5100.0, delta=5000.0)
SPX_LEG = leg(index(), 5000.0)


def test_futures_that_are_no_legs_are_delta_of_the_level_that_they_settle_on() -> None:
    said = measured(
        OPTIONS, FUTURES, VIX_CALLS, legs=(SPX_LEG,), indices={"ESH26": "SPX", VX.symbol: "VIX"}
    )
    assert said.greeks["futures_delta.SPX"] == pytest.approx(5000 * 5100 / 5000)  # F/S a point
    assert said.greeks["delta.SPX"] == 500.0
    assert said.greeks["futures_delta.ESH26"] == 0.0  # it is not counted on itself


def test_a_future_that_is_a_leg_is_the_strategys_to_count() -> None:
    said = measured(OPTIONS, FUTURES, legs=(leg(ES, 5100.0),), indices={"ESH26": "SPX"})
    assert said.greeks["futures_delta.SPX"] == 0.0


@pytest.mark.parametrize(("stale", "settles"), [("ESH26", "SPX"), ("", "")])
def test_futures_whose_part_is_not_known_leave_it_unsaid(stale: str, settles: str) -> None:
    said = measured(OPTIONS, FUTURES, legs=(SPX_LEG,), stale=stale, indices={"ESH26": settles})
    assert "futures_delta.SPX" not in said.greeks


def test_theta_is_measured_by_underlying_as_gamma_is() -> None:
    near, far = group("SPX", "0-7d", 5000.0, theta=-30.0), group("SPX", "31-90d", 5000.0, theta=-9)
    nasdaq = group("NDX", "31-90d", 18_000.0, theta=-500.0)
    greeks = measured(near, far, nasdaq, legs=(leg(ES, 5100.0),)).greeks
    assert (greeks["theta.SPX"], greeks["theta.NDX"]) == (-39.0, -500.0)
    assert greeks["theta.ESH26"] == 0.0
    assert greeks["theta"] == -539.0
