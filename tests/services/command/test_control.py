"""An operator's commands, against a gateway on a real broker: done when that has said so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from fakes.eventually import eventually
from fakes.operating import disbelieve, wish
from fakes.workplace import Workplace, workplace
from msgspec import structs
from rich.console import Console

from services.command.control import Commander
from services.command.endings import Failed, Refused
from services.command.operator_link import OperatorLink, run_command
from services.gateway.__main__ import run as run_gateway
from shared.adapters.keyring import Keyring
from shared.wire import topics

pytestmark = pytest.mark.server


class Desk:
    """An operator, and what is printed for them."""

    def __init__(self, place: Workplace, keyring: Keyring | None = None) -> None:
        self._out = StringIO()
        console = Console(file=self._out, width=300)
        self.commander = Commander(OperatorLink(place.settings, console, keyring or place.keys))

    @property
    def printed(self) -> str:
        return self._out.getvalue()


@asynccontextmanager
async def open_gateway(directory: Path) -> AsyncIterator[Workplace]:
    """A gateway that is there."""
    async with workplace(directory) as place, place.running(run_gateway) as site:
        socket = place.settings.gateway.socket_path
        assert socket is not None
        await eventually(lambda: site.health.is_ready and socket.exists(), within_s=30)
        yield place


async def test_a_halt_and_a_resume_are_done_when_the_gateway_has_said_so(tmp_path: Path) -> None:
    async with open_gateway(tmp_path) as place:
        desk = Desk(place)
        await desk.commander.halt(wish(), "halted")
        assert "Confirmed by the gateway in" in desk.printed
        assert "overlay          halted    by operator ann: drill" in desk.printed
        desk = Desk(place)
        await desk.commander.halt(wish("overlay"), "reducing")
        assert "halted" in desk.printed, "what governs is the stricter"
        desk = Desk(place)
        await desk.commander.resume(wish())
        assert "overlay          reducing  by operator ann: drill" in desk.printed
        await Desk(place).commander.resume(wish("overlay"))


async def test_at_the_gateways_door_the_same_is_done_without_broker_and_store(
    tmp_path: Path,
) -> None:
    async with open_gateway(tmp_path) as place:
        place.mosquitto.kill()
        place.redis.kill()
        desk = Desk(place)
        await desk.commander.halt(wish(local=True), "halted")
        assert "Confirmed by the gateway, at its own socket." in desk.printed
        assert "halted for all by operator ann since" in desk.printed
        desk = Desk(place)
        await desk.commander.halt(wish("overlay", patience_s=0.3), "halted")
        assert "no broker answers" in desk.printed
        assert "Trying the gateway's own socket." in desk.printed
        with pytest.raises(Failed, match="no broker answers"):
            await desk.commander.resume(wish(patience_s=0.3))
        desk = Desk(place)
        await desk.commander.resume(wish(local=True))
        assert "halted for all" not in desk.printed
        with pytest.raises(Failed, match="does not do it: signed by no operator"):
            await Desk(place, Keyring.generate("paper")).commander.resume(wish(local=True))


async def test_status_is_asked_at_the_door_or_else_of_the_broker(tmp_path: Path) -> None:
    async with open_gateway(tmp_path) as place:
        desk = Desk(place)
        await desk.commander.status()
        assert "overlay          active" in desk.printed
        assert "0 orders answered, hedger heard never" in desk.printed
        elsewhere = structs.replace(place.settings.gateway, socket="off")
        place.settings = structs.replace(place.settings, gateway=elsewhere)
        desk = Desk(place)
        async with place.client() as bus:
            await bus.publish(topics.trading("overlay2"), b"forged")
            await desk.commander.status()
        assert "overlay          active    nothing stops it" in desk.printed
        with pytest.raises(Refused, match="no door"):
            await desk.commander.status(local=True)


async def test_where_no_gateway_is_nothing_counts_as_done(tmp_path: Path) -> None:
    async with workplace(tmp_path) as place:
        for local, words in ((False, "do not rely on it"), (True, "is the gateway running")):
            with pytest.raises(Failed, match=words):
                await Desk(place).commander.halt(wish(local=local, patience_s=0.5), "halted")
        with pytest.raises(Failed, match="keeps no word of the gateway"):
            await Desk(place).commander.status(patience_s=1.0)
        with pytest.raises(Failed, match="is the gateway running"):
            await Desk(place).commander.status(local=True)


async def test_a_scope_that_does_not_exist_is_refused_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    desk = Desk(Workplace(tmp_path))
    for command in (
        desk.commander.halt(wish("nobody"), "halted"),
        desk.commander.resume(wish("nobody")),
    ):
        with pytest.raises(Refused, match="no scope 'nobody'; there are all, overlay"):
            await command


async def test_what_ingest_does_not_believe_is_said(tmp_path: Path) -> None:
    async with (
        workplace(tmp_path) as place,
        place.client(topics.HALT) as bus,
        asyncio.TaskGroup() as tasks,
    ):
        refusing = tasks.create_task(disbelieve(bus))
        with pytest.raises(Failed, match=r"not believed by ingest: stale_command: 70\.0 s"):
            await Desk(place).commander.halt(wish(patience_s=1.0), "halted")
        refusing.cancel()


async def test_from_another_directory_it_is_said_where_socket_and_keys_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = Workplace(tmp_path)
    gateway = structs.replace(place.settings.gateway, record="gateway.sqlite")
    keys = structs.replace(place.settings.keys, directory="keys")
    settings = structs.replace(place.settings, gateway=gateway, keys=keys)
    commander = Commander(OperatorLink(settings, Console(file=StringIO()), place.keys))
    where = rf"no gateway at {tmp_path}/gateway\.sock\n.*are of the working directory"
    for command in (
        commander.status(local=True),
        commander.status(patience_s=0.1),
        commander.halt(wish(patience_s=0.1), "halted"),
    ):
        with pytest.raises(Failed, match=where):
            await command
    keyless = Commander(OperatorLink(settings, Console(file=StringIO())))
    with pytest.raises(Refused, match=r"no keys in keys(.|\n)*are of the working directory"):
        await keyless.resume(wish(local=True))


def test_without_an_operators_key_a_command_is_refused_with_what_to_do(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    settings = structs.replace(
        place.settings,
        keys=msgspec.convert({"directory": str(tmp_path)}, type(place.settings.keys)),
    )
    commander = Commander(OperatorLink(settings, Console(file=StringIO())))
    with pytest.raises(Refused, match="hedgestat keys new"):
        run_command(commander.halt(wish(), "halted"))
    commander = Commander(
        OperatorLink(place.settings, Console(file=StringIO()), Keyring("paper", {}, {}))
    )
    with pytest.raises(Refused, match="no private key of role operator"):
        run_command(commander.resume(wish(local=True)))
