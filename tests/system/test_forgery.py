"""An attacker with every right on the broker: 10,000 messages, none of which does anything."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import msgspec
import pytest
from fakes.eventually import eventually
from fakes.live_gateway import LiveGateway, clock
from prometheus_client.parser import text_string_to_metric_families

from shared.adapters.control_socket import gateway_orders
from shared.adapters.keyring import Keyring
from shared.domain.instants import MINUTE
from shared.wire import topics
from shared.wire.announcements import order_message
from shared.wire.messages import TradingCommandMessage

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

ATTACKS = 10_000
ORDERS = topics.orders("overlay")


class Attacker:
    """Has heard one accepted order and one carried out halt, and has no key of ours."""

    def __init__(self, gateway: LiveGateway, heard: bytes, halt: bytes) -> None:
        self._gateway = gateway
        self._dice = random.Random(11)  # noqa: S311 - a seed
        self._heard = heard
        self._halt = halt
        self._own = Keyring.generate("paper")
        self.made: Counter[str] = Counter()

    def attack(self) -> tuple[str, bytes]:
        """Topic and payload of one more."""
        name = self._dice.choice(list(_ATTACKS))
        self.made[name] += 1
        return _ATTACKS[name](self)

    def _forged(self) -> tuple[str, bytes]:
        order = self._gateway.next_order()
        return ORDERS, self._gateway.sealed(order, keyring=self._own)

    def _flipped(self) -> tuple[str, bytes]:
        changed = bytearray(self._heard)
        changed[self._dice.randrange(len(changed))] ^= 1 << self._dice.randrange(8)
        return ORDERS, bytes(changed)

    def _altered(self) -> tuple[str, bytes]:
        figure = f'"quantity":{self._dice.randrange(10**6)},'.encode()
        return ORDERS, self._heard.replace(b'"decision":', figure + b'"decision":')

    def _misplaced(self) -> tuple[str, bytes]:
        return topics.orders("other"), self._heard

    def _unsigned(self) -> tuple[str, bytes]:
        order = order_message(self._gateway.next_order(), epoch=9, sequence=9)
        return ORDERS, msgspec.json.encode(order)

    def _cut(self) -> tuple[str, bytes]:
        return ORDERS, self._heard[: self._dice.randrange(len(self._heard))]

    def _replayed(self) -> tuple[str, bytes]:
        return ORDERS, self._heard

    def _acknowledgement(self) -> tuple[str, bytes]:
        return ORDERS, self._own.seal(
            "gateway", ORDERS, order_message(self._gateway.next_order(), epoch=1, sequence=1)
        )

    def _halt_replayed(self) -> tuple[str, bytes]:
        return topics.HALT, self._halt

    def _halt_turned(self) -> tuple[str, bytes]:
        return topics.RESUME, self._halt

    def _commanded(self) -> tuple[str, bytes]:
        message = TradingCommandMessage(
            scope="all", state="halted", reason="", operator="eve", issued_at=clock.now_ns()
        )
        return topics.HALT, self._own.seal("operator", topics.HALT, message)


_ATTACKS: dict[str, Callable[[Attacker], tuple[str, bytes]]] = {
    name.removeprefix("_"): method
    for name, method in vars(Attacker).items()
    if name.startswith("_") and not name.startswith("__")
}


def read_counters(gateway: LiveGateway) -> Counter[str]:
    """What the gateway has counted, by metric and label."""
    log = map(msgspec.json.decode, gateway.installation.services["gateway"].log.splitlines())
    page = next(line for line in log if line["event"] == "operations_page")
    with urlopen(page["url"].replace("readyz", "metrics"), timeout=30) as answer:  # noqa: S310 - its own page
        families = text_string_to_metric_families(answer.read().decode())
    found: Counter[str] = Counter()
    for family in families:
        for sample in family.samples:
            if sample.name.endswith("_total"):
                found["/".join((sample.name, *sample.labels.values()))] = int(sample.value)
    return found


async def counters(gateway: LiveGateway) -> Counter[str]:
    return await asyncio.to_thread(read_counters, gateway)


def counted(before: Counter[str], after: Counter[str]) -> int:
    """How many messages were refused, or told that they were known, in between."""
    metrics = (
        "hedge_orders_refused_total/",
        "hedge_gateway_commands_refused_total/",
        "hedge_gateway_orders_total/duplicate",
        "hedge_gateway_orders_total/repeated",
    )
    rose = Counter({name: n for name, n in (after - before).items() if name.startswith(metrics)})
    return rose.total()


@pytest.mark.campaign
async def test_of_10_000_forged_altered_and_replayed_messages_none_acts_and_each_is_counted(
    tmp_path: Path,
) -> None:
    gateway = LiveGateway(tmp_path)
    with gateway.installation:
        async with gateway.played() as bus:
            first = await gateway.first_answer(bus)
            assert first.status == "accepted"
            known = await gateway_orders(gateway.socket)
            [order] = [each for each in known if each.order_id == first.order_id]
            message = TradingCommandMessage(
                scope="overlay",
                state="reducing",
                reason="drill",
                operator="ann",
                issued_at=clock.now_ns() - MINUTE // 2,
            )
            halt = gateway.keyring.seal("operator", topics.HALT, message)
            await bus.publish(topics.HALT, halt)
            await eventually(lambda: any(said.operator == "ann" for _, said in gateway.states))
            attacker, before = Attacker(gateway, order.payload, halt), await counters(gateway)
            states = len(gateway.states)
            for _ in range(ATTACKS):
                await bus.publish(*attacker.attack())
            async with asyncio.timeout(120):
                while counted(before, await counters(gateway)) < ATTACKS:  # noqa: ASYNC110 - in another process
                    await asyncio.sleep(0.2)
            assert counted(before, await counters(gateway)) == ATTACKS == attacker.made.total()
            assert await gateway_orders(gateway.socket) == known, "the record is as it was"
            assert len(gateway.states) == states, "nothing was stopped, nothing let go on"
            assert {ack.status for ack in gateway.acks} <= {"accepted", "duplicate", "refused"}
