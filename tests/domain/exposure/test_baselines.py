"""Baselines: which instruments are kept, what marks them, and where they are found."""

import msgspec
import numpy as np
import pytest
from fakes.exposures import EXPIRY, NOW, SWAP, VX, index, option

from shared.domain.exposure.baselines import (
    FRESH,
    NEVER,
    SETTLED,
    SUSPENDED,
    Baselines,
    BaselineState,
    Valuation,
    place,
)
from shared.domain.exposure.row_values import GREEKS, INPUTS, LEVEL, PRICE
from shared.domain.exposure.swap_profit import Moment
from shared.domain.exposure.terms import Terms

CALL, PUT = option("call", 100.0), option("put", 100.0)
ROWS = np.arange(5, dtype=np.int64)


def terms() -> Terms:
    made = Terms()
    made.extend([CALL, PUT, index(), VX, SWAP[0]])
    return made


def valuation(price: float, *, level: float = 100.0, marked: bool = True) -> Valuation:
    """Everything at one price."""
    return Valuation(
        np.full((GREEKS, len(ROWS)), price),
        np.full((INPUTS, len(ROWS)), level),
        np.full(len(ROWS), NOW),
        np.full(len(ROWS), marked),
        level,
    )


def at(now_ns: int) -> Moment:
    return Moment(now_ns, 1, 0.0)


def held(rows: list[int]) -> Baselines:
    baselines = Baselines(terms(), BaselineState())
    baselines.hold(np.array(rows, dtype=np.int64))
    return baselines


def test_the_status_follows_the_marks() -> None:
    baselines = held([0])
    assert (baselines.status.tolist(), baselines.mark(0)) == ([NEVER], None)
    baselines.advance(valuation(1.0, marked=False), 0.0, at(NOW))
    assert baselines.status.tolist() == [NEVER]
    baselines.advance(valuation(1.0), 0.0, at(NOW))
    assert (baselines.status.tolist(), baselines.mark(0)) == ([FRESH], 1.0)
    baselines.advance(valuation(np.nan), 0.0, at(NOW))
    assert (baselines.status.tolist(), baselines.mark(0)) == ([SUSPENDED], None)
    assert baselines.marked_ns(0) == NOW
    step = baselines.advance(valuation(1.5, level=101.0), 0.0, at(EXPIRY))
    assert (baselines.status.tolist(), baselines.mark(0)) == ([SETTLED], 1.0)
    assert step.change.tolist() == [0.0]
    assert baselines.advance(valuation(9.0), 0.0, at(EXPIRY)).change.tolist() == [0.0]


def test_a_step_says_the_change_and_the_mark_before() -> None:
    baselines = held([2, 4])
    baselines.advance(valuation(100.0), 0.0, at(NOW))
    step = baselines.advance(valuation(103.0, level=103.0), 0.0, at(NOW))
    assert step.rows.tolist() == [2, 4]
    assert step.mark.tolist() == [100.0, 100.0]
    assert step.change[0] == 3.0
    assert step.change[1] == pytest.approx((103.0**2 - 100.0**2) / 200)


def test_a_swap_without_variance_of_the_index_is_not_marked() -> None:
    baselines = held([4])
    baselines.advance(valuation(1.0), np.nan, at(NOW))
    assert baselines.status.tolist() == [NEVER]
    assert baselines.mark(4) is None
    baselines.advance(valuation(1.0, level=21.0, marked=False), 0.0, at(NOW))
    assert baselines.mark(4) == 21.0


def test_what_is_no_option_settles_at_its_level() -> None:
    baselines = held([0, 1, 3])
    baselines.advance(valuation(1.0), 0.0, at(NOW))
    late = valuation(np.nan, level=98.0)
    baselines.advance(late, 0.0, at(EXPIRY))
    assert [baselines.mark(row) for row in (0, 1, 3)] == [0.0, 2.0, 98.0]
    assert late.inputs[LEVEL, 0] == 98.0
    assert np.isnan(late.values[PRICE, 0])


def test_rows_that_stay_keep_their_baseline_and_others_are_forgotten() -> None:
    baselines = held([0, 2, 4])
    baselines.advance(valuation(1.0), 0.0, at(NOW))
    baselines.hold(np.array([1, 2], dtype=np.int64))
    assert baselines.status.tolist() == [NEVER, FRESH]
    assert baselines.mark(0) is None
    assert baselines.snapshot().swaps == {}


def test_a_snapshot_makes_the_same_baselines() -> None:
    baselines = held([0, 4])
    baselines.advance(valuation(1.0), 0.0, at(NOW))
    state = baselines.snapshot()
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=BaselineState)
    assert again == state
    assert Baselines(terms(), again).snapshot() == state


def test_a_row_is_found_where_it_is() -> None:
    rows = np.array([2, 5], dtype=np.int64)
    assert [place(rows, row) for row in (1, 2, 3, 5, 6)] == [None, 0, None, 1, None]
