"""deploy/kubernetes: it builds, the API would take it, and no pod can do more than it must.

No cluster is asked: `kubectl kustomize` builds, and the schemas of the API come with a package.
"""

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import kubernetes_validate  # type: ignore[import-untyped] # it ships none
import pytest
import yaml
from fakes.kubernetes import Pod, may_speak, selects
from typer.testing import CliRunner

from services.__main__ import app
from services.command.up import KEYS
from shared.adapters.keyring import Keyring
from shared.adapters.settings import load_settings

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
COMPOSE: Final = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
PORTS: Final = load_settings(DEPLOY / "hedges.toml", {}).http.ports
STAGES: Final = {"ingest", "signals", "hedger", "exposure"}
SERVERS: Final = {"mosquitto", "redis-orders", "redis-market"}
OURS: Final = {*STAGES, "gateway", "auditor", "dashboard"}
Json = dict[str, Any]


def build() -> list[Json]:
    if shutil.which("kubectl") is None:  # Debian's own is too old to be installed for this
        pytest.skip("kubectl (1.21 or later) is not on the PATH", allow_module_level=True)
    built = subprocess.run(
        ["kubectl", "kustomize", DEPLOY], capture_output=True, text=True, check=False, timeout=60
    )
    assert built.returncode == 0, built.stderr
    assert not built.stderr
    return list(yaml.safe_load_all(built.stdout))


OBJECTS: Final = build()


def of_kind(*kinds: str) -> list[Json]:
    return [each for each in OBJECTS if each["kind"] in kinds]


def named(each: Json) -> str:
    return str(each["metadata"]["name"])


WORKLOADS: Final = {named(each): each for each in of_kind("StatefulSet", "Deployment")}
PODS: Final = {name: Pod.of(each) for name, each in WORKLOADS.items()}
SPECS: Final = {name: each["spec"]["template"]["spec"] for name, each in WORKLOADS.items()}
POLICIES: Final = [each["spec"] for each in of_kind("NetworkPolicy")]
CONTAINERS: Final = {
    f"{name}/{container['name']}": container
    for name, spec in SPECS.items()
    for container in spec["containers"]
}
ALL_CONTAINERS: Final = CONTAINERS | {
    f"{name}/{container['name']}": container
    for name, spec in SPECS.items()
    for container in spec.get("initContainers", [])
}


def service_of(container: str) -> str:
    """`auditor` of `gateway/auditor`, `hedger` of `hedger/hedgestat`."""
    return str(CONTAINERS[container]["args"][1])


OUR_CONTAINERS: Final = [name for name in CONTAINERS if "args" in CONTAINERS[name]]


@pytest.mark.parametrize("each", OBJECTS, ids=lambda each: f"{each['kind']} {named(each)}")
def test_the_api_would_take_an_object(each: Json) -> None:
    kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)
    assert each["kind"] == "Namespace" or each["metadata"]["namespace"] == "hedgestat"


def test_these_are_all_workloads() -> None:
    assert set(WORKLOADS) == {*OURS - {"auditor"}, *SERVERS}
    assert {service_of(each) for each in OUR_CONTAINERS} == OURS
    assert set(COMPOSE) >= OURS | SERVERS


@pytest.mark.parametrize("name", ALL_CONTAINERS)
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    assert ALL_CONTAINERS[name]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    resources = ALL_CONTAINERS[name]["resources"]
    assert resources["limits"].keys() == resources["requests"].keys() == {"cpu", "memory"}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_is_probed(name: str) -> None:
    probed = {probe for probe in CONTAINERS[name] if probe.endswith("Probe")}
    assert probed == {"startupProbe", "livenessProbe", "readinessProbe"}
    ports = {port["name"] for port in CONTAINERS[name]["ports"]}
    for probe in probed:
        asked = CONTAINERS[name][probe]
        where = asked.get("httpGet") or asked.get("tcpSocket")
        assert where is None or where["port"] in ports


@pytest.mark.parametrize("name", sorted(STAGES))
def test_a_stage_that_waits_is_ready_for_else_no_rollout_would_end(name: str) -> None:
    probe = CONTAINERS[f"{name}/hedgestat"]["readinessProbe"]
    assert probe["httpGet"]["path"] == "/healthz"
    assert WORKLOADS[name]["spec"]["replicas"] == 2
    assert WORKLOADS[name]["spec"]["podManagementPolicy"] == "Parallel"


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pod_is_somebody_by_number_and_has_no_token(name: str) -> None:
    spec = SPECS[name]
    context = spec["securityContext"]
    assert context["runAsNonRoot"]
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    user = COMPOSE[name].get("user", "10001:10001").partition(":")[0]
    assert context["runAsUser"] == context["fsGroup"] == int(user)
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert not [volume for volume in spec["volumes"] if "hostPath" in volume]


@pytest.mark.parametrize("name", ALL_CONTAINERS)
def test_an_image_is_named_with_its_version_and_as_compose_does(name: str) -> None:
    image = ALL_CONTAINERS[name]["image"]
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+[\w.-]*", image)
    workload = name.partition("/")[0]
    if workload in SERVERS:
        assert image == COMPOSE[workload]["image"]


@pytest.mark.parametrize("name", ["redis-orders", "redis-market"])
def test_a_store_may_have_twice_what_it_is_told_to_keep_for_a_rewrite_forks(name: str) -> None:
    told = re.search(r"(?m)^maxmemory (\d+)(m|g)b$", (DEPLOY / f"{name}.conf").read_text())
    assert told
    limit = CONTAINERS[f"{name}/redis"]["resources"]["limits"]["memory"]
    size = {"m": 1, "g": 1024}
    assert int(limit.removesuffix("Gi")) * 1024 >= 2 * int(told[1]) * size[told[2]]


@pytest.mark.parametrize("name", OUR_CONTAINERS)
def test_a_container_runs_its_service_where_the_configuration_says(name: str) -> None:
    container = CONTAINERS[name]
    taken = CliRunner().invoke(app, [*container["args"], "--help"])
    assert taken.exit_code == 0, taken.output
    assert container["ports"][0]["containerPort"] == PORTS[service_of(name)]
    assert container["envFrom"] == [{"configMapRef": {"name": generated("places")}}]


def generated(prefix: str) -> str:
    """The name of a generated config map, which ends in the digest of what it holds."""
    (name,) = (named(each) for each in of_kind("ConfigMap") if named(each).startswith(prefix))
    return name


def config_map(prefix: str) -> dict[str, str]:
    (found,) = (each["data"] for each in of_kind("ConfigMap") if named(each).startswith(prefix))
    return dict(found)


def test_broker_and_stores_are_taken_from_the_environment() -> None:
    settings = load_settings(DEPLOY / "hedges.toml", config_map("places"))
    assert settings.http.host == "0.0.0.0"  # noqa: S104 - in the container
    assert settings.mqtt.address == ("mosquitto", 8883)
    assert settings.redis.orders.url == "rediss://redis-orders:6379/0"
    assert settings.redis.market.url == "rediss://redis-market:6379/0"
    for each in (settings.mqtt, settings.redis.orders, settings.redis.market):
        assert each.ca_file == "/run/hedgestat/certificates/ca.pem"


@pytest.mark.parametrize("name", ["mosquitto", "redis-orders", "redis-market"])
def test_a_server_reads_the_configuration_that_compose_gives_it(name: str) -> None:
    (text,) = config_map(name).values()
    assert text == (DEPLOY / f"{name}.conf").read_text()
    (file,) = config_map(name)
    mounts = {each["mountPath"] for each in CONTAINERS[server_container(name)]["volumeMounts"]}
    *_, path = CONTAINERS[server_container(name)]["command"]
    assert Path(path).name == file
    assert str(Path(path).parent) in mounts


def server_container(name: str) -> str:
    return f"{name}/{name.partition('-')[0]}"


# --- names, networks, budgets -----------------------------------------------------------------


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_has_its_name_and_its_budget(name: str) -> None:
    workload = WORKLOADS[name]
    (service,) = (each["spec"] for each in of_kind("Service") if named(each) == name)
    assert [other for other, pod in PODS.items() if pod.has(service["selector"])] == [name]
    ports = {port["name"] for each in SPECS[name]["containers"] for port in each["ports"]}
    assert {port["targetPort"] for port in service["ports"]} == ports
    if workload["kind"] == "StatefulSet":
        assert workload["spec"]["serviceName"] == name
        assert service["clusterIP"] == "None"
    assert workload["spec"]["selector"]["matchLabels"].items() <= PODS[name].labels.items()
    (budget,) = (each["spec"] for each in of_kind("PodDisruptionBudget") if named(each) == name)
    assert [other for other, pod in PODS.items() if selects(budget["selector"], pod)] == [name]
    may_be_away = workload["spec"]["replicas"] == 2 or name == "dashboard"
    assert budget["maxUnavailable"] == int(may_be_away)


def test_there_is_one_gateway_with_the_auditor_beside_it() -> None:
    assert WORKLOADS["gateway"]["spec"]["replicas"] == 1
    for name in ("gateway/hedgestat", "gateway/auditor"):
        mounts = {each["name"]: each["mountPath"] for each in CONTAINERS[name]["volumeMounts"]}
        assert mounts["record"] == "/var/lib/hedgestat"
    (claim,) = WORKLOADS["gateway"]["spec"]["volumeClaimTemplates"]
    assert named(claim) == "record"


def everybody_else() -> Iterator[Pod]:
    yield Pod({"app": "stranger"}, {"kubernetes.io/metadata.name": "default"})
    yield Pod({"app": "stranger"}, {"kubernetes.io/metadata.name": "hedgestat"})


@pytest.mark.parametrize("target", sorted(WORKLOADS))
def test_who_may_speak_to_whom(target: str) -> None:
    ports = {port["name"]: port["containerPort"] for port in PODS[target].ports}
    for name, number in ports.items():
        callers = {
            other
            for other, pod in PODS.items()
            if may_speak(POLICIES, pod, PODS[target], (name, number))
        }
        assert callers == (OURS - {"auditor"} if target in SERVERS else set())
        for stranger in everybody_else():
            assert not may_speak(POLICIES, stranger, PODS[target], (name, number))


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_metrics_are_read_by_prometheus_and_ticks_come_from_feeds_that_are_let_in(
    name: str,
) -> None:
    prometheus = Pod({"app": "prometheus"}, {"kubernetes.io/metadata.name": "monitoring"})
    feed = Pod({"app": "feed"}, {"hedgestat.io/feeds": "true"})
    for port in PODS[name].ports:
        asked = (port["name"], port["containerPort"])
        is_ours = name not in SERVERS
        assert may_speak(POLICIES, prometheus, PODS[name], asked) == is_ours
        assert may_speak(POLICIES, feed, PODS[name], asked) == (name == "mosquitto")


def test_names_are_looked_up_and_nothing_else_leaves() -> None:
    names = Pod({"k8s-app": "kube-dns"}, {"kubernetes.io/metadata.name": "kube-system"})
    web = Pod({}, {"kubernetes.io/metadata.name": "elsewhere"})
    for pod in PODS.values():
        assert may_speak(POLICIES, pod, names, ("", 53), protocol="UDP")
        assert not may_speak(POLICIES, pod, web, ("", 443))


# --- secrets ----------------------------------------------------------------------------------


def referred() -> dict[str, set[str]]:
    """Names of the secrets and config maps that pods mount, by kind."""
    volumes = [volume for spec in SPECS.values() for volume in spec["volumes"]]
    return {
        "Secret": {each["secret"]["secretName"] for each in volumes if "secret" in each},
        "ConfigMap": {each["configMap"]["name"] for each in volumes if "configMap" in each},
    }


def given_to(name: str) -> dict[str, str]:
    """Secrets that a container of ours is given, by where they lie."""
    workload, _, container = name.partition("/")
    suffix = "" if container == "hedgestat" else f"-{container}"
    (laid,) = (
        each for each in SPECS[workload]["initContainers"] if each["name"] == f"secrets{suffix}"
    )
    secrets = {
        each["name"]: each["secret"]["secretName"]
        for each in SPECS[workload]["volumes"]
        if "secret" in each
    }
    return {
        each["mountPath"]: secrets[each["name"]]
        for each in laid["volumeMounts"]
        if each["name"] in secrets
    }


@pytest.mark.parametrize("name", OUR_CONTAINERS)
def test_a_container_has_its_own_login_and_the_key_it_signs_with_and_no_other(name: str) -> None:
    service = service_of(name)
    wanted = {f"/given/logins/{service}": f"login-{service}"}
    signs = KEYS[service].signs if service in KEYS else ()
    if service == "dashboard":
        signs = ("desk",)
        wanted["/given/operators"] = "operators"
    for role in signs:
        wanted["/given/keys/private"] = f"keys-{role}"
    assert given_to(name) == wanted


def test_a_server_has_what_is_its_own_alone() -> None:
    for name in SERVERS:
        secrets = [each["secret"] for each in SPECS[name]["volumes"] if "secret" in each]
        assert [each["secretName"] for each in secrets] == [f"server-{name}"]
        assert secrets[0]["defaultMode"] == 0o440


def test_no_secret_stands_in_the_repository() -> None:
    assert not of_kind("Secret")


def test_what_a_pod_was_given_is_laid_where_a_service_takes_it(tmp_path: Path) -> None:
    given, own = tmp_path / "given", tmp_path / "own"
    made = tmp_path / "made"
    subprocess.run([HEDGESTAT, "keys", "new", "-d", made], check=True, capture_output=True)
    as_mounted(given / "keys/trusted", {p.name: p.read_text() for p in made.glob("trusted/*.pem")})
    monitor = (made / "private/monitor.pem").read_text()
    as_mounted(given / "keys/private", {"monitor.pem": monitor})
    as_mounted(given / "logins/hedger", {"mqtt": "one\n", "redis": "two\n"})
    subprocess.run(["/bin/sh", DEPLOY / "kubernetes/lay-secrets", given, own], check=True)
    assert Keyring.load(own / "keys", "paper").can_sign("monitor")
    files = sorted(path for path in own.rglob("*") if path.is_file())
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    logins = [str(path.relative_to(own)) for path in files if "logins" in path.parts]
    assert logins == ["logins/hedger/mqtt", "logins/hedger/redis"]
    assert (own / "logins/hedger/redis").read_text() == "two\n"


HEDGESTAT: Final = Path(sys.executable).with_name("hedgestat")


def as_mounted(directory: Path, files: dict[str, str]) -> None:
    """A secret as the kubelet lays it: links into `..data`, a folder that looks open to all."""
    version = directory / "..2026_11_20_15_00_00.1"
    version.mkdir(parents=True)
    (directory / "..data").symlink_to(version.name)
    for name, text in files.items():
        (version / name).write_text(text)
        (version / name).chmod(0o440)
        (directory / name).symlink_to(f"..data/{name}")
    directory.chmod(0o1777)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Json]]:
    """A folder of secrets, and the objects that the script prints of it."""
    directory = tmp_path_factory.mktemp("secrets")
    environment = os.environ | {"PATH": f"{HEDGESTAT.parent}:{os.environ['PATH']}"}
    ran = [
        subprocess.run(
            ["/bin/sh", DEPLOY / "kubernetes/secrets", directory],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        for _ in range(2)
    ]
    assert all(each.returncode == 0 for each in ran), ran[0].stderr
    first, second = ([each for each in yaml.safe_load_all(run.stdout) if each] for run in ran)
    for each, again in zip(first, second, strict=True):  # digests have a new salt each time
        assert each == again or named(each) == "server-mosquitto"
    return directory, second


def test_every_object_that_pods_refer_to_is_made_or_left_to_people(
    printed: tuple[Path, list[Json]],
) -> None:
    made = [*printed[1], *of_kind("ConfigMap")]
    for each in printed[1]:
        del each["metadata"]["creationTimestamp"]
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)
        assert each["metadata"]["namespace"] == "hedgestat"
    for kind, names in referred().items():
        assert names - {named(each) for each in made if each["kind"] == kind} <= {"operators"}


def test_the_operators_key_and_that_of_the_authority_stay_where_they_were_made(
    printed: tuple[Path, list[Json]],
) -> None:
    directory, objects = printed
    names = {named(each) for each in objects}
    assert not names & {"keys-operator", "login-operator", "login-feed", "authority"}
    assert list((directory / "authority").iterdir())
    assert all("ca.key" not in each["data"] for each in objects)
