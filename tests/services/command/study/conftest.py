"""A small study over the packaged history, made once for all tests that read it."""

from pathlib import Path

import pytest
from msgspec import structs

from shared.adapters.study.plan import StudyPlan, load_plan

DEPLOY = Path(__file__).parents[4] / "deploy"
PLAN = f"""
title = "Half a year"
configuration = "{DEPLOY / "demo.toml"}"
from = 2015-06-01
to = 2015-12-31

[walk_forward]
train_sessions = 60
test_sessions = 30

[[variants]]
name = "static"
benchmark = "static"

[[variants]]
name = "option_a"
set = {{ "book.rule" = "option_a" }}

[[variants]]
name = "median"
note = "Other signals: a pass of the market of its own."
set = {{ "signals.smoothing" = {{ method = "sma", sessions = 3 }} }}

[[sweep]]
key = "book.triggers.vix_points"
values = [2.0, 4.0]

[[sweep]]
key = "book.sizing.cap"
values = [1.0, 2.0]
"""


@pytest.fixture(scope="session")
def plan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "study.toml"
    path.write_text(PLAN)
    return path


@pytest.fixture
def plan(plan_file: Path, tmp_path: Path) -> StudyPlan:
    """Results go to the test's own folder."""
    return structs.replace(load_plan(plan_file), results=tmp_path / "results")
