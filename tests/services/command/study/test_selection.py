"""What varying parameters shows: surfaces, luck, and choices that are judged on what follows."""

from datetime import timedelta

import numpy as np
import pytest
from fakes.study_rows import study_rows
from msgspec import structs

from services.command.endings import Refused
from services.command.study.selection import (
    SweptFigures,
    effectiveness_of,
    flatness_of,
    judged,
    sharpe_of,
    surface_of,
    walk,
)
from shared.adapters.study.plan import StudyPlan, Sweep, WalkForward
from shared.domain.study.daily import DailyRows

SESSIONS = 200
RANDOM = np.random.default_rng(5)
NAV = 1e6 * np.exp(np.cumsum(RANDOM.normal(0.0002, 0.01, SESSIONS)))
POLICY = WalkForward(train_sessions=60, test_sessions=40)


def rows_of(profit: float) -> DailyRows:
    noise = np.random.default_rng(int(abs(profit))).normal(0.0, 100.0, SESSIONS)
    return study_rows(NAV.tolist(), carry=profit + noise)


def swept(plan: StudyPlan, rows: list[DailyRows]) -> list[SweptFigures]:
    return [
        SweptFigures(
            variant=plan.variant(name, changes),
            rows=each,
            sharpe=sharpe_of(each),
            net_profit=float(np.sum(each.profit)),
            cost_per_year=None,
            effectiveness=effectiveness_of(each),
        )
        for (name, changes), each in zip(plan.swept(), rows, strict=True)
    ]


@pytest.fixture
def figures(plan: StudyPlan) -> list[SweptFigures]:
    """Two by two: the third is the best, and always."""
    return swept(plan, [rows_of(profit) for profit in (-50.0, 0.0, 400.0, 100.0)])


def test_a_surface_has_a_figure_for_every_combination(
    plan: StudyPlan, figures: list[SweptFigures]
) -> None:
    surface = surface_of(plan, figures)
    assert surface is not None
    assert surface.parameters == ("book.triggers.vix_points", "book.sizing.cap")
    assert surface.values == ((2.0, 4.0), (1.0, 2.0))
    assert surface.figures.tolist() == [
        [figures[0].sharpe, figures[1].sharpe],
        [figures[2].sharpe, figures[3].sharpe],
    ]


def test_names_count_as_places_on_a_surface(plan: StudyPlan) -> None:
    rules = Sweep(key="book.rule", values=("linear", "sigmoid"))
    named = structs.replace(plan, sweep=(rules,))
    surface = surface_of(named, swept(named, [rows_of(1.0), rows_of(2.0)]))
    assert surface is not None
    assert surface.values == ((0.0, 1.0),)


def test_of_three_parameters_there_is_no_surface(
    plan: StudyPlan, figures: list[SweptFigures]
) -> None:
    three = structs.replace(plan, sweep=(*plan.sweep, plan.sweep[0]))
    assert surface_of(three, figures) is None
    assert flatness_of(three, figures) is None


def test_the_best_of_a_surface_is_told_with_what_lies_beside_it(
    plan: StudyPlan, figures: list[SweptFigures]
) -> None:
    found = flatness_of(plan, figures)
    assert found is not None
    assert found.best == figures[2].sharpe
    assert found.at == {"book.triggers.vix_points": 4.0, "book.sizing.cap": 1.0}
    assert found.neighbours == 3


def test_the_more_was_tried_the_less_is_left(figures: list[SweptFigures]) -> None:
    few, many = judged(figures, 4), judged(figures, 400)
    assert few is not None
    assert many is not None
    assert (few.trials, many.trials) == (4, 400)
    assert few.annual_sharpe == pytest.approx(figures[2].sharpe)
    assert many.deflated < few.deflated


def test_a_swept_variant_counts_even_where_nobody_counted(figures: list[SweptFigures]) -> None:
    found = judged(figures, 0)
    assert found is not None
    assert found.trials == 4


def test_a_walk_chooses_what_was_best_before(figures: list[SweptFigures]) -> None:
    found = walk(figures, POLICY)
    assert {each.chosen.name for each in found.folds} == {figures[2].variant.name}
    assert [each.fold.test_start for each in found.folds] == [60, 100, 140, 180]
    assert found.folds[0].trained == sharpe_of(figures[2].rows.take(slice(0, 60)))
    assert found.folds[0].tested == sharpe_of(figures[2].rows.take(slice(60, 100)))
    assert found.rows.day.tolist() == figures[2].rows.day[60:].tolist()
    assert found.sharpe == sharpe_of(figures[2].rows.take(slice(60, None)))


def test_what_is_chosen_on_the_past_may_fail_afterwards(plan: StudyPlan) -> None:
    """One is good until session 60 and bad from there on; no look ahead would choose it."""
    turn = np.where(np.arange(SESSIONS) < 60, 500.0, -500.0)
    rows = [
        study_rows(NAV.tolist(), carry=turn),
        *(study_rows(NAV.tolist(), carry=0 * turn) for _ in range(3)),
    ]
    found = walk(swept(plan, rows), POLICY)
    first = found.folds[0]
    assert first.chosen.name == "sweep_00001"
    assert first.tested is not None
    assert first.best is not None
    assert first.tested < first.best


def test_a_sliding_walk_forgets_an_anchored_one_does_not(figures: list[SweptFigures]) -> None:
    sliding = walk(figures, structs.replace(POLICY, anchored=False))
    assert [each.fold.train_start for each in sliding.folds] == [0, 40, 80, 120]
    assert [each.fold.train_start for each in walk(figures, POLICY).folds] == [0, 0, 0, 0]


@pytest.mark.parametrize("objective", ["net_profit", "effectiveness"])
def test_another_objective_may_be_walked_by(figures: list[SweptFigures], objective: str) -> None:
    policy = structs.replace(POLICY, objective=objective)
    crash = np.concatenate([np.full(30, 1e6), np.full(170, 0.8e6)])
    fallen = [
        structs.replace(each, rows=study_rows(crash.tolist(), carry=each.rows.carry))
        for each in figures
    ]
    assert walk(fallen, policy).folds[0].chosen.name == figures[2].variant.name


def test_too_few_sessions_are_told(figures: list[SweptFigures]) -> None:
    with pytest.raises(Refused, match="200 sessions are too few to train on 504"):
        walk(figures, WalkForward())


def test_days_of_a_walk_follow_one_another(figures: list[SweptFigures]) -> None:
    days = walk(figures, POLICY).rows.day
    assert np.all(np.diff(days) >= np.timedelta64(timedelta(days=1)))
