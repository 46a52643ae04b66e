"""An alert of a shell is told as soon as the bus takes it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fakes.bus import FakeBroker, FakeBus
from fakes.eventually import eventually

from shared.domain.hedging.alerts import alert
from shared.runtime.alarm import MOST_WAITING, Alarm
from shared.wire import codec, topics
from shared.wire.messages import AlertMessage


def alerts(broker: FakeBroker) -> list[str]:
    assert {each.topic for each in broker.published} <= {topics.alerts("critical")}
    return [codec.decode(AlertMessage, each.payload).where for each in broker.published]


@asynccontextmanager
async def alarmed(broker: FakeBroker) -> AsyncIterator[Alarm]:
    async with FakeBus(broker, client_id="hedger") as bus, asyncio.TaskGroup() as tasks:
        await bus.connected.wait()
        alarm = Alarm(bus)
        task = tasks.create_task(alarm.run())
        yield alarm
        task.cancel()


async def test_an_alert_goes_to_the_topic_of_its_severity() -> None:
    broker = FakeBroker()
    async with alarmed(broker) as alarm:
        alarm.ring(alert("overlay", 1, "order_refused", "overlay-00000001-swap"))
        await eventually(lambda: alerts(broker) == ["overlay-00000001-swap"])
    assert not broker.published[0].retain


async def test_alerts_wait_for_the_broker_and_keep_their_order() -> None:
    broker = FakeBroker()
    async with alarmed(broker) as alarm:
        broker.kill()
        for number in range(3):
            alarm.ring(alert("overlay", 1, "order_refused", str(number)))
        await asyncio.sleep(0)
        broker.start()
        await eventually(lambda: alerts(broker) == ["0", "1", "2"])


async def test_of_too_many_the_oldest_are_forgotten() -> None:
    broker = FakeBroker()
    async with alarmed(broker) as alarm:
        for number in range(MOST_WAITING + 5):
            alarm.ring(alert("overlay", 1, "order_refused", str(number)))
        await eventually(lambda: len(alerts(broker)) == MOST_WAITING)
        assert alerts(broker)[0] == "5"
