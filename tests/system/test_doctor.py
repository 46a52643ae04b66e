"""`hedgestat doctor` on a deployment that runs: under TLS, a login for each service, watched."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Self

import msgspec
import pytest
from fakes.command import DEPLOY, hedgestat
from fakes.eventually import eventually
from fakes.keys import write_keys
from fakes.live_gateway import CONFIGURATION
from fakes.programs import Program
from fakes.programs import hedgestat as program
from fakes.secured import SecuredServers
from fakes.servers import free_port
from fakes.watchers import AlertmanagerServer, PrometheusServer

from shared.adapters.clock import SystemClock
from shared.adapters.examination.clocks import is_synchronized
from shared.adapters.mqtt import MqttBus

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

SERVICES: Final = ("ingest", "signals", "hedger", "gateway", "auditor", "dashboard")
RULES: Final = tuple(sorted((DEPLOY / "prometheus/rules").glob("*.yml")))


class Deployment:
    """Servers, a program for each service, and who watches them; a context manager."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.servers = SecuredServers(directory / "servers")
        self.ports = {name: free_port() for name in (*SERVICES, "feed", "exposure")}
        told = ", ".join(f"{name} = {port}" for name, port in self.ports.items())
        self.configuration = directory / "hedgestat.toml"
        self.configuration.write_text(f"{CONFIGURATION}\n[http]\nports = {{ {told} }}\n")
        write_keys(directory / "keys")
        self.programs = {name: self._program(name) for name in SERVICES}
        self.alertmanager = AlertmanagerServer(directory / "alertmanager")
        targets = {name: f"127.0.0.1:{self.ports[name]}" for name in SERVICES}
        self.prometheus = PrometheusServer(
            directory / "prometheus",
            targets,
            rules=RULES,
            alertmanager=f"127.0.0.1:{self.alertmanager.port}",
        )

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.ports['dashboard']}"

    def doctor(self) -> tuple[int, list[str]]:
        """Its exit code, and what it found wrong but for the clock, which is this machine's own."""
        told = hedgestat(
            *("doctor", "--running", "-c", str(self.configuration), "--page", self.page),
            *("--prometheus", self.prometheus.url, "--alertmanager", self.alertmanager.url),
            directory=self.directory,
            variables=self.servers.environment("operator", "reader"),
        )
        assert "Traceback" not in told.stderr
        wrong = [line for line in told.stdout.splitlines() if line.startswith("FAIL")]
        clock = [line for line in wrong if line.startswith("FAIL clock:")]
        assert bool(clock) == (is_synchronized() is False)
        left = [line.removeprefix("FAIL ") for line in wrong if line not in clock]
        return told.returncode if left or not clock else 0, left

    def tick(self) -> bytes:
        """Levels of both symbols, now."""
        now_ns = SystemClock().now_ns()
        levels = {"VIX": 18.0, "SPX": 6600.0}
        return msgspec.json.encode(
            [{"symbol": name, "event_time": now_ns, "price": at} for name, at in levels.items()]
        )

    def _program(self, name: str) -> Program:
        words = ("run", name, "-c", str(self.configuration))
        environment = self.servers.environment(name)
        return program(*words, name=name, directory=self.directory, environment=environment)

    def __enter__(self) -> Self:
        self.servers.__enter__()
        for each in self.programs.values():
            each.start()
        self.alertmanager.start()
        self.prometheus.start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in self.programs.values():
            each.kill()
        self.prometheus.stop()
        self.alertmanager.stop()
        self.servers.__exit__()
        for name, each in self.programs.items():
            print(f"--- {name}, ended with {each.exits}\n{each.log[-3000:]}")  # noqa: T201


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(tmp_path) as running:
        yield running


@asynccontextmanager
async def fed(deployment: Deployment) -> AsyncIterator[None]:
    """Ten ticks a second for as long as the block."""

    async def feed() -> None:
        settings = deployment.servers.mqtt("feed")
        async with MqttBus(settings, client_id=settings.client_id("hedgestat-feed")) as bus:
            await bus.connected.wait()
            while True:
                await bus.publish("hedge/v1/ticks", deployment.tick())
                await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as tasks:
        feeding = tasks.create_task(feed())
        yield
        feeding.cancel()


def are_up(deployment: Deployment) -> bool:
    return len(deployment.prometheus.query("up == 1")) == len(SERVICES)


async def test_a_sound_deployment_has_no_fault_and_what_goes_missing_is_named(
    deployment: Deployment,
) -> None:
    async with fed(deployment):
        await eventually(lambda: are_up(deployment), within_s=60)
        await eventually(lambda: "leading" in deployment.programs["auditor"].log, within_s=60)
        code, wrong = 1, ["not asked yet"]
        for _ in range(3):  # the first page and the first snapshot take their time
            code, wrong = await asyncio.to_thread(deployment.doctor)
            if not wrong:
                break
        assert (code, wrong) == (0, [])

        deployment.programs["hedger"].kill()
        await eventually(lambda: not are_up(deployment), within_s=20)
        code, wrong = await asyncio.to_thread(deployment.doctor)
    assert code == 1
    told = "\n".join(wrong)
    assert "lease of hedger: nobody leads" in told
    assert "service hedger: offline" in told
    assert f"Prometheus {deployment.prometheus.url}: targets: down: hedger" in told
    assert not [line for line in wrong if "signals" in line.partition(":")[0]]


def test_without_the_logins_it_says_which_and_ends(tmp_path: Path) -> None:
    with SecuredServers(tmp_path / "servers") as servers:
        (tmp_path / "logins").mkdir()
        variables = servers.environment("operator") | {"HEDGESTAT_LOGINS": str(tmp_path / "logins")}
        write_keys(tmp_path / "keys")
        words = ("doctor", "-c", str(DEPLOY / "hedges.toml"))
        told = hedgestat(*words, directory=tmp_path, variables=variables)
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert "hedgestat logins make" in told.stdout
    assert f"{tmp_path}/logins/operator/redis" in told.stdout
