"""The store in memory, failing when told to."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from shared.adapters.memory.store import MemoryStore


class Fault(NamedTuple):
    """What befalls a command: `error` is raised, after it took effect or instead of that."""

    error: BaseException
    applied: bool


class FakeStore(MemoryStore):
    """A store in memory.

    Args:
        faults: What befalls each command in turn, `None` for nothing; nothing after the last.
        now_s: The server's clock, by which leases end; the event loop's unless told.
    """

    def __init__(
        self, faults: Iterable[Fault | None] = (), now_s: Callable[[], float] | None = None
    ) -> None:
        if now_s is None:
            super().__init__()
        else:
            super().__init__(now_s)
        self.faults = iter(faults)

    @contextlib.contextmanager
    def _serving(self) -> Iterator[None]:
        fault = next(self.faults, None)
        if fault is not None and not fault.applied:
            raise fault.error
        yield
        if fault is not None:
            raise fault.error
