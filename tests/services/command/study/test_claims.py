"""`hedgestat study claims` as a person runs it, over half a year of packaged history."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs
from rich.console import Console
from typer.testing import CliRunner

from services.command.endings import Failed, Refused
from services.command.groups.study import app
from services.command.study.claims.closes import closes_of
from services.command.study.claims.command import ClaimsDocument, keep
from services.command.study.claims.table import claimed, figure, print_claims
from services.command.study.claims.variants import (
    CONDITIONAL,
    VIX_SCALED,
    examples,
    of_the_papers,
)
from services.command.study.material import read_material
from shared.adapters.study.plan import StudyPlan, load_plan
from shared.domain.study.claims.claim import Claim, Judged, Verdict, untold

DEPLOY = Path(__file__).parents[4] / "deploy"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("claims")


@pytest.fixture(scope="module")
def output(plan_file: Path, results: Path) -> str:
    command = ["claims", str(plan_file), "-o", str(results), "-j", "1", "--zero-cost"]
    done = CliRunner().invoke(app, [*command, "--json", str(results / "mine" / "claims.json")])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def document(output: str, results: Path) -> dict[str, Any]:
    assert output
    found: dict[str, Any] = json.loads((results / "claims.json").read_text())
    return found


def rows(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["claim"]["key"]: each for found in document["sections"].values() for each in found}


# --- what is said ---------------------------------------------------------------------------------


def test_it_says_on_which_history(output: str, document: dict[str, Any]) -> None:
    said = "Measured on 2015-06-01 to 2015-12-31: 150 sessions, 150 with a close of VIX."
    assert said in output
    assert (document["first"], document["last"]) == ("2015-06-01", "2015-12-31")


def test_every_claim_is_a_row(output: str, document: dict[str, Any]) -> None:
    found = rows(document)
    keys = ("vix_below_15", "p_low_high", "vix_autocorrelation", "cheaper.option_a", "her.median")
    for key in (*keys, "sharpe_unhedged", "sharpe_static", "worked.buy", "worked.maker_cost"):
        row = found[key]
        assert row["verdict"] in set(Verdict)
        assert row["claim"]["where"]
        assert row["sentence"] or not row["interval"]
    counted = sum(len(each) for each in document["sections"].values())
    assert f"{counted} claims: " in output


def test_it_is_readable_at_a_hundred_columns(output: str) -> None:
    assert max(map(len, output.splitlines())) <= 100
    assert "…" not in output


def test_zero_cost_stands_at_every_table(output: str, document: dict[str, Any]) -> None:
    assert output.count("ZERO COST") == len(document["sections"]) + 1  # one has two tables
    assert document["zero_cost"] is True
    assert rows(document)["cheaper.option_a"]["labels"] == ["zero cost"]


def test_it_is_written_where_it_is_asked_for_too(output: str, results: Path) -> None:
    assert output
    mine = (results / "mine" / "claims.json").read_bytes()
    assert mine == (results / "claims.json").read_bytes()


def test_the_examples_are_run_apart_and_not_counted_as_tries(output: str, results: Path) -> None:
    assert output
    assert (results / "examples" / f"{VIX_SCALED}.daily.parquet").is_file()
    assert (results / "examples" / f"{CONDITIONAL}.daily.parquet").is_file()
    noted = json.loads((results / "study.json").read_text())
    assert noted["variants_tried"] == 3


def test_a_figure_is_the_one_of_the_closes(document: dict[str, Any], plan: StudyPlan) -> None:
    material = read_material(plan, plan.variants[0].settings)
    closes = closes_of(material, "VIX", "SPX")
    assert rows(document)["vix_below_15"]["value"] == pytest.approx(np.mean(closes.vix < 15))
    assert closes.day[closes.vix == 40.74] == [np.datetime64("2015-08-24")]
    assert closes.index[closes.day == np.datetime64("2015-08-24")] == pytest.approx(1893.21)


def test_a_session_without_a_close_is_not_filled(plan: StudyPlan) -> None:
    material = read_material(plan, plan.variants[0].settings)
    steps = tuple(
        structs.replace(step, ticks=tuple(t for t in step.ticks if t.symbol != "VIX"))
        if number < 4
        else step
        for number, step in enumerate(material.steps)
    )
    closes = closes_of(structs.replace(material, steps=steps), "VIX", "SPX")
    assert np.isnan(closes.vix).tolist()[:3] == [True, True, False]
    assert not np.isnan(closes.index).any()


# --- which hedges ---------------------------------------------------------------------------------


def test_the_static_hedge_and_programmes_are_no_rules_of_the_papers() -> None:
    names = [variant.name for variant in of_the_papers(load_plan(DEPLOY / "study.toml"))]
    assert {"linear", "option_a", "conditional", "sigmoid", "realized_vol"} <= set(names)
    assert not {"static", "none", "pput_like", "vxth", "tail_budget"} & set(names)


def test_a_conditional_rule_of_one_level_is_static(plan: StudyPlan) -> None:
    level = {"kind": "conditional", "low": 1.0, "middle": 1.0, "high": 1.0}
    always = plan.variant("always", {"book.rules": [level]})
    assert of_the_papers(structs.replace(plan, variants=(always,))) == []


def test_the_examples_have_the_papers_sizes(plan: StudyPlan) -> None:
    found = examples(plan)
    scaled, conditional = found[VIX_SCALED], found[CONDITIONAL]
    assert [leg.max_vega for leg in scaled.book.legs] == [10_000.0]
    assert scaled.book.rules[0].parameters["a"] == 12
    assert (scaled.book.sizing.base_vega, scaled.book.sizing.floor) == (1000.0, 0.0)
    assert scaled.settings.signals.portfolios[0].value == 50e6
    assert conditional.book.sizing.base_vega == 2000.0
    assert conditional.settings.signals.portfolios[0].value == 20e6


@pytest.mark.parametrize("legs", [[], [{"name": "swap"}]])
def test_a_book_that_cannot_be_patched_is_refused(plan: StudyPlan, legs: list[Any]) -> None:
    document = {**plan.document, "books": [{**plan.document["books"][0], "legs": legs}]}
    with pytest.raises(Refused):
        examples(structs.replace(plan, document=document))


# --- the table ------------------------------------------------------------------------------------

CLAIM = Claim(key="a", where="Paper, Why [1]", text="[b]old", low=0.4, high=0.6, unit="share")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.4271, "share", "42.7%"),
        (-0.0001, "share", "0.0%"),
        (0.0156, "ratio", "0.016"),
        (1_322_527.2, "money", "1,322,527"),
        (6000.0, "vega", "6,000"),
        (40.74, "points", "40.74"),
        (37.8, "count", "38"),
    ],
)
def test_figures_are_written_in_their_unit(value: float, unit: Any, text: str) -> None:  # noqa: ANN401 - a Unit
    assert figure(value, unit) == text


def test_a_range_is_written_as_one() -> None:
    assert claimed(untold(CLAIM, "")) == "40.0% to 60.0%"
    assert claimed(untold(structs.replace(CLAIM, high=0.4), "")) == "40.0%"


def printed(*judged: Judged) -> str:
    found = ClaimsDocument(
        first=date(2018, 1, 2),
        last=date(2018, 1, 3),
        sessions=2,
        closes=1,
        zero_cost=False,
        data_digest="",
        notes=("model-priced: a [stated] surface",),
        sections={"Section": list(judged)},
    )
    console = Console(width=100, force_terminal=True, color_system=None)
    with console.capture() as capture:
        print_claims(found, console)
    return capture.get()


def test_what_cannot_be_told_says_why_and_what_is_priced_says_so() -> None:
    text = printed(structs.replace(untold(CLAIM, "no [data]"), labels=("model-priced",)))
    assert "Cannot be told: no [data]." in text
    assert "[b]old (Paper, Why [1])" in text
    assert "model-priced  " in text
    assert text.splitlines()[-1] == "model-priced: a [stated] surface"
    assert "1 claim: 0 holds, 0 does not hold, 1 cannot be told." in text
    assert "ZERO" not in text


def test_rules_stand_under_one_another() -> None:
    each = [
        structs.replace(
            untold(structs.replace(CLAIM, key=f"a.{name}"), "no data"),
            variant=name,
            labels=("model-priced",) if name == "puts" else (),
        )
        for name in ("linear", "puts")
    ]
    lines = printed(*each).splitlines()
    assert any(line.startswith("│ linear") for line in lines)
    assert any(line.startswith("│ model-priced") for line in lines)


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    document = ClaimsDocument(
        first=None,
        last=None,
        sessions=0,
        closes=0,
        zero_cost=False,
        data_digest="",
        sections={},
    )
    with pytest.raises(Failed, match="file"):
        keep(document, tmp_path / "file" / "claims.json")
