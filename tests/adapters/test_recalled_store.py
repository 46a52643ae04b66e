"""A reader that starts late reads what was trimmed from the archive, and goes on in the store."""

from pathlib import Path

import pytest
from fakes.servers import RedisServer

from shared.adapters.archive import Archive
from shared.adapters.connections import RedisSettings
from shared.adapters.recalled_store import RecalledStore
from shared.adapters.store import Entry
from shared.runtime.ledger import Ledger, StepOutput
from shared.wire import keys

JOURNAL = keys.journal()

pytestmark = pytest.mark.server


def entries(first: int, last: int) -> list[Entry]:
    return [Entry(JOURNAL, index, b"%d" % index) for index in range(first, last + 1)]


async def test_it_reads_from_the_beginning_whatever_was_trimmed(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    archive = Archive(tmp_path, JOURNAL)
    archive.write(entries(1, 30))
    archive.write(entries(31, 40))
    settings = RedisSettings(url=f"{redis_server.url}/7")
    async with RecalledStore(settings, {JOURNAL: archive}) as store:
        ledger = Ledger(store, "ingest")
        await ledger.open()
        payloads = [entry.payload for entry in entries(1, 50)]
        await ledger.commit(StepOutput({JOURNAL: payloads}), state=b"")
        await store.trim(JOURNAL, 36)
        found: list[Entry] = []
        while some := await store.read({JOURNAL: len(found)}, count=7):
            assert len(some) <= 7
            found += some
        assert found == entries(1, 50)
        assert await store.read({JOURNAL: 37}, count=2) == entries(38, 39)


async def test_what_is_in_neither_is_a_hole_for_the_reader_to_find(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    settings = RedisSettings(url=f"{redis_server.url}/8")
    archive = Archive(tmp_path, JOURNAL)
    async with RecalledStore(settings, {JOURNAL: archive}) as store:
        ledger = Ledger(store, "ingest")
        await ledger.open()
        payloads = [entry.payload for entry in entries(1, 50)]
        await ledger.commit(StepOutput({JOURNAL: payloads}), state=b"")
        await store.trim(JOURNAL, 36)
        assert await store.read({JOURNAL: 0}, count=2) == entries(36, 37)
