"""Ticks as columns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import Tick
from shared.domain.tick_block import TickBlock

LEVELS = st.none() | st.floats(0.01, 1e6)
TICKS = st.builds(
    Tick,
    symbol=st.sampled_from(["VIX", "SPX", "VX1"]),
    event_ns=st.integers(0, 2**62),
    price=LEVELS,
    bid=LEVELS,
    ask=LEVELS,
    bid_size=LEVELS,
    ask_size=LEVELS,
    source=st.sampled_from(["", "cboe", "sip"]),
    sequence=st.none() | st.integers(0, 2**62),
)


@given(st.lists(TICKS, max_size=20))
def test_every_tick_comes_back_as_it_went_in(ticks: list[Tick]) -> None:
    block = TickBlock.of(ticks)
    assert len(block) == len(ticks)
    assert [block.tick(i) for i in range(len(block))] == ticks


@given(st.lists(TICKS, max_size=20))
def test_levels_are_those_of_the_ticks(ticks: list[Tick]) -> None:
    priced = [t for t in ticks if t.price is not None or (t.bid is not None and t.ask is not None)]
    assert list(TickBlock.of(priced).levels()) == [tick.level for tick in priced]


def test_a_tick_without_a_level_is_refused() -> None:
    block = TickBlock.of([Tick(symbol="VIX", event_ns=1, bid=18.0)])
    with pytest.raises(ValueError, match="neither a price nor both quotes"):
        block.levels()


def test_the_levels_of_some_ticks_do_not_mind_the_others() -> None:
    unbid = Tick(symbol="SPXW261218P05000000", event_ns=1, ask=0.05)
    block = TickBlock.of([unbid, Tick(symbol="VIX", event_ns=2, price=18.0)])
    assert list(block.levels(np.array([1]))) == [18.0]


def test_columns_have_the_types_that_the_fast_path_counts_on() -> None:
    block = TickBlock.of([Tick(symbol="VIX", event_ns=1, price=18.0)])
    assert block.symbol.dtype == block.source.dtype == np.dtype(np.int32)
    assert block.event_ns.dtype == block.sequence.dtype == np.dtype(np.int64)
    assert block.price.dtype == block.bid.dtype == np.dtype(np.float64)
    assert np.isnan(block.bid[0])
    assert block.sequence[0] == -1
