"""A stream that grows with the market stays as long as its settings say."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec
import pytest
from fakes.configurations import SOUND, load
from fakes.eventually import eventually
from fakes.journal import gather
from fakes.servers import RedisServer
from fakes.store import FakeStore
from pyarrow import parquet

from shared.adapters.archive import Archive, ArchiveUnavailable
from shared.adapters.connections import RedisSettings
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import StageRecord, Store
from shared.domain.effects import AlertRaised, Effect
from shared.domain.events import ClockAdvanced, Tick
from shared.domain.signals_observed import SignalsObserved
from shared.runtime import bounded
from shared.runtime.bounded import decision_span, journal_span, kept_bounded, log_span
from shared.runtime.ledger import Ledger, StepOutput
from shared.runtime.site import Site
from shared.wire import keys
from shared.wire.decisions import ChainHead, DecisionRecord, append
from shared.wire.journal import JournalEntry, encode_entry, encode_log

JOURNAL = keys.journal()
TICK = Tick(symbol="VIX", event_ns=5, price=18.0)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "PAUSE_S", 0.01)


@pytest.fixture
def store_server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis", appendfsync="always") as server:
        yield server


def site_with(directory: Path, retention: str) -> Site:
    return Site(settings=load(directory, f"{SOUND}[retention]\n{retention}\n"))


def entry(number: int) -> bytes:
    return encode_entry(JournalEntry(number, 0, (ClockAdvanced(event_ns=number),)))


def bounding(
    site: Site, store: Store, readers: list[tuple[Store, str]]
) -> AbstractAsyncContextManager[None]:
    return kept_bounded(site, store, JOURNAL, readers, journal_span)


def shown(site: Site, name: str) -> float | None:
    return site.registry.get_sample_value(name, {"stream": "journal"})


async def test_what_all_have_passed_is_dropped_beyond_what_is_to_stay(tmp_path: Path) -> None:
    site, store = site_with(tmp_path, "keep_entries = 3"), FakeStore()
    for number in range(1, 21):
        store.append(JOURNAL, entry(number))
    store.records["signals"] = StageRecord(cursors={JOURNAL: 20})
    store.records["gateway"] = StageRecord(cursors={JOURNAL: 15})
    async with bounding(site, store, [(store, "signals"), (store, "gateway")]):
        await eventually(lambda: min(store.streams[JOURNAL]) == 13)
        store.records["gateway"] = StageRecord(cursors={JOURNAL: 20})
        await eventually(lambda: shown(site, "hedge_stream_kept_entries") == 3)
    assert list(store.streams[JOURNAL]) == [18, 19, 20]
    assert shown(site, "hedge_stream_archived_entries") == 0


async def test_a_gap_is_counted_and_the_service_goes_on(tmp_path: Path) -> None:
    site, store = site_with(tmp_path, f'archive = "{tmp_path}/archive"'), FakeStore()
    for number in range(1, 6001):
        store.append(JOURNAL, entry(number))
    del store.streams[JOURNAL][7]
    async with bounding(site, store, []):
        await eventually(lambda: (shown(site, "hedge_retention_failures_total") or 0) > 1)
    assert len(store.streams[JOURNAL]) == 5999


async def test_an_archive_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    site = site_with(tmp_path, f'archive = "{tmp_path}/file"')
    with pytest.raises(ArchiveUnavailable, match="file"):
        async with bounding(site, FakeStore(), []):
            pass


@pytest.mark.server
async def test_a_store_killed_in_mid_pass_loses_nothing_between_archive_and_stream(
    tmp_path: Path, store_server: RedisServer
) -> None:
    site = site_with(tmp_path, f'archive = "{tmp_path}/archive"\nkeep_entries = 100')
    settings = RedisSettings(url=store_server.url, operation_timeout_s=1.0)
    async with RedisStore(settings) as store:
        ingest = Ledger(store, "ingest")
        reader = Ledger(store, "signals")
        await ingest.open()
        await reader.open()
        for first in range(1, 12_001, 1_000):
            rows = [entry(number) for number in range(first, first + 1_000)]
            await ingest.commit(StepOutput({JOURNAL: rows}), state=b"")
        async with bounding(site, store, [(store, "signals")]):
            await reader.commit(StepOutput(), cursors={JOURNAL: 6_000}, state=b"")
            await asyncio.to_thread(store_server.kill)
            await eventually(lambda: bool(shown(site, "hedge_retention_failures_total")))
            await asyncio.to_thread(store_server.start)
            await eventually(lambda: shown(site, "hedge_stream_archived_entries") == 5_000)
            await reader.open()
            await reader.commit(StepOutput(), cursors={JOURNAL: 12_000}, state=b"")
            await eventually(lambda: shown(site, "hedge_stream_archived_entries") == 10_000)
            await eventually(lambda: shown(site, "hedge_stream_kept_entries") == 2_100)
        kept = await store.read({JOURNAL: 0}, count=3_000)
    archived = list(Archive(tmp_path / "archive", JOURNAL).entries())
    assert [each.payload for each in archived] == [entry(n) for n in range(1, 10_001)]
    assert [each.index for each in kept] == list(range(9_901, 12_001))


async def test_a_segment_tells_the_event_time_of_its_entries(tmp_path: Path) -> None:
    site, store = site_with(tmp_path, f'archive = "{tmp_path}/archive"'), FakeStore()
    for number in range(1, 5001):
        store.append(JOURNAL, entry(number))
    async with bounding(site, store, []):
        await eventually(lambda: shown(site, "hedge_stream_archived_entries") == 5_000)
    (segment,) = (tmp_path / "archive").rglob("*.parquet")
    table = await asyncio.to_thread(parquet.read_table, segment)
    assert table["first_event_ns"].to_pylist() == list(range(1, 5001))


def test_the_event_time_of_an_entry_is_that_of_all_its_events() -> None:
    later = msgspec.structs.replace(TICK, event_ns=9)
    items = gather([ClockAdvanced(event_ns=7), later, TICK])
    assert journal_span(encode_entry(JournalEntry(1, 0, items))) == (5, 9)
    assert journal_span(encode_entry(JournalEntry(1, 0, ()))) is None
    observed = [SignalsObserved(event_ns=n, index=n, cause="clock", signals={}) for n in (3, 4)]
    assert log_span(encode_log(observed)) == (3, 4)
    assert log_span(encode_log([])) is None
    alert: Effect = AlertRaised(
        book="overlay",
        event_ns=6,
        severity="info",
        what="",
        where="",
        figures={},
        runbook="",
    )
    entry, _ = append(ChainHead(), DecisionRecord(alert))
    assert decision_span(entry) == (6, 6)
