"""One undisturbed run of real history, which all the disturbed ones must equal."""

from datetime import date
from pathlib import Path

import pytest
from fakes.installation import Installation
from fakes.outcome import Run
from fakes.recorded import write_history

FIRST, LAST = date(2015, 7, 1), date(2015, 9, 30)


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_history(tmp_path_factory.mktemp("history"), FIRST, LAST)


@pytest.fixture(scope="session")
def undisturbed(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    with Installation(tmp_path_factory.mktemp("undisturbed"), history) as installation:
        installation.replay()
        outcome = installation.outcome()
        assert all(program.exits in ([], [0], [-9]) for program in installation.programs.values())
        return Run(outcome, installation.witness.orders, installation.witness.reached)
