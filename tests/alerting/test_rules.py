"""Prometheus's rules: every alert fires when it should, in its words, and else is quiet."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.alert_cases import CASES, Case, Series

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
RULES_OF: dict[str, dict[str, dict[str, Any]]] = {
    path.name: {
        rule["alert"]: rule
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    }
    for path in FILES
}
RULES = {name: rule for rules in RULES_OF.values() for name, rule in rules.items()}
SEVERITIES = {"info", "warning", "critical"}
ALWAYS = "HedgeWatchdog"

pytestmark = pytest.mark.server


def promtool(*words: object) -> None:
    done = subprocess.run(
        ["promtool", *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def expected(name: str, case: Case) -> list[dict[str, Any]]:
    rule = RULES[name]
    annotations = {**rule["annotations"], "description": case.says}
    return [{"exp_labels": rule["labels"] | case.labels, "exp_annotations": annotations}]


def a_test(name: str, series: Series, at: str, alerts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "interval": "5s",
        "input_series": [{"series": key, "values": values} for key, values in series.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": name, "exp_alerts": alerts}],
    }


def run_tests(path: Path, tests: list[dict[str, Any]], directory: Path) -> None:
    """All of a file in one run: a start of promtool takes half a second."""
    document = {
        "rule_files": [str(path)],
        "evaluation_interval": "5s",
        "tests": tests,
    }
    written = directory / "test.yml"
    written.write_text(yaml.safe_dump(document, allow_unicode=True))
    promtool("test", "rules", written)


def test_promtool_takes_every_file() -> None:
    promtool("check", "rules", "--lint-fatal", *FILES)


def test_every_alert_has_its_cases_and_no_case_is_of_no_alert() -> None:
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("path", FILES, ids=list(RULES_OF))
def test_every_alert_fires_with_its_figures_in_its_words(path: Path, tmp_path: Path) -> None:
    cases = {name: CASES[name] for name in RULES_OF[path.name]}
    tests = [
        a_test(name, case.fires, case.at, expected(name, case)) for name, case in cases.items()
    ]
    run_tests(path, tests, tmp_path)


@pytest.mark.parametrize("path", FILES, ids=list(RULES_OF))
def test_every_alert_is_quiet_while_there_is_nothing_to_tell(path: Path, tmp_path: Path) -> None:
    cases = {name: CASES[name] for name in RULES_OF[path.name] if name != ALWAYS}
    tests = [a_test(name, case.calm, case.at, []) for name, case in cases.items()]
    run_tests(path, tests, tmp_path)


@pytest.mark.parametrize("name", RULES)
def test_an_alert_says_how_bad_it_is_and_where_to_read_on(name: str) -> None:
    rule = RULES[name]
    assert rule["labels"]["severity"] in (SEVERITIES if name != ALWAYS else {"none"})
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert (ROOT / rule["annotations"]["runbook_url"]).is_file()
