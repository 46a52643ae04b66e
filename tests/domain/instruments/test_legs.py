from fakes.books import LOOSE
from msgspec import structs

from shared.domain.instruments.instrument import Kind, Model
from shared.domain.instruments.legs import (
    leg_instruments,
    leg_symbol,
    leg_symbols,
    leg_underlyings,
)
from shared.domain.policies import BookPolicy, LegPolicy, RulePolicy, SizingPolicy

SWAP = LegPolicy(
    name="swap", instrument="variance_swap", symbol="VIX", maturity_days=90, max_vega=1.0, lot=5.0
)
FUTURE = LegPolicy(
    name="future",
    instrument="vix_future",
    symbol="VX1",
    maturity_days=30,
    max_vega=1.0,
    multiplier=1000.0,
)
PUT = structs.replace(FUTURE, name="put", instrument="put", symbol="SPXW261218P05000000")
BOOK = BookPolicy(
    name="overlay",
    rules=(RulePolicy(kind="linear"),),
    sizing=SizingPolicy(base_vega=1.0),
    legs=(SWAP, FUTURE, PUT),
    limits=LOOSE,
)


def test_each_leg_trades_an_instrument_by_name() -> None:
    assert leg_symbols([BOOK]) == {
        "overlay": {"swap": "VARSWAP-90D-VIX", "future": "VX1", "put": "SPXW261218P05000000"}
    }


def test_a_name_is_never_longer_than_a_symbol_may_be() -> None:
    assert len(leg_symbol(structs.replace(SWAP, symbol="S" * 32))) == 32


def test_what_is_traded_as_an_underlying_is_named() -> None:
    stock = structs.replace(FUTURE, name="stock", instrument="underlying", symbol="XYZ")
    assert leg_underlyings([BOOK, structs.replace(BOOK, legs=(stock,))]) == {"XYZ"}


def test_what_no_exchange_lists_is_described() -> None:
    instruments = leg_instruments([BOOK])
    assert list(instruments) == ["VX1", "VARSWAP-90D-VIX"]
    swap, future = instruments["VARSWAP-90D-VIX"], instruments["VX1"]
    assert (swap.kind, swap.underlying, swap.lot) == (Kind.VARIANCE_SWAP, "VIX", 5.0)
    assert (swap.multiplier, swap.expiry_ns, swap.variance_swap) == (1.0, None, None)
    assert (future.kind, future.model, future.multiplier) == (Kind.FUTURE, Model.LINEAR, 1000.0)
