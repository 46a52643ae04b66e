"""`hedgestat operators` as a person uses it: at a terminal, and through a pipe."""

import os
import pty
import subprocess
from pathlib import Path

import pytest
from fakes.command import DEPLOY, HEDGESTAT, environment
from typer.testing import CliRunner, Result

from services.__main__ import app
from shared.adapters.operators import read_operators

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "operators"


def operators(path: Path, *words: str, typed: str = "") -> Result:
    variables = {"HEDGESTAT_OPERATORS_FILE": str(path), "COLUMNS": "300"}
    return CliRunner().invoke(app, ["operators", *words], input=typed, env=variables)


def at_terminal(path: Path, name: str, *lines: str) -> tuple[int, str]:
    """Type lines at the prompts; answers the exit code and what the terminal showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [HEDGESTAT, "operators", "add", name, "-f", str(path)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(TERM="dumb", COLUMNS="300"),
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown = b""
        for line in lines:
            while not shown.endswith(b": "):
                shown += os.read(ours, 1)
            os.write(ours, line.encode() + b"\n")
            shown += b"\n"
        try:
            while data := os.read(ours, 4096):
                shown += data
        except OSError:  # the other end is closed
            pass
        return process.wait(20), shown.decode()


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(path: Path) -> None:
    code, shown = at_terminal(path, "ann", PASSWORD, PASSWORD)
    assert code == 0, shown
    assert "ann may log in to the page" in shown
    assert PASSWORD not in shown
    assert read_operators(path)["ann"].is_of(PASSWORD)


def test_two_different_passwords_are_none(path: Path) -> None:
    code, shown = at_terminal(path, "ann", PASSWORD, PASSWORD + "!")
    assert code == 2
    assert "these are two passwords: nothing was changed" in shown
    assert not path.exists()


def test_a_pipe_gives_one_line(path: Path) -> None:
    added = operators(path, "add", "ann", typed=PASSWORD + "\nmore\n")
    assert added.exit_code == 0
    assert added.stdout == f"ann may log in to the page, from now on: {path}\n"
    assert read_operators(path)["ann"].is_of(PASSWORD)


def test_there_is_no_argument_for_a_password(path: Path) -> None:
    for words in (["add", "ann", PASSWORD], ["add", "ann", "--password", PASSWORD]):
        assert operators(path, *words, typed=PASSWORD).exit_code == 2
    assert not path.exists()


def test_listed_are_names_and_nothing_else(path: Path) -> None:
    for name in ("bob", "ann"):
        operators(path, "add", name, typed=PASSWORD)
    assert operators(path, "list").stdout == "ann\nbob\n"
    removed = operators(path, "remove", "ann")
    assert removed.stdout.startswith("ann may log in no more")
    assert operators(path, "list").stdout == "bob\n"


def test_what_cannot_be_done_is_said_in_a_line(path: Path) -> None:
    for words, typed, why in (
        (["list"], "", "is not there: `hedgestat operators add NAME`"),
        (["remove", "ann"], "", "is not there"),
        (["add", "a b"], PASSWORD, "is no name"),
        (["add", "ann"], "short", "12 to 256 characters"),
        (["add", "ann"], "", "12 to 256 characters"),
    ):
        refused = operators(path, *words, typed=typed)
        assert refused.exit_code == 2
        (line,) = refused.stderr.splitlines()
        assert why in line
    refused = operators(path.parent / "operators" / "x", "add", "ann", typed=PASSWORD)
    assert refused.exit_code == 0, "folders are made"
    refused = operators(path / "x" / "y", "add", "ann", typed=PASSWORD)
    assert refused.exit_code == 2


def test_the_file_is_the_configured_one_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEDGESTAT_OPERATORS_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    configured, named = tmp_path / "configured", tmp_path / "named"
    configuration = tmp_path / "hedges.toml"
    told = (DEPLOY / "hedges.toml").read_text()
    configuration.write_text(
        told.replace('operators_file = "operators"', f'operators_file = "{configured}"')
    )

    def add(name: str, *options: str) -> Result:
        return CliRunner().invoke(app, ["operators", "add", name, *options], input=PASSWORD)

    assert add("ann", "-c", str(configuration)).exit_code == 0
    assert add("bob", "-c", str(configuration), "-f", str(named)).exit_code == 0
    assert add("eve").exit_code == 0
    files = configured, named, tmp_path / "operators"
    assert [list(read_operators(file)) for file in files] == [["ann"], ["bob"], ["eve"]]
    listed = CliRunner().invoke(app, ["operators", "list", "-c", str(configuration)])
    assert listed.output == "ann\n"
