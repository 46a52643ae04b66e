"""Values of rows: what moved is valued anew, and what did not is not."""

import numpy as np
import pytest
from fakes.exposures import NOW, index, market, option

from shared.domain.exposure.revaluation import Revaluation
from shared.domain.exposure.row_values import PRICE
from shared.domain.exposure.terms import Terms
from shared.domain.instants import DAY


def revaluation(*instruments: object) -> Revaluation:
    terms = Terms(("VX", "VIX"))
    terms.extend(list(instruments))  # type: ignore[arg-type] # instruments
    made = Revaluation(terms)
    made.wanted[:] = True
    return made


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
