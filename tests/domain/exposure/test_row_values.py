"""What rows are worth: options by the kernel, and what has no formula."""

import numpy as np
import pytest
from fakes.exposures import NOW, SWAP, VX, future_option, index, market, option

from shared.domain.exposure.row_values import (
    CARRY,
    DELTA,
    GAMMA,
    GREEKS,
    INPUTS,
    LEVEL,
    PRICE,
    RATE,
    RHO,
    UNDERLYING,
    VEGA,
    VOLATILITY,
    VOLGA,
    Scratch,
    struck_at,
    value_rows,
)
from shared.domain.exposure.terms import Floats, Terms
from shared.domain.instruments.instrument import Instrument
from shared.domain.pricing.kernel import evaluate


def values_of(*instruments: Instrument, level: float, carry: float = 0.01) -> Floats:
    """Each instrument's values, where the market is at one level."""
    terms = Terms(("VX", "VIX"))
    terms.extend(list(instruments))
    seen = market(len(terms), level=level)
    inputs, values = np.empty((INPUTS, len(terms))), np.full((GREEKS, len(terms)), np.nan)
    inputs[UNDERLYING], inputs[RATE], inputs[CARRY] = seen.underlying, seen.rate, carry
    inputs[VOLATILITY], inputs[LEVEL] = seen.volatility, seen.level
    rows, scratch = np.arange(len(terms)), Scratch()
    value_rows(terms, rows, struck_at(terms, inputs), inputs, NOW, values, scratch)
    return values


def test_an_option_is_worth_what_the_kernel_says() -> None:
    values = values_of(option("call", 100.0), option("put", 90.0), level=100.0)
    out = np.empty((GREEKS, 2))
    same = np.full(2, 1.0)
    years = same * 30 / 365
    signs, strikes = np.array([1.0, -1.0]), np.array([100.0, 90.0])
    evaluate(signs, same * 100, strikes, years, same * 0.02, same * 0.01, same * 0.2, out)
    np.testing.assert_array_equal(values, out)


def test_rho_of_an_option_on_a_future_is_that_of_the_discount() -> None:
    values = values_of(future_option(100.0), level=100.0, carry=0.0)
    assert values[RHO, 0] == pytest.approx(-30 / 365 * values[PRICE, 0])


def test_linear_instruments_are_worth_their_level_and_have_no_vega() -> None:
    values = values_of(index(), VX, level=20.0)
    assert values[PRICE].tolist() == [20.0, 20.0]
    assert values[DELTA].tolist() == [1.0, 1.0]
    assert values[VEGA].tolist() == [0.0, 0.0]
    assert np.isnan(values_of(index(), VX, level=np.nan)).all()


def test_a_variance_swap_is_convex_in_volatility_and_fades_with_its_life() -> None:
    constant, dated = SWAP
    values = values_of(constant, dated, level=25.0)
    assert values[PRICE].tolist() == pytest.approx([0.0, 0.5 * (25**2 - 20**2) / 40])
    assert values[DELTA].tolist() == pytest.approx([1.0, 0.5 * 25 / 20])
    assert values[VEGA].tolist() == pytest.approx([100.0, 50.0 * 25 / 20])
    assert values[GAMMA].tolist() == pytest.approx([1 / 25, 0.5 / 20])
    assert values[VOLGA].tolist() == pytest.approx([10_000 / 25, 5_000 / 20])


def test_room_is_kept_from_one_pass_to_the_next() -> None:
    scratch = Scratch()
    large, small = scratch.columns(10), scratch.columns(3)
    assert np.shares_memory(large, small)
    assert np.shares_memory(scratch.out(10), scratch.out(3))
