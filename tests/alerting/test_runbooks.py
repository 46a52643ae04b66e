"""Every command of every runbook is run, against a monitor that hedges."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.alerting_servers import DeployedAlertmanager, RulingPrometheus, Webhook
from fakes.live_monitor import BOOK, LiveMonitor
from fakes.programs import COMMAND

from shared.domain.hedging.alerts import ALERTS, alert, runbook_of

RUNBOOKS = Path(__file__).parents[2] / "deploy" / "runbooks"
NAMES = sorted(path.stem for path in RUNBOOKS.glob("*.md") if path.stem != "README")
ORDER_ID = f"{BOOK}-00000001-varswap_3m"
POSITION = 'symbol = "SPXW270319P05000000"\nquantity = 40.0\n'
_MORE_TRIES = 2
"""On a machine that is busy with other things a command may lose patience with the broker."""
HEADINGS = ("First checks", "Remedy", "It is over when")


def text_of(name: str) -> str:
    return (RUNBOOKS / f"{name}.md").read_text()


def commands_of(name: str) -> list[str]:
    blocks: list[str] = re.findall(r"```(?:sh|console)\n(.*?)```", text_of(name), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_says_what_it_means_what_it_costs_what_to_do_and_when_it_is_over(
    name: str,
) -> None:
    text = text_of(name)
    assert text.startswith("# ")
    assert "**What it means.** " in text
    assert "**What it costs.** " in text
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == list(HEADINGS)
    assert commands_of(name)
    assert len(text.splitlines()) <= 60


def test_every_alert_of_the_monitor_is_named_in_its_runbook() -> None:
    for what in ALERTS:
        assert f"`{what}`" in text_of(runbook_of(what)), what


def test_the_table_of_all_alerts_names_every_one_with_how_bad_it_is() -> None:
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in (RUNBOOKS / "README.md").read_text().splitlines()
        if line.startswith("| [")
    ]
    assert [row[0] for row in rows] == [f"[{name}]({name}.md)" for name in NAMES]
    told = {
        (name, row[0].partition("]")[0][1:], severity)
        for row in rows
        for severity, cell in zip(("critical", "warning", "info"), row[2:], strict=True)
        for name in re.findall(r"`(\w+)`", cell)
    }
    own = {(what, runbook_of(what), severity_of(what)) for what in ALERTS}
    assert told == own | {rule_of(rule) for rule in rules()}


def rules() -> list[dict[str, Any]]:
    files = (RUNBOOKS.parent / "prometheus/rules").glob("*.yml")
    groups = [group for path in files for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def rule_of(rule: dict[str, Any]) -> tuple[str, str, str]:
    severity = rule["labels"]["severity"].replace("none", "info")
    return rule["alert"], Path(rule["annotations"]["runbook_url"]).stem, severity


def severity_of(what: str) -> str:
    return alert("all", 1, what, "").severity


class Shell:
    """Runs commands as an operator would, each distinct one once."""

    def __init__(self, monitor: LiveMonitor, environment: dict[str, str]) -> None:
        self._monitor = monitor
        self._environment = environment
        self.ran: set[str] = set()

    def run(self, line: str, name: str) -> None:
        filled = line.replace("BOOK", BOOK).replace("ORDER_ID", ORDER_ID)
        filled = filled.replace("FILE", str(self._monitor.directory / "journal.parquet"))
        known = filled.replace(f"'{name}'", "''")  # the reason alone differs
        if known in self.ran:
            return
        self.ran.add(known)
        done = self._try(filled)
        for _ in range(_MORE_TRIES):
            done = done if done.returncode == 0 else self._try(filled)
        assert done.returncode == 0, f"{name}: {filled}\n{done.stdout}{done.stderr}"
        assert done.stdout.strip() or known in SILENT, f"{name}: {filled} says nothing"

    def _try(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=self._monitor.directory,
            env=os.environ | self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


SILENT = {
    "redis-cli -u $ORDERS GET 'hedge:v1:{hedger}:halt'",
    *(
        f"curl -s $OPERATIONS/metrics | sed -n '/^hedge_{each}/p'"
        for each in (
            *("rejects_total", "orders_withheld_total", "retention_failures_total"),
            *("audit_mismatches_total", "audit_sweeps_total", "model_error_expiries"),
        )
    ),
}
"""What has nothing to say while all is well, or is asked of another process than `up`'s."""


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    directory = tmp_path_factory.mktemp("monitor")
    position = f"[[books.positions]]\n{POSITION}\n[books.orders]\n"
    with Webhook() as webhook, LiveMonitor(directory, ["up"], {"[books.orders]\n": position}) as up:
        manager = DeployedAlertmanager(directory / "alertmanager", webhook.address)
        prometheus = RulingPrometheus(directory / "prometheus", {"up": up.ports["up"]}, manager)
        with manager, prometheus:
            environment = up.environment | {
                "PATH": f"{Path(COMMAND).parent}:{os.environ['PATH']}",
                "HEDGESTAT_OPERATORS_FILE": str(directory / "operators"),
                "OPERATIONS": up.url("up"),
                "BROKER": up.mosquitto.url,
                "ORDERS": up.redis.url,
                "MARKET": up.redis.url,
                "PROMETHEUS": prometheus.url,
                "ALERTMANAGER": manager.url,
            }
            shell = Shell(up, environment)
            up.restart("up")  # the head of the decision log is told now, and not in a minute
            shell.run("echo a-long-enough-password | hedgestat operators add ann", "logins")
            yield shell


@pytest.mark.system
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", NAMES)
def test_every_command_of_a_runbook_does_what_it_should(shell: Shell, name: str) -> None:
    for line in commands_of(name):
        shell.run(line, name)
