import asyncio

import pytest

from shared.adapters.bus import Message
from shared.adapters.inbox import Inbox


class Nowhere:
    def acknowledge(self, message_id: int) -> None:
        raise AssertionError(f"{message_id} acknowledged")


def message(number: int) -> Message:
    return Message(
        "t", b"", 0, retain=False, content_type=None, message_id=number, source=Nowhere()
    )


def numbers(messages: list[Message]) -> list[int]:
    return [each.message_id for each in messages]


async def test_a_reader_is_woken_once_for_as_many_as_it_wants() -> None:
    inbox = Inbox()
    async with asyncio.TaskGroup() as group:
        batch = group.create_task(inbox.next_batch(3, linger_s=60))
        for number in range(5):
            await asyncio.sleep(0)
            inbox.put(message(number))
    assert numbers(batch.result()) == [0, 1, 2]
    assert numbers(await inbox.next_batch(3)) == [3, 4]


async def test_without_linger_a_batch_is_what_is_there() -> None:
    inbox = Inbox()
    inbox.put(message(0))
    assert numbers(await inbox.next_batch(100)) == [0]


async def test_a_reader_that_is_cancelled_takes_nothing_with_it() -> None:
    inbox = Inbox()
    inbox.put(message(0))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await inbox.next_batch(2, linger_s=60)
    assert numbers(await inbox.next_batch(2)) == [0]


def test_a_full_inbox_says_so_and_still_takes_what_is_put_in() -> None:
    inbox = Inbox(high_water=2)
    for number in range(3):
        assert inbox.is_full == (number == 2)
        inbox.put(message(number))
    assert len(inbox) == 3


async def test_a_message_without_acknowledgement_is_not_acknowledged() -> None:
    message(1).ack()
