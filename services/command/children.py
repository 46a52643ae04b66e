"""A service of `hedgestat up` in a process of its own: one that shares a process shares its faults.

The child ends when its standard input does: with us, however we end.
"""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

import structlog

from shared.runtime.backoff import delays_s
from shared.runtime.process import DRAIN_S
from shared.runtime.site import Site

log = structlog.get_logger()

COMMAND: Final = (sys.executable, "-m", "services")
_LONG_S: Final = 30.0
"""A child that ran so long and ended has not failed to start."""
_NICENESS: Final = 5
"""A child looks back, by seconds: where both want a core, the way of an order goes before."""


def as_child(*words: str) -> Callable[[Site], Coroutine[Any, Any, None]]:
    """Make a service of a `hedgestat` command that is run in a process of its own."""

    async def run(site: Site) -> None:
        await keep_running([*COMMAND, *words], site)

    return run


async def keep_running(
    command: Sequence[str],
    site: Site,
    *,
    pass_fds: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> None:
    """Run a command in a process of its own, again whenever it ends, until the site is to stop.

    Args:
        command: And its arguments.
        site: Whose child it is.
        pass_fds: Files that it inherits.
        environment: Variables beside ours.
        quiet: Nobody wants to read its log; what it complains of is still told.
    """
    delays = delays_s()
    while not site.stop.is_set():
        began_s = site.clock.monotonic_s()
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            start_new_session=True,
            pass_fds=pass_fds,
            env={**os.environ, **(environment or {})},
            stdout=DEVNULL if quiet else None,
        )
        try:
            _give_way(child)
            await _until_stopped_or(child, site)
        finally:
            await _end(child)
        if site.clock.monotonic_s() - began_s > _LONG_S:
            delays = delays_s()
        if not site.stop.is_set():
            log.error("child_ended", command=command[3:], returned=child.returncode)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(next(delays)):
                    await site.stop.wait()


def _give_way(child: Process) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        os.setpriority(os.PRIO_PROCESS, child.pid, _NICENESS)


async def _until_stopped_or(child: Process, site: Site) -> None:
    async with asyncio.TaskGroup() as tasks:
        ended = tasks.create_task(child.wait())
        stopping = tasks.create_task(site.stop.wait())
        await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        stopping.cancel()


async def _end(child: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.terminate()
        try:
            async with asyncio.timeout(DRAIN_S - 1.0):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()


def stop_with_input(stop: Callable[[], None]) -> None:
    """Call `stop` once standard input has ended: whoever started us is gone.

    Must be called within a running loop.
    """
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(descriptor, 1024):
            loop.remove_reader(descriptor)
            stop()

    loop.add_reader(descriptor, readable)
