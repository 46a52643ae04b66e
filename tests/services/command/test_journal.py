"""A journal taken along decides the same elsewhere, byte for byte; or says where it does not."""

import asyncio
import random
import signal
import subprocess
from datetime import date
from pathlib import Path

import pytest
from fakes.command import HEDGESTAT, environment, hedgestat
from fakes.eventually import eventually_sync
from fakes.recorded_run import RecordedRun, recorded_run, two_books
from fakes.servers import RedisServer, free_port
from msgspec import structs
from typer.testing import CliRunner

from services.__main__ import app
from services.command.endings import Failed
from services.command.journal import Period, ReplayedJournal, Replayer, compared
from shared.adapters.archive import Archive
from shared.adapters.connections import RedisSettings
from shared.adapters.export import ExportFile, read_export
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import Entry
from shared.domain.instants import DAY
from shared.runtime.ledger import Ledger, StepOutput
from shared.wire import keys
from shared.wire.decisions import ChainHead, DecisionRecord, append, read_decision

AUTUMN = date(2015, 7, 1), date(2015, 12, 31)


@pytest.fixture(scope="module")
def run() -> RecordedRun:
    return recorded_run(*AUTUMN)


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    path = tmp_path / "hedgestat.toml"
    archive = f'[retention]\narchive = "{tmp_path / "archive"}"'
    path.write_text(two_books().replace("[retention]", archive))
    return path


def exported(run: RecordedRun, path: Path, *, first: int = 1) -> Path:
    """As the command writes it."""
    decisions = [Entry(keys.decisions(), n, each) for n, each in enumerate(run.decisions, 1)]
    with ExportFile(path, {}) as file:
        file.write(decisions)
        file.write(run.entries[first - 1 :])
        file.finish()
    return path


# --- the pure part -----------------------------------------------------------------------------


def test_however_it_is_cut_a_journal_decides_the_same(run: RecordedRun) -> None:
    drawn, whole = random.Random(5), Replayer(run.settings, run.calendar)  # noqa: S311 - no secret
    decided: list[bytes] = []
    entries = run.entries
    while entries:
        size = drawn.randrange(1, 50)
        decided += whole.take(entries[:size])
        entries = entries[size:]
    assert decided == run.decisions
    assert len(run.orders) > 20


def test_snapshot_and_tail_decide_as_the_whole_at_twenty_points(run: RecordedRun) -> None:
    points = sorted(random.Random(7).sample(range(len(run.journal)), 20))  # noqa: S311 - no secret
    whole, done, decided = Replayer(run.settings, run.calendar), 0, 0
    agreed = 0
    for point in points:
        decided += len(whole.take(run.entries[done:point]))
        done = point
        tail = Replayer(run.settings, run.calendar, whole.snapshot())
        assert list(tail.take(run.entries[point:])) == run.decisions[decided:]
        agreed += tail.head == head_of(run)
    assert agreed == 20


def head_of(run: RecordedRun) -> ChainHead:
    whole = Replayer(run.settings, run.calendar)
    whole.take(run.entries)
    return whole.head


def altered(run: RecordedRun, at: int) -> list[bytes]:
    """The log, chained anew, with one effect a second late."""
    head, log = ChainHead(), []
    for number, payload in enumerate(run.decisions):
        record = read_decision(payload)
        if number == at:
            effect = structs.replace(record.effect, event_ns=record.effect.event_ns + 1)
            record = DecisionRecord(effect, record.grounds)
        entry, head = append(head, record)
        log.append(entry)
    return log


def test_what_was_decided_otherwise_is_named_with_both(run: RecordedRun) -> None:
    at = next(
        number
        for number, payload in enumerate(run.decisions)
        if read_decision(payload).grounds is not None
    )
    with pytest.raises(Failed, match=f"decision {at + 1} differs"):
        compared(ReplayedJournal(1, run.decisions, altered(run, at)))
    with pytest.raises(Failed, match=r"differs:\n .*\n  now      nothing"):
        compared(ReplayedJournal(1, run.decisions[:-1], run.decisions))


def test_the_same_decisions_of_other_code_are_told_apart_from_other_decisions(
    run: RecordedRun,
) -> None:
    head, log = ChainHead(), []
    for payload in run.decisions:
        record = read_decision(payload)
        if record.grounds is not None:
            older = structs.replace(record.grounds, code_version="0.0.9")
            record = DecisionRecord(record.effect, older)
        entry, head = append(head, record)
        log.append(entry)
    said = compared(ReplayedJournal(1, run.decisions, log))
    assert "the same, recorded by other code" in said
    assert "0.0.9" in said


def test_what_was_not_recorded_yet_is_counted(run: RecordedRun) -> None:
    said = compared(ReplayedJournal(1, run.decisions, run.decisions[:-3]))
    assert "byte for byte" in said
    assert "3 more were not recorded yet" in said


def test_a_period_is_of_whole_days() -> None:
    period = Period.of(date(1970, 1, 2), date(1970, 1, 2))
    assert period.touches((DAY, DAY))
    assert period.touches((0, DAY))
    assert period.touches((2 * DAY - 1, 3 * DAY))
    assert not period.touches((0, DAY - 1))
    assert not period.touches((2 * DAY, 3 * DAY))
    assert not period.touches(None)
    assert Period.of(None, None).touches((0, 2**63 - 1))


# --- the commands ------------------------------------------------------------------------------


def test_in_every_process_the_digest_is_the_same(
    run: RecordedRun, tmp_path: Path, configuration: Path
) -> None:
    path, said = exported(run, tmp_path / "run.parquet"), []
    for seed in ("0", "1", "random"):
        done = hedgestat(
            *("journal", "replay", str(path), "--compare", "-c", str(configuration)),
            directory=tmp_path,
            variables={"PYTHONHASHSEED": seed},
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert len(set(said)) == 1
    assert head_of(run).hash.hex() in said[0]
    assert f"{len(run.decisions):,} decisions, byte for byte" in said[0]


def test_another_configuration_decides_otherwise_and_exits_with_1(
    run: RecordedRun, tmp_path: Path, configuration: Path
) -> None:
    path = exported(run, tmp_path / "run.parquet")
    configuration.write_text(configuration.read_text().replace("cap = 2.0", "cap = 1.5"))
    words = ("journal", "replay", str(path), "-c", str(configuration))
    done = hedgestat(*words, "--compare", directory=tmp_path)
    assert (done.returncode, "differs" in done.stderr) == (1, True)
    done = hedgestat(*words, "--write", "other.parquet", directory=tmp_path)
    assert done.returncode == 0
    (batch, *_) = read_export(tmp_path / "other.parquet").entries()
    assert batch[0].stream == keys.decisions()


@pytest.mark.parametrize("content", [b"", b"PAR1 no"])
def test_a_file_that_is_no_export_is_refused(
    tmp_path: Path, configuration: Path, content: bytes
) -> None:
    (tmp_path / "x").write_bytes(content)
    words = ["journal", "replay", str(tmp_path / "x"), "-c", str(configuration)]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "300"})
    assert (done.exit_code, "no export of ours" in done.output) == (2, True)


def test_a_journal_without_its_beginning_is_refused(
    run: RecordedRun, tmp_path: Path, configuration: Path
) -> None:
    path = exported(run, tmp_path / "run.parquet", first=5)
    words = ["journal", "replay", str(path), "-c", str(configuration)]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "300"})
    assert (done.exit_code, "lacks entries 1 to 4" in done.output) == (2, True)


async def fill(url: str, run: RecordedRun, trimmed_below: int) -> None:
    async with RedisStore(RedisSettings(url=url)) as store:
        for stage, stream, payloads in (
            ("ingest", keys.journal(), run.journal),
            ("hedger", keys.decisions(), run.decisions),
        ):
            ledger = Ledger(store, stage)
            await ledger.open()
            await ledger.commit(StepOutput({stream: payloads}), state=b"")
        await store.trim(keys.journal(), trimmed_below)


@pytest.mark.server
def test_archive_and_store_are_exported_as_one_and_replay_byte_for_byte(
    run: RecordedRun, tmp_path: Path, configuration: Path
) -> None:
    Archive(tmp_path / "archive", keys.journal()).write(run.entries[:150])
    with RedisServer(tmp_path / "redis", appendfsync="always") as redis:
        url = f"{redis.url}/0"
        asyncio.run(fill(url, run, 101))
        variables = {"HEDGESTAT_REDIS_URL": url}
        words = ("journal", "export", "run.parquet", "-c", str(configuration))
        done = hedgestat(*words, directory=tmp_path, variables=variables)
        assert done.returncode == 0, done.stderr
        assert f"{len(run.journal):,} entries of the journal, " in done.stdout
        assert f"{len(run.decisions):,} decisions." in done.stdout
        done = hedgestat(*words, "--to", "2015-08-31", directory=tmp_path, variables=variables)
        assert done.returncode == 0, done.stderr
    again = ("journal", "replay", "run.parquet", "--compare", "-c", str(configuration))
    done = hedgestat(*again, directory=tmp_path)
    assert (done.returncode, "byte for byte" in done.stdout) == (0, True), done.stderr
    assert not list(tmp_path.glob("*.unfinished"))


@pytest.mark.server
def test_ctrl_c_leaves_nothing_half_written(
    run: RecordedRun, tmp_path: Path, configuration: Path
) -> None:
    with RedisServer(tmp_path / "redis", appendfsync="always") as redis:
        url = f"{redis.url}/0"
        asyncio.run(fill(url, run, 1))
        redis.freeze()
        process = subprocess.Popen(
            [HEDGESTAT, "journal", "export", "run.parquet", "-c", str(configuration)],
            cwd=tmp_path,
            env=environment(HEDGESTAT_REDIS_URL=url),
        )
        eventually_sync((tmp_path / "run.parquet.unfinished").exists)
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(20) == 130
        finally:
            process.kill()
            redis.thaw()
    assert not list(tmp_path.glob("run.parquet*"))


def test_without_a_store_it_says_so_and_writes_nothing(tmp_path: Path, configuration: Path) -> None:
    done = hedgestat(
        *("journal", "export", "run.parquet", "-c", str(configuration)),
        directory=tmp_path,
        variables={"HEDGESTAT_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"},
    )
    assert done.returncode == 1
    assert not list(tmp_path.glob("run.parquet*"))
