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
MAKERS = {"keys", "passwords", "certificates"}
LASTING = set(SERVICES) - {*MAKERS, "feed", "operator"}  # those two are run when asked for


def folders_of_services() -> set[str]:
    """Packages that can run as a process of their own."""
    return {path.parent.name for path in (ROOT / "services").glob("*/__main__.py")}


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
    assert settings.mqtt.address == ("mosquitto", 8883)
    assert settings.mqtt.secure
    assert settings.redis.orders.url == "rediss://redis-orders:6379/0"
    assert settings.redis.market.url == "rediss://redis-market:6379/0"
    for each in (settings.mqtt, settings.redis.orders, settings.redis.market):
        assert each.ca_file == "/run/certificates/ca.pem"


@pytest.mark.parametrize("name", sorted(OURS | {"operator"}))
def test_a_container_has_its_own_login_and_no_other(name: str) -> None:
    assert SERVICES[name]["environment"]["HEDGESTAT_LOGINS"] == "/run/logins"
    looks = {"login-reader"} if name == "operator" else set()
    assert mounted(name, "/run/logins") == {f"login-{name}"} | looks
    assert f"login-{name}:/run/logins/{name}:ro" in SERVICES[name]["volumes"]
    assert mounted(name, "/run/certificates") == {"certificates"}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - MAKERS))
def test_the_key_of_the_authority_is_with_nobody(name: str) -> None:
    assert "authority" not in mounted(name, "/")


@pytest.mark.parametrize("name", ["mosquitto", "redis-orders", "redis-market"])
def test_a_server_has_what_is_its_own_alone(name: str) -> None:
    assert mounted(name, "/run") == {f"server-{name}"}


def test_makers_fill_every_volume_that_others_read_secrets_from() -> None:
    made = {volume for name in MAKERS for volume in mounted(name, "/")}
    read = {volume for name in set(SERVICES) - MAKERS for volume in mounted(name, "/run")}
    given = {"operators", "${HEDGESTAT_ALERTING"}  # by people
    assert read - given <= made


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_container_can_do_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service.get("cap_add", []) == (["CHOWN", "DAC_OVERRIDE"] if name in MAKERS else [])
    assert service.get("network_mode") == ("none" if name in MAKERS else None)


@pytest.mark.parametrize("name", sorted(set(SERVICES) - MAKERS - OURS - {"operator"}))
def test_no_server_is_root(name: str) -> None:
    assert re.fullmatch(r"[1-9]\d+:\d+", SERVICES[name]["user"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_takes_no_more_of_the_machine_than_it_may(name: str) -> None:
    service = SERVICES[name]
    assert service["pids_limit"] <= 256
    assert bytes_of(service["mem_limit"]) <= 4 << 30
    assert 0 < service["cpus"] <= 2


@pytest.mark.parametrize("name", ["redis-orders", "redis-market"])
def test_a_store_may_have_twice_what_it_is_told_to_keep_for_a_rewrite_forks(name: str) -> None:
    conf = (ROOT / f"deploy/{name}.conf").read_text()
    told = re.search(r"(?m)^maxmemory (\w+)b$", conf)
    assert told
    assert bytes_of(SERVICES[name]["mem_limit"]) >= 2 * bytes_of(told[1])


def bytes_of(text: str) -> int:
    """Of `512m` or `2g`."""
    return int(text[:-1]) << {"m": 20, "g": 30}[text[-1]]


def test_the_stores_are_reached_by_the_services_alone() -> None:
    assert COMPOSE["networks"]["stores"] == {"internal": True}
    reached = {name for name, each in SERVICES.items() if "stores" in each.get("networks", [])}
    assert reached == OURS | {"operator", "redis-orders", "redis-market"}
    for name in ("redis-orders", "redis-market"):
        assert SERVICES[name]["networks"] == ["stores"]
        assert "ports" not in SERVICES[name]


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
    "dashboard": "desk",
}
OPTIONAL = {"dashboard"}  # without it the page shows, and acts for nobody


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
        signs = (SIGNERS[name],) if name in SIGNERS.keys() - OPTIONAL else ()
        assert needed.signs == signs


def test_files_that_are_mounted_exist() -> None:
    mounts = (mount.split(":")[0] for s in SERVICES.values() for mount in s.get("volumes", []))
    assert all((ROOT / path).exists() for path in mounts if path.startswith("./"))


def test_volumes_that_are_used_are_declared_and_no_others() -> None:
    mounts = [mount.split(":")[0] for s in SERVICES.values() for mount in s.get("volumes", [])]
    named = {mount for mount in mounts if re.fullmatch(r"[a-z-]+", mount)}
    assert named | {"alerting"} == set(COMPOSE["volumes"])


def test_no_secret_stands_in_a_command_line_or_in_the_environment() -> None:
    words = [
        str(word)
        for service in SERVICES.values()
        for word in (
            *service.get("command", []),
            *service.get("entrypoint", []),
            *service.get("environment", {}).items(),
        )
    ]
    assert [word for word in words if re.search(r"(?i)passw|secret|token", word)] == [
        "/passwords.sh",
        "('GF_SECURITY_ADMIN_PASSWORD__FILE', '/run/logins/grafana/admin')",
    ]
