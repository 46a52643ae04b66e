"""docker-compose.yml says what the tree says, and gives nothing away that it need not."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from services.__main__ import app
from services.command.up import KEYS
from shared.adapters.settings import load_settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if "build" in service}
SERVED = OURS - {"feed"}  # which has no page
MAKERS = {"passwords": ["CHOWN"], "keys": ["CHOWN", "DAC_OVERRIDE"]}
LASTING = set(SERVICES) - {*MAKERS, "feed", "operator"}  # those two are run when asked for


def folders_of_services() -> set[str]:
    """Packages that can run as a process of their own."""
    return {path.parent.name for path in (ROOT / "services").glob("*/service.py")}


def test_it_keeps_the_schema_of_compose_files() -> None:
    schemas = files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((schemas / "compose-spec.json").read_text())
    jsonschema.validate(COMPOSE, schema)


def test_every_folder_in_services_has_its_container_and_no_container_is_without_one() -> None:
    assert folders_of_services() == OURS


@pytest.mark.parametrize("name", sorted(SERVED))
def test_a_container_runs_the_service_of_its_name(name: str) -> None:
    assert SERVICES[name]["command"][:2] == ["run", name]


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_command_line_is_one_that_hedgestat_takes(name: str) -> None:
    taken = CliRunner().invoke(app, [*SERVICES[name]["command"], "--help"])
    assert taken.exit_code == 0, taken.output


@pytest.mark.parametrize("name", sorted(SERVED))
def test_health_is_asked_and_published_where_the_service_answers(name: str) -> None:
    port = load_settings(ROOT / "deploy/hedges.toml", {}).http.ports[name]
    health = SERVICES[name]["environment"]["HEDGESTAT_HEALTH_URL"]
    assert health == f"http://127.0.0.1:{port}/healthz"
    assert SERVICES[name]["ports"] == [f"127.0.0.1:{port}:{port}"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_broker_and_stores_are_taken_from_the_environment(name: str) -> None:
    environment = SERVICES[name]["environment"]
    settings = load_settings(ROOT / "deploy/hedges.toml", environment)
    assert settings.http.host == "0.0.0.0"  # noqa: S104 - in the container
    assert settings.mqtt.address == ("mosquitto", 1883)
    assert settings.mqtt.password_file == "/run/hedgestat/mqtt"  # noqa: S105 - a path
    assert settings.redis.orders.url == "redis://redis-orders:6379/0"
    assert settings.redis.market.url == "redis://redis-market:6379/0"
    assert settings.redis.market.password_file == "/run/hedgestat/redis"  # noqa: S105 - a path


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_container_can_do_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service.get("cap_add", []) == MAKERS.get(name, [])
    assert ("network_mode" in service) == (name in MAKERS)


@pytest.mark.parametrize("name", ["mosquitto", "redis-orders", "redis-market"])
def test_a_server_runs_as_the_user_that_its_password_belongs_to(name: str) -> None:
    user = SERVICES[name]["user"].partition(":")[0]
    script = (ROOT / "deploy/passwords").read_text()
    assert re.search(
        rf"(?m)^pair \w+ {'broker' if name == 'mosquitto' else 'store'} {user}$", script
    )


def test_the_services_run_as_the_user_that_their_passwords_belong_to() -> None:
    user = re.search(r"(?m)^USER (\d+):", (ROOT / "deploy/Dockerfile").read_text())
    assert user
    assert f'secret "$1" {user[1]} ' in (ROOT / "deploy/passwords").read_text()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_is_published_is_published_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", sorted(LASTING))
def test_health_is_watched(name: str) -> None:
    by_image = "HEALTHCHECK" in (ROOT / "deploy/Dockerfile").read_text()
    assert "healthcheck" in SERVICES[name] or (name in OURS and by_image)


@pytest.mark.parametrize("name", sorted(LASTING))
def test_what_ends_is_started_again(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_images_are_named_with_their_version(name: str) -> None:
    assert re.fullmatch(r"hedgestat:local|[a-z/-]+:v?\d+\.\d+[\w.-]*", SERVICES[name]["image"])


def test_a_replay_and_an_operator_are_there_only_when_asked_for() -> None:
    asked = {
        name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service
    }
    assert asked == {"feed": ["replay"], "operator": ["operator"]}


def mounted(name: str, at: str) -> set[str]:
    """Volumes of a container under a path."""
    mounts = (mount.split(":") for mount in SERVICES[name].get("volumes", []))
    return {mount[0] for mount in mounts if mount[1].startswith(at)}


SIGNERS = {
    "hedger": "monitor",
    "exposure": "monitor",
    "gateway": "gateway",
    "operator": "operator",
    "auditor": "auditor",
}


@pytest.mark.parametrize("name", sorted(OURS | {"operator"}))
def test_a_container_has_the_key_that_it_signs_with_and_knows_all_others(name: str) -> None:
    assert SERVICES[name]["environment"]["HEDGESTAT_KEYS"] == "/run/keys"
    assert mounted(name, "/run/keys/private") == (
        {f"keys-{SIGNERS[name]}"} if name in SIGNERS else set()
    )
    trusted = mounted(name, "/run/keys/trusted")
    assert trusted == ({"keys-trusted"} if name != "feed" else set())
    assert SERVICES[name]["depends_on"]["keys"] == {"condition": "service_completed_successfully"}


def test_who_signs_needs_that_key() -> None:
    for name, needed in KEYS.items():
        assert needed.signs == ((SIGNERS[name],) if name in SIGNERS else ())


def test_files_that_are_mounted_exist() -> None:
    mounts = (mount.split(":")[0] for s in SERVICES.values() for mount in s.get("volumes", []))
    assert all((ROOT / path).exists() for path in mounts if path.startswith("./"))


def test_volumes_that_are_used_are_declared_and_no_others() -> None:
    mounts = (mount.split(":")[0] for s in SERVICES.values() for mount in s.get("volumes", []))
    named = {mount for mount in mounts if re.fullmatch(r"[a-z-]+", mount)}
    assert named == set(COMPOSE["volumes"])
