"""What the charts show outlives the page, whoever writes it down."""

import asyncio

import msgspec
import pytest
from fakes.eventually import eventually
from fakes.pictured_market import PicturedMarket
from fakes.store import FakeStore, Fault

from services.dashboard import chronicle as chronicle_module
from services.dashboard.chronicle import STAGE, Chronicle
from services.dashboard.orders import KEPT_ANSWERS
from services.dashboard.picture import Picture, PictureState
from shared.adapters.store import StoreUnavailable
from shared.domain.events import ExecutionKind
from shared.domain.instants import MINUTE
from shared.wire import keys
from shared.wire.examples import EXAMPLES
from shared.wire.messages import AckMessage, AlertMessage

ALERT = next(each for each in EXAMPLES if isinstance(each, AlertMessage))


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


def answered(picture: Picture, order_id: str, status: str) -> None:
    told = {"order_id": order_id, "status": status, "epoch": 1, "reason": "limits"}
    picture.take_answer(msgspec.convert(told, AckMessage), "overlay")


async def test_what_only_the_bus_tells_is_known_to_the_next_page() -> None:
    market, store = moved(5), FakeStore()
    order_id = market.orders[0].order_id
    before = market.picture()
    answered(before, order_id, "refused")
    before.take_alert(ALERT)
    await Chronicle(before, store, "one").write()
    after = market.empty_picture()
    await Chronicle(after, store, "two").recall()
    after.take_decisions(market.decisions)
    after.recalled()
    shown = after.orders.view(order_id)
    assert shown is not None
    assert (shown.status, shown.acknowledgement is not None) == ("refused", True)
    assert after.alerts.newest(1)[0].alert == ALERT
    assert after.snapshot().answers == before.snapshot().answers


async def test_what_only_the_bus_tells_is_written_also_while_no_chart_moves() -> None:
    market, store = moved(5), FakeStore()
    picture = taken(market)
    chronicle = Chronicle(picture, store, "one")
    await chronicle.write()
    first = store.records[STAGE].batch
    await chronicle.write()
    assert store.records[STAGE].batch == first
    answered(picture, market.orders[0].order_id, "accepted")
    await chronicle.write()
    assert store.records[STAGE].batch == first + 1
    assert store.last[keys.history()] == 1


def test_of_the_answers_refusals_are_kept_longest_and_both_are_bounded() -> None:
    picture = moved(1).empty_picture()
    for number in range(2 * KEPT_ANSWERS):
        answered(picture, f"overlay-{number:08}-varswap_3m", "refused")
    for number in range(2 * KEPT_ANSWERS, 5 * KEPT_ANSWERS):
        answered(picture, f"overlay-{number:08}-varswap_3m", "accepted")
    statuses = [each.status for each in picture.snapshot().answers]
    assert statuses == ["refused"] * KEPT_ANSWERS + ["accepted"] * KEPT_ANSWERS


async def test_what_was_heard_is_written_within_a_second_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chronicle_module, "HEARD_S", 0.005)
    market, store = moved(5), FakeStore()
    picture = taken(market)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Chronicle(picture, store, "one").run())
        picture.take_alert(ALERT)
        await eventually(lambda: STAGE in store.records and bool(store.records[STAGE].state))
        answered(picture, market.orders[0].order_id, "refused")
        running.cancel()
    kept = msgspec.msgpack.decode(store.records[STAGE].state or b"", type=PictureState)
    assert kept.alerts == (ALERT,)
    assert [each.status for each in kept.answers] == ["refused"]
    assert await store.acquire(STAGE, "two", 1_000) is not None
