"""A book of 1,452 positions: its Greeks, its profit, and what it would earn elsewhere."""

from typing import Final

from page.instants import at

from shared.wire.messages import (
    ExposureGroupMessage,
    ExposureMessage,
    ProfitAccountMessage,
    ProfitMessage,
    ScenarioMessage,
    UnmarkedMessage,
)
from shared.wire.views import ScenarioCellView

_FIGURES: Final = ("dollar_delta", "dollar_gamma", "vega", "theta", "vanna", "volga")
_GROUPS: Final = (
    ("NDX", "0-7d", 6_711.1, 120, 120, (-310_400, -88_100, 3_120, -9_840, -120, 88)),
    ("SPX", "8-30d", 2_702.6, 400, 398, (-1_904_300, -410_900, 18_240, -31_500, -904, 512)),
    ("SPX", "31-90d", 2_702.6, 880, 880, (5_120_800, 204_700, 44_906, -12_790, 1_511, 1_904)),
    ("SPX", "366d+", 2_702.6, 12, 12, (88_000, 1_900, 9_310, -410, 33, 12)),
    ("VIX", "31-90d", 24.87, 40, 40, (912_000, 44_200, 12_008, -2_204, 402, 771)),
)
_PARTS: Final = {
    "delta": -412_030.0,
    "gamma": 96_410.0,
    "theta": -56_744.0,
    "vega": 388_204.0,
    "vanna": -9_310.0,
    "volga": 14_022.0,
    "carry": -2_140.0,
    "cost": -6_120.0,
    "trades": 1_204.0,
}


def exposure(name: str) -> ExposureMessage:
    """Four groups of positions, two of them not wholly marked."""
    totals = {
        figure: float(sum(group[5][place] for group in _GROUPS))
        for place, figure in enumerate(_FIGURES)
    }
    stress = (
        ("1987-10-19", -0.2047, 113.82, 18_400_500.0),
        ("2008-10", -0.1694, 20.5, 5_102_300.0),
        ("2018-02-05", -0.041, 20.01, 2_004_800.0),
        ("2020-03-16", -0.1198, 24.86, 4_380_900.0),
    )
    scenarios = tuple(
        ScenarioMessage(name=day, spot=spot, volatility=points, profit=profit)
        for day, spot, points, profit in stress
    )
    parts = dict(_PARTS)
    session = ProfitAccountMessage(
        since=at("14:30:00"), total=sum(parts.values()) + 1_904.0, parts=parts, unexplained=1_904.0
    )
    inception = ProfitAccountMessage(
        since="2018-01-02T14:30:00Z",
        total=-1_204_310.0,
        parts={part: value * 3.1 for part, value in parts.items()},
        unexplained=-4_402.0,
    )
    return ExposureMessage(
        book=name,
        event_time=at("20:31:03"),
        youngest_time=at("20:31:02.9"),
        totals=totals,
        beta_delta=3_906_100.0,
        without_beta=(),
        index_delta=1_445.2,
        vix_vega=87_584.0,
        positions=1_452,
        marked=1_450,
        coverage=1_450 / 1_452,
        unmarked=(
            UnmarkedMessage(symbol="SPXW180316P01200000", quantity=40.0, reason="no quote"),
            UnmarkedMessage(symbol="SPXW180316P01250000", quantity=-10.0, reason="crossed"),
        ),
        expired=(),
        conflated=0,
        groups=tuple(
            ExposureGroupMessage(
                underlying=underlying,
                bucket=bucket,
                level=level,
                positions=positions,
                marked=marked,
                figures=dict(zip(_FIGURES, figures, strict=True)),
            )
            for underlying, bucket, level, positions, marked, figures in _GROUPS
        ),
        risk_time=at("20:30:55"),
        worst=ScenarioMessage(
            name="+10%, −10 pts", spot=0.1, volatility=-10.0, profit=-1_310_200.0
        ),
        stress=scenarios,
        shortfall=-1_020_400.0,
        shortfall_days=500,
        profit=ProfitMessage(
            event_time=at("20:31:03"),
            session=session,
            inception=inception,
            suspended=(),
            waiting=0,
        ),
    )


def scenarios() -> tuple[ScenarioCellView, ...]:
    """The grid, a saddle."""
    return tuple(
        ScenarioCellView(
            spot=spot,
            volatility=points,
            profit=9e6 * spot * spot * 4 + 87_584 * points - 4e6 * spot,
        )
        for spot in (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)
        for points in (-10.0, 0.0, 10.0, 20.0, 30.0, 40.0)
    )
