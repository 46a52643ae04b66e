"""The command line itself: what it explains, what it refuses, and with which exit code."""

from pathlib import Path

import pytest
from fakes.command import DEPLOY
from fakes.configurations import SOUND, line_of
from fakes.keys import write_keys
from typer.main import get_group
from typer.testing import CliRunner, Result

from services.__main__ import app

COMMANDS = (
    "demo",
    "up",
    "run",
    "replay",
    "tail",
    "exposure",
    "halt",
    "resume",
    "rebalance",
    "status",
    "check",
    "doctor",
    "why",
    "torture",
    "keys",
    "operators",
    "audit",
    "journal",
    "simulate",
    "asyncapi",
    "grafana",
    "top",
    "logins",
    "certificates",
    "access",
    "study",
)
PANELS = ("Run", "Watch", "Operate", "Look back", "Set up", "Keys and logins", "Prove", "Study")
CONFIGURATIONS = sorted(set(DEPLOY.glob("*.toml")) - {DEPLOY / "study.toml"})
"""The plan of a study configures no monitor."""
HEDGES = str(DEPLOY / "hedges.toml")
FAULTY = (
    SOUND.replace("base_vega = 1000", "base_vega = -1")
    .replace('rule = "option_a"', 'rule = "opton_a"')
    .replace("[symbols.SPX]", "[symbols.NDX]")
    + '[clock]\nsource = "well"\n[reddis]\n'
)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "300", "TERM": "dumb"})


def test_without_a_command_it_says_what_there_is_and_where_to_begin() -> None:
    shown = invoke()
    assert all(command in shown.output for command in COMMANDS)
    assert "hedgestat demo" in shown.output
    assert shown.exit_code == 2


def test_these_are_all_commands() -> None:
    assert set(get_group(app).commands) == set(COMMANDS)


def test_help_shows_them_as_they_are_used_together() -> None:
    panels = [title for title in PANELS if f"─ {title} ─" in invoke("--help").output]
    assert panels == list(PANELS)
    assert "─ Commands ─" not in invoke("--help").output


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str) -> None:
    shown = invoke(command, "--help")
    assert shown.exit_code == 0
    assert f"hedgestat {command}" in shown.output.partition("Example")[2]


def test_check_mentions_keys_that_are_missing_and_passes(tmp_path: Path) -> None:
    lacking = CliRunner().invoke(
        app, ["check", "-c", HEDGES], env={"COLUMNS": "300", "HEDGESTAT_KEYS": str(tmp_path)}
    )
    assert lacking.exit_code == 0
    assert f"keys: none in {tmp_path}\n  -> `hedgestat keys new`" in lacking.output
    write_keys(tmp_path)
    checked = CliRunner().invoke(
        app, ["check", "-c", HEDGES], env={"COLUMNS": "300", "HEDGESTAT_KEYS": str(tmp_path)}
    )
    assert len(checked.output.splitlines()) == 1


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.name)
def test_check_passes_what_comes_with_it(path: Path) -> None:
    checked = invoke("check", "-c", str(path))
    assert checked.exit_code == 0
    assert f"{path}: no fault." in checked.output
    assert "Books: overlay. Digest " in checked.output


def test_check_says_what_is_held_and_which_options_may_arrive(tmp_path: Path) -> None:
    path = tmp_path / "hedges.toml"
    held = 'positions_file = "held.csv"\n[books.portfolio]'
    path.write_text(Path(HEDGES).read_text().replace("[books.portfolio]", held, 1))
    expired = [f"SPXW15121{day}P05000000" for day in range(1, 8)]
    lines = ["symbol,quantity", "SPX,1", *(f"{name},-40" for name in expired)]
    (tmp_path / "held.csv").write_text("\n".join(lines) + "\n")
    checked = invoke("check", "-c", str(path))
    assert checked.exit_code == 0
    assert "overlay opens with 8 positions; 7 of them have expired: SPXW151211P0" in checked.output
    assert "SPXW151215P05000000, …." in checked.output
    assert "Quotes of options are taken of SPXW." in checked.output


def test_check_lists_every_fault_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "hedges.toml"
    path.write_text(FAULTY)
    checked = invoke("check", "-c", str(path))
    assert checked.exit_code == 2
    assert not checked.stdout
    *faults, count = checked.stderr.splitlines()
    for part in ("base_vega = -1", "opton_a", "well", "reddis"):
        begin = f"{path}: line {line_of(FAULTY, part)}: "
        assert any(line.startswith(begin) for line in faults), part
    assert any("SPX is used by" in line for line in faults)
    assert count == f"{len(faults)} fault(s); nothing was started."


def test_brackets_of_a_fault_are_no_markup(tmp_path: Path) -> None:
    path = tmp_path / "[red]hedges.toml"
    path.write_text("[a\n")
    checked = invoke("check", "-c", str(path))
    assert f"{path}: line 1: Expected ']'" in checked.stderr
    assert "[a] begins a table" in checked.stderr


@pytest.mark.parametrize("command", [["up"], ["run", "hedger"], ["tail", "orders"], ["doctor"]])
def test_nothing_starts_on_a_faulty_configuration(tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / "hedges.toml"
    path.write_text(FAULTY)
    refused = invoke(*command, "-c", str(path))
    assert refused.exit_code == 2
    assert "nothing was started" in refused.stderr


def test_a_configuration_that_is_not_there_is_said_in_a_line() -> None:
    refused = invoke("check", "-c", "nowhere.toml")
    assert refused.exit_code == 2
    assert "nowhere.toml: cannot be read: No such file" in refused.stderr


def test_a_service_that_there_is_not_is_answered_with_those_there_are() -> None:
    refused = invoke("run", "nonsense", "-c", HEDGES)
    assert refused.exit_code == 2
    assert "'nonsense' is none of ingest, signals, hedger, gateway" in refused.stderr


def test_a_topic_that_there_is_not_is_answered_with_those_there_are() -> None:
    refused = invoke("tail", "nonsense", "-c", HEDGES)
    assert refused.exit_code == 2
    assert "'nonsense' is none of orders, executions, triggers" in refused.stderr


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast"])
@pytest.mark.parametrize("command", [["demo"], ["replay", "history", "-c", HEDGES]])
def test_a_speed_is_a_positive_number_or_max(command: list[str], speed: str) -> None:
    refused = invoke(*command, "--speed", speed)
    assert refused.exit_code == 2
    assert "a positive number, or max" in refused.stderr


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (["--from", "2018-13-01"], "does not match the format"),
        (["--from", "2018-03-01", "--to", "2018-02-01"], "--from 2018-03-01 is after --to"),
        (["--broker", "nonsense"], "not mqtt://host:port"),
        (["--redis", "nonsense"], "not redis://"),
    ],
)
def test_the_demo_refuses_what_cannot_be_meant(options: list[str], answer: str) -> None:
    refused = invoke("demo", *options)
    assert refused.exit_code == 2
    assert answer in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_contract_is_printed_as_it_lies_in_deploy() -> None:
    assert invoke("asyncapi").output == (DEPLOY / "asyncapi.json").read_text()
