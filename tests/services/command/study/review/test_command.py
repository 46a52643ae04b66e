"""`hedgestat study review`: from a file or from the store, one command, one page."""

import asyncio
from pathlib import Path

import pytest
from fakes.command import hedgestat
from fakes.recorded_run import RecordedRun, two_books
from fakes.servers import RedisServer, free_port
from typer.testing import CliRunner

from services.__main__ import app
from services.command.study.report.wording import money
from services.command.study.review.month import BookMonth
from shared.adapters.connections import RedisSettings
from shared.adapters.redis_store import RedisStore
from shared.runtime.ledger import Ledger, StepOutput
from shared.wire import keys


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    path = tmp_path / "hedgestat.toml"
    path.write_text(two_books())
    return path


def test_the_command_writes_the_file_and_prints_the_figures(
    journal: Path, configuration: Path, tmp_path: Path, books: list[BookMonth]
) -> None:
    out = tmp_path / "august.html"
    words = ["study", "review", "--month", "2015-08", "-c", str(configuration)]
    done = CliRunner().invoke(
        app, [*words, "--journal", str(journal), "--out", str(out)], env={"COLUMNS": "120"}
    )
    assert done.exit_code == 0, done.output
    assert out.read_text().startswith("<!doctype html>")
    for text in ("Book overlay", "whipsaws suppressed", money(books[0].total("static_profit"))):
        assert text in done.output


def test_a_month_that_the_journal_does_not_have_is_refused(
    journal: Path, configuration: Path, tmp_path: Path
) -> None:
    words = ["study", "review", "--month", "2017-01", "-c", str(configuration)]
    out = tmp_path / "x.html"
    done = CliRunner().invoke(app, [*words, "--journal", str(journal), "--out", str(out)])
    assert (done.exit_code, out.exists()) == (2, False)
    assert "no session in 2017-01" in done.output.replace("\n", " ")


def test_a_file_that_cannot_be_written_is_said(
    journal: Path, configuration: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "x.html"
    words = ["study", "review", "--month", "2015-08", "-c", str(configuration)]
    done = CliRunner().invoke(app, [*words, "--journal", str(journal), "--out", str(out)])
    assert done.exit_code == 1


async def fill(url: str, run: RecordedRun) -> None:
    async with RedisStore(RedisSettings(url=url)) as store:
        for stage, stream, payloads in (
            ("ingest", keys.journal(), run.journal),
            ("hedger", keys.decisions(), run.decisions),
        ):
            ledger = Ledger(store, stage)
            await ledger.open()
            await ledger.commit(StepOutput({stream: payloads}), state=b"")


@pytest.mark.server
def test_without_a_file_the_store_is_read(
    run: RecordedRun, journal: Path, configuration: Path, tmp_path: Path
) -> None:
    words = ("study", "review", "--month", "2015-08", "-c", str(configuration))
    with RedisServer(tmp_path / "redis", appendfsync="always") as redis:
        url = f"{redis.url}/0"
        asyncio.run(fill(url, run))
        done = hedgestat(*words, directory=tmp_path, variables={"HEDGESTAT_REDIS_URL": url})
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "review-2015-08.html").read_text()
    hedgestat(*words, "--journal", str(journal), "--out", "file.html", directory=tmp_path)
    same = (tmp_path / "file.html").read_text()
    assert page.partition("To make this again")[0] == same.partition("To make this again")[0]


def test_without_a_store_it_says_so_and_writes_nothing(configuration: Path, tmp_path: Path) -> None:
    done = hedgestat(
        *("study", "review", "--month", "2015-08", "-c", str(configuration)),
        directory=tmp_path,
        variables={"HEDGESTAT_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"},
    )
    assert done.returncode == 1
    assert not list(tmp_path.glob("*.html"))
