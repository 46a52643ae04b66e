"""Who may stop trading and let it go on: and everybody else may not."""

import asyncio
from pathlib import Path
from typing import Literal

import pytest
from fakes.bus import matches
from fakes.eventually import eventually
from fakes.gateway import Surroundings, clock, order, surroundings, tick
from fakes.keys import make_keyring
from msgspec import structs

from shared.adapters.bus import BusUnavailable
from shared.adapters.control_socket import (
    GatewayRefused,
    command_locally,
    gateway_status,
    halt_locally,
)
from shared.adapters.keyring import Role
from shared.domain.events import ExecutionKind
from shared.domain.instants import SECOND
from shared.wire import codec, topics
from shared.wire.messages import AlertMessage, HeartbeatMessage, TradingCommandMessage

State = Literal["active", "reducing", "halted"]
GAUGE = {"active": 0, "reducing": 1, "halted": 2}
NOW_S = 1000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path


def by_hand(around: Surroundings, *, is_live: bool = False) -> None:
    """Have the gateway be armed by an operator, and its clock stand at some time."""
    around.policy = structs.replace(around.policy, arms_itself=False, is_live=is_live)
    around.clock.advance(NOW_S)


def alerts(around: Surroundings) -> list[AlertMessage]:
    return [
        codec.decode(AlertMessage, each.payload)
        for each in around.broker.published
        if matches(topics.ALERTS, each.topic)
    ]


async def is_trading(around: Surroundings, state: State, scope: str = "overlay") -> None:
    await eventually(lambda: around.trading(scope) == GAUGE[state])


# --- commands ------------------------------------------------------------------------------------


async def test_a_halt_refuses_orders_and_cancels_what_is_open(path: Path) -> None:
    async with surroundings(path) as around, around.running():
        await around.open_market()
        await around.send(order(1))
        await eventually(lambda: around.answers == ["accepted"])
        await around.command("halted")
        await is_trading(around, "halted")
        await around.send(order(2))
        await eventually(lambda: around.answers == ["accepted", "refused"])
        assert around.acks[1].reason.startswith("halted")
        around.scribe.write(tick(15), clock(20))
        await eventually(lambda: len(around.scribe.journalled) == 2)
        kinds = {each.order_id[-6:]: each.kind for each in around.scribe.journalled}
        assert kinds == {"2-swap": ExecutionKind.REJECT, "1-swap": ExecutionKind.CANCEL}


async def test_reducing_lets_through_what_brings_the_vega_nearer_to_nothing(path: Path) -> None:
    async with surroundings(path) as around, around.running():
        await around.open_market()
        await around.send(order(1))
        await around.command("reducing", scope="overlay")
        await is_trading(around, "reducing")
        sale = {"side": "sell", "limit_price": 20.0}
        await around.send(order(2))
        await around.send(order(3, quantity=100.0, **sale))
        await around.send(order(4, quantity=900.0, **sale))  # beyond 0, and further off
        await eventually(lambda: len(around.answers) == 4)
        assert around.answers == ["accepted", "refused", "accepted", "refused"]
        assert around.acks[1].reason.startswith("reducing")


async def test_a_command_survives_every_restart_and_is_lifted_by_a_resume(path: Path) -> None:
    async with surroundings(path) as around:
        async with around.running():
            await around.command("halted", scope="overlay", issued_ns=1)
            await is_trading(around, "halted")
        for _ in range(3):
            async with around.running():
                await is_trading(around, "halted")
        async with around.running():
            await around.command("active", scope="overlay", issued_ns=2)
            await is_trading(around, "active")
            await eventually(lambda: around.states("overlay")[-1].state == "active")


async def test_what_was_ordered_is_told_first_and_then_what_it_comes_to(path: Path) -> None:
    async with surroundings(path) as around, around.running():
        await eventually(lambda: len(around.states()) > 0)
        around.broker.published.clear()
        await around.command("halted", scope="overlay", issued_ns=1)
        await around.command("reducing", scope="all", issued_ns=2)
        await eventually(lambda: len(around.states("overlay")) == 3)
        told = [(each.state, each.authority) for each in around.states("overlay")]
        assert told == [("halted", "operator")] * 3
        assert [each.state for each in around.states("all")] == ["reducing", "reducing"]
        retained = [each.retain for each in around.broker.published if each.topic.endswith("/all")]
        assert retained == [False, True]


async def test_a_broker_that_forgot_everything_is_told_everything(path: Path) -> None:
    async with surroundings(path) as around, around.running():
        await around.command("halted")
        await is_trading(around, "halted")
        around.broker.kill()
        around.broker.published.clear()
        around.broker.start()
        await eventually(lambda: {each.state for each in around.states("overlay")} == {"halted"})


@pytest.mark.parametrize(
    ("reason", "state", "scope", "issued_s", "role", "topic"),
    [
        ("replayed", "active", "all", NOW_S, "operator", ""),
        ("replayed", "halted", "all", NOW_S - 1, "operator", ""),
        ("too_old", "active", "all", NOW_S - 61, "auditor", ""),
        ("from_the_future", "active", "all", NOW_S + 3, "operator", ""),
        ("unknown_scope", "halted", "nobody", NOW_S + 1, "operator", ""),
        ("wrong_topic", "active", "all", NOW_S + 1, "operator", topics.HALT),
        ("wrong_topic", "halted", "all", NOW_S + 1, "operator", topics.RESUME),
        ("not_stricter", "active", "all", NOW_S + 1, "auditor", ""),
        ("not_entitled", "active", "all", NOW_S + 1, "desk", ""),
        ("wrong_topic", "active", "all", NOW_S + 1, "desk", topics.HALT),
        ("unknown_key", "active", "all", NOW_S + 1, "monitor", ""),
        ("unknown_key", "active", "all", NOW_S + 1, "gateway", ""),
    ],
)
async def test_what_is_not_believed_changes_nothing_and_is_counted(  # noqa: PLR0913, PLR0917 - a table
    path: Path,
    reason: str,
    state: State,
    scope: str,
    issued_s: float,
    role: Role,
    topic: str,
) -> None:
    async with surroundings(path) as around:
        by_hand(around, is_live=True)
        async with around.running() as record:
            await around.command("halted", issued_ns=round(NOW_S * SECOND))
            await eventually(lambda: len(record.changes()) == 2)  # and its own, at the start
            await around.command(
                state, scope=scope, issued_ns=round(issued_s * SECOND), role=role, topic=topic
            )
            await eventually(lambda: around.commands_refused(reason) == 1)
            assert len(record.changes()) == 2
            await is_trading(around, "halted")


async def test_an_altered_a_retained_and_a_strangers_command_change_nothing(path: Path) -> None:
    async with surroundings(path) as around, around.running():
        topic = topics.HALT
        sound = around.sealed_command(topic, "halted")
        await around.client.publish(topic, sound.replace(b"drill", b"drull"))
        await around.client.publish(topic, sound.partition(b"\n")[0])
        await around.client.publish(topics.RESUME, sound)
        message = TradingCommandMessage(
            scope="all", state="halted", reason="", operator="eve", issued_at=1
        )
        await around.client.publish(topic, make_keyring().seal("operator", topic, message))
        wanted = {"bad_signature": 2.0, "malformed": 1.0, "unknown_key": 1.0}
        await eventually(lambda: {each: around.commands_refused(each) for each in wanted} == wanted)
        await is_trading(around, "active")
        await around.client.publish(topic, sound, retain=True)
        await is_trading(around, "halted")
        around.control_bus.cut()
        await eventually(lambda: around.commands_refused("retained") == 1)


async def test_the_auditor_stops_and_only_an_operator_lets_go_on(path: Path) -> None:
    async with surroundings(path) as around, around.running():
        await around.command("reducing", role="auditor", issued_ns=1)
        await is_trading(around, "reducing")
        await around.command("halted", role="auditor", issued_ns=2)
        await is_trading(around, "halted")
        await around.command("reducing", role="auditor", issued_ns=3)
        await eventually(lambda: around.commands_refused("not_stricter") == 1)
        await around.command("active", issued_ns=1)
        await is_trading(around, "active")


async def test_the_desk_stops_and_never_lets_go_on(path: Path) -> None:
    async with surroundings(path) as around, around.running():
        await around.command("reducing", role="desk", issued_ns=1)
        await is_trading(around, "reducing")
        await around.command("halted", role="desk", issued_ns=2)
        await is_trading(around, "halted")
        assert [(said.authority, said.operator) for said in around.states("overlay")[-1:]] == [
            ("desk", "ann")
        ]
        await around.command("reducing", role="desk", issued_ns=3)
        await eventually(lambda: around.commands_refused("not_stricter") == 1)
        for moment in (4, 5):
            await around.command("active", role="desk", issued_ns=moment)
        await eventually(lambda: around.commands_refused("not_entitled") == 2)
        await is_trading(around, "halted")
        await around.command("active", issued_ns=1)
        await is_trading(around, "active")


async def test_a_resume_by_the_desk_tells_a_person_that_its_key_is_in_other_hands(
    path: Path,
) -> None:
    async with surroundings(path) as around, around.running():
        await around.command("active", role="desk")
        await eventually(lambda: around.commands_refused("not_entitled") == 1)
        await eventually(lambda: len(alerts(around)) == 1)
        [told] = alerts(around)
        assert (told.what, told.severity) == ("message_forged", "critical")
        assert told.where == f"not_entitled on {topics.RESUME}"


# --- the gateway by itself -----------------------------------------------------------------------


async def test_a_gateway_starts_halted_says_so_to_the_journal_and_is_armed_by_a_command(
    path: Path,
) -> None:
    async with surroundings(path) as around:
        by_hand(around)
        async with around.running() as record:
            await is_trading(around, "halted")
            await eventually(lambda: [each.operator for each in around.scribe.states] == ["boot"])
            await eventually(lambda: record.untold_changes() == [])
            await around.beat()
            await around.command("active", issued_ns=1)
            await is_trading(around, "active")
        async with around.running():
            await is_trading(around, "halted")


async def test_one_that_arms_itself_lifts_what_it_had_set_at_a_start(path: Path) -> None:
    async with surroundings(path) as around:
        armed = around.policy
        by_hand(around)
        async with around.running():
            await is_trading(around, "halted")
        around.policy = armed
        async with around.running():
            await is_trading(around, "active")


async def pass_time(around: Surroundings, seconds: float) -> None:
    """Let the gateway's clock run on in small steps, each of which it counts."""
    for _ in range(round(seconds / 0.2)):
        before_s = around.silent_s
        around.clock.advance(0.2)
        await eventually(lambda: around.silent_s != before_s)  # noqa: B023 - waited for at once


async def test_silence_reduces_then_halts_and_a_heartbeat_lifts_only_the_reducing(
    path: Path,
) -> None:
    async with surroundings(path) as around:
        by_hand(around)
        async with around.running():
            await around.be_heard()
            await around.command("active", issued_ns=1)
            await is_trading(around, "active")
            await pass_time(around, 2.0)
            await is_trading(around, "reducing")
            await around.be_heard()
            await is_trading(around, "active")
            await pass_time(around, 3.2)
            await is_trading(around, "halted")
            await around.be_heard()
            await is_trading(around, "halted")
            states = [(each.operator, each.state) for each in around.scribe.states]
            assert states == [
                ("boot", "halted"),
                ("dead_man", "reducing"),
                ("dead_man", "active"),
                ("dead_man", "reducing"),
                ("dead_man", "halted"),
            ]
            await around.command("active", issued_ns=2)
            await is_trading(around, "active")


async def test_one_that_arms_itself_goes_on_by_itself_and_tells_the_journal_nothing(
    path: Path,
) -> None:
    async with surroundings(path) as around, around.running() as record:
        await around.open_market()
        await around.send(order(1))
        await eventually(lambda: around.answers == ["accepted"])
        await pass_time(around, 3.2)
        await is_trading(around, "halted")
        await around.send(order(2))  # a sign of life
        await eventually(lambda: around.answers == ["accepted", "accepted"])
        await is_trading(around, "active")
        assert (around.scribe.states, record.changes()) == ([], [])
        around.scribe.write(tick(15), clock(20))
        await eventually(lambda: len(around.scribe.journalled) == 4)
        kinds = {each.kind for each in around.scribe.journalled}
        assert ExecutionKind.CANCEL not in kinds, "a silence is no order to cancel"


@pytest.mark.parametrize(
    ("reason", "beat"),
    [
        ("replayed", {"epoch": 2, "sequence": 5}),
        ("replayed", {"epoch": 2, "sequence": 4}),
        ("superseded", {"epoch": 1, "sequence": 6}),
        ("too_old", {"epoch": 2, "sequence": 6, "sent_ns": round((NOW_S - 6) * SECOND)}),
        ("too_old", {"epoch": 2, "sequence": 6, "sent_ns": round((NOW_S + 6) * SECOND)}),
    ],
)
async def test_an_old_heartbeat_is_no_sign_of_life(
    path: Path, reason: str, beat: dict[str, int]
) -> None:
    async with surroundings(path) as around:
        by_hand(around)
        async with around.running():
            await around.announce(2, "one")
            await eventually(lambda: len(around.epoch_answers) == 1)
            await around.beat(2, sequence=5)
            await around.beat(**beat)
            await eventually(lambda: around.commands_refused(reason) == 1)


async def test_a_heartbeat_of_one_service_is_none_of_another(path: Path) -> None:
    async with surroundings(path) as around, around.running():
        topic = topics.heartbeats("signals")
        message = HeartbeatMessage(
            service="hedger", epoch=1, sequence=1, sent_at="1970-01-01T00:00:00Z"
        )
        await around.client.publish(topic, around.keyring.seal("monitor", topic, message))
        await eventually(lambda: around.commands_refused("wrong_topic") == 1)


# --- epochs --------------------------------------------------------------------------------------


async def test_a_new_epoch_is_accepted_and_again_for_whoever_missed_the_answer(path: Path) -> None:
    async with surroundings(path) as around, around.running() as record:
        for epoch, holder in ((3, "one"), (3, "one"), (4, "two")):
            await around.announce(epoch, holder)
        await eventually(lambda: len(around.epoch_answers) == 3)
        assert [each.accepted for each in around.epoch_answers] == [True, True, True]
        assert (record.epoch(), record.holder(3), record.holder(4)) == (4, "one", "two")
        await is_trading(around, "active")


async def test_an_answer_waits_until_the_gateway_is_connected_and_nobody_asks_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise BusUnavailable("not connected")

    async with surroundings(path) as around, around.running() as record:
        connected = around.control_bus.connected
        with monkeypatch.context() as patched:
            patched.setattr(around.control_bus, "publish", refuse)
            connected.clear()  # it hears already, and its birth is not told yet
            await around.announce(3, "one")
            await eventually(lambda: record.holder(3) == "one")
            for _ in range(10):
                await asyncio.sleep(0)
        connected.set()
        await eventually(lambda: [each.epoch for each in around.epoch_answers] == [3])


async def test_a_frozen_leader_that_wakes_is_refused_and_nothing_else_happens(path: Path) -> None:
    async with surroundings(path) as around, around.running():
        for epoch, holder in ((3, "one"), (4, "two"), (3, "one")):
            await around.announce(epoch, holder)
        await eventually(lambda: len(around.epoch_answers) == 3)
        last = around.epoch_answers[-1]
        assert (last.accepted, last.high_water, last.epoch) == (False, 4, 3)
        assert around.commands_refused("epoch_superseded") == 1
        await is_trading(around, "active")


@pytest.mark.parametrize("epoch", [1, 3, 4])
async def test_an_epoch_that_comes_a_second_time_halts_until_an_operator_resumes(
    path: Path, epoch: int
) -> None:
    async with surroundings(path) as around:
        async with around.running():
            for number, holder in ((3, "one"), (4, "two"), (epoch, "three")):
                await around.announce(number, holder)
            await eventually(lambda: len(around.epoch_answers) == 3)
            assert not around.epoch_answers[-1].accepted
            assert around.commands_refused("epoch_regress") == 1
            await is_trading(around, "halted")
            await eventually(
                lambda: [each.operator for each in around.scribe.states] == ["epoch_regress"]
            )
            alerts = [str(each.payload) for each in around.broker.published]
            assert any("epoch_regress" in each for each in alerts)
        async with around.running():
            await around.announce(5, "three")
            await eventually(lambda: around.epoch_answers[-1].accepted)
            await is_trading(around, "halted")
            await around.command("active", issued_ns=1)
            await is_trading(around, "active")


# --- the door ------------------------------------------------------------------------------------


async def test_at_its_own_door_anybody_may_stop_and_nobody_loosens_without_a_signature(
    path: Path,
) -> None:
    async with surroundings(path) as around:
        door = path / "gateway.sock"
        around.policy = structs.replace(around.policy, socket=door)
        async with around.running() as record:
            await eventually(door.exists)
            halted = await halt_locally(door, "overlay", "halted", "ann", "smoke")
            assert halted.scopes == {"all": "active", "overlay": "halted"}
            again = await halt_locally(door, "overlay", "reducing", "bob", "less smoke")
            assert again.orders == halted.orders, "not loosened"
            with pytest.raises(GatewayRefused, match="unknown_scope"):
                await halt_locally(door, "nowhere", "halted", "ann", "smoke")
            await eventually(lambda: len(around.scribe.states) == 1)
            told = around.scribe.states[0]
            assert (told.authority, told.operator, told.scope) == ("gateway", "ann", "overlay")
            await eventually(lambda: record.untold_changes() == [])
            for payload, reason in (
                (b"unsigned", "not signed"),
                (around.sealed_command(topics.HALT, "active", scope="overlay"), "not what"),
            ):
                with pytest.raises(GatewayRefused, match=reason):
                    await command_locally(door, topics.RESUME, payload)
            sealed = around.sealed_command(topics.RESUME, "active", scope="overlay")
            resumed = await command_locally(door, topics.RESUME, sealed)
            assert resumed.orders == ()
            with pytest.raises(GatewayRefused, match="replayed"):
                await command_locally(door, topics.RESUME, sealed)
            assert (await gateway_status(door)).scopes["overlay"] == "active"
