import asyncio
from pathlib import Path

import msgspec
import pytest
from fakes.eventually import eventually
from fakes.keys import make_keyring
from fakes.workplace import Workplace, workplace

from services.ingest.__main__ import run
from shared.adapters.bus import Bus, BusUnavailable
from shared.domain.trading import TradingState, TradingStateSet
from shared.wire import codec, keys, topics
from shared.wire.messages import ProgressMessage, RejectMessage, TradingCommandMessage

COUNT = 3000


def tick(number: int) -> bytes:
    fields = {"symbol": "VIX", "event_time": 10**18 + number, "price": 14.0}
    return msgspec.json.encode(fields | {"source": "test", "sequence": number})


async def send_until_journalled(bus: Bus) -> None:
    """Send what is not reported as journalled, again and again."""
    reached = 0
    while reached < COUNT:
        try:
            for number in range(reached + 1, min(reached + 40, COUNT) + 1):
                await bus.publish(topics.ticks("VIX"), tick(number))
            async with asyncio.timeout(1.0):
                for message in await bus.next_batch(100):
                    progress = codec.decode(ProgressMessage, message.payload)
                    reached = max(reached, progress.sequence)
        except (BusUnavailable, TimeoutError):
            await asyncio.sleep(0.02)


@pytest.mark.server
async def test_broker_and_store_are_killed_and_every_tick_is_journalled_once(
    tmp_path: Path,
) -> None:
    async with workplace(tmp_path) as place:
        async with (
            place.running(run) as site,
            place.client(topics.progress("ingest")) as bus,
            asyncio.TaskGroup() as tasks,
        ):
            sending = tasks.create_task(send_until_journalled(bus))
            for reached in (200, 1000):
                await place.reaches(keys.journal(), reached // 40)
                assert not sending.done()
                await place.kill(site)
            async with asyncio.timeout(60):
                await sending
        assert await place.journalled() == list(range(1, COUNT + 1))


@pytest.mark.server
async def test_while_it_waits_for_its_servers_it_is_not_ready_and_says_for_what(
    tmp_path: Path,
) -> None:
    place = Workplace(tmp_path)
    async with place.running(run) as site:
        await eventually(lambda: "ingest.lease" in site.health.report())
        await eventually(
            lambda: site.health.report()["ingest.lease"].reason == "standby: nobody was asked yet"
        )
        place.redis.start()
        await eventually(lambda: "ingest.bus" in site.health.report())
        await eventually(lambda: "refused" in site.health.report()["ingest.bus"].reason.lower())
        assert not site.health.is_ready
        place.mosquitto.start()
        await eventually(lambda: site.health.is_ready, within_s=30)
    place.mosquitto.stop()
    place.redis.stop()


@pytest.mark.server
async def test_a_halt_is_journalled_once_and_what_an_attacker_makes_of_it_is_refused(
    tmp_path: Path,
) -> None:
    halt = TradingCommandMessage(
        scope="all", state="halted", reason="drill", operator="ann", issued_at=1
    )
    async with (
        workplace(tmp_path) as place,
        place.running(run) as site,
        place.client(topics.REJECTS) as bus,
    ):
        await eventually(lambda: site.health.is_ready, within_s=30)
        payload = place.keys.seal("operator", topics.HALT, halt)
        body, _, signature = payload.partition(b"\n")
        lifted = body.replace(b"halted", b"active") + b"\n" + signature
        for topic, sent in (
            (topics.HALT, payload),
            (topics.HALT, payload),
            (topics.RESUME, payload),
            (topics.RESUME, lifted),
            (topics.RESUME, lifted.partition(b"\n")[0]),
            (topics.RESUME, make_keyring().seal("operator", topics.RESUME, halt)),
        ):
            await bus.publish(topic, sent)
        letters: list[RejectMessage] = []
        async with asyncio.timeout(20):
            while len(letters) < 5:
                told = await bus.next_batch(100)
                letters += [codec.decode(RejectMessage, each.payload) for each in told]
        assert [letter.reason for letter in letters] == [
            "stale_command",
            "bad_signature",
            "bad_signature",
            "unsigned",
            "unknown_key",
        ]
        (event,) = await place.journal()
        assert isinstance(event, TradingStateSet)
        assert (event.state, event.authority) == (TradingState.HALTED, "operator")
