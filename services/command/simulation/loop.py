"""An event loop whose time is virtual and whose every choice follows from a seed.

Theory of operation. Nothing outside the process is waited for, so when nothing is ready time jumps
to the next timer, and a day passes in seconds; when there is no timer either, nothing will ever
happen again, and that is an error instead of a hang. What is ready at one turn runs in an order
drawn from the seed: code that works only in the order of registration is found. Threads become
delayed calls, and tasks hash by the order of their making, so that a set of tasks is always walked
alike: two runs of a seed are the same run.

A *process* is a group of tasks that share a fate: started in its context, they can be frozen
together, as by SIGSTOP, and killed.
"""

import asyncio
import heapq
import socket
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context, ContextVar, copy_context
from itertools import count
from os import PathLike
from random import Random
from typing import Any, Final, TypeVar, TypeVarTuple

from services.command.simulation.doors import Door, Doors, End, ProtocolFactory
from shared.domain.instants import SECOND

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

_SLOWEST_THREAD_S: Final = 0.003


class Deadlock(RuntimeError):  # noqa: N818 - reads as what happened, like KeyError
    """Nothing is ready and no timer is set: what still waits, waits for ever."""


class Process:
    """A group of tasks that share a fate.

    Args:
        name: Of the service.

    Attributes:
        is_alive: False from its kill on: nothing it still does has any effect.
        is_frozen: Stopped; its tasks stand still until it is thawed.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_alive = True
        self.is_frozen = False
        self.held: list[asyncio.Handle] = []

    def check_alive(self) -> None:
        """Stand between a killed process and the world.

        Raises:
            CancelledError: It was killed.
        """
        if not self.is_alive:
            raise asyncio.CancelledError


_process: Final[ContextVar[Process | None]] = ContextVar("process", default=None)


class NumberedTask(asyncio.Task[Any]):
    """A task that hashes by its number."""

    number = 0

    def __hash__(self) -> int:
        return self.number


class VirtualLoop(asyncio.BaseEventLoop):
    """See the module.

    Args:
        seed: Of every choice.
    """

    _ready: deque[asyncio.Handle]

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._now_s = 0.0
        self._random = Random(seed)  # noqa: S311 - a simulation
        self._numbers = count(1)
        self._frozen = 0
        self._countdowns: dict[Process, tuple[int, Callable[[], None]]] = {}
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._doors = Doors(self, self._random)
        self.set_task_factory(self._make_task)  # type: ignore[arg-type] # a context it may be given

    def time(self) -> float:
        """Return the virtual time, in seconds from 0."""
        return self._now_s

    def call_at(
        self,
        when: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Set a timer; those of one instant are due in the order they were set."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def freeze(self, process: Process) -> None:
        """Stop the tasks of a process where they stand."""
        process.is_frozen = True
        self._frozen += 1

    def thaw(self, process: Process) -> None:
        """Let a frozen process go on."""
        if process.is_frozen:
            process.is_frozen = False
            self._frozen -= 1
            self._ready.extend(process.held)
            process.held.clear()

    def after_steps(self, process: Process, steps: int, callback: Callable[[], None]) -> None:
        """Call back once a process has run so many more steps, each from an await to the next."""
        self._countdowns[process] = (steps, callback)

    def start(
        self, process: Process, main: Coroutine[Any, Any, Result], tasks: asyncio.TaskGroup
    ) -> asyncio.Task[Result]:
        """Start the first task of a process; what it starts belongs to the process too."""
        context = copy_context()
        context.run(_process.set, process)
        return tasks.create_task(main, name=process.name, context=context)

    def run_in_executor(
        self,
        _executor: Executor | None,
        function: Callable[[*Arguments], Result],
        *args: *Arguments,
    ) -> asyncio.Future[Result]:
        """Call a function a little later, as a thread would; a killed process calls nothing."""
        future: asyncio.Future[Result] = self.create_future()
        process = _process.get()

        def call() -> None:
            if process is not None and not process.is_alive:
                return
            try:
                result = function(*args)
            except Exception as error:  # noqa: BLE001 - handed to whoever waits for the thread
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(result)

        self.call_later(self._random.uniform(0, _SLOWEST_THREAD_S), call)
        return future

    async def create_unix_server(  # type: ignore[override] # with less than asyncio's
        self, made: ProtocolFactory, _path: None = None, *, sock: socket.socket, **_: object
    ) -> Door:
        """Open a door of the simulated machine."""
        return self._doors.serve(made, sock, _process.get())

    async def create_unix_connection(  # type: ignore[override] # likewise
        self, made: ProtocolFactory, path: str | PathLike[str], **_: object
    ) -> tuple[End, asyncio.BaseProtocol]:
        """Knock at a door of the simulated machine."""
        await asyncio.sleep(0)
        return self._doors.knock(made, str(path), _process.get())

    def _make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, Any],
        context: Context | None = None,
    ) -> NumberedTask:
        number = next(self._numbers)
        # A task enters the set of all tasks while it is made: its hash must stand by then.
        task = NumberedTask.__new__(NumberedTask)
        task.number = number
        task.__init__(coroutine, loop=loop, context=context)  # type: ignore[misc]
        return task

    def _run_once(self) -> None:
        """Run one turn: everything that is ready now, in a drawn order."""
        self._wake_due()
        ready = self._ready
        if len(ready) > 1:
            drawn = list(ready)
            self._random.shuffle(drawn)
            ready.clear()
            ready.extend(drawn)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if self._frozen and self._is_held(handle):
                continue
            if not handle.cancelled():
                handle._run()  # noqa: SLF001 - what asyncio's own loop does
                if self._countdowns:
                    self._count_down(handle)

    def _wake_due(self) -> None:
        """Make timers ready that are due; with nothing else to do, jump to the first."""
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        if not self._ready:
            if not timers:
                raise Deadlock(f"at {self._now_s:.3f} s nothing is ready and no timer is set")
            self._now_s = max(self._now_s, timers[0][0])
        while timers and timers[0][0] <= self._now_s:
            self._ready.append(heapq.heappop(timers)[2])

    def _count_down(self, handle: asyncio.Handle) -> None:
        process = _process_of(handle)
        if process is None or process not in self._countdowns:
            return
        steps, callback = self._countdowns.pop(process)
        if steps > 1:
            self._countdowns[process] = (steps - 1, callback)
        else:
            callback()

    def _is_held(self, handle: asyncio.Handle) -> bool:
        process = _process_of(handle)
        if process is None or not process.is_frozen:
            return False
        process.held.append(handle)
        return True

    def _write_to_self(self) -> None:
        """Nobody sleeps in a selector here."""


def _process_of(handle: asyncio.Handle) -> Process | None:
    context: Context = handle._context  # type: ignore[attr-defined] # noqa: SLF001 - no public way
    return context.get(_process)


class VirtualClock:
    """A `Clock` on the loop's time.

    Args:
        loop: Whose time.
        begins_ns: The wall clock when the loop began.
    """

    def __init__(self, loop: VirtualLoop, begins_ns: int) -> None:
        self._loop = loop
        self._begins_ns = begins_ns

    def now_ns(self) -> int:
        """Return the wall clock, ns since the Unix epoch."""
        return self._begins_ns + round(self._loop.time() * SECOND)

    def monotonic_s(self) -> float:
        """Return the loop's time."""
        return self._loop.time()
