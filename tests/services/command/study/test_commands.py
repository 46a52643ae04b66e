"""The commands of a study as they are typed: what they print, and how they end."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.command.groups.study import app

RUNNER = CliRunner()
DEPLOY = Path(__file__).parents[4] / "deploy"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


def asked(plan_file: Path, folder: Path, command: str, *options: str) -> Result:
    arguments = [command, str(plan_file), "-o", str(folder), "-j", "1", *options]
    return RUNNER.invoke(app, arguments, env={"COLUMNS": "160"})


def test_run_says_what_was_run_and_where_it_is(plan_file: Path, folder: Path) -> None:
    done = asked(plan_file, folder, "run")
    assert done.exit_code == 0, done.output
    assert f"3 variants, 2015-06-01 to 2015-12-31: {folder}" in done.output.replace("\n", "")


def test_compare_shows_every_variant_beside_none_and_a_free_static_one(
    plan_file: Path, folder: Path
) -> None:
    shown = asked(plan_file, folder, "compare").output
    for name in ("none", "free static", "static", "option_a", "median"):
        assert f"│ {name} " in shown
    assert "portfolio loss" in shown
    assert "ZERO COST" not in shown


def test_without_cost_every_table_says_so(plan_file: Path, tmp_path: Path) -> None:
    shown = asked(plan_file, tmp_path, "compare", "--zero-cost").output
    assert shown.count("ZERO COST") == 3
    swept = asked(plan_file, tmp_path, "sweep", "--zero-cost").output
    assert "ZERO COST" in swept


def test_sweep_shows_the_surface_and_how_much_of_the_best_is_luck(
    plan_file: Path, folder: Path
) -> None:
    shown = asked(plan_file, folder, "sweep").output
    assert "Sharpe by book.triggers.vix_points and" in shown
    assert "The best of 4" in shown
    assert "variants were tried" in shown


def test_walkforward_shows_what_was_chosen_and_what_came_of_it(
    plan_file: Path, folder: Path
) -> None:
    shown = asked(plan_file, folder, "walkforward").output
    assert "Walk-forward, anchored, by sharpe" in shown
    assert "2015-08-25 to 2015-10-06" in shown
    assert "Sharpe over all judged sessions" in shown


def test_a_plan_with_faults_ends_with_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(
        f'configuration = "{DEPLOY / "demo.toml"}"\nboook = "x"\n[bootstrap]\nresamples = 1\n'
    )
    ended = asked(path, tmp_path, "run")
    assert ended.exit_code == 2
    assert "line 2: boook: unknown key" in ended.stderr
    assert "resamples: 1 is out of range" in ended.stderr
    assert "fault(s); nothing was run." in ended.stderr


def test_a_configuration_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('configuration = "nowhere.toml"\n')
    ended = asked(path, tmp_path, "run")
    assert ended.exit_code == 2
    assert "line 1: configuration:" in ended.stderr
    assert "nowhere.toml: cannot be read" in ended.stderr.replace("\n", "")


def test_days_without_history_are_refused(plan_file: Path, tmp_path: Path) -> None:
    ended = asked(plan_file, tmp_path, "run", "--from", "2025-01-02", "--to", "2025-02-03")
    assert ended.exit_code == 2
    assert "no session of this history lies between 2025-01-02 and 2025-02-03" in ended.stderr


def test_days_the_wrong_way_round_are_refused(plan_file: Path, tmp_path: Path) -> None:
    ended = asked(plan_file, tmp_path, "run", "--from", "2015-12-01", "--to", "2015-11-02")
    assert ended.exit_code == 2
    assert "2015-12-01 is after" in ended.stderr


def test_a_folder_that_cannot_be_written_is_told(plan_file: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    ended = asked(plan_file, blocked / "results", "run")
    assert ended.exit_code == 1
    assert str(blocked) in ended.stderr.replace("\n", "")
