from msgspec import structs

from shared.domain.instruments.instrument import Instrument, Kind, Model

FUTURE = Instrument(
    symbol="VXZ26",
    kind=Kind.FUTURE,
    root="VX",
    underlying="VXZ26",
    model=Model.LINEAR,
    expiry_ns=100,
)


def test_an_instrument_has_expired_from_its_expiry_on() -> None:
    assert not FUTURE.is_expired(99)
    assert FUTURE.is_expired(100)
    assert not structs.replace(FUTURE, expiry_ns=None).is_expired(2**62)
