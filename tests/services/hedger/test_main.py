import asyncio
from pathlib import Path

import pytest
from fakes.eventually import eventually
from fakes.hedged_market import HedgedMarket, policy
from fakes.workplace import Workplace, workplace
from msgspec import structs

from services.gateway.__main__ import run as run_gateway
from services.hedger.__main__ import run
from shared.adapters.record import OrderRecord
from shared.adapters.redis_store import RedisStore
from shared.domain.effects import Effect
from shared.domain.events import ClockAdvanced, Tick
from shared.domain.instants import HOUR, MINUTE
from shared.domain.policies import OrderPolicy
from shared.domain.signals_observed import HedgerInput
from shared.domain.tick_block import TickBlock
from shared.runtime import bounded
from shared.wire import keys
from shared.wire.journal import JournalEntry, encode_entry, encode_log

POLICY = structs.replace(policy(), order=OrderPolicy(valid_trading_ns=6 * HOUR))


class RecordedMarket(HedgedMarket):
    """A market that remembers what it told its own book."""

    def __init__(self) -> None:
        self.log: list[HedgerInput] = []
        super().__init__(POLICY)

    def send(self, event: HedgerInput) -> list[Effect]:
        self.log.append(event)
        return super().send(event)

    def rebalance(self, level: float) -> None:
        for _ in range(4):
            self.vix(level, after=10 * MINUTE)
        self.fill()

    def printed_in_journal(self, level: float) -> bytes:
        """What the gateway sees of it: it prices orders by its own mark."""
        tick = Tick(symbol="VIX", event_ns=self.now, price=level)
        clock = ClockAdvanced(event_ns=self.now + 1)
        items = (TickBlock.of([tick]), clock)
        return encode_entry(JournalEntry(self.index, 0, items))  # of the event last decided on


@pytest.mark.server
async def test_broker_and_store_are_killed_and_each_order_reaches_the_gateway_once(
    tmp_path: Path,
) -> None:
    market = RecordedMarket()
    async with workplace(tmp_path) as place:
        place.settings = structs.replace(place.settings, books=(POLICY,))
        async with place.running(run, run_gateway) as site:
            for level in (18.0, 23.0, 16.0):
                told = len(market.log)
                market.rebalance(level)
                await place.write("ingest", keys.journal(), [market.printed_in_journal(20.0)])
                rows = [encode_log([event]) for event in market.log[told:]]
                await place.write("signals", keys.signal_log(), rows)
                await place.kill(site)
            await eventually(lambda: taken(site.registry.get_sample_value) == 3, within_s=30)
        with OrderRecord.open(Path(place.settings.gateway.record)) as record:
            accepted = sorted(order.order_id for order in record.orders_since())
    assert accepted == [order.order_id for order in market.orders]
    assert len(accepted) == 3


@pytest.mark.server
async def test_a_decision_is_kept_until_it_was_told_however_few_are_to_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "PAUSE_S", 0.05)
    market = RecordedMarket()
    market.rebalance(18.0)
    async with workplace(tmp_path) as place:
        retention = structs.replace(place.settings.retention, keep_entries=1)
        place.settings = structs.replace(place.settings, books=(POLICY,), retention=retention)
        async with (
            place.running(run, run_gateway) as site,
            RedisStore(place.settings.redis.orders) as orders,
        ):
            await eventually(lambda: site.health.is_ready, within_s=30)
            place.mosquitto.kill()
            await place.write("signals", keys.signal_log(), list(map(encode_log, [market.log])))
            async with asyncio.timeout(30):
                while (await orders.extent(keys.decisions())).last < len(market.effects):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0.5)  # some passes of what trims
                assert (await orders.extent(keys.decisions())).first == 1
                place.mosquitto.start()
                while (await orders.extent(keys.decisions())).first < len(market.effects):  # noqa: ASYNC110 - likewise
                    await asyncio.sleep(0.05)


def taken(sample: object) -> float:
    assert callable(sample)
    return float(sample("hedge_gateway_orders_total", {"status": "accepted"}) or 0.0)


@pytest.mark.server
async def test_while_it_waits_for_its_servers_it_is_not_ready_and_says_for_what(
    tmp_path: Path,
) -> None:
    place = Workplace(tmp_path)
    async with place.running(run, run_gateway) as site:
        await eventually(lambda: "hedger.lease" in site.health.report())
        await eventually(
            lambda: site.health.report()["hedger.lease"].reason == "standby: nobody was asked yet"
        )
        place.redis.start()
        await eventually(lambda: "hedger.bus" in site.health.report())
        await eventually(lambda: "refused" in site.health.report()["hedger.bus"].reason.lower())
        assert not site.health.is_ready
        place.mosquitto.start()
        await eventually(lambda: site.health.is_ready, within_s=30)
    place.mosquitto.stop()
    place.redis.stop()
