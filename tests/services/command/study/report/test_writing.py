"""`hedgestat study report`: one command, one file."""

from pathlib import Path

import pytest
from msgspec import structs
from rich.console import Console
from typer.testing import CliRunner

from services.__main__ import app
from services.command.endings import Failed, Refused
from services.command.study.report.writing import combinations, write_report
from services.command.study.study import Study

SILENT = Console(quiet=True)


def test_the_command_writes_the_report_beside_the_results(study: Study, plan_file: Path) -> None:
    results = study.folder.path
    arguments = ["study", "report", str(plan_file), "-o", str(results), "-j", "1"]
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    path = results / "report.html"
    assert str(path) in done.output
    assert path.read_text().startswith("<!doctype html>")
    assert combinations(study.plan) == 4


def test_a_file_that_cannot_be_written_is_said(study: Study, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failed, match="file"):
        write_report(study, "", tmp_path / "file" / "report.html", SILENT)


def test_a_plan_without_variants_is_refused(study: Study, tmp_path: Path) -> None:
    bare = Study(structs.replace(study.plan, variants=()), "", SILENT)
    with pytest.raises(Refused, match="no variants"):
        write_report(bare, "", tmp_path / "report.html", SILENT)
    assert combinations(structs.replace(study.plan, sweep=())) == 0
