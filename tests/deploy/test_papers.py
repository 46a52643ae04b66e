"""The scripts that make the containers' logins and certificates, on folders in place of volumes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.wire.access import NAMES

DEPLOY = Path(__file__).parents[2] / "deploy"
BIN = Path(sys.executable).parent
SERVERS = {"mosquitto": 1883, "redis-orders": 999, "redis-market": 999}
SERVICES_USER = 10001


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    logins = [f"login-{name}" for name in (*NAMES, "grafana")]
    servers = [f"server-{name}" for name in SERVERS]
    for name in (*logins, *servers, "certificates", "authority"):
        (tmp_path / name).mkdir()
    return tmp_path


def run(script: str, volumes: Path, *words: str) -> str:
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    command = ["/bin/sh", str(DEPLOY / script), str(volumes), *words]
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


def contents(volumes: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(volumes)): path.read_bytes()
        for path in sorted(volumes.rglob("*"))
        if path.is_file()
    }


def owned(path: Path, user: int) -> bool:
    """Whether it is a user's, where we can give it away."""
    return path.stat().st_uid == (user if os.getuid() == 0 else os.getuid())


def test_each_identity_gets_its_login_and_each_server_its_list_and_digests(volumes: Path) -> None:
    said = run("passwords", volumes)
    for name in NAMES:
        files = sorted((volumes / f"login-{name}").iterdir())
        assert [path.name for path in files] == ["mqtt", "redis"]
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
        assert all(owned(path, SERVICES_USER) for path in files)
        assert not [path for path in files if path.read_text().strip() in said]
    for name, user in SERVERS.items():
        files = sorted((volumes / f"server-{name}").iterdir())
        expected = ["acl", "passwords"] if name == "mosquitto" else ["users.acl"]
        assert [path.name for path in files] == expected
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
        assert all(owned(path, user) for path in files)
    assert len((volumes / "login-grafana/admin").read_text().strip()) == 32


def test_a_second_start_changes_no_login(volumes: Path) -> None:
    run("passwords", volumes)
    before = contents(volumes)
    run("passwords", volumes)
    after = contents(volumes)
    assert {name for name in after if after[name] != before.get(name)} <= {
        "server-mosquitto/passwords"  # salted anew
    }


def test_a_login_that_is_rotated_is_new_to_its_owner_and_to_the_servers(volumes: Path) -> None:
    run("passwords", volumes)
    before = contents(volumes)
    run("passwords", volumes, "rotate", "hedger")
    after = contents(volumes)
    assert {name for name in after if after[name] != before[name]} == {
        "login-hedger/mqtt",
        "login-hedger/redis",
        "server-mosquitto/passwords",
        "server-redis-market/users.acl",
        "server-redis-orders/users.acl",
    }


def test_each_server_gets_a_certificate_that_clients_believe(volumes: Path) -> None:
    run("certificates", volumes, "broker.example.com")
    assert {path.name for path in (volumes / "certificates").iterdir()} == {"ca.pem"}
    for name, user in SERVERS.items():
        place = volumes / f"server-{name}"
        assert {path.name for path in place.iterdir()} == {"ca.pem", "server.pem", "server.key"}
        assert (place / "server.key").stat().st_mode & 0o777 == 0o600
        assert owned(place / "server.key", user)
        for host in (name, "localhost", "broker.example.com"):
            options = ["-CAfile", f"{volumes}/certificates/ca.pem", "-verify_hostname", host]
            subprocess.run(["openssl", "verify", *options, f"{place}/server.pem"], check=True)
    assert (volumes / "authority/ca.key").stat().st_mode & 0o777 == 0o600
    assert not [path for path in volumes.rglob("ca.key") if path.parent.name != "authority"]


def test_what_is_good_stays_and_what_is_missing_is_made(volumes: Path) -> None:
    run("certificates", volumes)
    before = contents(volumes)
    run("certificates", volumes)
    assert contents(volumes) == before
    (volumes / "server-mosquitto/server.key").unlink()
    run("certificates", volumes)
    after = contents(volumes)
    assert {name for name in after if after[name] != before[name]} == {
        "server-mosquitto/server.key",
        "server-mosquitto/server.pem",
    }
