"""Measurements on their way to the journal: sealed, again, replaced; and whose turn it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.clock import ManualClock
from fakes.eventually import eventually
from fakes.keys import make_keyring

from services.exposure.measurements import SUBSCRIPTIONS, Measurements
from services.exposure.turn import Turn
from shared.adapters.bus import Subscription
from shared.domain.events import ExposureMeasured
from shared.domain.instants import SECOND
from shared.wire import codec, topics
from shared.wire.messages import MeasurementMessage, ProgressMessage
from shared.wire.times import format_instant

KEYS = make_keyring()


def measured(book: str, event_ns: int) -> ExposureMeasured:
    return ExposureMeasured(
        book=book, event_ns=event_ns, sequence=event_ns, portfolio_delta=1.0, put_delta=0.0
    )


class Way:
    """Measurements between a stage and a broker."""

    def __init__(self, broker: FakeBroker, bus: FakeBus, turn: Turn | None) -> None:
        self.broker = broker
        self.measurements = Measurements(bus, KEYS, ManualClock(), turn)

    @property
    def sent(self) -> list[tuple[str, int]]:
        """Book and sequence of all that was sent, in order."""
        found = []
        for each in self.broker.published:
            if each.topic.endswith("/measurements"):
                said = KEYS.open("monitor", each.topic, each.payload, MeasurementMessage)
                found.append((said.book, said.sequence))
        return found


@asynccontextmanager
async def way(turn: Turn | None = None) -> AsyncIterator[Way]:
    broker = FakeBroker()
    subscriptions = [Subscription(topic) for topic in SUBSCRIPTIONS] if turn else []
    async with FakeBus(broker, client_id="exposure", subscriptions=subscriptions) as bus:
        await bus.connected.wait()
        found = Way(broker, bus, turn)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(found.measurements.run())
            yield found
            running.cancel()


async def test_each_book_s_measurement_is_sent_sealed() -> None:
    async with way() as found:
        found.measurements.follow({"b": measured("b", 5), "a": measured("a", 4)}, 0)
        await eventually(lambda: sorted(found.sent) == [("a", 4), ("b", 5)])
        assert found.measurements.waiting == 2


async def test_a_newer_one_replaces_it_and_what_is_journalled_is_sent_no_more() -> None:
    async with way() as found:
        found.measurements.follow({"a": measured("a", 4)}, 0)
        await eventually(lambda: found.sent == [("a", 4)])
        found.measurements.follow({"a": measured("a", 9)}, 0)
        await eventually(lambda: found.sent == [("a", 4), ("a", 9)])
        found.measurements.follow({}, 1)
        assert found.measurements.waiting == 0


def progress(service: str, clock_ns: int, reports: int) -> ProgressMessage:
    return ProgressMessage(service=service, sequence=reports, settled=format_instant(clock_ns))


async def test_in_a_replay_one_is_sent_when_all_others_have_settled() -> None:
    async with way(Turn()) as found:
        found.measurements.follow({"b": measured("b", SECOND), "a": measured("a", SECOND)}, 0)
        broker = found.broker
        async with FakeBus(broker, client_id="others") as bus:
            await bus.connected.wait()

            async def tell(service: str, reports: int) -> None:
                message = progress(service, SECOND, reports)
                await bus.publish(topics.progress(service), codec.encode(message))

            await bus.publish(topics.progress("hedger"), b"no progress")
            await tell("gateway", 3)
            await tell("hedger", 2)
            assert found.sent == []
            await tell("hedger", 3)
            await eventually(lambda: found.sent == [("a", SECOND)])
            found.measurements.follow({"b": measured("b", SECOND)}, 1)
            assert found.sent == [("a", SECOND)]
            await tell("hedger", 4)
            await eventually(lambda: found.sent == [("a", SECOND), ("b", SECOND)])


@pytest.mark.parametrize(
    ("hedger", "gateway", "is_ours"),
    [((5, 0), (5, 0), True), ((4, 0), (5, 0), False), ((5, 0), (4, 0), False)],
)
def test_it_is_nobody_s_turn_before_both_have_settled(
    hedger: tuple[int, int], gateway: tuple[int, int], *, is_ours: bool
) -> None:
    turn = Turn()
    turn.receive(progress("hedger", *hedger))
    turn.receive(progress("gateway", *gateway))
    turn.receive(progress("ingest", 99, 99))
    turn.receive(ProgressMessage(service="hedger", sequence=7))
    assert turn.is_ours(5, 0) is is_ours
