import msgspec
from fakes.hedged_market import HedgedMarket

from shared.domain.effects import Effect, OrderDecided


def test_an_order_carries_its_own_book_and_instant() -> None:
    market = HedgedMarket()
    market.vix(18.0)
    (decided,) = market.of(OrderDecided)
    assert (decided.book, decided.event_ns) == ("overlay", market.now)


def test_every_effect_survives_the_log() -> None:
    market = HedgedMarket().hedged()
    market.vix(25.0)
    market.vix(18.0)
    market.ask()
    for effect in market.effects:
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(effect), type=Effect) == effect
