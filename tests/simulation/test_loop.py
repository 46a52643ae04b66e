import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from services.command.simulation.loop import Deadlock, Process, VirtualClock, VirtualLoop


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, Any]], seed: int = 1) -> Any:  # noqa: ANN401 - what main returns
    loop = VirtualLoop(seed)
    try:
        return loop.run_until_complete(main(loop))
    finally:
        loop.close()


async def order_of(names: str) -> str:
    """The order in which tasks that are ready at once run."""
    ran: list[str] = []

    async def step(name: str) -> None:
        ran.append(name)

    async with asyncio.TaskGroup() as tasks:
        for name in names:
            tasks.create_task(step(name))
    return "".join(ran)


def test_a_day_passes_at_once() -> None:
    async def sleep(loop: VirtualLoop) -> float:
        await asyncio.sleep(86_400.0)
        return loop.time()

    assert run(sleep) == 86_400.0


def test_what_waits_for_nothing_is_an_error_and_no_hang() -> None:
    async def wait(_: VirtualLoop) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="nothing is ready"):
        run(wait)


def test_tasks_run_in_an_order_that_the_seed_draws() -> None:
    orders = [run(lambda _: order_of("abcdefgh"), seed) for seed in range(5)]
    assert len(set(orders)) == 5
    assert orders == [run(lambda _: order_of("abcdefgh"), seed) for seed in range(5)]


def test_a_set_of_tasks_is_walked_alike_every_time() -> None:
    async def walked(_: VirtualLoop) -> list[str]:
        async with asyncio.TaskGroup() as tasks:
            made = {tasks.create_task(asyncio.sleep(1), name=str(number)) for number in range(50)}
        return [task.get_name() for task in made]

    assert run(walked) == run(walked)


def test_a_timeout_strikes_at_its_virtual_time() -> None:
    async def too_long(loop: VirtualLoop) -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5.0):
                await asyncio.sleep(60.0)
        return loop.time()

    assert run(too_long) == 5.0


def test_a_thread_is_a_call_a_little_later() -> None:
    async def call(loop: VirtualLoop) -> tuple[int, float]:
        return await asyncio.to_thread(threading.get_ident), loop.time()

    thread, passed_s = run(call)
    assert thread == threading.get_ident()
    assert 0 < passed_s < 0.01


def test_what_a_thread_raises_reaches_who_waits_for_it() -> None:
    async def call(_: VirtualLoop) -> None:
        await asyncio.to_thread(int, "none")

    with pytest.raises(ValueError, match="none"):
        run(call)


def test_a_killed_process_calls_nothing_in_threads_any_more() -> None:
    async def die(loop: VirtualLoop) -> list[int]:
        called: list[int] = []
        process = Process("victim")
        async with asyncio.TaskGroup() as tasks:
            task = loop.start(process, asyncio.to_thread(called.append, 1), tasks)
            await asyncio.sleep(0)
            process.is_alive = False
            await asyncio.sleep(1)
            task.cancel()
        return called

    assert run(die) == []


def test_a_frozen_process_stands_still_and_goes_on_where_it_was() -> None:
    async def freeze(loop: VirtualLoop) -> tuple[list[float], list[float]]:
        beats: list[float] = []

        async def beat() -> None:
            while True:
                await asyncio.sleep(1.0)
                beats.append(loop.time())

        process = Process("beating")
        async with asyncio.TaskGroup() as tasks:
            task = loop.start(process, beat(), tasks)
            await asyncio.sleep(2.5)
            loop.freeze(process)
            await asyncio.sleep(10.0)
            while_frozen = list(beats)
            loop.thaw(process)
            await asyncio.sleep(2.0)
            task.cancel()
        return while_frozen, beats

    while_frozen, beats = run(freeze)
    assert while_frozen == [1.0, 2.0]
    assert beats == [1.0, 2.0, 12.5, 13.5]


def test_a_process_can_be_caught_at_any_of_its_awaits() -> None:
    def catch(steps: int) -> Callable[[VirtualLoop], Coroutine[Any, Any, int]]:
        async def main(loop: VirtualLoop) -> int:
            passed: list[int] = []
            caught: list[int] = []

            async def walk() -> None:
                for number in range(9):
                    passed.append(number)
                    await asyncio.sleep(0)

            process = Process("walker")
            loop.after_steps(process, steps, lambda: caught.append(len(passed)))
            async with asyncio.TaskGroup() as tasks:
                loop.start(process, walk(), tasks)
                tasks.create_task(asyncio.sleep(1))
            return caught[0]

        return main

    assert [run(catch(steps)) for steps in range(1, 6)] == [1, 2, 3, 4, 5]


def test_the_clock_follows_the_loop() -> None:
    async def read(loop: VirtualLoop) -> tuple[int, float]:
        clock = VirtualClock(loop, 1_000)
        await asyncio.sleep(2.0)
        return clock.now_ns(), clock.monotonic_s()

    assert run(read) == (2_000_001_000, 2.0)
