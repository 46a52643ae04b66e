"""Kill to confirmed: `python tests/bench/halt.py`.

A gateway as `hedgestat run gateway` runs it, real Mosquitto and Redis on loopback, under a flood of
orders. A halt is given again and again, each lifted before the next. Measured is the time from
before the command is signed until the gateway's sealed word, that it has it on its disk, is here:
over the broker, and over the gateway's own socket; then over the socket with both servers killed.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, Literal

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from fakes.live_gateway import LiveGateway, clock
from rich.console import Console
from rich.table import Table

from shared.adapters.control_socket import command_locally, halt_locally
from shared.adapters.mqtt import MqttBus
from shared.wire import topics
from shared.wire.messages import TradingCommandMessage
from shared.wire.times import format_instant

LIMITS_MS: Final = {"broker": 100, "socket": 100, "socket, servers dead": 1000}


def command(state: Literal["active", "halted"], issued_ns: int) -> TradingCommandMessage:
    """An operator's."""
    return TradingCommandMessage(
        scope="all", state=state, reason="bench", operator="bench", issued_at=issued_ns
    )


class Switch:
    """Halts and resumes by one path."""

    def __init__(self, gateway: LiveGateway, bus: MqttBus | None) -> None:
        self._gateway = gateway
        self._bus = bus

    async def by_broker(self) -> None:
        """Sign a halt, publish it, wait until the gateway has confirmed just this one."""
        issued_ns = clock.now_ns()
        assert self._bus is not None
        payload = self._gateway.keyring.seal("operator", topics.HALT, command("halted", issued_ns))
        await self._bus.publish(topics.HALT, payload)
        since = format_instant(issued_ns)
        while not any(said.since == since for _, said in self._gateway.states[-8:]):  # noqa: ASYNC110 - the answer is milliseconds away
            await asyncio.sleep(0)

    async def by_socket(self) -> None:
        """Ask at the gateway's door."""
        await halt_locally(self._gateway.socket, "all", "halted", "bench", "bench")

    async def resume(self) -> None:
        """Lift it, at the door: that works without servers too."""
        payload = self._gateway.keyring.seal(
            "operator", topics.RESUME, command("active", clock.now_ns())
        )
        await command_locally(self._gateway.socket, topics.RESUME, payload)


async def measure(
    halt: Callable[[], Awaitable[None]], resume: Callable[[], Awaitable[None]], times: int
) -> list[float]:
    """Milliseconds of each halt."""
    taken = []
    for _ in range(times):
        begun_s = clock.monotonic_s()
        await halt()
        taken.append((clock.monotonic_s() - begun_s) * 1000)
        await resume()
        await asyncio.sleep(0.02)
    return taken


async def run(gateway: LiveGateway, times: int, rate: int) -> dict[str, list[float]]:
    """Measure all paths."""
    found: dict[str, list[float]] = {}
    async with gateway.played() as bus, asyncio.TaskGroup() as tasks:
        await gateway.first_answer(bus)
        flood = tasks.create_task(gateway.flood(bus, rate))
        switch = Switch(gateway, bus)
        found["broker"] = await measure(switch.by_broker, switch.resume, times)
        found["socket"] = await measure(switch.by_socket, switch.resume, times)
        flood.cancel()
    gateway.installation.mosquitto.kill()
    gateway.installation.redis.kill()
    switch = Switch(gateway, None)
    found["socket, servers dead"] = await measure(switch.by_socket, switch.resume, times)
    return found


def show(found: dict[str, Sequence[float]], rate: int) -> None:
    """Print a table."""
    table = Table("path", "halts", "p50 ms", "p99", "max", "limit p99", title=f"{rate} orders/s")
    for path, taken in found.items():
        figures = (f"{value:.1f}" for value in (*np.percentile(taken, [50, 99]), max(taken)))
        table.add_row(path, str(len(taken)), *figures, f"≤ {LIMITS_MS[path]}")
    Console().print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=200, help="halts by each path [200]")
    parser.add_argument("--rate", type=int, default=200, help="orders a second meanwhile [200]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        gateway = LiveGateway(Path(directory))
        with gateway.installation:
            found = asyncio.run(run(gateway, options.times, options.rate))
        show({path: tuple(taken) for path, taken in found.items()}, options.rate)


if __name__ == "__main__":
    main()
