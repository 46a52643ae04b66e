"""The report as a text: whole, self-contained, every figure the statistics', nothing executable."""

import re

import numpy as np
import pytest
from fakes.read_page import Page
from msgspec import structs
from page.hostile import HOSTILE

from services.command.study.doubts import split_of
from services.command.study.figures import rows_of
from services.command.study.report.contents import Contents
from services.command.study.report.document import PARTS, document
from services.command.study.report.wording import interval, money, percent, ratio
from services.command.study.study import Study
from shared.domain.study.intervals import performance_intervals
from shared.domain.study.performance import crash_sessions, measure_performance
from shared.domain.study.resampling import BootstrapPolicy
from shared.domain.study.selection import Selection

SCRIPTS = 3
"""Plotly's, the charts, and what draws them."""


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_element_is_closed_and_every_part_is_there(page: Page) -> None:
    assert page.open == []
    sections = [attributes.get("id") for name, attributes in page.elements if name == "section"]
    assert sections == [name for name, _ in PARTS]
    links = [attributes["href"] for name, attributes in page.elements if name == "a"]
    assert links == [f"#{name}" for name, _ in PARTS]


def test_nothing_is_fetched_from_anywhere(page: Page) -> None:
    for name, attributes in page.elements:
        assert name not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        assert "src" not in attributes
        assert not re.match("https?:|//", attributes.get("href", ""))
    policy = next(a["content"] for _, a in page.elements if "http-equiv" in a)
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_every_variant_is_named_in_every_table_and_chart(page: Page, contents: Contents) -> None:
    drawn = page.scripts[1]
    for each in contents.variants:
        assert any(row and row[0] == each.name for row in page.rows)
        assert f'"name":"{each.name}"' in drawn
    heads = next(row for row in page.rows if "no hedge" in row)
    assert heads[1:] == ["no hedge", "free static", *(each.name for each in contents.variants)]


def test_the_figures_of_the_table_are_those_of_the_statistics(page: Page, study: Study) -> None:
    for place, variant in enumerate(study.plan.variants):
        rows = rows_of(study.folder.daily(variant.name))
        found = measure_performance(rows, cap=variant.book.sizing.cap)
        policy = BootstrapPolicy(resamples=100, seed=study.plan.seed)
        sure = performance_intervals(rows, crash_sessions(rows, found.crashes), policy)
        assert sure.effectiveness is not None
        assert sure.sharpe is not None
        her = page.row("HER")[3 + 2 * place :]
        assert her[0] == ratio(found.hedge.effectiveness, 3)
        assert her[1] == interval(sure.effectiveness).replace("\N{NO-BREAK SPACE}", " ")
        sharpe = page.row("Sharpe, measured")[2 + 2 * place :]
        assert sharpe[:2] == [
            ratio(found.hedge.path.sharpe, 3),
            interval(sure.sharpe).replace("\N{NO-BREAK SPACE}", " "),
        ]
        assert page.row("Deepest fall")[2 + place] == percent(found.hedge.path.maximum_drawdown, 2)
        assert page.row("Net profit")[2 + place] == money(float(np.sum(rows.profit)))
        assert page.row("Time at the floor")[2 + place] == percent(found.time_at_floor, 0)
        crisis = page.row("August 2015")
        assert page.row("Sessions")[4 + 2 * place] == f"{len(rows):,}"
        assert crisis[2 + place] == money(found.crises[0].result.dynamic_gain)
        assert found.crises[0].result.portfolio_loss is not None
        assert crisis[0] == money(-found.crises[0].result.portfolio_loss)


def test_it_says_how_to_make_it_again(page: Page, study: Study, contents: Contents) -> None:
    said = contents.provenance
    for text in (said.command, said.data_digest, said.code_version, study.plan.path.name):
        assert text in page.text
    for variant in study.plan.variants:
        assert variant.settings.digest in page.text
    for finding in said.findings:
        assert finding in page.text
    assert said.findings


def test_the_sweep_and_the_walk_are_there(page: Page) -> None:
    assert '"type":"heatmap"' in page.scripts[1]
    assert [row for row in page.rows if "best afterwards" in row]
    assert "Chosen by sharpe on a growing window of 60 sessions" in page.text


def test_a_hedge_over_fewer_sessions_is_drawn_and_said_but_not_held_against_the_others(
    contents: Contents,
) -> None:
    first, *others = contents.variants
    rows = first.figures.rows.take(slice(80, None))
    shorter = structs.replace(
        first,
        figures=structs.replace(
            first.figures, rows=rows, performance=measure_performance(rows, cap=2.0)
        ),
        daily={name: values[80:] for name, values in first.daily.items()},
    )
    uneven = structs.replace(contents, variants=(shorter, *others))
    assert uneven.reference is others[0]
    page = Page(document(uneven))
    assert "Not all hedges cover the same sessions" in page.text
    crisis = page.row("August 2015")
    assert crisis[2] == "–"
    assert crisis[3] == money(others[0].figures.performance.crises[0].result.dynamic_gain)
    assert f"from {shorter.figures.performance.first}" in page.row("Sessions")
    assert not contents.is_uneven


def test_each_whipsaw_is_told_with_what_it_would_have_cost(contents: Contents) -> None:
    day_ns = 1_440_450_000_000_000_000
    told = {
        "since_ns": np.array([day_ns, day_ns, day_ns]),
        "event_ns": np.array([day_ns + 60_000_000_000] * 3),
        "trigger": np.array(["vix_move", "regime", HOSTILE]),
        "vega": np.array([4_000.0, 0.0, -5_000.0]),
        "certain": np.array([1_500.0, 0.0, 10.0]),
        "move": np.array([-9_000.0, 0.0, 10.0]),
        "is_priced": np.array([True, True, False]),
    }
    first, *others = contents.variants
    bare = [structs.replace(each, whipsaws={}) for each in others]
    variants = (structs.replace(first, whipsaws=told), *bare)
    page = Page(document(structs.replace(contents, variants=variants)))
    assert page.open == []
    at = page.rows.index(
        [first.name, "2015-08-24 21:00", "2015-08-24 21:01", "vix_move", "+4,000",
         "1,500", "−9,000", "−7,500"]
    )  # fmt: skip
    assert page.rows[at + 1][3:] == [HOSTILE, "−5,000", "–", "–", "–"]
    assert not any("regime" in row for row in page.rows)
    many = {name: np.repeat(values[:1], 60) for name, values in told.items()}
    variants = (structs.replace(first, whipsaws=many), *bare)
    page = Page(document(structs.replace(contents, variants=variants)))
    assert "20 more were smaller" in page.text
    page = Page(document(structs.replace(contents, variants=tuple(bare))))
    assert "No suppressed whipsaw would have traded" in page.text


def test_what_was_not_run_is_said_in_its_place(contents: Contents) -> None:
    bare = tuple(
        structs.replace(
            each,
            daily={
                name: values
                for name, values in each.daily.items()
                if name not in {"vix", "held_vega"} and not name.startswith("pnl_")
            },
        )
        for each in contents.variants
    )
    page = Page(document(structs.replace(contents, variants=bare, swept=None)))
    assert "These results hold no VIX or held vega by session" in page.text
    assert "These results hold no profit by Greek" in page.text
    assert "No sweep of this history is in the folder" in page.text


def test_zero_cost_and_model_prices_are_said_at_every_table(contents: Contents) -> None:
    free = structs.replace(contents.provenance, zero_cost=True)
    modelled = tuple(structs.replace(each, model_priced=("puts",)) for each in contents.variants)
    page = Page(document(structs.replace(contents, provenance=free, variants=modelled)))
    assert page.text.count("ZERO COST") == page.text.count("* model-priced") > 7
    assert [row for row in page.rows if "option_a *" in row]


def test_markup_in_any_text_is_only_text(hostile_contents: Contents, page: Page) -> None:
    hostile = Page(document(hostile_contents))
    assert hostile.open == []
    assert hostile.names().count("script") == page.names().count("script") == SCRIPTS
    assert not {"img", "svg"} & set(hostile.names())
    assert not [a for _, a in hostile.elements if any(name.startswith("on") for name in a)]
    assert hostile.text.count("<script>window.hacked=1") > 10
    assert "<" not in hostile.scripts[1]
    assert HOSTILE in hostile.text
    assert "49" not in hostile.text.partition(HOSTILE)[0]


def test_red_flags_are_red_and_a_warning_is_of_the_best(contents: Contents) -> None:
    best = max(contents.variants, key=lambda each: each.figures.performance.hedge.path.sharpe or 0)
    assert isinstance(best.selection, Selection)
    warned = tuple(
        structs.replace(
            each, selection=structs.replace(best.selection, warning=f"luck of {each.name}")
        )
        if each is best
        else each
        for each in contents.variants
    )
    html = document(structs.replace(contents, variants=warned))
    assert f"The highest, {best.name}: luck of {best.name}" in html
    flags = sum(len(each.flags) for each in contents.variants)
    assert html.count('class="flag"') == flags


def test_a_day_outside_the_history_splits_nothing(contents: Contents) -> None:
    rows = contents.variants[0].figures.rows
    assert split_of(rows, rows.day[-1].astype(object).replace(year=2030)) is None
    assert split_of(rows.take(slice(0, 10)), None) is None
    last_third = split_of(rows, None)
    assert last_third is not None
    assert last_third.day == rows.day[len(rows) * 2 // 3].astype(object)
