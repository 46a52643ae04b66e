"""Values of rows: what moved, what did not, and what has no formula."""

import numpy as np
import pytest
from fakes.exposures import NOW, SWAP, VX, future_option, index, market, option

from shared.domain.exposure.revaluation import (
    DELTA,
    GAMMA,
    GREEKS,
    PRICE,
    RHO,
    VEGA,
    VOLGA,
    Revaluation,
)
from shared.domain.exposure.terms import Terms
from shared.domain.instants import DAY
from shared.domain.pricing.kernel import evaluate


def revaluation(*instruments: object) -> Revaluation:
    terms = Terms(("VX", "VIX"))
    terms.extend(list(instruments))  # type: ignore[arg-type] # instruments
    made = Revaluation(terms)
    made.wanted[:] = True
    return made


def test_an_option_is_worth_what_the_kernel_says() -> None:
    made = revaluation(option("call", 100.0), option("put", 90.0))
    assert made.refresh(market(2, level=100.0), NOW, everything=False) == 2
    out = np.empty((GREEKS, 2))
    same = np.full(2, 1.0)
    years = same * 30 / 365
    signs, strikes = np.array([1.0, -1.0]), np.array([100.0, 90.0])
    evaluate(signs, same * 100, strikes, years, same * 0.02, same * 0.01, same * 0.2, out)
    np.testing.assert_array_equal(made.values, out)


def test_only_what_moved_is_valued_again_and_everything_when_asked() -> None:
    made = revaluation(option("call", 100.0), option("put", 100.0))
    seen = market(2, level=100.0)
    assert made.refresh(seen, NOW, everything=False) == 2
    assert made.refresh(seen, NOW + DAY, everything=False) == 0
    seen.volatility[1] = 0.3
    assert made.refresh(seen, NOW + DAY, everything=False) == 1
    assert made.valued_ns.tolist() == [NOW, NOW + DAY]
    assert made.refresh(seen, NOW + 2 * DAY, everything=True) == 2


def test_what_nobody_holds_is_not_valued() -> None:
    made = revaluation(option("call", 100.0), option("put", 100.0))
    made.wanted[0] = False
    assert made.refresh(market(2, level=100.0), NOW, everything=True) == 1
    assert np.isnan(made.values[PRICE]).tolist() == [True, False]


@pytest.mark.parametrize("column", ["underlying", "rate", "carry", "volatility"])
def test_what_is_not_known_gives_no_number(column: str) -> None:
    made = revaluation(option("call", 100.0))
    seen = market(1, level=100.0)
    getattr(seen, column)[0] = np.nan
    made.refresh(seen, NOW, everything=False)
    assert np.isnan(made.values).all()
    assert made.refresh(seen, NOW, everything=False) == 0  # nan is what it was


def test_rho_of_an_option_on_a_future_is_that_of_the_discount() -> None:
    made = revaluation(future_option(100.0))
    seen = market(1, level=100.0)
    seen.carry[0] = 0.0
    made.refresh(seen, NOW, everything=False)
    assert made.values[RHO, 0] == pytest.approx(-30 / 365 * made.values[PRICE, 0])


def test_linear_instruments_are_worth_their_level_and_have_no_vega() -> None:
    made = revaluation(index(), VX)
    made.refresh(market(2, level=20.0), NOW, everything=False)
    assert made.values[PRICE].tolist() == [20.0, 20.0]
    assert made.values[DELTA].tolist() == [1.0, 1.0]
    assert made.values[VEGA].tolist() == [0.0, 0.0]
    made.refresh(market(2, level=np.nan), NOW, everything=False)
    assert np.isnan(made.values).all()


def test_a_variance_swap_is_convex_in_volatility_and_fades_with_its_life() -> None:
    constant, dated = SWAP
    made = revaluation(constant, dated)
    made.refresh(market(2, level=25.0), NOW, everything=False)
    assert made.values[PRICE].tolist() == pytest.approx([0.0, 0.5 * (25**2 - 20**2) / 40])
    assert made.values[DELTA].tolist() == pytest.approx([1.0, 0.5 * 25 / 20])
    assert made.values[VEGA].tolist() == pytest.approx([100.0, 50.0 * 25 / 20])
    assert made.values[GAMMA].tolist() == pytest.approx([1 / 25, 0.5 / 20])
    assert made.values[VOLGA].tolist() == pytest.approx([10_000 / 25, 5_000 / 20])


def test_rows_grow_and_keep_their_values() -> None:
    made = revaluation(option("call", 100.0))
    made.refresh(market(1, level=100.0), NOW, everything=False)
    before = made.values[PRICE, 0]
    made.grow()
    made.terms.extend([option("put", 100.0)])
    made.grow()
    assert made.values[PRICE, 0] == before
    assert np.isnan(made.values[PRICE, 1])
    assert made.wanted.tolist() == [True, False]


def test_resumed_it_has_the_same_values() -> None:
    made = revaluation(option("call", 100.0), index())
    made.refresh(market(2, level=100.0), NOW, everything=False)
    again = Revaluation.resume(made.terms, made.snapshot())
    np.testing.assert_array_equal(again.values, made.values)
    np.testing.assert_array_equal(again.valued_ns, made.valued_ns)
    again.wanted[:] = True
    assert again.refresh(market(2, level=100.0), NOW, everything=False) == 0
