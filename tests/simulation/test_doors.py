"""Unix sockets of the simulated machine: in order, a little later, and only among the living."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from services.command.simulation.loop import Process, VirtualLoop
from shared.adapters.control_socket import (
    Answer,
    GatewayUnreachable,
    NotDone,
    OrdersAsked,
    Request,
    StatusAsked,
    ask_gateway,
    serve_control,
)

Main = Callable[[VirtualLoop, Path], Coroutine[Any, Any, Any]]


async def echo(request: Request) -> Answer:
    return NotDone(str(request))


async def serve(path: Path) -> None:
    async with serve_control(path, echo):
        await asyncio.Event().wait()


def run(main: Main, directory: Path) -> Any:  # noqa: ANN401 - what main returns
    loop = VirtualLoop(1)
    try:
        return loop.run_until_complete(main(loop, directory / "door"))
    finally:
        loop.close()


async def among(
    loop: VirtualLoop, path: Path, then: Callable[[Process], Coroutine[Any, Any, Any]]
) -> Any:  # noqa: ANN401 - likewise
    process = Process("gateway")
    async with asyncio.TaskGroup() as tasks:
        serving = loop.start(process, serve(path), tasks)
        await asyncio.sleep(0.1)
        try:
            return await then(process)
        finally:
            serving.cancel()


def test_what_is_asked_is_answered_a_little_later(tmp_path: Path) -> None:
    async def main(loop: VirtualLoop, path: Path) -> list[Answer]:
        async def ask(_: Process) -> list[Answer]:
            asked: list[Request] = [StatusAsked(), *(OrdersAsked(number) for number in range(20))]
            return [await ask_gateway(path, each) for each in asked]

        return list(await among(loop, path, ask))

    answers = run(main, tmp_path)
    assert answers[0] == NotDone("StatusAsked()")
    assert answers[-1] == NotDone("OrdersAsked(after=19)")


def test_lines_arrive_in_the_order_they_were_written(tmp_path: Path) -> None:
    async def main(loop: VirtualLoop, path: Path) -> bytes:
        async def write(_: Process) -> bytes:
            reader, writer = await asyncio.open_unix_connection(path)
            for number in range(30):
                writer.write(b'{"type":"orders","after":%d}\n' % number)
            lines = [await reader.readline() for _ in range(30)]
            writer.close()
            return b"".join(lines)

        return bytes(await among(loop, path, write))

    told = run(main, tmp_path)
    assert [told.find(b"after=%d)" % number) for number in range(30)] == sorted(
        told.find(b"after=%d)" % number) for number in range(30)
    )
    assert b"after=29)" in told


def test_nobody_answers_where_no_door_was_opened(tmp_path: Path) -> None:
    async def main(_: VirtualLoop, path: Path) -> None:
        await ask_gateway(path, StatusAsked())

    with pytest.raises(GatewayUnreachable, match="nobody answers"):
        run(main, tmp_path)


def test_a_process_that_was_killed_answers_nobody(tmp_path: Path) -> None:
    async def main(loop: VirtualLoop, path: Path) -> None:
        async def ask(process: Process) -> None:
            process.is_alive = False
            with pytest.raises(GatewayUnreachable, match="nobody answers"):
                await ask_gateway(path, StatusAsked())

        await among(loop, path, ask)

    run(main, tmp_path)


def test_who_was_talking_to_a_process_that_is_killed_is_hung_up_on(tmp_path: Path) -> None:
    async def main(loop: VirtualLoop, path: Path) -> bytes:
        async def ask(process: Process) -> bytes:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b'{"type":"status"}\n')
            process.is_alive = False
            return await reader.readline()

        return bytes(await among(loop, path, ask))

    assert run(main, tmp_path) == b""


def test_a_process_that_is_frozen_answers_when_it_is_thawed(tmp_path: Path) -> None:
    async def main(loop: VirtualLoop, path: Path) -> tuple[float, Answer]:
        async def ask(process: Process) -> tuple[float, Answer]:
            loop.freeze(process)
            loop.call_later(3.0, loop.thaw, process)
            began_s = loop.time()
            answer = await ask_gateway(path, StatusAsked())
            return loop.time() - began_s, answer

        took_s, answer = await among(loop, path, ask)
        return took_s, answer

    took_s, answer = run(main, tmp_path)
    assert took_s >= 3.0
    assert answer == NotDone("StatusAsked()")
