import asyncio
from pathlib import Path

import msgspec
import pytest
from fakes.orders import make_order
from fakes.workplace import Workplace, workplace

from services.gateway.__main__ import run
from services.ingest.__main__ import run as run_ingest
from shared.adapters.bus import Bus, BusUnavailable
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.instants import MINUTE, SECOND
from shared.wire import codec, topics
from shared.wire.announcements import order_message

OPENING = 1_733_149_800 * SECOND  # 2024-12-02 14:30
ORDERS = [
    make_order(decision, event_ns=OPENING, valid_until_ns=OPENING + 300 * MINUTE)
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
        async with place.running(run, run_ingest) as site, place.client() as bus:
            minute = 0
            for round_of_orders in (ORDERS[:3], ORDERS[3:], []):
                for order in round_of_orders:
                    await say(
                        bus,
                        topics.orders("overlay"),
                        codec.encode(order_message(order, epoch=1, sequence=1)),
                    )
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
                        await say(
                            bus,
                            topics.orders("overlay"),
                            codec.encode(order_message(order, epoch=1, sequence=1)),
                        )
            async with asyncio.timeout(60):
                while len(await reports(place)) < 2 * len(ORDERS):
                    minute += 1
                    clock = {"event_time": OPENING + minute * MINUTE}
                    await say(bus, topics.CLOCK, msgspec.json.encode(clock))
                    await asyncio.sleep(0.2)
        found = await reports(place)
    fills = [report.order_id for report in found if report.kind is ExecutionKind.FILL]
    assert sorted(fills) == [order.order_id for order in ORDERS]
    assert len({report.execution_id for report in found}) == len(found) == 2 * len(ORDERS)
