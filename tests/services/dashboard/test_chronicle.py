"""What the charts show outlives the page, whoever writes it down."""

import pytest
from fakes.pictured_market import PicturedMarket
from fakes.store import FakeStore, Fault

from services.dashboard.chronicle import Chronicle
from services.dashboard.picture import Picture
from shared.adapters.store import StoreUnavailable
from shared.domain.events import ExecutionKind
from shared.domain.instants import MINUTE
from shared.wire import keys


def moved(minutes: int = 60) -> PicturedMarket:
    market = PicturedMarket()
    for minute in range(minutes):
        market.vix(18.0 + minute % 7, after=MINUTE)
    return market


def taken(market: PicturedMarket) -> Picture:
    picture = market.empty_picture()
    picture.take_log(market.log)
    return picture


async def test_a_page_that_begins_anew_shows_what_the_log_has_lost() -> None:
    market, store = moved(), FakeStore()
    before = taken(market)
    await Chronicle(before, store, "one").write()
    after = market.empty_picture()
    await Chronicle(after, store, "two").recall()
    after.take_log(market.log[-3:])
    whole = before.history_of("", 0, 5_000)
    assert after.history_of("", 0, 5_000).series == whole.series


async def test_only_what_has_settled_since_is_written() -> None:
    market, store = moved(), FakeStore()
    picture = taken(market)
    chronicle = Chronicle(picture, store, "one")
    await chronicle.write()
    await chronicle.write()
    assert store.last[keys.history()] == 1
    written = len(market.log)
    for _ in range(3):
        market.vix(30.0, after=MINUTE)
        market.vix(31.0, after=MINUTE)
    picture.take_log(market.log[written:])
    await chronicle.write()
    assert store.last[keys.history()] == 2


async def test_of_two_pages_one_writes_and_the_other_takes_over() -> None:
    store = FakeStore(now_s=lambda: clock[0])
    clock = [0.0]
    first, second = (Chronicle(taken(moved()), store, name) for name in ("one", "two"))
    await first.write()
    await second.write()
    assert store.last[keys.history()] == 1
    clock[0] = 61.0
    third = Chronicle(taken(moved()), store, "three")
    await third.write()
    assert store.last[keys.history()] == 2
    await first.write()  # whose right has ended
    assert store.last[keys.history()] == 2


async def test_who_writes_goes_on_writing() -> None:
    store = FakeStore(now_s=lambda: clock[0])
    clock = [0.0]
    first, second = (Chronicle(taken(moved()), store, name) for name in ("one", "two"))
    for clock[0] in (0.0, 50.0, 100.0):
        await first.write()
        await second.write()
    assert store.last[keys.history()] == 1


async def test_what_another_version_wrote_is_left_out() -> None:
    market, store = moved(), FakeStore()
    store.append(keys.history(), b"\xc1")
    picture = market.empty_picture()
    await Chronicle(picture, store, "one").recall()
    assert picture.history.series == 0


async def test_a_store_that_is_away_costs_a_few_points_and_nothing_else() -> None:
    away = Fault(StoreUnavailable("away"), applied=False)
    market, store = moved(), FakeStore([away])
    chronicle = Chronicle(taken(market), store, "one")
    with pytest.raises(StoreUnavailable):
        await chronicle.write()
    await chronicle.write()


async def test_what_is_in_the_state_is_not_taken_from_the_log_again() -> None:
    market, store = moved(5), FakeStore()
    order = market.orders[0]
    for _ in range(300):  # more than are remembered by their ids
        market.write([market.report(order, ExecutionKind.PARTIAL, 1.0, 18.0)])
    market.vix(19.0, after=MINUTE)
    before = taken(market)
    await Chronicle(before, store, "one").write()
    after = market.empty_picture()
    await Chronicle(after, store, "two").recall()
    after.take_log(market.log)
    assert after.snapshot().comparisons == before.snapshot().comparisons
