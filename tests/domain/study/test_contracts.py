import numpy as np
import pytest

from shared.domain.study.contracts import (
    Contract,
    ContractHistory,
    Roll,
    RollingFuture,
    RollingOption,
)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "moneyness or delta"),
        ({"moneyness": 0.95, "delta": 0.3}, "moneyness or delta"),
        ({"delta": 1.0}, "between 0 and 1"),
        ({"delta": 0.0}, "between 0 and 1"),
        ({"moneyness": 0.0}, "above 0"),
        ({"moneyness": 0.95, "maturity_days": 30, "roll_days": 30.0}, "rolled before it is bought"),
        ({"moneyness": 0.95, "roll_days": -1.0}, "rolled before it is bought"),
    ],
)
def test_an_option_that_cannot_be_rolled_is_refused(fields: dict[str, float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        RollingOption(symbol="PUT", **fields)  # type: ignore[arg-type] # fields by name


def history(instrument: RollingFuture | RollingOption) -> ContractHistory:
    columns = np.zeros((13, 4))
    return ContractHistory(
        instrument=instrument,
        contracts=(Contract(name="a", expiry_ns=1), Contract(name="b", expiry_ns=2)),
        number=np.array([-1, 0, 0, 1]),
        level=np.array([np.nan, 1.0, 2.0, 3.0]),
        before=columns,
        after=columns,
        rolls=(Roll(point=2, given_up=2.0, taken_on=2.5),),
    )


def test_a_contract_is_bought_where_the_first_begins_and_at_every_roll() -> None:
    assert history(RollingFuture(symbol="VX1")).purchases == [1, 2]


def test_options_are_model_priced_and_futures_are_not() -> None:
    assert history(RollingOption(symbol="P", moneyness=0.9)).is_model_priced
    assert not history(RollingFuture(symbol="VX1")).is_model_priced
