"""American options: what early exercise adds, on a budget, kept in between and over a restart."""

import numpy as np
import pytest
from fakes.exposures import EXPIRY, NOW, market, option
from msgspec import structs

from shared.domain.exposure.early_exercise import EarlyExercise
from shared.domain.exposure.revaluation import Revaluation
from shared.domain.exposure.row_values import DELTA, PRICE
from shared.domain.exposure.terms import Terms
from shared.domain.instants import DAY
from shared.domain.instruments.instrument import Instrument, Model


def american(strike: float, *, expiry_ns: int = EXPIRY) -> Instrument:
    european = option("put", strike, underlying="SPY", expiry_ns=expiry_ns)
    return structs.replace(european, model=Model.AMERICAN)


def valued(*instruments: Instrument, rate: float = 0.08) -> Revaluation:
    terms = Terms()
    terms.extend(instruments)
    made = Revaluation(terms)
    made.wanted[:] = True
    seen = market(len(instruments), level=100.0)
    seen.rate[:] = seen.carry[:] = rate
    made.refresh(seen, NOW, everything=True)
    return made


def test_an_american_put_is_worth_more_once_its_turn_has_come() -> None:
    made = valued(american(120.0))
    plain = made.values[PRICE, 0]
    assert plain < 20.0  # below what exercise gives at once
    assert made.early.approximate().tolist() == [0]
    made.refine(NOW, 1)
    assert made.values[PRICE, 0] == pytest.approx(20.0, abs=1e-3)
    assert made.values[DELTA, 0] == pytest.approx(-1.0, abs=1e-3)
    assert made.early.approximate().tolist() == []
    assert made.early.without(made.values)[PRICE, 0] == pytest.approx(plain)


def test_what_it_adds_stays_until_the_next_turn() -> None:
    made = valued(american(110.0))
    made.refine(NOW, 1)
    added = made.values[PRICE, 0] - made.early.without(made.values)[PRICE, 0]
    seen = market(1, level=101.0)
    seen.rate[:] = seen.carry[:] = 0.08
    made.refresh(seen, NOW, everything=False)
    again = made.values[PRICE, 0] - made.early.without(made.values)[PRICE, 0]
    assert again == pytest.approx(added)
    assert added > 0


def test_turns_go_round_the_oldest_first_and_only_what_is_held_and_known_has_one() -> None:
    made = valued(american(110.0), american(105.0), american(100.0), american(95.0))
    made.wanted[2] = False
    made.values[:, 3] = np.nan
    made.refine(NOW, 1)
    assert made.early.approximate().tolist() == [1, 2, 3]
    made.refine(NOW + DAY, 1)
    assert made.early.approximate().tolist() == [2, 3]
    before = made.values[PRICE].copy()
    made.refine(NOW + 2 * DAY, 1)
    assert made.values[PRICE, 0] != before[0]
    assert made.values[PRICE, 1] == before[1]


def test_nothing_is_computed_of_what_has_expired() -> None:
    made = valued(american(110.0))
    made.refine(EXPIRY, 1)
    assert made.early.approximate().tolist() == [0]


def test_rows_that_come_later_have_their_turn_too_and_a_restart_keeps_all() -> None:
    made = valued(option("call", 100.0), american(110.0))
    made.refine(NOW, 5)
    made.terms.extend([american(90.0)])
    made.grow()
    assert made.early.approximate().tolist() == [2]
    again = Revaluation.resume(made.terms, made.snapshot())
    assert again.early.approximate().tolist() == [2]
    np.testing.assert_array_equal(again.early.without(made.values), made.early.without(made.values))
    fresh = EarlyExercise(made.terms, made.early.snapshot())
    assert fresh.snapshot() == made.early.snapshot()
