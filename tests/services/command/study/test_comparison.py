"""Variants side by side in a terminal, and what speaks against believing them."""

from io import StringIO

import numpy as np
from fakes.study_rows import study_rows
from msgspec import structs
from rich.console import Console

from services.command.study.comparison import print_comparison
from services.command.study.figures import VariantFigures
from shared.adapters.study.plan import StudyPlan
from shared.domain.study.performance import measure_performance
from shared.domain.study.whipsaw_cost import whipsaw_cost

RED = "\x1b[1;31m"


def figures_of(plan: StudyPlan, profit: float, multiplier: float) -> VariantFigures:
    nav = 1e6 * np.exp(np.cumsum(np.random.default_rng(3).normal(0.0, 0.01, 120)))
    rows = study_rows(nav.tolist(), carry=np.full(120, profit), multiplier=np.full(120, multiplier))
    return VariantFigures(
        variant=plan.variants[1],
        rows=rows,
        performance=measure_performance(rows, cap=2.0),
        whipsaws=0,
        whipsaw_cost=whipsaw_cost([]),
    )


def shown(plan: StudyPlan, figures: VariantFigures) -> str:
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=160, color_system="standard")
    print_comparison(plan, [figures], console)
    return screen.getvalue()


def test_what_is_too_good_to_be_true_stands_in_red(plan: StudyPlan) -> None:
    said = shown(plan, figures_of(plan, profit=5_000.0, multiplier=1.0))
    assert f"{RED}option_a: A Sharpe ratio of" in said
    assert f"{RED}option_a: The hedge wins in 100% of sessions" in said


def test_what_is_not_raises_nothing(plan: StudyPlan) -> None:
    plan = structs.replace(plan, out_of_sample=None)
    assert RED not in shown(plan, figures_of(plan, profit=-100.0, multiplier=1.0))


def test_a_variant_that_never_decided_says_so(plan: StudyPlan) -> None:
    said = shown(plan, figures_of(plan, profit=0.0, multiplier=np.nan))
    assert f"{RED}option_a never decided" in said
