from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.study.splits import (
    Fold,
    out_of_sample,
    out_of_sample_from,
    regime_spells,
    walk_forward,
)


def bounds(fold: Fold) -> tuple[int, int, int, int]:
    return fold.train_start, fold.train_stop, fold.test_start, fold.test_stop


# --- one split ----------------------------------------------------------------------------------


def test_half_is_chosen_on_and_half_is_judged_on() -> None:
    fold = out_of_sample(11)
    assert bounds(fold) == (0, 5, 5, 11)
    assert (fold.train, fold.test) == (slice(0, 5), slice(5, 11))


def test_a_gap_belongs_to_neither_part() -> None:
    assert bounds(out_of_sample(100, train_share=0.7, gap=10)) == (0, 70, 80, 100)


def test_a_split_at_a_day_begins_with_it_or_with_the_next_session() -> None:
    days = np.array(["2014-12-30", "2014-12-31", "2015-01-02", "2015-01-05"], "datetime64[D]")
    assert bounds(out_of_sample_from(days, date(2015, 1, 1))) == (0, 2, 2, 4)
    assert bounds(out_of_sample_from(days, date(2015, 1, 2), gap=1)) == (0, 1, 2, 4)


@pytest.mark.parametrize("first", [date(2014, 12, 1), date(2016, 1, 1)])
def test_a_split_outside_the_data_is_refused(first: date) -> None:
    days = np.array(["2014-12-30", "2014-12-31"], "datetime64[D]")
    with pytest.raises(ValueError, match="not a fold"):
        out_of_sample_from(days, first)


@pytest.mark.parametrize(("share", "gap"), [(0.0, 0), (1.0, 0), (0.5, 5), (0.01, 0)])
def test_a_split_that_leaves_a_part_empty_is_refused(share: float, gap: int) -> None:
    with pytest.raises(ValueError, match="not a fold"):
        out_of_sample(10, train_share=share, gap=gap)


# --- walking ------------------------------------------------------------------------------------


def test_a_sliding_walk_keeps_its_length() -> None:
    folds = walk_forward(10, train=4, test=3, anchored=False)
    assert [bounds(fold) for fold in folds] == [(0, 4, 4, 7), (3, 7, 7, 10)]


def test_an_anchored_walk_grows() -> None:
    folds = walk_forward(11, train=4, test=3, anchored=True, gap=1)
    assert [bounds(fold) for fold in folds] == [(0, 4, 5, 8), (0, 7, 8, 11)]


def test_the_last_test_may_be_shorter() -> None:
    assert bounds(walk_forward(8, train=4, test=3, anchored=False)[-1]) == (3, 7, 7, 8)


def test_too_few_sessions_have_no_fold() -> None:
    assert walk_forward(4, train=4, test=1, anchored=False) == ()


walks = st.tuples(
    st.integers(0, 300), st.integers(1, 60), st.integers(1, 60), st.booleans(), st.integers(0, 20)
)


@given(walks)
@settings(max_examples=50)
def test_nothing_is_tested_twice_nor_known_before(walk: tuple[int, int, int, bool, int]) -> None:
    sessions, train, test, anchored, gap = walk
    folds = walk_forward(sessions, train=train, test=test, anchored=anchored, gap=gap)
    for fold in folds:
        assert fold.train_stop + gap == fold.test_start
        assert fold.test_stop <= sessions
        assert fold.test_stop - fold.test_start <= test
        length = fold.train_stop - fold.train_start
        assert length >= train if anchored else length == train
    for earlier, later in pairwise(folds):
        assert earlier.test_stop == later.test_start
    # everything after the first training is tested, once
    judged = [session for fold in folds for session in range(fold.test_start, fold.test_stop)]
    assert judged == list(range(min(train + gap, sessions), sessions))


@pytest.mark.parametrize(("train", "test", "gap"), [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_a_walk_that_goes_nowhere_is_refused(train: int, test: int, gap: int) -> None:
    with pytest.raises(ValueError, match="not a walk"):
        walk_forward(10, train=train, test=test, anchored=False, gap=gap)


# --- regimes ------------------------------------------------------------------------------------


def test_regimes_are_spells() -> None:
    regimes = np.array(["low", "low", "high", "low"])
    assert regime_spells(regimes) == (
        ("low", slice(0, 2)),
        ("high", slice(2, 3)),
        ("low", slice(3, 4)),
    )
    assert regime_spells(regimes[:0]) == ()
