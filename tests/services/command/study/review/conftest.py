"""Half a year of two books, recorded: its journal as an export, and its August."""

from datetime import date
from pathlib import Path

import pytest
from fakes.recorded_run import RecordedRun, recorded_run

from services.command.study.review.month import BookMonth, Month, book_month
from services.command.study.review.reading import read_journal
from shared.adapters.export import ExportFile
from shared.adapters.store import Entry
from shared.wire import keys

AUGUST = Month.of(2015, 8)


@pytest.fixture(scope="session")
def run() -> RecordedRun:
    return recorded_run(date(2015, 7, 1), date(2015, 12, 31))


@pytest.fixture(scope="session")
def journal(run: RecordedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("journal") / "run.parquet"
    with ExportFile(path, {}) as file:
        file.write([Entry(keys.decisions(), n, each) for n, each in enumerate(run.decisions, 1)])
        file.write(run.entries)
        file.finish()
    return path


@pytest.fixture(scope="session")
def books(run: RecordedRun, journal: Path) -> list[BookMonth]:
    found = read_journal(run.settings, run.calendar, journal)
    return [book_month(past, AUGUST, run.calendar, "SPX") for past in found.pasts]
