"""Correlations against numpy at every prefix."""

import msgspec
import numpy as np
import pytest

from shared.domain.market.statistics.correlation import (
    LEFT,
    RIGHT,
    BasketCorrelation,
    BasketState,
    PairCorrelation,
    PairState,
    average_correlation,
)

MEMBERS, RETURNS = 7, 20


def closes(days: int, members: int = MEMBERS, seed: int = 1) -> np.ndarray:
    """Levels with a common part, shape `(days, members)`."""
    random = np.random.default_rng(seed)
    common = random.normal(0, 0.01, (days, 1))
    return 100 * np.exp(np.cumsum(common + random.normal(0, 0.01, (days, members)), axis=0))


def average_pair(levels: np.ndarray) -> float:
    """Mean of the upper triangle of numpy's correlation matrix of the last returns."""
    matrix = np.corrcoef(np.diff(np.log(levels[-RETURNS - 1 :]), axis=0).T)
    return float(np.mean(matrix[np.triu_indices_from(matrix, 1)]))


@pytest.mark.parametrize("compiled", [True, False])
def test_the_average_is_that_of_all_pairs_at_every_prefix(
    *, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        module = "shared.domain.market.statistics.correlation.average_correlation"
        monkeypatch.setattr(module, getattr(average_correlation, "py_func", average_correlation))
    basket, levels = BasketCorrelation(MEMBERS, RETURNS), closes(50)
    for n, day in enumerate(levels, start=1):
        basket.observe(np.arange(MEMBERS), day * 1.01, int(n > 1))  # an earlier print of the day
        basket.observe(np.arange(MEMBERS), day, 0)
        average, used = basket.value()
        if n <= RETURNS:
            assert (np.isnan(average), used) == (True, 0)
        else:
            assert average == pytest.approx(average_pair(levels[:n]), abs=1e-12)
            assert used == MEMBERS


def test_a_member_with_a_missing_day_is_left_out_until_the_day_leaves_the_window() -> None:
    basket, levels = BasketCorrelation(MEMBERS, RETURNS), closes(60)
    for n, day in enumerate(levels, start=1):
        members = np.arange(MEMBERS) if n != 30 else np.arange(1, MEMBERS)
        basket.observe(members, day[members], int(n > 1))
        average, used = basket.value()
        missing = 30 <= n <= 30 + RETURNS
        present = slice(1, None) if missing else slice(None)
        if n > RETURNS:
            assert average == pytest.approx(average_pair(levels[:n, present]), abs=1e-12)
            assert used == MEMBERS - missing


def test_members_enter_one_by_one_as_a_session_opens() -> None:
    basket, levels = BasketCorrelation(MEMBERS, RETURNS), closes(30)
    for n, day in enumerate(levels[:-1]):
        basket.observe(np.arange(MEMBERS), day, int(n > 0))
    for member in range(MEMBERS):
        basket.observe(member, levels[-1, member], int(member == 0))
        average, used = basket.value()
        assert used == member + 1
        if used > 1:
            assert average == pytest.approx(average_pair(levels[:, :used]), abs=1e-12)
        else:
            assert np.isnan(average)


def test_a_whole_session_without_prints_is_a_missing_day_of_every_member() -> None:
    basket, levels = BasketCorrelation(MEMBERS, RETURNS), closes(60)
    for n, day in enumerate(levels):
        basket.observe(np.arange(MEMBERS), day, 2 if n == 25 else int(n > 0))
        assert basket.value()[1] == (MEMBERS if n in (20, 21, 22, 23, 24) or n >= 45 else 0)
    basket.observe(0, 100.0, 1_000)  # longer away than the window
    assert basket.value()[1] == 0


def test_a_member_that_never_moved_has_no_correlation() -> None:
    basket, levels = BasketCorrelation(MEMBERS, RETURNS), closes(40)
    levels[:, 3] = 50.0
    for n, day in enumerate(levels):
        basket.observe(np.arange(MEMBERS), day, int(n > 0))
    average, used = basket.value()
    assert used == MEMBERS - 1
    assert average == pytest.approx(average_pair(np.delete(levels, 3, axis=1)), abs=1e-12)


def test_members_that_move_together_correlate_fully_and_never_more() -> None:
    basket, levels = BasketCorrelation(3, RETURNS), closes(40, members=1)
    for n, day in enumerate(levels):
        basket.observe(np.arange(3), np.repeat(day, 3), int(n > 0))
    average, used = basket.value()
    assert used == 3
    assert average == pytest.approx(1.0)
    assert average <= 1


def test_a_restart_of_the_basket_at_any_print_changes_nothing() -> None:
    going, levels = BasketCorrelation(MEMBERS, 5), closes(20)
    resumed = BasketCorrelation(MEMBERS, 5)
    for n, day in enumerate(levels):
        for basket in (going, resumed):
            basket.observe(np.arange(MEMBERS), day, int(n > 0))
        state = msgspec.msgpack.encode(resumed.snapshot())
        resumed = BasketCorrelation(MEMBERS, 5, msgspec.msgpack.decode(state, type=BasketState))
        assert np.array_equal(resumed.value(), going.value(), equal_nan=True)
    other = BasketCorrelation(MEMBERS + 1, 5, going.snapshot())
    assert other.value()[1] == 0  # another basket's history is not this one's


def test_the_pair_is_the_correlation_of_its_returns_at_every_prefix() -> None:
    pair, levels = PairCorrelation(60), closes(150, members=2)
    assert pair.value is None
    for n, (left, right) in enumerate(levels, start=1):
        pair.observe(LEFT, left, int(n > 1))
        between = pair.value
        pair.observe(RIGHT, right, 0)
        returns = np.diff(np.log(levels[:n]), axis=0)
        assert pair.have == min(n - 1, 60)
        if n <= 60:
            assert pair.value is None
        else:
            assert pair.value == pytest.approx(np.corrcoef(returns[-60:].T)[0, 1], abs=1e-12)
        if n > 61:  # one side is a day ahead: the completed pairs stand alone
            completed = np.corrcoef(returns[-61:-1].T)[0, 1]
            assert between == pytest.approx(completed, abs=1e-12)


def test_a_day_that_one_side_missed_breaks_the_returns_that_touch_it() -> None:
    pair, levels = PairCorrelation(10), closes(40, members=2)
    for n, (left, right) in enumerate(levels):
        pair.observe(LEFT, left, int(n > 0))
        if n != 30:
            pair.observe(RIGHT, right, 0)
    returns = np.diff(np.log(levels), axis=0)
    kept = np.delete(returns, [29, 30], axis=0)  # into day 30 and out of it
    assert pair.value == pytest.approx(np.corrcoef(kept[-10:].T)[0, 1], abs=1e-12)


def test_a_missing_session_of_both_sides_breaks_the_chain() -> None:
    pair, levels = PairCorrelation(8), closes(10, members=2)
    for n, (left, right) in enumerate(levels):
        pair.observe(LEFT, left, 2 if n == 5 else int(n > 0))
        pair.observe(RIGHT, right, 0)
    kept = np.delete(np.diff(np.log(levels), axis=0), 4, axis=0)  # the step over it is no return
    assert pair.value == pytest.approx(np.corrcoef(kept.T)[0, 1], abs=1e-12)


def test_a_side_that_never_moved_has_no_correlation() -> None:
    pair = PairCorrelation(5)
    for n, level in enumerate(closes(20, members=1)[:, 0]):
        pair.observe(LEFT, level, int(n > 0))
        pair.observe(RIGHT, 20.0, 0)
    assert (pair.have, pair.value) == (5, None)


def test_a_restart_of_the_pair_at_any_print_changes_nothing() -> None:
    going, resumed = PairCorrelation(5), PairCorrelation(5)
    for n, day in enumerate(closes(20, members=2)):
        for side, level in enumerate(day):
            for pair in (going, resumed):
                pair.observe(side, float(level), int(n > 0 and side == LEFT))
            state = msgspec.msgpack.encode(resumed.snapshot())
            resumed = PairCorrelation(5, msgspec.msgpack.decode(state, type=PairState))
            assert (resumed.value, resumed.have) == (going.value, going.have)


def test_two_returns_are_too_few_to_correlate() -> None:
    with pytest.raises(ValueError, match="three returns"):
        BasketCorrelation(5, 2)
    with pytest.raises(ValueError, match="three returns"):
        PairCorrelation(2)
