from math import erf, exp, log, pi, sqrt

import pytest

from shared.domain.hedging.bands.formulas import (
    NEAREST_YEARS,
    BandRefused,
    derman_kamal_error,
    leland_number,
    leland_volatility,
    whalley_wilmott_half_width,
    zakamouline_h0,
    zakamouline_h1,
    zakamouline_k,
    zakamouline_volatility,
)


def black_scholes(
    level: float, volatility: float, years: float, rate: float
) -> tuple[float, float, float]:
    """Delta, gamma and vega of a call struck at the level."""
    d1 = (rate + volatility**2 / 2) * sqrt(years) / volatility
    density = exp(-(d1**2) / 2) / sqrt(2 * pi)
    gamma = density / (level * volatility * sqrt(years))
    return (1 + erf(d1 / sqrt(2))) / 2, gamma, level * density * sqrt(years)


DELTA, GAMMA, VEGA = black_scholes(100, 0.2, 0.25, 0.02)
FIGURES = {"cost": 0.001, "risk_aversion": 1.0, "rate": 0.02, "gamma": GAMMA, "years": 0.25}

_, OTHER_GAMMA, _ = black_scholes(766, 0.16, 30 / 365, 0.0)
OTHER = {
    "cost": 5e-4,
    "risk_aversion": 1.0,
    "rate": 0.0,
    "gamma": OTHER_GAMMA,
    "years": 30 / 365,
}


def test_the_option_of_the_specification_has_its_greeks() -> None:
    assert [f"{x:.6f}" for x in (DELTA, GAMMA, VEGA)] == ["0.539828", "0.039695", "19.847627"]
    assert f"{OTHER_GAMMA:.7f}" == "0.0113510"


def test_whalley_wilmott_as_the_specification_has_it() -> None:
    assert f"{whalley_wilmott_half_width(level=100, **FIGURES):.6f}" == "0.061726"
    assert f"{whalley_wilmott_half_width(level=766, **OTHER):.6f}" == "0.041987"


def test_zakamouline_as_the_specification_has_it() -> None:
    h0 = zakamouline_h0(cost=0.001, risk_aversion=1, level=100, volatility=0.2, years=0.25)
    h1 = zakamouline_h1(volatility=0.2, **FIGURES)
    k = zakamouline_k(level=100, volatility=0.2, **FIGURES)
    assert [f"{x:.6f}" for x in (h0, h1, k)] == ["0.001000", "0.036533", "-0.081971"]
    assert f"{zakamouline_volatility(0.2, k, is_long=True):.6f}" == "0.191628"
    assert f"{zakamouline_volatility(0.2, k, is_long=False):.6f}" == "0.208036"


def test_zakamouline_of_the_specifications_second_option() -> None:
    h0 = zakamouline_h0(cost=5e-4, risk_aversion=1, level=766, volatility=0.16, years=30 / 365)
    h1 = zakamouline_h1(volatility=0.16, **OTHER)
    k = zakamouline_k(level=766, volatility=0.16, **OTHER)
    assert [f"{x:.6f}" for x in (h0, h1, k)] == ["0.000310", "0.015781", "-0.078886"]


def test_leland_as_the_specification_has_it() -> None:
    number = leland_number(0.002, 0.2, 1 / 252)
    assert f"{number:.6f}" == "0.126660"
    assert f"{leland_volatility(0.2, number, is_long=False):.6f}" == "0.212289"
    assert f"{leland_volatility(0.2, number, is_long=True):.6f}" == "0.186905"


def test_derman_kamal_as_the_specification_has_it() -> None:
    assert f"{derman_kamal_error(VEGA, 0.2, 21):.6f}" == "0.767669"


def test_leland_refuses_long_gamma_at_costs_beyond_its_volatility() -> None:
    with pytest.raises(BandRefused, match="Leland number 1 is not below 1"):
        leland_volatility(0.2, 1.0, is_long=True)
    assert leland_volatility(0.2, 3.0, is_long=False) == 0.4


def test_zakamouline_refuses_a_variance_that_is_not_positive() -> None:
    with pytest.raises(BandRefused, match=r"1 \+ K = 0 is not above 0"):
        zakamouline_volatility(0.2, -1.0, is_long=True)
    with pytest.raises(BandRefused, match="is not above 0"):
        zakamouline_volatility(0.2, -1.5, is_long=False)


def test_near_expiry_the_gammaless_part_of_the_band_stands_still() -> None:
    def h0(years: float) -> float:
        return zakamouline_h0(cost=0.001, risk_aversion=1, level=100, volatility=0.2, years=years)

    assert h0(1e-9) == h0(NEAREST_YEARS) > h0(2 * NEAREST_YEARS)


def test_the_band_of_a_book_is_a_contracts_scaled_to_its_aversion() -> None:
    """Half as averse a holder of twice the gamma: H of N units at γ/N is N times that of one."""
    book = FIGURES | {"gamma": 1000 * GAMMA, "risk_aversion": 1.0 / 1000}
    one = whalley_wilmott_half_width(level=100, **FIGURES)
    assert whalley_wilmott_half_width(level=100, **book) == pytest.approx(1000 * one)


def test_the_number_of_leland_falls_with_the_interval() -> None:
    assert leland_number(0.002, 0.2, 1 / 63) == pytest.approx(
        leland_number(0.002, 0.2, 1 / 252) / 2
    )
    assert log(derman_kamal_error(VEGA, 0.2, 84)) < log(derman_kamal_error(VEGA, 0.2, 21))
