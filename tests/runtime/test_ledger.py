"""Commits follow one another under one lease, also after trouble."""

import pytest
from fakes.leases import lend
from fakes.store import FakeStore, Fault
from msgspec.structs import replace

from shared.adapters.store import StoreUnavailable
from shared.runtime.ledger import LeaseLost, Ledger, StepOutput, StoreRegressed
from shared.wire import keys

STAGE = "ingest"
LOG = keys.journal()


@pytest.mark.parametrize("applied", [True, False])
async def test_after_trouble_the_record_tells_what_became_of_the_commit(*, applied: bool) -> None:
    store = FakeStore()
    ledger = Ledger(store, STAGE)
    await ledger.open()
    store.faults = iter([Fault(StoreUnavailable("lost"), applied)])
    with pytest.raises(StoreUnavailable):
        await ledger.commit(StepOutput({LOG: [b"1"]}), state=b"1")
    record = await ledger.open()
    assert record.batch == (1 if applied else 0)
    await ledger.commit(StepOutput({LOG: [b"2"]}), state=b"2")
    assert list(store.streams[LOG].values()) == ([b"1", b"2"] if applied else [b"2"])
    assert store.records[STAGE].epoch == 1


async def test_a_lease_is_taken_once_so_that_two_never_take_it_in_turns() -> None:
    store = FakeStore()
    older, newer = Ledger(store, STAGE), Ledger(store, STAGE)
    await older.open()
    await newer.open()
    with pytest.raises(LeaseLost):
        await older.open()
    await newer.commit(StepOutput({LOG: [b"1"]}), state=b"1")


async def test_a_leader_goes_on_under_its_epoch_and_ends_with_it() -> None:
    store = FakeStore()
    ledger = Ledger(store, STAGE, epoch=lend(store, STAGE))
    await ledger.open()
    await ledger.commit(StepOutput({LOG: [b"1"]}), state=b"1")
    assert store.records[STAGE].epoch == 1
    lend(store, STAGE)
    with pytest.raises(LeaseLost, match="its epoch 2, ours 1"):
        await ledger.commit(StepOutput({LOG: [b"2"]}), state=b"2")
    with pytest.raises(LeaseLost, match="its epoch 2, ours 1"):
        await ledger.open()


async def test_a_store_that_was_wiped_under_a_leader_is_refused() -> None:
    store = FakeStore()
    lend(store, STAGE)
    ledger = Ledger(store, STAGE, epoch=lend(store, STAGE))
    await ledger.open()
    store.records.clear()
    with pytest.raises(StoreRegressed, match="the store has epoch 0, we hold 2"):
        await ledger.commit(StepOutput({LOG: [b"1"]}), state=b"1")


async def test_a_store_that_forgot_what_was_loaded_is_refused() -> None:
    store = FakeStore()
    await Ledger(store, STAGE).open()
    store.records[STAGE] = replace(store.records[STAGE], batch=5)
    ledger = Ledger(store, STAGE)
    await ledger.open()
    store.records[STAGE] = replace(store.records[STAGE], batch=4)
    with pytest.raises(StoreRegressed, match="batch 5 was confirmed, the store has 4"):
        await ledger.open()


async def test_streams_that_are_only_told_are_bounded() -> None:
    store = FakeStore()
    ledger = Ledger(store, STAGE, keep={LOG: 2})
    await ledger.open()
    for number in range(5):
        await ledger.commit(StepOutput({LOG: [b"%d" % number]}), state=b"")
    assert store.streams[LOG] == {4: b"3", 5: b"4"}


def test_an_output_is_something_when_it_has_entries_or_fields() -> None:
    assert not StepOutput()
    assert not StepOutput({LOG: []})
    assert StepOutput({LOG: [b""]})
    assert StepOutput(readable={keys.signals(): {"vix": "1"}})
