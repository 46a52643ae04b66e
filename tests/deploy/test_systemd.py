"""deploy/systemd: systemd takes the units, and a service can do little more than its work."""

import configparser
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from services.command.up import ALL_SERVICES, KEYS
from shared.adapters.keyring import ROLES, Keyring, Role
from shared.adapters.settings import load_settings

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
UNITS: Final = DEPLOY / "systemd"
HEDGESTAT: Final = Path(sys.executable).with_name("hedgestat")
SERVICE: Final = "hedgestat@.service"
WORST_EXPOSURE: Final = 2.0

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze"
)


def lines(name: str) -> list[tuple[str, str]]:
    """Keys and values of a unit, in order; a key may come again."""
    text = (UNITS / name).read_text()
    return [(key, value) for key, value in re.findall(r"(?m)^(\w+)=(.*)$", text)]


def only(key: str) -> str:
    """The value of what stands once in the service."""
    (value,) = (value for each, value in lines(SERVICE) if each == key)
    return value


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units, with the programs of this installation."""
    service = (UNITS / SERVICE).read_text()
    service = service.replace("/opt/hedgestat/bin/hedgestat", str(HEDGESTAT))
    service = service.replace("/opt/hedgestat/libexec", str(UNITS))
    (tmp_path / SERVICE).write_text(service)
    shutil.copy(UNITS / "hedgestat.target", tmp_path)
    return [tmp_path / SERVICE, tmp_path / "hedgestat.target"]


@needs_systemd
def test_systemd_takes_the_units_without_a_word(units: list[Path]) -> None:
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *map(str, units)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stderr
    assert not verified.stderr


@needs_systemd
def test_systemd_finds_a_service_hardly_exposed() -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(UNITS / SERVICE)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert exposure
    assert float(exposure[1]) < WORST_EXPOSURE, told


def test_the_target_is_all_services() -> None:
    wanted = " ".join(value for key, value in lines("hedgestat.target") if key == "Wants").split()
    assert {re.sub(r"hedgestat@(\w+)\.service", r"\1", each) for each in wanted} == set(
        ALL_SERVICES
    )


def test_a_unit_runs_the_service_of_its_name() -> None:
    assert only("ExecStart").endswith("/hedgestat run %i -c /etc/hedgestat/hedges.toml")


def test_every_key_stands_in_the_part_that_systemd_reads_it_in() -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.read(UNITS / SERVICE)
    assert parser.sections() == ["Unit", "Service", "Install"]


def test_what_the_unit_says_is_what_the_settings_read() -> None:
    environment = dict(
        value.replace("%t", "/run").replace("%i", "hedger").split("=", 1)
        for key, value in lines(SERVICE)
        if key == "Environment"
    )
    settings = load_settings(DEPLOY / "hedges.toml", environment)
    assert settings.keys.directory == "/run/hedgestat/hedger/keys"
    assert settings.mqtt.ca_file == "/run/hedgestat/hedger/certificates/ca.pem"


def test_no_secret_stands_on_a_command_line_or_in_the_environment() -> None:
    told = [value for key, value in lines(SERVICE) if key.startswith(("Exec", "Environment"))]
    assert not [value for value in told if re.search(r"(?i)passw|secret|token", value)]


# --- from the makers to the service -----------------------------------------------------------


@pytest.fixture(scope="module")
def etc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands for /etc/hedgestat, after the script has run twice."""
    directory = tmp_path_factory.mktemp("etc")
    (directory / "operators").write_text("somebody\n")
    environment = os.environ | {"PATH": f"{HEDGESTAT.parent}:{os.environ['PATH']}"}
    for _ in range(2):
        made = subprocess.run(
            ["/bin/sh", UNITS / "secrets", directory],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert made.returncode == 0, made.stderr
    return directory


def laid(etc: Path, instance: str, place: Path) -> Path:
    """What a service finds: handed over as systemd does, and laid by the unit's script."""
    handed, runtime = place / "credentials", place / "runtime"
    handed.mkdir()
    given = etc / "given" / instance
    for file in (path for path in given.rglob("*") if path.is_file()):
        name = "_".join(("given", *file.relative_to(given).parts))
        shutil.copy(file, handed / name)
        (handed / name).chmod(0o440)
    environment = os.environ | {
        "CREDENTIALS_DIRECTORY": str(handed),
        "RUNTIME_DIRECTORY": str(runtime),
    }
    subprocess.run(["/bin/sh", UNITS / "lay-credentials"], env=environment, check=True)
    return runtime


@pytest.mark.parametrize("instance", ALL_SERVICES)
def test_an_instance_finds_what_is_its_own_and_nothing_else(
    etc: Path, tmp_path: Path, instance: str
) -> None:
    found = laid(etc, instance, tmp_path)
    keyring = Keyring.load(found / "keys", "paper")
    signs: tuple[Role, ...] = KEYS[instance].signs if instance in KEYS else ()
    roles = ("desk",) if instance == "dashboard" else signs
    assert tuple(role for role in ROLES if keyring.can_sign(role)) == roles
    assert {path.stem for path in (found / "keys/private").glob("*")} == set(roles)
    assert [path.name for path in (found / "logins").iterdir()] == [instance]
    assert {path.name for path in (found / "logins" / instance).iterdir()} == {"mqtt", "redis"}
    assert (found / "certificates/ca.pem").exists()
    assert (found / "operators/operators").exists() == (instance == "dashboard")
    files = [path for path in found.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_what_is_given_is_for_its_owner_alone(etc: Path) -> None:
    for path in [etc / "given", etc / "made", *(etc / "given").rglob("*")]:
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path
