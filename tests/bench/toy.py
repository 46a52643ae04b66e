"""The peer: the obvious program, as short as it can honestly be; nothing of it is durable.

Per tick: parse the JSON, GET the symbol's state from Redis, smooth, SET it; for VIX also compare
with the last rebalance and publish an order when it moved beyond the limit. No validation, no
deduplication, no journal: what it was doing when it crashed is lost, or done twice.
"""

import argparse
import asyncio
import json
from typing import Any

import aiomqtt
from redis.asyncio import Redis

LIMIT_POINTS = 1.0
HALF_LIFE_S = 60.0
TICKS = "hedge/v1/ticks/#"
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

    async def receive(self, tick: dict[str, Any]) -> None:
        """Take one tick."""
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

    async def _order(self, tick: dict[str, Any], level: float) -> None:
        target = 1_000 * min(2.0, max(0.2, (level - 12) / 10))
        order = {"target": target, "event_time": tick["event_time"]}
        self.orders += 1
        await self._client.publish(ORDERS, json.dumps(order), qos=1)


async def serve(port: int, url: str, half_life_s: float) -> None:
    """Take ticks from a broker, one or an array in each message, until killed."""
    async with Redis.from_url(url) as redis, aiomqtt.Client("127.0.0.1", port) as client:
        toy = Toy(redis, client, half_life_s)
        await client.subscribe(TICKS)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            for tick in parsed(message.payload):
                await toy.receive(tick)


def parsed(payload: bytes) -> list[dict[str, Any]]:
    """Read one tick or an array of them."""
    found = json.loads(payload)
    return found if isinstance(found, list) else [found]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("redis")
    parser.add_argument("half_life_s", type=float)
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.redis, options.half_life_s))
