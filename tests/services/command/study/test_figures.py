"""What the figures of several variants have in common."""

from datetime import date

import numpy as np
from fakes.study_rows import study_rows
from msgspec import structs

from services.command.study.figures import VariantFigures, crises_of
from shared.adapters.study.plan import StudyPlan
from shared.domain.accounts.effectiveness import WindowResult
from shared.domain.study.crises import CrisisResult
from shared.domain.study.performance import measure_performance
from shared.domain.study.whipsaw_cost import whipsaw_cost


def crisis(name: str, year: int, loss: float) -> CrisisResult:
    window = WindowResult(
        after_ns=0, end_ns=1, sessions=1, portfolio_loss=loss, dynamic_gain=0, static_gain=0
    )
    return CrisisResult(name=name, first=date(year, 1, 2), last=date(year, 2, 1), result=window)


def figures_of(plan: StudyPlan, sessions: int, *crises: CrisisResult) -> VariantFigures:
    rows = study_rows([100.0, 99.0] * (sessions // 2), carry=np.zeros(sessions))
    return VariantFigures(
        variant=plan.variants[0],
        rows=rows,
        performance=structs.replace(measure_performance(rows, cap=2.0), crises=crises),
        whipsaws=0,
        whipsaw_cost=whipsaw_cost([]),
    )


def test_crises_are_those_that_any_variant_covers_as_the_longest_saw_them(plan: StudyPlan) -> None:
    earlier, seen_longest = crisis("first", 2008, 1.0), crisis("second", 2011, 2.0)
    later, seen_shorter = crisis("third", 2020, 3.0), crisis("second", 2011, 4.0)
    short = figures_of(plan, 10, seen_shorter, later)
    long = figures_of(plan, 20, earlier, seen_longest)
    assert crises_of([short, long]) == [earlier, seen_longest, later]
