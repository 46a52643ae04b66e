"""A lease in hand, for what runs under one."""

from fakes.clock import ManualClock
from fakes.store import FakeStore
from msgspec.structs import replace

from shared.adapters.clock import Clock
from shared.runtime.lease import Lease, Term


def lend(store: FakeStore, stage: str) -> int:
    """Begin the next epoch of a stage, as whoever leads it from now on."""
    epoch = store.records[stage].epoch + 1
    store.records[stage] = replace(store.records[stage], epoch=epoch)
    return epoch


def term(epoch: int = 1, clock: Clock | None = None, ttl_s: float = 1e9) -> Term:
    """A term that lasts, unless told."""
    clock = clock or ManualClock()
    return Term(Lease(epoch, ttl_s, clock.monotonic_s()), f"test-{epoch}", clock)
