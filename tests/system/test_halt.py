"""The kill switch under a flood of orders: by every path, through every restart."""

import asyncio
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fakes.eventually import eventually
from fakes.live_gateway import CONFIGURATION, TRADING, LiveGateway, clock

from shared.adapters.control_socket import GatewayUnreachable, gateway_orders, gateway_status
from shared.wire.times import parse_instant

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

BY_BROKER = ("halt", "--reason", "drill", "--operator", "ann")
LOCALLY = (*BY_BROKER, "--local")
RESUME = ("resume", "--reason", "drill is over", "--operator", "ann")
FLOOD = 500


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[LiveGateway]:
    place = LiveGateway(tmp_path)
    with place.installation:
        yield place


async def flooded(gateway: LiveGateway) -> None:
    """Wait until orders are accepted at the rate they come."""
    accepted = 100
    await eventually(
        lambda: sum(ack.status == "accepted" for ack in gateway.acks) > accepted, within_s=60
    )


async def shell(gateway: LiveGateway, *words: str) -> str:
    return await asyncio.to_thread(gateway.hedgestat, *words)


def accepted_at(gateway: LiveGateway) -> list[int]:
    """When orders were accepted, by the gateway's own record."""
    with closing(sqlite3.connect(gateway.record)) as connection:
        query = "SELECT received_ns FROM orders WHERE status = 'accepted' ORDER BY number"
        return [at for (at,) in connection.execute(query)]


@pytest.mark.campaign
@pytest.mark.parametrize("command", [BY_BROKER, LOCALLY], ids=["broker", "socket"])
async def test_after_a_halt_is_confirmed_no_order_of_a_flood_is_accepted(
    gateway: LiveGateway, command: tuple[str, ...]
) -> None:
    async with gateway.played() as bus, asyncio.TaskGroup() as tasks:
        await gateway.first_answer(bus)
        flood = tasks.create_task(gateway.flood(bus, FLOOD))
        await flooded(gateway)
        said = await shell(gateway, *command)
        confirmed_ns, sent = clock.now_ns(), gateway.sent
        assert said.startswith("0 Confirmed"), said
        await eventually(lambda: gateway.sent > sent + 2 * FLOOD)
        refused = [ack for ack in gateway.acks if ack.status == "refused"]
        await eventually(lambda: len(refused) > 0)
        assert all(ack.reason.startswith("halted") for ack in refused)
        said = await shell(gateway, *RESUME)
        assert said.startswith("0 Confirmed"), said
        last = len(gateway.acks)
        await eventually(lambda: any(each.status == "accepted" for each in gateway.acks[last:]))
        [resumed] = [
            each for _, each in gateway.states if each.operator == "ann" and each.state == "active"
        ]
        flood.cancel()
    gateway.installation.services["gateway"].kill()
    times = accepted_at(gateway)
    assert times[0] < confirmed_ns < times[-1], "it went on before, and after it was resumed"
    assert not [at for at in times if confirmed_ns <= at < parse_instant(resumed.since)]


@pytest.mark.campaign
async def test_it_is_still_halted_after_every_restart_until_an_operator_resumes(
    gateway: LiveGateway,
) -> None:
    async with gateway.played() as bus, asyncio.TaskGroup() as tasks:
        await gateway.first_answer(bus)
        flood = tasks.create_task(gateway.flood(bus, 50))
        await flooded(gateway)
        assert (await shell(gateway, *LOCALLY)).startswith("0 ")
        confirmed_ns = clock.now_ns()
        for victim in ("gateway", "redis", "gateway", "mosquitto", "gateway"):
            gateway.installation.kill(victim)
            await eventually(lambda: reachable(gateway), within_s=20)
            status = await gateway_status(gateway.socket)
            assert status.scopes == {"all": "halted", "overlay": "halted"}
        assert (await shell(gateway, *RESUME)).startswith("0 ")
        last = len(gateway.acks)
        await eventually(
            lambda: any(each.status == "accepted" for each in gateway.acks[last:]), within_s=20
        )
        resumed = [state for _, state in gateway.states if state.state == "active"]
        assert resumed
        flood.cancel()
    orders = await gateway_orders(gateway.socket)
    halted = [each for each in orders if each.reason.startswith("halted")]
    accepted = [each for each in orders if each.status == "accepted"]
    between = range(halted[0].number, halted[-1].number)
    assert not any(each.number in between for each in accepted)
    assert halted[0].received_ns <= confirmed_ns + 1_000_000_000


def reachable(gateway: LiveGateway) -> bool:
    gateway.installation.tend()
    log = gateway.installation.services["gateway"].log
    return gateway.socket.is_socket() and "Traceback" not in log and answers(gateway)


def answers(gateway: LiveGateway) -> bool:
    with socket.socket(socket.AF_UNIX) as door:
        try:
            door.connect(str(gateway.socket))
        except OSError:
            return False
    return True


async def test_with_broker_and_store_dead_the_local_path_halts(gateway: LiveGateway) -> None:
    async with gateway.played() as bus:
        await gateway.first_answer(bus)
    gateway.installation.mosquitto.kill()
    gateway.installation.redis.kill()
    said = await shell(gateway, *LOCALLY)
    assert said.startswith("0 Confirmed"), said
    said = await shell(gateway, *BY_BROKER, "--patience", "0.5")
    assert said.startswith("0 "), said
    assert "Trying the gateway's own socket" in said
    said = await shell(gateway, *RESUME, "--local")
    assert "halted for all by operator" not in said, said
    assert said.startswith("0 "), said


async def test_without_a_gateway_a_command_says_that_it_is_not_confirmed(
    gateway: LiveGateway,
) -> None:
    gateway.installation.services["gateway"].kill()
    gateway.socket.unlink(missing_ok=True)
    said = await shell(gateway, *BY_BROKER, "--patience", "0.5")
    assert said.startswith("1 "), said
    assert "do not rely on it" in said
    said = await shell(gateway, *LOCALLY)
    assert said.startswith("1 "), said
    with pytest.raises(GatewayUnreachable):
        await gateway_status(gateway.socket)


async def test_a_silent_hedger_stops_trading_within_four_seconds_and_a_heard_one_lets_it_go_on(
    gateway: LiveGateway,
) -> None:
    async with gateway.played() as bus:
        await gateway.first_answer(bus)
        gateway.beating = False
        silent_ns = clock.now_ns()
        await eventually(lambda: said_of_all(gateway, "halted", silent_ns) > 0, within_s=6)
        assert said_of_all(gateway, "reducing", silent_ns) - silent_ns < 3.0e9
        assert said_of_all(gateway, "halted", silent_ns) - silent_ns < 4.0e9
        gateway.beating = True
        heard_ns = clock.now_ns()
        await eventually(lambda: said_of_all(gateway, "active", heard_ns) > 0)


def said_of_all(gateway: LiveGateway, state: str, since_ns: int) -> int:
    """When the gateway first said so after an instant; 0: not yet."""
    return next(
        (
            at
            for at, each in gateway.states
            if at > since_ns and (each.scope, each.state) == ("all", state)
        ),
        0,
    )


async def test_a_gateway_that_does_not_arm_itself_starts_halted_and_is_armed_by_a_command(
    tmp_path: Path,
) -> None:
    gateway = LiveGateway(tmp_path, CONFIGURATION.replace(TRADING, ""))
    with gateway.installation:
        async with gateway.played() as bus:
            first = await gateway.first_answer(bus)
            assert first.reason.startswith("halted")
            said = await shell(gateway, "status")
            assert "halted for all by gateway boot" in said, said
            said = await shell(gateway, *RESUME)
            assert said.startswith("0 Confirmed"), said
            await gateway.send(bus, gateway.next_order())
            await eventually(lambda: gateway.acks[-1].status == "accepted", within_s=30)
