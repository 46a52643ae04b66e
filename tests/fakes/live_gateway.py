"""A gateway as a program on real servers; the test is its hedger, its feed and its operators.

Ticks of VIX at 22 come ten times a second, heartbeats twice; orders as fast as they are asked for.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from fakes.eventually import eventually
from fakes.installation import Installation
from fakes.orders import make_order
from fakes.programs import hedgestat

from shared.adapters.bus import Bus, BusUnavailable, Subscription
from shared.adapters.clock import SystemClock
from shared.adapters.connections import MqttSettings
from shared.adapters.keyring import Keyring
from shared.adapters.mqtt import MqttBus
from shared.adapters.settings import Settings, load_settings
from shared.domain.instants import MINUTE
from shared.domain.orders import Order
from shared.wire import topics
from shared.wire.announcements import order_message
from shared.wire.messages import AckMessage, HeartbeatMessage, TradingStateMessage
from shared.wire.times import format_instant

TRADING: Final = "trading = { arms_itself = true }"
CONFIGURATION: Final = """
calendar = { name = "24/7" }
clock = { interval = "100 ms" }
trading = { arms_itself = true }

[symbols]
VIX = {}
SPX = {}

[[books]]
name = "overlay"
rule = "option_a"
portfolio = { value = 50_000_000, weights = { SPX = 1.0 } }
sizing = { base_vega = 1000.0, floor = 0.2 }
triggers = { hold = "1 s and 3 ticks", cooldown = "1 s" }
limits = { max_order_vega = 2000, max_order_notional = 200_000, max_position_vega = 1e12, \
max_orders_per_day = 1_000_000, max_orders_per_minute = 1_000_000, max_daily_turnover = 1e15, \
max_daily_loss = 1e15, max_price_deviation = "15%", max_repeats = 1_000_000, \
repeat_window = "1 min", duplicate_window = "1 us" }

[[books.legs]]
name = "swap"
instrument = "variance_swap"
symbol = "VIX"
maturity = "30 days"
max_vega = 2000
"""

clock = SystemClock()


class LiveGateway:
    """Ingest and gateway in processes of their own, and what else is asked for.

    Attributes:
        installation: Servers and programs.
        acks: What the gateway answered, in order of arrival.
        states: What it said of trading, in order of arrival, with when it arrived, in ns.
        sent: Orders sent so far.
    """

    def __init__(
        self, directory: Path, configuration: str = CONFIGURATION, others: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        services = ["ingest", "gateway", *others]
        self.installation = Installation(directory, directory, services, configuration)
        self.config = directory / "hedgestat.toml"
        self.settings: Settings = load_settings(self.config, {})
        self.keyring = Keyring.load(directory / "keys", "paper")
        self.acks: list[AckMessage] = []
        self.states: list[tuple[int, TradingStateMessage]] = []
        self.sent = 0
        self.socket = directory / "gateway.sock"
        self.record = directory / "gateway.sqlite"
        self.epoch = 1
        self.beating = True
        self._beats = 0
        self._tick_ns = 0

    def hedgestat(self, *words: str, name: str = "operator") -> str:
        """Run the command to its end; returns what it printed, with its exit code in front."""
        environment = {"HEDGESTAT_MQTT_URL": self.installation.mosquitto.url}
        command = [*words, "-c", str(self.config)]
        program = hedgestat(*command, name=name, directory=self.directory, environment=environment)
        before = len(program.log)
        program.start()
        code = program.ended(within_s=20.0)
        return f"{code} {program.log[before:]}"

    @asynccontextmanager
    async def played(self) -> AsyncIterator[MqttBus]:
        """Be its hedger and its feed for as long as the block."""
        settings = MqttSettings(url=self.installation.mosquitto.url)
        heard = [Subscription(topics.ACKS), Subscription(topics.TRADING)]
        async with (
            MqttBus(settings, client_id="hedger", subscriptions=heard) as bus,
            asyncio.TaskGroup() as tasks,
        ):
            await bus.connected.wait()
            playing = [
                tasks.create_task(self._listen(bus)),
                tasks.create_task(self._tick(bus)),
                tasks.create_task(self._beat(bus)),
            ]
            yield bus
            for task in playing:
                task.cancel()

    async def flood(self, bus: Bus, a_second: int) -> None:
        """Send orders at a rate until cancelled."""
        begun_s = clock.monotonic_s()
        sent_before = self.sent
        while True:
            due = int((clock.monotonic_s() - begun_s) * a_second) + sent_before
            while self.sent < due:
                await self.send(bus, self.next_order())
            await asyncio.sleep(0.002)

    def next_order(self, **fields: Any) -> Order:  # noqa: ANN401 - any of its fields
        """A sound order, like no other."""
        self.sent += 1
        quantity = 1.0 + self.sent % 1000 / 1000
        sized: dict[str, Any] = {
            "quantity": quantity,
            "vega": quantity,
            "notional": quantity * 22.0,
            "event_ns": self._tick_ns,
            "valid_until_ns": clock.now_ns() + MINUTE,
            "config_digest": self.settings.digest,
        }
        return make_order(self.sent, **{**sized, **fields})

    def sealed(self, order: Order, topic: str = "", keyring: Keyring | None = None) -> bytes:
        """An order as the hedger sends it."""
        message = order_message(order, epoch=self.epoch, sequence=order.decision)
        topic = topic or topics.orders(order.book)
        return (keyring or self.keyring).seal("monitor", topic, message)

    async def first_answer(self, bus: Bus) -> AckMessage:
        """Send orders until the gateway is there, has a price, and answers one."""
        deadline_s = clock.monotonic_s() + 60.0
        await eventually(lambda: self._tick_ns > 0)
        while not self._judged():
            assert clock.monotonic_s() < deadline_s, "no answer in a minute"
            await self.send(bus, self.next_order())
            await asyncio.sleep(0.5)
        return self._judged()[0]

    def _judged(self) -> list[AckMessage]:
        """Answers; not those of before the first tick was heard."""
        return [ack for ack in self.acks if not ack.reason.startswith("no_mark")]

    async def send(self, bus: Bus, order: Order) -> None:
        """Send an order; what the broker does not take is lost."""
        with suppress(BusUnavailable):
            await bus.publish(topics.orders(order.book), self.sealed(order), qos=1)

    async def _listen(self, bus: Bus) -> None:
        async for message in bus.messages():
            message.ack()
            if message.topic.endswith("/acks"):
                ack = self.keyring.open("gateway", message.topic, message.payload, AckMessage)
                self.acks.append(ack)
            elif not message.retain:
                state = self.keyring.open(
                    "gateway", message.topic, message.payload, TradingStateMessage
                )
                self.states.append((clock.now_ns(), state))

    async def _tick(self, bus: Bus) -> None:
        while True:
            now = clock.now_ns()
            tick = {"symbol": "VIX", "event_time": now, "price": 22.0}
            with suppress(BusUnavailable):
                await bus.publish(topics.ticks("VIX"), msgspec.json.encode(tick), qos=1)
                self._tick_ns = now
            await asyncio.sleep(0.1)

    async def _beat(self, bus: Bus) -> None:
        topic = topics.heartbeats("hedger")
        while True:
            if self.beating:
                self._beats += 1
                message = HeartbeatMessage(
                    service="hedger",
                    epoch=self.epoch,
                    sequence=self._beats,
                    sent_at=format_instant(clock.now_ns()),
                )
                with suppress(BusUnavailable):
                    await bus.publish(topic, self.keyring.seal("monitor", topic, message), qos=0)
            await asyncio.sleep(0.5)
