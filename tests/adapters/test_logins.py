from pathlib import Path

import pytest

from shared.adapters.access_lists import broker_list
from shared.adapters.logins import KINDS, LoginRefused, make_logins, rotate_logins
from shared.wire.access import NAMES


def passwords(directory: Path) -> dict[str, str]:
    return {
        f"{name}/{kind}": (directory / name / kind).read_text() for name in NAMES for kind in KINDS
    }


def test_every_identity_gets_a_password_of_its_own_for_each_kind_of_server(tmp_path: Path) -> None:
    assert make_logins(tmp_path) == list(NAMES)
    made = passwords(tmp_path)
    assert len(set(made.values())) == len(made)
    assert min(map(len, made.values())) > 30


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    make_logins(tmp_path)
    before = passwords(tmp_path)
    (tmp_path / "hedger/mqtt").unlink()
    assert make_logins(tmp_path) == ["hedger"]
    after = passwords(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"hedger/mqtt"}


def test_the_servers_files_hold_digests_of_them_all_and_no_password(tmp_path: Path) -> None:
    make_logins(tmp_path)
    servers = tmp_path / "servers"
    text = "".join(path.read_text() for path in servers.rglob("*") if path.is_file())
    assert not [each for each in passwords(tmp_path).values() if each.strip() in text]
    assert (servers / "mosquitto/acl").read_text() == broker_list()
    assert (servers / "mosquitto/passwords").read_text().count(":$7$") == len(NAMES)
    assert {path.name for path in servers.iterdir()} == {
        "mosquitto",
        "redis",
        "redis-market",
        "redis-orders",
    }


def test_rotating_changes_the_passwords_of_whom_it_names_and_what_the_servers_have(
    tmp_path: Path,
) -> None:
    make_logins(tmp_path)
    before, users = passwords(tmp_path), (tmp_path / "servers/redis-orders/users.acl").read_text()
    rotate_logins(tmp_path, ["hedger"])
    after = passwords(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {
        "hedger/mqtt",
        "hedger/redis",
    }
    assert (tmp_path / "servers/redis-orders/users.acl").read_text() != users


def test_who_is_nobody_or_has_no_login_has_none_to_rotate(tmp_path: Path) -> None:
    with pytest.raises(LoginRefused, match="no identity 'nobody'"):
        rotate_logins(tmp_path, ["nobody"])
    with pytest.raises(LoginRefused, match="no login of hedger"):
        rotate_logins(tmp_path, ["hedger"])


def test_nobody_else_can_read_any_of_it(tmp_path: Path) -> None:
    make_logins(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert not list(tmp_path.rglob("*.new"))
