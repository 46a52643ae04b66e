"""What is in hand goes first, but nobody is kept waiting for ever."""

import asyncio

import pytest
from fakes.interrupted import run_for_turns

from shared.runtime import precedence as module
from shared.runtime.precedence import Precedence


async def test_who_gives_way_waits_until_all_that_is_in_hand_is_done() -> None:
    precedence, told = Precedence(), []

    async def hold(name: str, turns: int) -> None:
        with precedence.holding():
            for _ in range(turns):
                await asyncio.sleep(0)
            told.append(name)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hold("short", 5))
        tasks.create_task(hold("long", 50))
        await precedence.give_way()
        told.append("ingest")
    assert told == ["short", "long", "ingest"]


async def test_a_stage_that_was_just_woken_and_the_one_that_it_wakes_go_first() -> None:
    precedence, told = Precedence(), []
    committed = [asyncio.Event(), asyncio.Event(), asyncio.Event()]

    async def stage(number: int) -> None:
        await committed[number].wait()
        with precedence.holding():
            await asyncio.sleep(0)
            told.append(number)
            committed[number + 1].set()

    async with asyncio.TaskGroup() as tasks:
        for number in (1, 0):
            tasks.create_task(stage(number))
        await asyncio.sleep(0)
        committed[0].set()
        await precedence.give_way()
        assert told == [0, 1]


async def test_a_stage_that_is_woken_by_a_task_without_a_batch_goes_first_too() -> None:
    precedence, told = Precedence(), []
    committed, relayed = asyncio.Event(), asyncio.Event()

    async def relay() -> None:
        await committed.wait()
        relayed.set()

    async def stage() -> None:
        await relayed.wait()
        with precedence.holding():
            await asyncio.sleep(0)
            told.append("stage")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stage())
        tasks.create_task(relay())
        await asyncio.sleep(0)
        committed.set()
        await precedence.give_way()
        assert told == ["stage"]


async def test_one_after_the_other_in_hand_is_waited_for_too() -> None:
    precedence, left = Precedence(), 20

    async def batches() -> None:
        nonlocal left
        while left:
            with precedence.holding():
                await asyncio.sleep(0)
                left -= 1

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(batches())
        await precedence.give_way()
        assert left == 0


async def test_a_stage_that_hangs_holds_nobody_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 0.01)
    precedence = Precedence()
    async with asyncio.timeout(5):
        with precedence.holding():
            await precedence.give_way()
            await precedence.give_way()


async def test_a_stage_that_is_always_busy_starves_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 0.01)
    precedence = Precedence()

    async def busy() -> None:
        while True:
            with precedence.holding():
                await asyncio.sleep(0)

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        stages = [tasks.create_task(busy()) for _ in range(2)]
        await precedence.give_way()
        for stage in stages:
            stage.cancel()


async def test_a_batch_that_fails_is_no_longer_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 60.0)
    precedence = Precedence()
    with pytest.raises(RuntimeError), precedence.holding():
        raise RuntimeError
    async with asyncio.timeout(5):
        await precedence.give_way()


@pytest.mark.parametrize("turns", range(1, 6))
async def test_cut_off_anywhere_it_leaves_nothing_behind(turns: int) -> None:
    precedence = Precedence()

    async def hold() -> None:
        with precedence.holding():
            await asyncio.sleep(60)

    async with asyncio.TaskGroup() as tasks:
        held = tasks.create_task(hold())
        await asyncio.sleep(0)
        await run_for_turns(turns, precedence.give_way())
        held.cancel()
    async with asyncio.timeout(5):
        await precedence.give_way()
