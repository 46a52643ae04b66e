"""The peer: the obvious program, as short as it can honestly be; nothing of it is durable.

Per tick: parse the JSON, GET the symbol's state from Redis, smooth, SET it; for VIX also compare
with the last rebalance and publish an order when it moved beyond the limit. No validation, no
deduplication, no journal: what it was doing when it crashed is lost, or done twice.
"""

import json
import time

import aiomqtt
from redis.asyncio import Redis

LIMIT_POINTS = 1.0
HALF_LIFE_S = 60.0
ORDERS = "toy/orders"


class Toy:
    """One consumer.

    Args:
        redis: Holds a smoothed level and its time by symbol.
        client: Orders go there.
        half_life_s: Of the smoothing.
    """

    def __init__(
        self, redis: Redis, client: aiomqtt.Client, half_life_s: float = HALF_LIFE_S
    ) -> None:
        self._redis = redis
        self._client = client
        self._half_life_s = half_life_s
        self.orders = 0

    async def receive(self, payload: bytes | bytearray) -> None:
        """Take one tick."""
        tick = json.loads(payload)
        key = f"toy:{tick['symbol']}"
        found = await self._redis.get(key)
        state = json.loads(found) if found else {"level": tick["price"], "reference": 0.0, "at": 0}
        elapsed_s = (tick["event_time"] - state["at"]) / 1e9
        weight = 2 ** (-elapsed_s / self._half_life_s)
        state["level"] = weight * state["level"] + (1 - weight) * tick["price"]
        state["at"] = tick["event_time"]
        if tick["symbol"] == "VIX" and abs(state["level"] - state["reference"]) > LIMIT_POINTS:
            state["reference"] = state["level"]
            await self._order(tick, state["level"])
        await self._redis.set(key, json.dumps(state))

    async def _order(self, tick: dict[str, object], level: float) -> None:
        target = 1_000 * min(2.0, max(0.2, (level - 12) / 10))
        order = {"target": target, "event_time": tick["event_time"], "made": time.perf_counter()}
        self.orders += 1
        await self._client.publish(ORDERS, json.dumps(order), qos=1)
