"""Tables of columns: they grow by rows, and freeze to bytes."""

import numpy as np
import pytest
from fakes.option_chains import ListedChain, spot

from shared.domain.marks.columns import (
    ExpiryFacts,
    ExpiryMemory,
    LevelMemory,
    RowFacts,
    RowMemory,
    RowPricing,
    extended,
    frozen,
    lengthened,
    row_facts,
    thaw,
)


def test_a_row_of_facts_is_what_an_instrument_is() -> None:
    listed = ListedChain(style="american")
    assert row_facts(listed.option("call", 5000.0), 3, 1, -1) == (1, 5000, 0.05, 3, 1, -1, True)
    assert row_facts(listed.option("put", 4000.0), 3, 1, -1)[:2] == (-1, 4000)
    assert row_facts(spot("SPX"), -1, 0, 0) == (0, 0, 0.01, -1, 0, 0, False)


def test_facts_grow_by_rows_and_keep_their_types() -> None:
    rows = [row_facts(spot("SPX"), -1, 0, 0), row_facts(spot("VIX"), -1, 1, 1)]
    facts = RowFacts._make(extended(RowFacts.blank(), rows))
    assert facts.level.tolist() == [0, 1]
    assert [column.dtype for column in facts] == [column.dtype for column in RowFacts.blank()]
    expiry = extended(ExpiryFacts.blank(), [(10, 0, float("nan"), True, False)])
    assert ExpiryFacts._make(expiry).on_future.tolist() == [True]


@pytest.mark.parametrize("kind", [RowMemory, ExpiryMemory, LevelMemory])
def test_a_memory_comes_back_from_its_bytes_exactly(
    kind: type[RowMemory] | type[ExpiryMemory] | type[LevelMemory],
) -> None:
    random, memory, again = np.random.default_rng(3), kind.blank(4), kind.blank(4)
    for column in memory:
        column.reshape(-1)[:] = random.integers(0, 2, column.size).astype(column.dtype)
    columns = frozen(memory)
    thaw(again, columns)
    assert frozen(again) == columns != frozen(kind.blank(4))


def test_a_memory_grows_by_what_is_blank() -> None:
    memory = LevelMemory(np.array([5.0]), np.array([7]))
    longer = LevelMemory._make(lengthened(memory, LevelMemory.blank(2)))
    assert longer.event_ns.tolist() == [7, -1, -1]
    assert np.isnan(longer.level[1:]).all()
    assert all(np.isnan(column).all() for column in RowPricing.blank(2))
