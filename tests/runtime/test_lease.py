"""Never two holders in at once, whatever the delays, and with clocks that run wrong."""

import heapq
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final

import pytest
from fakes.clock import ManualClock
from fakes.store import FakeStore
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.lease import Lease, Term
from shared.runtime.ledger import LeaseLost

STAGE: Final = "hedger"


def test_a_lease_counts_from_before_it_was_asked_for() -> None:
    lease = Lease(1, 1.0, asked_s=10.0)
    assert (lease.renew_at_s, lease.ends_s) == (10.25, 10.7)
    assert lease.is_valid(10.699)
    assert not lease.is_valid(10.7)
    lease.confirm(10.3)
    assert lease.is_valid(10.99)
    lease.confirm(10.1)  # an answer that was overtaken
    assert lease.ends_s == pytest.approx(11.0)


def test_a_term_that_has_run_out_lets_nothing_be_sent() -> None:
    clock = ManualClock()
    term = Term(Lease(3, 1.0, 0.0), "a-1", clock)
    term.check()
    clock.advance(0.7)
    with pytest.raises(LeaseLost, match="epoch 3 has run out"):
        term.check()


class Holder:
    """Asks a server for the lease and goes by its own clock, which may be late and run wrong."""

    def __init__(self, name: str, offset_s: float, rate: float) -> None:
        self.name = name
        self._offset_s = offset_s
        self._rate = rate
        self.lease: Lease | None = None

    def clock_s(self, now_s: float) -> float:
        return self._offset_s + self._rate * now_s

    def hear(self, epoch: int | None, asked_s: float) -> None:
        if epoch is None:
            return
        if self.lease is not None and self.lease.epoch == epoch:
            self.lease.confirm(asked_s)
        else:
            self.lease = Lease(epoch, 1.0, asked_s)

    def leads(self, now_s: float) -> bool:
        return self.lease is not None and self.lease.is_valid(self.clock_s(now_s))


MOMENTS = st.floats(0.0, 1.0, allow_nan=False)
ASKS = st.lists(st.tuples(st.integers(0, 1), MOMENTS, MOMENTS, MOMENTS), min_size=2, max_size=40)
"""Who asks, how long after the last one, how long the question takes, and the answer."""


@given(asks=ASKS, offsets=st.tuples(MOMENTS, MOMENTS), rates=st.tuples(*[st.floats(0.8, 1.2)] * 2))
def test_two_holders_are_never_both_in(
    asks: list[tuple[int, float, float, float]],
    offsets: tuple[float, float],
    rates: tuple[float, float],
) -> None:
    """However late questions and answers are, and with clocks that run a fifth wrong."""
    now_s = 0.0
    store = FakeStore(now_s=lambda: now_s)
    holders = [Holder(n, o, r) for n, o, r in zip("ab", offsets, rates, strict=True)]
    order = count()
    pending: list[tuple[float, int, Callable[[], None]]] = []
    at_s = 0.0
    for who, pause_s, asking_s, answering_s in asks:
        at_s += pause_s
        holder, asked_s = holders[who], holders[who].clock_s(at_s)

        def answer(
            holder: Holder = holder, asked_s: float = asked_s, answering_s: float = answering_s
        ) -> None:
            epoch = done(store.acquire(STAGE, holder.name, 1_000))
            hear = (now_s + answering_s, next(order), lambda: holder.hear(epoch, asked_s))
            heapq.heappush(pending, hear)

        heapq.heappush(pending, (at_s + asking_s, next(order), answer))
    while pending:
        now_s, _, happen = heapq.heappop(pending)
        happen()
        assert not (holders[0].leads(now_s) and holders[1].leads(now_s))


def done(call: Awaitable[int | None]) -> int | None:
    """The result of a call that waits for nothing."""
    try:
        call.__await__().__next__()
    except StopIteration as returned:
        epoch: int | None = returned.value
        return epoch
    raise AssertionError("it waits")
