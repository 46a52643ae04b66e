"""The Grafana dashboards: as code writes them, on metrics that there are, and never in vain.

Each expression is put to a real Prometheus that scrapes every metric of every service, with the
labels and the values of labels that the code has: what shows nothing there would show nothing ever.
"""

import itertools
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from fakes.command import DEPLOY, hedgestat
from fakes.eventually import eventually_sync
from fakes.registry import Described, described, full_registry, names
from fakes.watchers import PrometheusServer, metrics_page
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.command.grafana.files import DASHBOARDS, text_of
from services.command.grafana.panels import COLUMNS, Dashboard, Panel
from services.hedger.metrics import TRIGGER_STATES
from shared.adapters.calendars import session_calendar
from shared.adapters.settings import load_settings
from shared.domain.exposure.attribution import PARTS
from shared.domain.exposure.book_report import IN_UNITS
from shared.domain.exposure.policy import FIGURES
from shared.domain.market.signals import SignalMonitor
from shared.domain.signals_observed import Quality

GRAFANA: Final = DEPLOY / "grafana"
ROOT: Final = DEPLOY.parent
REGISTRY: Final = full_registry()
PANELS: Final = [(each.name, panel) for each in DASHBOARDS for panel in each.panels]
EXPRESSIONS: Final = {
    f"{name}: {panel.title} {position}": query.expression
    for name, panel in PANELS
    for position, query in enumerate(panel.queries)
}
FOREIGN: Final = {"up", "scrape_duration_seconds", "scrape_samples_scraped"}
Json = Any


def filled(expression: str) -> str:
    """As Grafana sends it, with all books and all underlyings chosen."""
    return re.sub(r"\$(book|underlying)", ".*", expression).replace("$__rate_interval", "1m")


def signal_names() -> list[str]:
    """Of the demo's configuration."""
    settings = load_settings(DEPLOY / "demo.toml", {})
    wanted = settings.calendar
    calendar = session_calendar(wanted.name, date(2018, 1, 2), date(2018, 3, 1), wanted.overrides)
    return sorted(SignalMonitor(settings.signals, calendar).snapshot().readings)


IN_CURRENCY: Final = [each for each in FIGURES if each not in IN_UNITS]
VALUES: Final = {
    ("hedge_signal_value", "signal"): signal_names(),
    ("hedge_signal_quality", "quality"): [each.value for each in Quality],
    ("hedge_trigger_state", "state"): list(TRIGGER_STATES),
    ("hedge_exposure_positions", "state"): ["marked", "unmarked"],
    ("hedge_exposure_units", "figure"): sorted(IN_UNITS),
    ("hedge_exposure_dollars", "figure"): IN_CURRENCY,
    ("hedge_exposure_book_dollars", "figure"): [
        *(*IN_CURRENCY, "beta_delta", "vix_vega"),
        *("worst", "shortfall"),
    ],
    ("hedge_profit_dollars", "since"): ["session", "inception"],
    ("hedge_profit_dollars", "part"): [*PARTS, "total", "unexplained"],
}
"""Which values the code gives a label, where a dashboard asks for certain ones."""


def made_up(metrics: list[Described]) -> CollectorRegistry:
    """The same metrics with the same labels, and a value for each."""
    registry = CollectorRegistry()
    for metric in metrics:
        kinds: dict[str, Any] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}
        made = kinds[metric.kind](metric.name, "made up", metric.labels, registry=registry)
        values = [VALUES.get((metric.name, label), ["any"]) for label in metric.labels]
        for place in itertools.product(*values):
            child = made.labels(*place) if place else made
            match metric.kind:
                case "counter":
                    child.inc()
                case "gauge":
                    child.set(1.0)
                case _:
                    child.observe(0.01)
    return registry


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    directory = tmp_path_factory.mktemp("prometheus")
    with (
        metrics_page(made_up(described(REGISTRY))) as page,
        PrometheusServer(directory, {"hedger": page}) as server,
    ):
        eventually_sync(lambda: server.query("count_over_time(hedge_market_open[1m]) > 2") != [])
        yield server


@pytest.mark.server
@pytest.mark.parametrize("shown", EXPRESSIONS)
def test_an_expression_shows_something(prometheus: PrometheusServer, shown: str) -> None:
    assert prometheus.query(filled(EXPRESSIONS[shown])) != []


@pytest.mark.parametrize("shown", EXPRESSIONS)
def test_an_expression_names_metrics_that_there_are(shown: str) -> None:
    assert metrics_in(EXPRESSIONS[shown]) <= names(REGISTRY) | FOREIGN


def metrics_in(expression: str) -> set[str]:
    """Names of metrics; those of a histogram's parts without their ending."""
    named = re.findall(r"\b(?:hedge_[a-z_]+|up|scrape_[a-z_]+)\b", expression)
    return {re.sub(r"_seconds_(bucket|count|sum)$", "_seconds", each) for each in named}


def test_every_metric_stands_on_a_dashboard() -> None:
    shown = set().union(*map(metrics_in, EXPRESSIONS.values()))
    assert names(REGISTRY) - shown == set()


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)
def test_the_file_is_what_code_writes(dashboard: Dashboard) -> None:
    written = (GRAFANA / f"dashboards/{dashboard.name}.json").read_text()
    assert written == text_of(dashboard), "hedgestat grafana deploy/grafana/dashboards"


def test_the_command_writes_these_files_and_removes_what_is_none_any_more(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("{}")
    assert hedgestat("grafana", str(tmp_path), directory=tmp_path).returncode == 0
    for directory in (tmp_path, GRAFANA / "dashboards"):
        assert {path.stem for path in directory.glob("*")} == {each.name for each in DASHBOARDS}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)
def test_panels_lie_side_by_side_and_cover_nothing(dashboard: Dashboard) -> None:
    rendered = json.loads(text_of(dashboard))
    cells: set[tuple[int, int]] = set()
    for panel in rendered["panels"]:
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        covered = set(itertools.product(columns, range(place["y"], place["y"] + place["h"])))
        assert max(columns) < COLUMNS, panel["title"]
        assert not covered & cells, panel["title"]
        cells |= covered
    numbers = [panel["id"] for panel in rendered["panels"]]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=lambda each: getattr(each, "title", each))
def test_a_legend_names_labels_that_its_series_have(
    name: str,  # noqa: ARG001 - of the test
    panel: Panel,
) -> None:
    for query in panel.queries:
        named = set(re.findall(r"{{(\w+)}}", query.legend))
        kept = {
            label.strip()
            for labels in re.findall(r"\bby \(([^)]*)\)", query.expression)
            for label in labels.split(",")
        }
        kept |= {"service", "instance"} if query.expression.startswith("up") else set()
        assert named <= kept


def test_what_is_chosen_above_a_dashboard_is_a_label_of_that_metric() -> None:
    labels = {each.name: each.labels for each in described(REGISTRY)}
    for dashboard in DASHBOARDS:
        for variable in dashboard.variables:
            assert variable.name in labels[variable.metric]
            assert f"${variable.name}" in text_of(dashboard)


# --- how Grafana finds them -------------------------------------------------------------------


def test_dashboards_ask_the_source_that_is_provided_and_are_where_they_are_looked_for() -> None:
    compose: Json = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    (source,) = provided("datasources/prometheus.yml")["datasources"]
    assert source["url"] == f"http://prometheus:{compose['prometheus']['ports'][0].split(':')[-1]}"
    uids = {
        target["datasource"]["uid"]
        for dashboard in DASHBOARDS
        for panel in json.loads(text_of(dashboard))["panels"]
        for target in panel.get("targets", [])
    }
    assert uids == {source["uid"]}
    (provider,) = provided("dashboards/hedgestat.yml")["providers"]
    mounts = dict(mount.split(":")[:2] for mount in compose["grafana"]["volumes"])
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    home = compose["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (GRAFANA / "dashboards" / Path(home).name).exists()


def provided(path: str) -> Json:
    return yaml.safe_load((GRAFANA / "provisioning" / path).read_text())
