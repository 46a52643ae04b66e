"""The futures curve."""

import pytest

from shared.domain.instants import DAY
from shared.domain.market.statistics.term_structure import (
    TermState,
    maturities,
    term_state,
    term_symbols,
)
from shared.domain.policies import TermStructurePolicy

LISTED = TermStructurePolicy()
NOW = 1_000 * DAY
CONSTANT = TermStructurePolicy(
    constant_maturity=True,
    expiries={f"VX{i}": NOW + days * DAY for i, days in enumerate((0, 20, 50, 80, 110))},
)
LEVELS = {"VX0": 99.0, "VX1": 15.0, "VX2": 18.0, "VX3": 19.0, "VX4": 20.0}


def test_the_listed_ratio_is_of_the_first_and_third_contract() -> None:
    front, third = maturities(LISTED, LEVELS, NOW)
    assert (front, third) == ((15.0, ("VX1",)), (19.0, ("VX3",)))
    assert maturities(LISTED, {"VX1": 15.0}, NOW) == ((15.0, ("VX1",)), None)
    assert term_symbols(LISTED) == ("VX1", "VX3")


def test_constant_maturities_are_interpolated_linearly_in_days() -> None:
    front, third = maturities(CONSTANT, LEVELS, NOW)
    assert front is not None
    assert third is not None
    assert (front.level, third.level) == pytest.approx((16.0, 19 + 1 / 3))
    assert (front.symbols, third.symbols) == (("VX1", "VX2"), ("VX3", "VX4"))
    assert term_symbols(CONSTANT) == ("VX0", "VX1", "VX2", "VX3", "VX4")


def test_a_contract_on_the_day_is_taken_as_it_is() -> None:
    front, third = maturities(CONSTANT, LEVELS, NOW + 20 * DAY)
    assert front is not None
    assert third is not None
    assert (front.level, third.level) == (18.0, 20.0)


def test_nothing_is_extrapolated_and_expired_contracts_play_no_part() -> None:
    assert maturities(CONSTANT, LEVELS, NOW + 25 * DAY)[1] is None
    near = {"VX0": 99.0, "VX2": 18.0, "VX3": 19.0}  # VX0 expires now
    assert maturities(CONSTANT, near, NOW) == (None, None)
    assert maturities(CONSTANT, {}, NOW) == (None, None)


@pytest.mark.parametrize(
    ("ratio", "state"),
    [
        (0.9899, TermState.CONTANGO),
        (0.99, TermState.FLAT),
        (1.01, TermState.FLAT),
        (1.0101, TermState.BACKWARDATION),
        (72.6 / 44.9, TermState.BACKWARDATION),  # 2020-03-16
    ],
)
def test_the_band_around_one_is_flat(ratio: float, state: TermState) -> None:
    assert term_state(ratio, 0.01) == state
