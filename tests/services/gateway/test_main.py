import asyncio
from pathlib import Path

import msgspec
import pytest
from fakes.orders import make_order
from fakes.workplace import Workplace, workplace
from msgspec import structs

from services.gateway.__main__ import run
from services.ingest.__main__ import run as run_ingest
from shared.adapters.bus import Bus, BusUnavailable
from shared.adapters.settings import Settings
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.instants import MINUTE, SECOND
from shared.domain.orders import Order, order_id
from shared.wire import topics
from shared.wire.announcements import order_message

OPENING = 1_733_149_800 * SECOND  # 2024-12-02 14:30
LEG = "varswap_30d"
ORDERS_TOPIC = topics.orders("overlay")


def with_room(settings: Settings) -> Settings:
    """The demo's settings, with room for eight orders at once."""
    [book] = settings.books
    limits = structs.replace(
        book.limits, max_orders_per_day=100, max_orders_per_minute=100, max_repeats=100
    )
    return structs.replace(settings, books=(structs.replace(book, limits=limits),))


def orders(config_digest: str) -> list[Order]:
    return [
        structs.replace(
            make_order(
                decision,
                leg=LEG,
                quantity=100.0 + decision,
                vega=100.0 + decision,
                notional=22.0 * (100.0 + decision),
                event_ns=OPENING,
                valid_until_ns=OPENING + 300 * MINUTE,
                config_digest=config_digest,
            ),
            order_id=order_id("overlay", decision, LEG),
        )
        for decision in range(1, 9)
    ]


async def say(bus: Bus, topic: str, payload: bytes) -> None:
    """Publish until the broker has it."""
    while True:
        try:
            return await bus.publish(topic, payload)
        except BusUnavailable:
            await asyncio.sleep(0.02)


async def reports(place: Workplace) -> list[ExecutionReported]:
    return [item for item in await place.journal() if isinstance(item, ExecutionReported)]


@pytest.mark.server
async def test_broker_and_store_are_killed_and_each_order_is_filled_and_reported_once(
    tmp_path: Path,
) -> None:
    async with workplace(tmp_path) as place:
        place.settings = with_room(place.settings)
        decided = orders(place.settings.digest)
        sealed = [
            place.keys.seal(
                "monitor", ORDERS_TOPIC, order_message(each, epoch=1, sequence=each.decision)
            )
            for each in decided
        ]
        async with place.running(run, run_ingest) as site, place.client() as bus:
            minute = 0
            for round_of_orders in (sealed[:3], sealed[3:], []):
                for order in round_of_orders:
                    await say(bus, ORDERS_TOPIC, order)
                for _ in range(3):
                    minute += 1
                    now = OPENING + minute * MINUTE
                    tick = {"symbol": "VIX", "event_time": now, "price": 22.0}
                    await say(bus, topics.ticks("VIX"), msgspec.json.encode(tick))
                    clock = {"event_time": now + SECOND}
                    await say(bus, topics.CLOCK, msgspec.json.encode(clock))
                if round_of_orders:
                    await place.kill(site)
                    for order in round_of_orders:  # as the hedger's outbox would
                        await say(bus, ORDERS_TOPIC, order)
            async with asyncio.timeout(60):
                while len(await reports(place)) < 2 * len(decided):
                    minute += 1
                    clock = {"event_time": OPENING + minute * MINUTE}
                    await say(bus, topics.CLOCK, msgspec.json.encode(clock))
                    await asyncio.sleep(0.2)
        found = await reports(place)
    fills = [report.order_id for report in found if report.kind is ExecutionKind.FILL]
    assert sorted(fills) == [order.order_id for order in decided]
    assert len({report.execution_id for report in found}) == len(found) == 2 * len(decided)
