"""`hedgestat keys`: what it makes, what it refuses, what it shows."""

from pathlib import Path

import pytest
from fakes.keys import ENVIRONMENT, write_keys
from typer.testing import CliRunner, Result

from services.__main__ import app
from shared.adapters.key_files import list_keys
from shared.adapters.keyring import ROLES, Keyring


def keys(directory: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["keys", *words], env={"HEDGESTAT_KEYS": str(directory)})


def refusal(directory: Path, *words: str) -> str:
    refused = keys(directory, *words)
    assert refused.exit_code == 2, refused.output
    assert not refused.stdout
    (line,) = refused.stderr.splitlines()
    return line


def test_new_makes_a_key_for_every_role_and_says_where_each_belongs(tmp_path: Path) -> None:
    made = keys(tmp_path / "keys", "new")
    assert made.exit_code == 0
    lines = made.stdout.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == list(ROLES)
    assert lines[0].endswith(f"{tmp_path}/keys/private/monitor.pem, where the hedger runs")
    assert f"{tmp_path}/keys/trusted" in lines[-1]
    keyring = Keyring.load(tmp_path / "keys", ENVIRONMENT)
    assert all(keyring.can_sign(role) for role in ROLES)


def test_the_directory_may_stand_on_the_command_line(tmp_path: Path) -> None:
    assert keys(tmp_path / "no", "new", "operator", "-d", str(tmp_path / "yes")).exit_code == 0
    assert [key.role for key in list_keys(tmp_path / "yes")] == ["operator"]
    assert not (tmp_path / "no").exists()


def test_new_overwrites_nothing(tmp_path: Path) -> None:
    before = list_keys(write_keys(tmp_path))
    assert refusal(tmp_path, "new", "gateway") == (
        f"{tmp_path} has a key of role gateway already: `hedgestat keys rotate gateway` makes "
        "another"
    )
    assert list_keys(tmp_path) == before


def test_rotate_says_in_which_order_to_go_on(tmp_path: Path) -> None:
    old = list_keys(write_keys(tmp_path))[0].key_id
    lines = keys(tmp_path, "rotate", "monitor").stdout.splitlines()
    new, kept, *_ = list_keys(tmp_path)
    assert lines[0].startswith(f"monitor signs with {new.key_id} from its next start on")
    assert f"trusted/monitor-{new.key_id}.pem" in lines[1]
    assert kept.key_id == old
    retired = keys(tmp_path, "retire", "monitor", old)
    assert retired.stdout.startswith(f"monitor key {old} is trusted no more")
    assert [key.key_id for key in list_keys(tmp_path) if key.role == "monitor"] == [new.key_id]


def test_what_cannot_be_done_is_said_in_a_line(tmp_path: Path) -> None:
    nowhere = tmp_path / "empty"
    assert "no key of role auditor" in refusal(nowhere, "rotate", "auditor")
    signing = list_keys(write_keys(tmp_path))[0].key_id
    assert f"monitor signs with {signing}" in refusal(tmp_path, "retire", "monitor", signing)
    assert "no trusted monitor key '1'" in refusal(tmp_path, "retire", "monitor", "1")
    for words in (["new", "king"], ["rotate", "king"], ["retire", "king", "1"]):
        assert refusal(tmp_path, *words).startswith("no role 'king'; there are monitor, ")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert refusal(tmp_path / "file/keys", "new").startswith(f"{tmp_path}/file")


def test_show_lists_every_key_and_what_is_wrong(tmp_path: Path) -> None:
    write_keys(tmp_path)
    keys(tmp_path, "rotate", "gateway")
    shown = keys(tmp_path, "show")
    assert shown.exit_code == 0
    rows = [line.split() for line in shown.stdout.splitlines()]
    assert [(row[0], row[2:]) for row in rows] == [
        ("monitor", ["signs,", "trusted"]),
        ("gateway", ["signs,", "trusted"]),
        ("gateway", ["trusted"]),
        ("operator", ["signs,", "trusted"]),
        ("auditor", ["signs,", "trusted"]),
        ("desk", ["signs,", "trusted"]),
    ]

    path = tmp_path / "private/operator.pem"
    path.chmod(0o604)
    shown = keys(tmp_path, "show")
    assert shown.exit_code == 1
    assert f"signs  FAULT: {path} can be read by others: chmod 600 {path}" in shown.stdout


def test_show_names_the_roles_that_have_none(tmp_path: Path) -> None:
    keys(tmp_path, "new", "monitor")
    shown = keys(tmp_path, "show")
    assert shown.exit_code == 1
    assert "gateway   no key: `hedgestat keys new gateway`, or copy it here" in shown.stdout


def test_show_calls_it_well_when_only_the_page_has_no_key(tmp_path: Path) -> None:
    keys(tmp_path, "new", "monitor", "gateway", "operator", "auditor")
    shown = keys(tmp_path, "show")
    assert shown.exit_code == 0
    assert "desk      no key: `hedgestat keys new desk`, or copy it here" in shown.stdout


@pytest.mark.parametrize("command", ["new", "rotate", "retire", "show"])
def test_every_command_has_help_with_an_example(tmp_path: Path, command: str) -> None:
    told = keys(tmp_path, command, "--help")
    assert told.exit_code == 0
    assert f"hedgestat keys {command}" in told.stdout
