"""The gateway hears of a new leader before its first order, and of its being alive ever after."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.clock import ManualClock
from fakes.eventually import eventually
from fakes.keys import make_keyring
from fakes.leases import term

from services.hedger import introduction
from services.hedger.introduction import Introduction
from shared.runtime.ledger import LeaseLost
from shared.wire import topics
from shared.wire.messages import EpochAnswerMessage, EpochMessage, HeartbeatMessage

KEYRING = make_keyring()
EPOCHS = topics.epochs("hedger")
HEARTBEATS = topics.heartbeats("hedger")


class Newcomer:
    """A leader of epoch 5 on a broker, and what it published."""

    def __init__(self, broker: FakeBroker, bus: FakeBus, ttl_s: float = 1e9) -> None:
        self.broker = broker
        self.clock = ManualClock(10**18)
        self.introduction = Introduction(
            bus=bus,
            keyring=KEYRING,
            clock=self.clock,
            service="hedger",
            term=term(5, self.clock, ttl_s),
            config_digest="digest",
        )

    @property
    def told(self) -> list[EpochMessage]:
        return [
            KEYRING.open("monitor", EPOCHS, each.payload, EpochMessage)
            for each in self.broker.published
            if each.topic == EPOCHS
        ]

    @property
    def beats(self) -> list[HeartbeatMessage]:
        return [
            KEYRING.open("monitor", HEARTBEATS, each.payload, HeartbeatMessage)
            for each in self.broker.published
            if each.topic == HEARTBEATS
        ]

    def answer(self, *, epoch: int = 5, accepted: bool = True, service: str = "hedger") -> None:
        self.introduction.receive(
            EpochAnswerMessage(service=service, epoch=epoch, accepted=accepted, high_water=9)
        )


@asynccontextmanager
async def newcomer(
    monkeypatch: pytest.MonkeyPatch, *denied: str, ttl_s: float = 1e9
) -> AsyncIterator[Newcomer]:
    monkeypatch.setattr(introduction, "EVERY_S", 0.002)
    broker = FakeBroker(denied=denied)
    async with FakeBus(broker, client_id="hedger") as bus:
        yield Newcomer(broker, bus, ttl_s)


@asynccontextmanager
async def running(new: Newcomer) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(new.introduction.run())
        yield
        task.cancel()


async def test_it_beats_first_and_tells_its_epoch_until_that_is_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with newcomer(monkeypatch) as new, running(new):
        await eventually(lambda: len(new.told) >= 3)
        assert new.broker.published[0].topic == HEARTBEATS
        assert {(each.epoch, each.config_digest, each.holder) for each in new.told} == {
            (5, "digest", "test-5")
        }
        assert not new.introduction.accepted.is_set()
        new.answer()
        assert new.introduction.accepted.is_set()
        told, beaten = len(new.told), len(new.beats)
        await eventually(lambda: len(new.beats) >= beaten + 3)
        assert len(new.told) <= told + 1
    assert [each.sequence for each in new.beats] == list(range(1, len(new.beats) + 1))
    assert {each.epoch for each in new.beats} == {5}


async def test_answers_to_others_and_to_former_terms_do_not_concern_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with newcomer(monkeypatch) as new:
        new.answer(epoch=4, accepted=False)
        new.answer(service="other")
        assert not new.introduction.accepted.is_set()
        new.answer()
        new.answer()
        assert new.introduction.accepted.is_set()


async def test_an_epoch_that_is_not_accepted_costs_the_lease_and_the_next_is_higher(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with newcomer(monkeypatch) as new:
        with pytest.raises(LeaseLost, match="the gateway knows epoch 9, ours is 5") as lost:
            new.answer(accepted=False)
        assert lost.value.above == 9


async def test_nothing_is_told_once_the_lease_has_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async with newcomer(monkeypatch, ttl_s=1.0) as new:
        new.clock.advance(0.7)
        with pytest.raises(LeaseLost, match="epoch 5 has run out"):
            await new.introduction.run()
        assert not new.broker.published


async def test_while_the_broker_is_away_it_waits_and_then_begins_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with newcomer(monkeypatch) as new:
        monkeypatch.setattr(introduction, "EVERY_S", 1e9)
        new.broker.kill()
        async with running(new):
            await asyncio.sleep(0)
            new.broker.start()
            await eventually(lambda: len(new.told) == 1)


async def test_a_broker_that_refuses_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with newcomer(monkeypatch, EPOCHS) as new, running(new):
        await eventually(lambda: len(new.beats) >= 3)
        assert not new.told
