"""The script that makes and rotates the containers' keys, on folders in place of volumes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.keys import ENVIRONMENT

from shared.adapters.keyring import ROLES, Keyring

SCRIPT = Path(__file__).parents[2] / "deploy/keys"
BIN = Path(sys.executable).parent


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    for name in ("trusted", *ROLES):
        (tmp_path / name).mkdir()
    return tmp_path


def run(volumes: Path, *words: str) -> str:
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    command = ["/bin/sh", str(SCRIPT), str(volumes), *words]
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=30
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def container(volumes: Path, role: str) -> Keyring:
    """The keys as one container has them mounted."""
    place = volumes / f"container-{role}"
    place.mkdir(exist_ok=True)
    for name, target in (("trusted", "trusted"), ("private", role)):
        if not (place / name).exists():
            (place / name).symlink_to(volumes / target)
    return Keyring.load(place, ENVIRONMENT)


def trusted(volumes: Path) -> set[str]:
    return {path.name for path in (volumes / "trusted").glob("*.pem")}


def test_each_container_signs_in_its_own_role_and_knows_all(volumes: Path) -> None:
    run(volumes, "new")
    assert len(trusted(volumes)) == len(ROLES)
    for role in ROLES:
        keyring = container(volumes, role)
        assert [other for other in ROLES if keyring.can_sign(other)] == [role]
        (private,) = (volumes / role).iterdir()
        assert private.stat().st_mode & 0o777 == 0o600
        assert private.stat().st_uid == (10001 if os.getuid() == 0 else os.getuid())


def test_a_second_start_changes_nothing(volumes: Path) -> None:
    run(volumes, "new")
    before = {path: path.read_bytes() for path in volumes.rglob("*.pem")}
    run(volumes, "new")
    assert {path: path.read_bytes() for path in volumes.rglob("*.pem")} == before


def test_a_first_start_that_was_interrupted_is_made_anew(volumes: Path) -> None:
    run(volumes, "new")
    (volumes / "trusted/made").unlink()
    (volumes / "auditor/auditor.pem").unlink()
    before = trusted(volumes)
    run(volumes, "new")
    assert len(trusted(volumes)) == len(ROLES)
    assert not trusted(volumes) & before
    assert container(volumes, "auditor").can_sign("auditor")


def test_a_key_is_rotated_and_the_old_one_retired(volumes: Path) -> None:
    run(volumes, "new")
    before = trusted(volumes)
    assert "monitor signs with " in run(volumes, "rotate", "monitor")
    assert len(trusted(volumes) - before) == 1
    assert trusted(volumes) > before
    (old,) = (name for name in before if name.startswith("monitor-"))
    run(volumes, "retire", "monitor", old.removeprefix("monitor-").removesuffix(".pem"))
    assert old not in trusted(volumes)
    assert len(run(volumes, "show").splitlines()) == len(ROLES)
    assert container(volumes, "monitor").can_sign("monitor")


def test_volumes_older_than_the_page_get_its_key_and_go_on_without_it(volumes: Path) -> None:
    run(volumes, "new")
    (volumes / "desk/desk.pem").unlink()
    for path in (volumes / "trusted").glob("desk-*.pem"):
        path.unlink()
    run(volumes, "rotate", "monitor")
    assert not list((volumes / "desk").iterdir())
    before = trusted(volumes)
    assert "desk signs with " in run(volumes, "new", "desk")
    assert container(volumes, "desk").can_sign("desk")
    assert trusted(volumes) > before
