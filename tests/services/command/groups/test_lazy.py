"""A group that is mounted lazily: in help without its module, and whole once it is asked for."""

import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from services.command.groups.lazy import lazily

COMMANDS = '''
import typer

app = typer.Typer()


@app.command()
def measure(times: int = 1) -> None:
    """Measure it."""
    typer.echo("measured " * times)


@app.command()
def compare() -> None:
    """Compare it."""
'''


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    (tmp_path / "slow_group.py").write_text(COMMANDS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slow_group", raising=False)
    app = typer.Typer(no_args_is_help=True)
    app.command("other")(lambda: None)
    group = lazily("slow_group", help="Study it.", epilog="Example:\n\n  all study measure")
    app.add_typer(group, name="study", rich_help_panel="Prove")
    return app


def invoke(app: typer.Typer, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "TERM": "dumb"})


def test_help_shows_the_group_and_imports_nothing(app: typer.Typer) -> None:
    assert "Study it." in invoke(app, "--help").output
    assert "slow_group" not in sys.modules


def test_help_of_the_group_shows_its_commands(app: typer.Typer) -> None:
    shown = invoke(app, "study", "--help").output
    assert "Measure it." in shown
    assert "Compare it." in shown
    assert "all study measure" in shown


def test_a_command_of_the_group_runs_with_its_options(app: typer.Typer) -> None:
    assert invoke(app, "study", "measure", "--times", "2").output.strip() == "measured measured"


def test_a_command_that_there_is_not_is_refused(app: typer.Typer) -> None:
    refused = invoke(app, "study", "nonsense")
    assert refused.exit_code == 2
    assert "No such command 'nonsense'" in refused.output
