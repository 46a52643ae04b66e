"""A request to rebalance, against books on a real broker: done when each has answered."""

import asyncio
from io import StringIO
from pathlib import Path

import pytest
from fakes.clock import ManualClock
from fakes.operating import disbelieve, wish
from fakes.workplace import Workplace, workplace
from msgspec import structs
from rich.console import Console

from services.command.endings import Failed, Refused
from services.command.operator_link import OperatorLink, run_command
from services.command.rebalancing import Rebalancer
from shared.adapters.bus import Bus
from shared.adapters.keyring import Keyring
from shared.domain.instants import SECOND
from shared.wire import codec, topics
from shared.wire.examples import EXAMPLES
from shared.wire.messages import (
    AlertMessage,
    SignalMessage,
    TargetMessage,
    TriggerMessage,
    WithheldMessage,
)

pytestmark = pytest.mark.server

TARGET = next(each for each in EXAMPLES if isinstance(each, TargetMessage))
ALERT = next(each for each in EXAMPLES if isinstance(each, AlertMessage))
FIRES = next(each for each in EXAMPLES if isinstance(each, TriggerMessage))
SIGNAL = next(each for each in EXAMPLES if isinstance(each, SignalMessage))
WITHHELD = next(each for each in EXAMPLES if isinstance(each, WithheldMessage))
OURS = topics.target("overlay")


class Desk:
    """An operator, and what is printed for them."""

    def __init__(self, place: Workplace) -> None:
        self._out = StringIO()
        self.rebalancer = Rebalancer(
            OperatorLink(place.settings, Console(file=self._out, width=300), place.keys)
        )

    @property
    def printed(self) -> str:
        return self._out.getvalue()


async def answer(bus: Bus) -> None:
    """Be a hedger: what is withheld, another's target, and the one that was asked for."""
    async for message in bus.messages():
        message.ack()
        withheld = structs.replace(WITHHELD, book="overlay")
        await bus.publish(topics.withheld("overlay"), codec.encode(withheld))
        await bus.publish(OURS, b"{")
        await bus.publish(topics.REJECTS, b"{")
        for trigger in ("vix_move", "operator"):
            target = structs.replace(TARGET, book="overlay", trigger=trigger, decision=7)
            await bus.publish(OURS, codec.encode(target), retain=True)


async def test_a_rebalance_is_done_when_every_book_has_answered(tmp_path: Path) -> None:
    async with workplace(tmp_path) as place, asyncio.TaskGroup() as tasks:
        async with place.client(topics.REBALANCE) as bus:
            answering = tasks.create_task(answer(bus))
            desk = Desk(place)
            await desk.rebalancer.ask(wish())
            answering.cancel()
        assert desk.printed.count("decision 7") == 1
        assert "malformed" in desk.printed
        assert f"withheld by {WITHHELD.control}" in desk.printed
        with pytest.raises(Failed, match=r"no answer in 0\.5 s from overlay"):
            await desk.rebalancer.ask(wish(patience_s=0.5))


async def hold(bus: Bus) -> None:
    """Be a hedger that takes a request and cannot size it: that is alarmed once, then retained."""
    bad = structs.replace(SIGNAL, name="vix_smooth", quality="warming", have=1, need=20)
    stale = structs.replace(SIGNAL, name="vix", quality="stale")
    other = structs.replace(SIGNAL, name="drawdown.tail", quality="stale")
    for signal in (bad, stale, other, structs.replace(SIGNAL, name="rv")):
        await bus.publish(topics.signal(signal.name), codec.encode(signal), retain=True)
    async for message in bus.messages():
        message.ack()
        stuck = structs.replace(
            ALERT, book="overlay", what="target_unknown", where="operator", severity="critical"
        )
        fires = structs.replace(FIRES, book="overlay", trigger="operator", state="firing")
        await bus.publish(topics.alerts("critical"), codec.encode(stuck))
        await bus.publish(topics.trigger("overlay", "operator"), codec.encode(fires), retain=True)


async def test_a_request_that_a_book_holds_is_said_to_stand_and_why_it_waits(
    tmp_path: Path,
) -> None:
    async with workplace(tmp_path) as place, asyncio.TaskGroup() as tasks:
        async with place.client(topics.REBALANCE) as bus:
            holding = tasks.create_task(hold(bus))
            with pytest.raises(Failed) as standing:
                await Desk(place).rebalancer.ask(wish(patience_s=2.0))
            holding.cancel()
        for words in (
            "overlay: the request was taken and stands; nothing is decided yet",
            f"critical, target_unknown: {ALERT.runbook}",
            "signals that are not good: vix (stale), vix_smooth (warming 1 of 20)\n",
            "It cannot be\n     taken back; `hedgestat halt overlay --reason",
        ):
            assert words in str(standing.value), str(standing.value)
        with pytest.raises(Failed, match="the request was taken and stands"):  # alarmed no more
            await Desk(place).rebalancer.ask(wish(patience_s=1.0))


async def test_while_the_exchange_is_closed_a_request_waits_for_the_opening(
    tmp_path: Path,
) -> None:
    async with workplace(tmp_path) as place:
        clock = structs.replace(place.settings.clock, source="wall")
        place.settings = structs.replace(place.settings, clock=clock)
        sunday = ManualClock(1_517_745_600 * SECOND)  # 2018-02-04 12:00 UTC
        rebalancer = Rebalancer(
            OperatorLink(place.settings, Console(file=StringIO()), place.keys, sunday)
        )
        with pytest.raises(Failed, match=r"closed until 2018-02-05T14:30:00Z[^·]*at the opening"):
            await rebalancer.ask(wish(patience_s=0.5))


async def test_what_ingest_does_not_believe_is_said(tmp_path: Path) -> None:
    async with (
        workplace(tmp_path) as place,
        place.client(topics.REBALANCE) as bus,
        asyncio.TaskGroup() as tasks,
    ):
        refusing = tasks.create_task(disbelieve(bus))
        with pytest.raises(Failed, match=r"not believed by ingest: stale_command: 70\.0 s"):
            await Desk(place).rebalancer.ask(wish())
        refusing.cancel()


def test_a_request_for_nobody_or_without_a_key_is_refused(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    with pytest.raises(Refused, match="no scope 'nobody'; there are all, overlay"):
        run_command(Desk(place).rebalancer.ask(wish("nobody")))
    keyless = Rebalancer(
        OperatorLink(place.settings, Console(file=StringIO()), Keyring("paper", {}, {}))
    )
    with pytest.raises(Refused, match="no private key of role operator"):
        run_command(keyless.ask(wish()))
