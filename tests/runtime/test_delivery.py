"""Rows go out until the other end has them, whatever the broker does meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.clock import ManualClock
from fakes.eventually import eventually
from fakes.interrupted import run_for_turns

from shared.adapters.clock import SystemClock
from shared.runtime.delivery import Delivery
from shared.runtime.outbox import OutboxRow


def row(key: str) -> OutboxRow:
    return OutboxRow(key, f"orders/{key}", key.encode())


class Sender:
    """A delivery on a broker, with its clock and what it told of its sendings."""

    def __init__(self, broker: FakeBroker, bus: FakeBus) -> None:
        self.broker = broker
        self.clock = ManualClock()
        self.outcomes: list[tuple[str, str]] = []
        self.delivery = Delivery(bus, self.clock, self._sent)

    def _sent(self, sent: OutboxRow, outcome: str) -> None:
        self.outcomes.append((sent.key, outcome))

    @property
    def published(self) -> list[str]:
        return [each.payload.decode() for each in self.broker.published]

    def pass_time(self, seconds: float) -> None:
        """Move the clock and let the delivery look at it."""
        self.clock.advance(seconds)
        self.delivery.put([])


@asynccontextmanager
async def sending(rows: Iterable[str], *, denied: tuple[str, ...] = ()) -> AsyncIterator[Sender]:
    broker = FakeBroker(denied=denied)
    async with FakeBus(broker, client_id="sender") as bus, asyncio.TaskGroup() as tasks:
        await bus.connected.wait()
        sender = Sender(broker, bus)
        task = tasks.create_task(sender.delivery.run())
        sender.delivery.put(map(row, rows))
        yield sender
        task.cancel()


async def test_nothing_is_sent_when_the_check_says_no() -> None:
    def refuse() -> None:
        raise RuntimeError("out")

    broker = FakeBroker()
    async with FakeBus(broker, client_id="sender") as bus:
        await bus.connected.wait()
        delivery = Delivery(bus, ManualClock(), lambda _, __: None, refuse)
        delivery.put([row("a")])
        with pytest.raises(RuntimeError, match="out"):
            await delivery.run()
    assert not broker.published


async def test_rows_are_sent_at_once_in_their_order() -> None:
    async with sending(["a", "b", "c"]) as sender:
        await eventually(lambda: sender.published == ["a", "b", "c"])
        assert sender.outcomes == [("a", "sent"), ("b", "sent"), ("c", "sent")]


async def test_the_brokers_word_is_not_enough_the_row_is_sent_again() -> None:
    async with sending(["a"]) as sender:
        await eventually(lambda: sender.published == ["a"])
        sender.pass_time(0.6)
        await eventually(lambda: sender.published == ["a", "a"])
        assert sender.delivery.waiting == 1


async def test_what_is_acknowledged_is_not_sent_again() -> None:
    async with sending(["a", "b"]) as sender:
        await eventually(lambda: len(sender.published) == 2)
        assert sender.delivery.acknowledge(["a", "a", "x"]) == ["a"]
        sender.pass_time(0.6)
        await eventually(lambda: sender.published == ["a", "b", "b"])


async def test_a_row_that_found_the_broker_away_is_sent_when_it_is_back() -> None:
    async with sending([]) as sender:
        sender.broker.kill()
        sender.delivery.put([row("a")])
        for _ in range(10):
            await asyncio.sleep(0)
        assert ("a", "sent") not in sender.outcomes
        sender.broker.start()  # no time passes: nobody waits out a pause
        await eventually(lambda: sender.outcomes[-1] == ("a", "sent"))


async def test_what_is_on_its_way_when_the_connection_breaks_goes_again_over_the_next_one() -> None:
    async with sending(["a", "b"]) as sender:
        for times in (1, 2, 3):
            await eventually(lambda: sender.published == ["a", "b"] * times)  # noqa: B023 - now
            sender.broker.kill()
            sender.broker.start()
        await eventually(lambda: sender.published == ["a", "b"] * 4)
        assert sender.delivery.acknowledge(["a"]) == ["a"]
        sender.pass_time(0.6)  # nor have the pauses grown
        await eventually(lambda: sender.published == [*["a", "b"] * 4, "b"])


async def test_a_refused_row_is_told_and_keeps_no_other_from_leaving() -> None:
    async with sending(["a", "b"], denied=("orders/a",)) as sender:
        await eventually(lambda: sender.outcomes == [("a", "refused"), ("b", "sent")])
        assert sender.delivery.waiting == 2


async def test_after_a_restart_just_what_the_store_holds_is_sent() -> None:
    async with sending(["a"]) as sender:
        await eventually(lambda: sender.published == ["a"])
        sender.delivery.replace([row("b")])
        await eventually(lambda: sender.published == ["a", "b"])
        sender.pass_time(100.0)
        await eventually(lambda: sender.published == ["a", "b", "b"])


async def test_the_age_of_the_oldest_row_is_known() -> None:
    async with sending(["a"]) as sender:
        sender.clock.advance(7.0)
        assert sender.delivery.longest_wait_s() == 7.0
        sender.delivery.acknowledge(["a"])
        assert sender.delivery.longest_wait_s() == 0.0


async def test_cut_off_at_any_await_nothing_is_lost() -> None:
    for turns in range(25):
        broker = FakeBroker()
        async with FakeBus(broker, client_id="sender") as bus:
            await bus.connected.wait()
            sender = Sender(broker, bus)
            sender.delivery.put([row("a"), row("b")])
            await run_for_turns(turns, sender.delivery.run())
            assert sender.delivery.waiting == 2
            async with asyncio.TaskGroup() as tasks:
                again = tasks.create_task(sender.delivery.run())
                sender.pass_time(100.0)
                await eventually(lambda: {"a", "b"} <= set(sender.published))  # noqa: B023 - awaited here
                again.cancel()


async def test_a_row_is_sent_again_by_itself_when_its_pause_is_over() -> None:
    broker, outcomes = FakeBroker(), list[str]()
    async with FakeBus(broker, client_id="sender") as bus, asyncio.TaskGroup() as tasks:
        await bus.connected.wait()
        delivery = Delivery(bus, SystemClock(), lambda _, outcome: outcomes.append(outcome))
        task = tasks.create_task(delivery.run())
        delivery.put([row("a")])
        await eventually(lambda: outcomes == ["sent", "sent"])
        task.cancel()
