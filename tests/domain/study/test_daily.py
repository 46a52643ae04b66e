import numpy as np
import pytest
from fakes.study_rows import study_rows

from shared.domain.accounts.effectiveness import SessionResult


def test_rows_are_the_live_accounts_results() -> None:
    rows = study_rows(
        [100.0, np.nan],
        carry=[1.0, 2.0],
        cost=[0.5, 0.25],
        static_profit=[3.0, 4.0],
        turnover_vega=[5.0, 6.0],
        trades=[1, 2],
        multiplier=[np.nan, 0.2],
        at_floor=[False, True],
        at_cap=[True, False],
    )
    assert rows.profit.tolist() == [0.5, 1.75]
    assert rows.results() == [
        SessionResult(
            close_ns=int(rows.close_ns[0]),
            nav=100.0,
            dynamic_carry=1.0,
            transaction_cost=0.5,
            static_carry=3.0,
            turnover_vega=5.0,
            trades=1,
            multiplier=None,
            at_floor=False,
            at_cap=True,
        ),
        SessionResult(
            close_ns=int(rows.close_ns[1]),
            nav=None,
            dynamic_carry=2.0,
            transaction_cost=0.25,
            static_carry=4.0,
            turnover_vega=6.0,
            trades=2,
            multiplier=0.2,
            at_floor=True,
            at_cap=False,
        ),
    ]


def test_some_of_the_rows_are_rows_again() -> None:
    rows = study_rows([1.0, 2.0, 3.0, 4.0])
    assert rows.take(slice(1, 3)).nav.tolist() == [2.0, 3.0]
    assert rows.take(np.array([True, False, False, True])).nav.tolist() == [1.0, 4.0]
    assert len(rows.take(slice(0, 0))) == 0


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="columns differ in length"):
        study_rows([1.0, 2.0], carry=[0.0])


@pytest.mark.parametrize("closes", [[1, 1], [2, 1]])
def test_rows_out_of_order_are_refused(closes: list[int]) -> None:
    with pytest.raises(ValueError, match="closes do not rise"):
        study_rows([1.0, 2.0], close_ns=closes)
