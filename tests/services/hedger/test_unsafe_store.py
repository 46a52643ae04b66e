"""A store that does not write: nothing is decided, somebody is told, and it goes on by itself."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from fakes.eventually import eventually
from fakes.failures import only
from fakes.hedged_market import HedgedMarket, policy
from fakes.servers import RedisServer
from fakes.workplace import Workplace, workplace
from msgspec import structs
from redis.asyncio import Redis

from services.gateway.__main__ import run as run_gateway
from services.hedger.__main__ import run
from shared.adapters.bus import Bus
from shared.adapters.connections import RedisSettings
from shared.adapters.record import OrderRecord
from shared.domain.effects import Effect
from shared.domain.events import ClockAdvanced, Tick
from shared.domain.instants import HOUR, MINUTE
from shared.domain.policies import OrderPolicy
from shared.domain.signals_observed import HedgerInput
from shared.domain.tick_block import TickBlock
from shared.runtime.ledger import StoreRegressed
from shared.runtime.site import Site
from shared.wire import codec, keys, topics
from shared.wire.journal import JournalEntry, encode_entry, encode_log
from shared.wire.messages import AlertMessage

pytestmark = [pytest.mark.server, pytest.mark.timeout(90)]

POLICY: Final = structs.replace(policy(), order=OrderPolicy(valid_trading_ns=6 * HOUR))
SETTINGS: Final = {
    "used memory": ("maxmemory", "1", "0"),
    "NOREPLICAS": ("min-replicas-to-write", "1", "0"),
}
"""What a refusal says, and the setting that leads to it."""


class Trade:
    """A hedger and a gateway at work, and a market that makes the hedger decide."""

    def __init__(self, place: Workplace, site: Site, alerts: Bus, orders: RedisServer) -> None:
        self.place = place
        self.site = site
        self.alerts = alerts
        self.orders = orders
        self.told: list[str] = []
        self.market = _RecordedMarket()

    async def move(self, level: float) -> None:
        """Let the market move to a level, and so the hedger decide on an order."""
        known = len(self.market.log)
        for _ in range(4):
            self.market.vix(level, after=10 * MINUTE)
        self.market.fill()
        tick = Tick(symbol="VIX", event_ns=self.market.now, price=20.0)
        items = (TickBlock.of([tick]), ClockAdvanced(event_ns=self.market.now + 1))
        last = self.market.index  # the event that was last decided on
        entry = encode_entry(JournalEntry(last, 0, items))
        await self.place.write("ingest", keys.journal(), [entry])
        rows = [encode_log([event]) for event in self.market.log[known:]]
        await self.place.write("signals", keys.signal_log(), rows)

    @property
    def taken(self) -> int:
        sample = self.site.registry.get_sample_value
        return int(sample("hedge_gateway_orders_total", {"status": "accepted"}) or 0)

    @property
    def refused(self) -> int:
        sample = self.site.registry.get_sample_value
        return int(sample("hedge_gateway_orders_total", {"status": "refused"}) or 0)

    async def hear(self) -> None:
        async for message in self.alerts.messages():
            self.told.append(codec.decode(AlertMessage, message.payload).what)


class _RecordedMarket(HedgedMarket):
    def __init__(self) -> None:
        self.log: list[HedgerInput] = []
        super().__init__(POLICY)

    def send(self, event: HedgerInput) -> list[Effect]:
        self.log.append(event)
        return super().send(event)


@asynccontextmanager
async def trading(directory: Path, *, run_hedger: bool = True) -> AsyncIterator[Trade]:
    """Hedger and gateway with one order accepted; orders have a server of their own.

    In the end the gateway's record holds what the market's own book decided, in that order.
    """
    services = [run, run_gateway] if run_hedger else [run_gateway]
    orders = RedisServer(directory / "orders", appendfsync="always")
    async with workplace(directory) as place:
        stores = structs.replace(place.settings.redis, orders=RedisSettings(url=orders.url))
        place.settings = structs.replace(place.settings, books=(POLICY,), redis=stores)
        with orders:
            async with (
                place.client(topics.ALERTS) as alerts,
                place.running(*services) as site,
                asyncio.TaskGroup() as tasks,
            ):
                trade = Trade(place, site, alerts, orders)
                hearing = tasks.create_task(trade.hear())
                if run_hedger:
                    await trade.move(18.0)
                    await eventually(lambda: trade.taken == 1)
                yield trade
                hearing.cancel()
        with OrderRecord.open(Path(place.settings.gateway.record)) as record:
            known = [order.order_id for order in record.orders_since()]
        assert known == [order.order_id for order in trade.market.orders]


@pytest.mark.parametrize("reason", SETTINGS)
async def test_a_store_that_refuses_to_write_costs_the_lease_until_it_writes(
    reason: str, tmp_path: Path
) -> None:
    name, unsafe, safe = SETTINGS[reason]
    async with trading(tmp_path) as trade, Redis.from_url(trade.orders.url) as raw:
        await raw.config_set(name, unsafe)
        await trade.move(23.0)
        await eventually(lambda: "store_unsafe" in trade.told, within_s=5)
        await eventually(lambda: reason in trade.site.health.report()["hedger.lease"].reason)
        assert trade.taken == 1
        await raw.config_set(name, safe)
        await eventually(lambda: trade.taken == 2, within_s=5)


async def test_a_store_that_became_a_replica_costs_the_lease_until_it_is_promoted(
    tmp_path: Path,
) -> None:
    async with trading(tmp_path) as trade, Redis.from_url(trade.orders.url) as raw:
        await raw.replicaof("127.0.0.1", 1)
        await trade.move(23.0)
        await eventually(lambda: "store_unsafe" in trade.told, within_s=5)
        await eventually(lambda: "read only" in trade.site.health.report()["hedger.lease"].reason)
        assert trade.taken == 1
        await raw.replicaof("NO", "ONE")
        await eventually(lambda: trade.taken == 2, within_s=5)


async def test_a_disk_that_fails_costs_the_lease_until_it_writes(tmp_path: Path) -> None:
    async with trading(tmp_path) as trade, Redis.from_url(trade.orders.url) as raw:
        await raw.config_set("save", "3600 100000")
        shutil.rmtree(trade.orders.directory)
        await raw.bgsave()
        while (await raw.info("persistence"))["rdb_last_bgsave_status"] != "err":  # noqa: ASYNC110 - another process fails
            await asyncio.sleep(0.01)
        await trade.move(23.0)
        await eventually(lambda: "store_unsafe" in trade.told, within_s=5)
        await eventually(lambda: "MISCONF" in trade.site.health.report()["hedger.lease"].reason)
        assert trade.taken == 1
        await raw.config_set("save", "")
        await eventually(lambda: trade.taken == 2, within_s=5)


async def test_a_wiped_store_ends_the_hedger_and_its_successor_trades_nothing_until_a_resume(
    tmp_path: Path,
) -> None:
    async with trading(tmp_path, run_hedger=False) as trade:

        async def wipe() -> None:
            await trade.move(18.0)
            await eventually(lambda: trade.taken == 1)
            async with Redis.from_url(trade.orders.url) as raw:
                await raw.flushall()

        async def run_until_wiped() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(wipe())
                await run(trade.site)

        with pytest.raises(ExceptionGroup) as ended:
            await run_until_wiped()
        assert isinstance(only(ended.value), StoreRegressed)
        await eventually(lambda: "stage_stopped" in trade.told)
        successor = Site(settings=trade.place.settings, keys=trade.site.keys)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run(successor))
            await eventually(lambda: "epoch_regress" in trade.told)
            await eventually(lambda: successor.health.is_ready)
            await trade.move(23.0)
            await eventually(lambda: trade.refused == 1)
            assert trade.taken == 1
            successor.stop.set()
