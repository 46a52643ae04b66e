"""Faults, and who is told how soon: on MQTT, and through Prometheus and Alertmanager.

Real servers, a process a service. `python -m pytest -s` prints the times that were seen.
"""

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.alerting_servers import DeployedAlertmanager, RulingPrometheus, Told, Webhook
from fakes.eventually import eventually_sync
from fakes.live_monitor import LiveMonitor
from fakes.programs import COMMAND
from msgspec import Struct

from shared.wire import codec
from shared.wire.messages import AlertMessage

pytestmark = [pytest.mark.system, pytest.mark.campaign, pytest.mark.timeout(240)]

SERVICES = ("ingest", "signals", "hedger", "gateway", "auditor")
BY_MQTT_S = 5.0
BY_PROMETHEUS_S = 30.0


class Ear:
    """Hears the monitor's own alerts, with the time each came; a context manager."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[float, AlertMessage]] = []
        self._process = subprocess.Popen(
            ["mosquitto_sub", "-p", str(port), "-t", "hedge/v1/alerts/#"], stdout=subprocess.PIPE
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def first(self, what: str, since_s: float) -> float | None:
        """When an alert first came after an instant; `None`: not yet."""
        times = (at_s for at_s, each in self.heard if each.what == what and at_s >= since_s)
        return next(times, None)

    def close(self) -> None:
        """End."""
        self._process.kill()
        self._thread.join()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.heard.append((time.perf_counter(), codec.decode(AlertMessage, line.strip())))


class Site(Struct):
    """Everything, and the times that were seen."""

    monitor: LiveMonitor
    webhook: Webhook
    ear: Ear
    seen: list[str]

    def told(self, fault: str, what: str, since_s: float, within_s: float = BY_MQTT_S) -> None:
        """See that the monitor tells a fault in time."""
        eventually_sync(lambda: self.ear.first(what, since_s) is not None, within_s=30)
        at_s = self.ear.first(what, since_s)
        assert at_s is not None
        self._note(fault, f"{what} on MQTT", at_s - since_s)
        assert at_s - since_s <= within_s

    def paged(self, fault: str, alert: str, since_s: float) -> None:
        """See that Alertmanager tells it in time."""
        eventually_sync(lambda: any(self._since(alert, since_s)), within_s=90)
        first = next(self._since(alert, since_s))
        self._note(fault, f"{alert} by {first.path}", first.at_s - since_s)
        assert first.at_s - since_s <= BY_PROMETHEUS_S
        assert first.annotations["runbook_url"].startswith("deploy/runbooks/")

    def _since(self, alert: str, since_s: float) -> Iterator[Told]:
        return (each for each in self.webhook.firing(alert) if each.at_s >= since_s)

    def _note(self, fault: str, alert: str, seconds: float) -> None:
        self.seen.append(f"{fault}: {alert} after {seconds:.1f} s")
        print(self.seen[-1])  # noqa: T201 - this is what it is for


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Webhook() as webhook, LiveMonitor(tmp_path, SERVICES) as monitor:
        manager = DeployedAlertmanager(tmp_path / "alertmanager", webhook.address)
        targets = {name: monitor.ports[name] for name in SERVICES}
        ear = Ear(monitor.mosquitto.port)
        try:
            with manager, RulingPrometheus(tmp_path / "prometheus", targets, manager):
                site = Site(monitor, webhook, ear, [])
                eventually_sync(lambda: ear.first("monitor_alive", 0) is not None, within_s=40)
                eventually_sync(lambda: bool(webhook.firing("HedgeWatchdog")), within_s=30)
                yield site
        finally:
            ear.close()


def test_whoever_must_know_is_told_in_time(site: Site) -> None:
    for fault in (halted, hedger_killed, feed_stopped, store_frozen):
        fault(site)


def halted(site: Site) -> None:
    began_s = time.perf_counter()
    command(site, "halt")
    started_s = time.perf_counter() - began_s  # the command, on a busy machine
    site.told("halt", "trading_halted", began_s, within_s=started_s + BY_MQTT_S)
    site.paged("halt", "HedgeTradingHalted", began_s)
    command(site, "resume")
    eventually_sync(lambda: site.ear.first("trading_resumed", began_s) is not None)


def hedger_killed(site: Site) -> None:
    began_s = time.perf_counter()
    site.monitor.programs["hedger"].send(signal.SIGKILL)
    site.told("kill -9 hedger", "hedger_silent", began_s)
    site.told("kill -9 hedger", "service_silent", began_s)
    site.told("kill -9 hedger", "nobody_leads", began_s)
    site.paged("kill -9 hedger", "HedgeServiceDown", began_s)
    site.paged("kill -9 hedger", "HedgeHedgerSilent", began_s)
    site.monitor.programs["hedger"].ended()
    site.monitor.programs["hedger"].start()
    eventually_sync(lambda: site.ear.first("leader_found", began_s) is not None, within_s=60)
    once = [each for _, each in site.ear.heard if each.what == "nobody_leads"]
    assert len(once) == 1


def feed_stopped(site: Site) -> None:
    assert site.monitor.feed is not None
    site.monitor.feed.stop()
    began_s = time.perf_counter()
    site.told("feed stopped", "feed_silent", began_s)
    site.told("feed stopped", "signal_lost", began_s, within_s=4.0 + BY_MQTT_S)  # stale after 4 s
    site.paged("feed stopped", "HedgeVixStale", began_s)
    site.monitor.feed.resume()
    eventually_sync(lambda: site.ear.first("feed_recovered", began_s) is not None, within_s=30)


def store_frozen(site: Site) -> None:
    site.monitor.redis.freeze()
    began_s = time.perf_counter()
    site.told("store frozen", "store_unreachable", began_s)
    site.paged("store frozen", "HedgeNobodyLeads", began_s)
    site.monitor.redis.thaw()
    eventually_sync(lambda: site.ear.first("store_reachable", began_s) is not None, within_s=30)


def command(site: Site, verb: str) -> None:
    words = [COMMAND, verb, "--reason", "drill"]
    environment = site.monitor.environment
    done = subprocess.run(
        words, env=environment, cwd=site.monitor.directory, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
