"""What rules and runbooks look at is exported by a service, under that very name."""

import re
from pathlib import Path

import pytest
import yaml
from fakes.registry import full_registry, names

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
RUNBOOKS = sorted((ROOT / "deploy/runbooks").glob("*.md"))
NAME = re.compile(r"\bhedge_[a-z_.*]+")


@pytest.fixture(scope="module")
def exported() -> set[str]:
    return set(names(full_registry()))


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_every_metric_of_a_rule_is_exported(path: Path, exported: set[str]) -> None:
    for group in yaml.safe_load(path.read_text())["groups"]:
        for rule in group["rules"]:
            texts = [rule["expr"], *rule["annotations"].values()]
            names = {name for text in texts for name in NAME.findall(text)}
            assert names <= exported, rule["alert"]
            assert names or "up{" in rule["expr"] or rule["expr"] == "vector(1)"


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_every_metric_of_a_runbook_is_exported(path: Path, exported: set[str]) -> None:
    for pattern in NAME.findall(path.read_text()):
        assert any(re.match(pattern, name) for name in exported), pattern
