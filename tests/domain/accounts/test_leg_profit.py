import pytest
from fakes.books import FUTURE, SWAP, make_book

from shared.domain.accounts.leg_profit import (
    holding_profit,
    measure_of,
    point_value,
    static_quantities,
    trade_profit,
    unit_size,
    unit_vega,
)
from shared.domain.accounts.variance_swap import rolled_profit
from shared.domain.policies import LegPolicy

CALL = LegPolicy(
    name="call",
    instrument="vix_call",
    symbol="VIXC",
    maturity_days=120,
    max_vega=1e6,
    multiplier=100.0,
    vega_per_unit=0.25,
)


def test_a_future_has_a_vega_of_a_thousand_a_contract() -> None:
    assert (unit_vega(FUTURE), point_value(FUTURE)) == (1000.0, 1000.0)


def test_a_unit_of_a_variance_swap_is_one_of_vega() -> None:
    assert (unit_vega(SWAP), point_value(SWAP)) == (1.0, 1.0)


def test_an_options_vega_is_its_models_times_the_multiplier() -> None:
    assert (unit_vega(CALL), point_value(CALL)) == (25.0, 100.0)


def test_an_option_without_a_model_vega_cannot_be_compared() -> None:
    unknown = LegPolicy(
        name="put", instrument="put", symbol="P", maturity_days=120, max_vega=1.0, weight=1.0
    )
    with pytest.raises(ValueError, match="leg put: the vega of one put is not known"):
        static_quantities(make_book(SWAP, unknown))


def test_the_static_hedge_splits_the_base_vega_by_weight() -> None:
    assert static_quantities(make_book(SWAP, FUTURE, base_vega=8000.0)) == {
        "swap": 2000.0,
        "future": 6.0,
    }


def test_a_future_earns_contracts_times_a_thousand_times_its_move() -> None:
    profit = holding_profit(FUTURE, -3.0, before=20.0, now=18.5, log_return=0.01, sessions=1)
    assert profit == pytest.approx(4500.0)


def test_a_held_swap_earns_one_roll() -> None:
    profit = holding_profit(SWAP, 500.0, before=20.0, now=22.0, log_return=-0.01, sessions=2)
    assert profit == rolled_profit(500.0, 20.0, -0.01, 22.0, 2)


def test_a_trade_earns_the_move_since_it() -> None:
    assert trade_profit(FUTURE, 2.0, level=20.0, now=21.0) == pytest.approx(2000.0)
    assert trade_profit(SWAP, 400.0, level=20.0, now=30.0) == pytest.approx(10 * (900 - 400))


SHARES = LegPolicy(
    name="shares", instrument="underlying", symbol="XYZ", maturity_days=0, max_vega=0.0
)
ES = LegPolicy(
    name="es", instrument="future", symbol="ESZ26", maturity_days=0, max_vega=0.0, multiplier=50.0
)


def test_what_is_held_for_its_delta_has_no_vega_and_no_static_twin() -> None:
    assert [measure_of(leg) for leg in (SHARES, ES, CALL)] == ["delta", "delta", "vega"]
    assert [(unit_size(leg), unit_vega(leg)) for leg in (SHARES, ES)] == [(1.0, 0.0), (50.0, 0.0)]
    assert unit_size(CALL) == unit_vega(CALL)
    assert static_quantities(make_book(SWAP, SHARES)) == {"swap": 1000.0, "shares": 0.0}
