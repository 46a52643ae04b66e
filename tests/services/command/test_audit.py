"""`hedgestat audit verify`: what was decided cannot be changed, dropped or added unseen."""

import subprocess
from pathlib import Path

import pytest
from fakes.command import hedgestat
from fakes.decision_log import TAMPERINGS, Tampering, chain, flipped, forged, head_at
from fakes.keys import write_keys
from fakes.servers import MosquittoServer, RedisServer, free_port
from typer.testing import CliRunner

from services.__main__ import app
from services.command.audit import Verifier
from shared.adapters.archive import Archive
from shared.adapters.connections import RedisSettings
from shared.adapters.head_record import HeadRecord
from shared.adapters.keyring import Keyring
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import Entry
from shared.runtime.ledger import Ledger, StepOutput
from shared.wire import keys, topics
from shared.wire.decisions import BrokenChain, ChainHead
from shared.wire.messages import DecisionHeadMessage

SIZE = 2_000
LOG, HEAD = chain(SIZE)
DECISIONS = keys.decisions()
DEMO = Path(__file__).parents[3] / "deploy" / "demo.toml"


def entries(log: list[bytes], first: int = 1) -> list[Entry]:
    """As a store or an archive gives them: numbered by where they lie."""
    return [Entry(DECISIONS, index, payload) for index, payload in enumerate(log, first)]


def fault_of(log: list[bytes], told: ChainHead) -> str:
    """What a verifier says of a log; nothing when it holds."""
    verifier = Verifier({told.index: told.hash})
    try:
        verifier.take(entries(log))
        verifier.finish()
    except BrokenChain as broken:
        return str(broken)
    return ""


def test_an_untouched_log_holds() -> None:
    assert not fault_of(LOG, HEAD)
    assert not fault_of(LOG, head_at(LOG, 700))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_whatever_is_done_to_one_record_at_any_position_is_found(tamper: Tampering) -> None:
    assert sum(bool(fault_of(tamper(LOG, at), HEAD)) for at in range(SIZE)) == SIZE


def test_a_log_written_anew_is_found_by_the_signed_head() -> None:
    assert fault_of(forged(LOG, 1_500), HEAD) == "entry 2000 is not the one that was signed"
    assert fault_of(forged(LOG, 100), head_at(LOG, 101)).startswith("entry 101 is not the one")


def test_a_log_cut_off_before_the_signed_head_is_found() -> None:
    assert fault_of(LOG[:1_999], HEAD) == "the log ends at 1999, and entry 2000 was signed"
    assert not fault_of(LOG[:700], head_at(LOG, 700))


def test_a_hole_between_two_batches_is_found() -> None:
    verifier = Verifier({})
    verifier.take(entries(LOG[:10]))
    with pytest.raises(BrokenChain, match="entries 11 to 12 are missing"):
        verifier.take(entries(LOG[12:], first=13))


def test_a_log_whose_beginning_was_dropped_is_held_against_the_head_before_it() -> None:
    told = head_at(LOG, 500)
    kept = Verifier({told.index: told.hash}, begins=500)
    kept.take(entries(LOG[500:], first=501))
    assert (kept.head, kept.confirmed) == (HEAD, 1)
    altered = Verifier({told.index: told.hash}, begins=500)
    with pytest.raises(BrokenChain, match="entry 500 is not the one that was signed"):
        altered.take(entries([bytes(32) + LOG[500][32:], *LOG[501:]], first=501))


# --- the command -------------------------------------------------------------------------------


class Desk:
    """A configuration with keys, an archive, and no servers yet."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.archive = directory / "archive"
        self.heads = directory / "heads"
        self.configuration = directory / "hedgestat.toml"
        self.configuration.write_text(
            DEMO.read_text().replace("[retention]\n", f'[retention]\narchive = "{self.archive}"\n')
            + f'[keys]\ndirectory = "{write_keys(directory / "keys")}"\n'
            f'[auditor]\nheads = "{self.heads}"\n'
        )
        self.keyring = Keyring.load(directory / "keys", "paper")
        self.broker = f"mqtt://127.0.0.1:{free_port()}"
        self.store = f"redis://127.0.0.1:{free_port()}/0"

    def seal(self, head: ChainHead) -> bytes:
        message = DecisionHeadMessage(index=head.index, hash=head.hash.hex())
        return self.keyring.seal("monitor", topics.DECISION_HEAD, message)

    def verify(self, *words: str) -> tuple[int, str]:
        """Its exit code and what it says, on one line."""
        variables = {"HEDGESTAT_MQTT_URL": self.broker, "HEDGESTAT_REDIS_URL": self.store}
        done = hedgestat(
            *("audit", "verify", "-c", str(self.configuration), *words),
            directory=self.directory,
            variables=variables,
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def write(url: str, log: list[bytes], *, trimmed_below: int = 1) -> None:
    async with RedisStore(RedisSettings(url=url)) as store:
        ledger = Ledger(store, "hedger")
        await ledger.open()
        await ledger.commit(StepOutput({DECISIONS: log}), state=b"")
        await store.trim(DECISIONS, trimmed_below)


def test_files_are_held_against_the_heads_that_were_kept(desk: Desk) -> None:
    archive = Archive(desk.archive, DECISIONS)
    archive.write(entries(LOG[:1_200]))
    segment = archive.write(entries(LOG[1_200:], first=1_201))
    folder = str(segment.parent)
    assert desk.verify("--from", folder)[0] == 1
    code, said = desk.verify("--from", folder, "--without-head")
    assert (code, "2,000 decisions" in said) == (0, True)
    record = HeadRecord(desk.heads)
    record.append(desk.seal(head_at(LOG, 700)))
    record.append(desk.seal(head_at(LOG, 1_990)))
    code, said = desk.verify("--from", folder)
    assert code == 0
    assert "Signed heads that they hold: 2, the last at entry 1,990; behind it 10," in said
    segment.unlink()
    code, said = desk.verify("--from", folder)
    assert code == 1
    assert "the log ends at 1200, and entry 1990 was signed" in said


def test_a_forged_head_and_two_heads_that_contradict_each_other_are_told(desk: Desk) -> None:
    folder = str(Archive(desk.archive, DECISIONS).write(entries(LOG)).parent)
    HeadRecord(desk.heads).append(desk.seal(HEAD).replace(b"2000", b"1999"))
    code, said = desk.verify("--from", folder)
    assert (code, "forged" in said) == (1, True)
    desk.heads.unlink()
    for head in (HEAD, ChainHead(HEAD.index, bytes(32))):
        HeadRecord(desk.heads).append(desk.seal(head))
    code, said = desk.verify("--from", folder)
    assert (code, "two different entries 2000 were signed" in said) == (1, True)


def test_a_head_by_a_key_that_is_not_trusted_counts_for_nothing(desk: Desk) -> None:
    folder = str(Archive(desk.archive, DECISIONS).write(entries(LOG)).parent)
    (desk.directory / "other").mkdir()
    HeadRecord(desk.heads).append(Desk(desk.directory / "other").seal(HEAD))
    code, said = desk.verify("--from", folder)
    assert (code, "no signed head" in said, "Passed over 1 head(s)" in said) == (1, True, True)
    HeadRecord(desk.heads).append(desk.seal(HEAD))
    assert desk.verify("--from", folder)[0] == 0


def test_a_file_that_is_not_there_or_no_segment_is_refused(desk: Desk) -> None:
    HeadRecord(desk.heads).append(desk.seal(HEAD))
    assert desk.verify("--from", "nowhere")[0] == 2
    (desk.directory / "x.parquet").write_bytes(b"no")
    code, said = desk.verify("--from", str(desk.directory / "x.parquet"))
    assert (code, "is no segment" in said) == (1, True)


@pytest.mark.server
async def test_archive_and_store_are_one_log_and_the_broker_knows_the_last_head(
    desk: Desk, tmp_path: Path
) -> None:
    Archive(desk.archive, DECISIONS).write(entries(LOG[:1_200]))
    with (
        RedisServer(tmp_path / "redis", appendfsync="always") as redis,
        MosquittoServer(tmp_path / "broker") as broker,
    ):
        desk.broker, desk.store = broker.url, f"{redis.url}/0"
        await write(desk.store, LOG, trimmed_below=1_001)
        retain(desk, HEAD)
        code, said = desk.verify()
        assert (code, "2,000 decisions" in said, "hold: 1, the last at entry 2,000" in said) == (
            0,
            True,
            True,
        )
        redis.stop()
        (tmp_path / "redis2").mkdir()
        with RedisServer(tmp_path / "redis2", appendfsync="always") as other:
            desk.store = f"{other.url}/0"
            await write(desk.store, flipped(LOG, 1_500), trimmed_below=1_001)
            code, said = desk.verify("--from", "store")
            assert (code, "the decision log was altered: " in said) == (1, True)


def retain(desk: Desk, head: ChainHead) -> None:
    """Have the broker keep a signed head."""
    port = desk.broker.rpartition(":")[2]
    command = ["mosquitto_pub", "-p", port, "-r", "-q", "1", "-t", topics.DECISION_HEAD, "-s"]
    subprocess.run(command, input=desk.seal(head), check=True, timeout=20)


def test_without_keys_it_says_how_to_make_them(tmp_path: Path) -> None:
    path = tmp_path / "hedgestat.toml"
    path.write_text(DEMO.read_text() + f'[keys]\ndirectory = "{tmp_path}"\n')
    shown = CliRunner().invoke(app, ["audit", "verify", "-c", str(path)], env={"COLUMNS": "300"})
    assert shown.exit_code == 2
    assert "hedgestat keys new" in shown.output
