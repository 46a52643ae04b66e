"""`hedgestat study sweep` and `walkforward`: what varying the parameters shows, and what it hides.

A figure of a swept variant is measured on slices of one run through the whole history. A run
decides on nothing that comes later, so a slice of it is what the rule would have done there.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.command.endings import Failed, Refused
from services.command.study.figures import rows_of
from services.command.study.results import StudyFolder
from shared.adapters.study.plan import StudyPlan, Variant, WalkForward
from shared.domain.accounts.effectiveness import WindowResult, crash_windows, summarize
from shared.domain.study.daily import DailyRows
from shared.domain.study.ratios import session_returns, sharpe
from shared.domain.study.selection import Selection, judge_selection
from shared.domain.study.sensitivity import Flatness, Surface, flatness
from shared.domain.study.splits import Fold, walk_forward

Objective = Callable[[DailyRows], float | None]
_MOST_PARAMETERS: Final = 2
"""A surface has one or two; of more the sweep is told as a ranking."""


class SweptFigures(Struct, frozen=True, kw_only=True):
    """One combination and what it came to.

    Attributes:
        variant: Which.
        rows: Its sessions.
        sharpe: Of portfolio and hedge together; `None` where not defined, as the others.
        net_profit: Of the hedge.
        cost_per_year: What it lost outside crash windows.
        effectiveness: Gain over portfolio loss in all crash windows.
    """

    variant: Variant
    rows: DailyRows
    sharpe: float | None
    net_profit: float
    cost_per_year: float | None
    effectiveness: float | None


class ChosenFold(Struct, frozen=True, kw_only=True):
    """One window of a walk-forward: what was chosen on the past, and what it did afterwards.

    Attributes:
        fold: The sessions.
        chosen: The variant that was best in training.
        trained: Its objective there …
        tested: … and on the test sessions.
        best: The highest objective of any variant on the test sessions, known afterwards.
    """

    fold: Fold
    chosen: Variant
    trained: float
    tested: float | None
    best: float | None


class Walk(Struct, frozen=True, kw_only=True):
    """A whole walk-forward.

    Attributes:
        folds: In order.
        rows: The test sessions of the variants chosen, one after the other.
        sharpe: Over all of them, chosen each time on the past.
        unhedged: Of the portfolio alone over the same sessions.
    """

    folds: tuple[ChosenFold, ...]
    rows: DailyRows
    sharpe: float | None
    unhedged: float | None


def swept_figures(folder: StudyFolder, variants: Sequence[Variant]) -> list[SweptFigures]:
    """Read and measure the combinations of a sweep.

    Raises:
        Failed: Results are missing or damaged, or hold no session.
    """
    return [_figures(folder, variant) for variant in variants]


def _figures(folder: StudyFolder, variant: Variant) -> SweptFigures:
    rows = rows_of(folder.daily(variant.name))
    if not len(rows):
        raise Failed(f"{variant.name}: no session of this history has every level it needs")
    report = summarize(rows.results())
    return SweptFigures(
        variant=variant,
        rows=rows,
        sharpe=sharpe_of(rows),
        net_profit=report.dynamic.net_profit,
        cost_per_year=report.dynamic.cost_per_year,
        effectiveness=_effectiveness(report.crashes),
    )


def sharpe_of(rows: DailyRows) -> float | None:
    """Return the Sharpe ratio of portfolio and hedge together."""
    return sharpe(session_returns(rows.nav, rows.profit))


def effectiveness_of(rows: DailyRows) -> float | None:
    """Return hedge gain over portfolio loss in all crash windows of these sessions."""
    return _effectiveness(crash_windows(rows.results()))


def _effectiveness(windows: Sequence[WindowResult]) -> float | None:
    crashes = [each for each in windows if each.portfolio_loss]
    loss = sum(each.portfolio_loss or 0.0 for each in crashes)
    return sum(each.dynamic_gain for each in crashes) / loss if loss else None


def _net_profit(rows: DailyRows) -> float | None:
    return float(np.sum(rows.profit))


OBJECTIVES: Final[dict[str, Objective]] = {
    "sharpe": sharpe_of,
    "net_profit": _net_profit,
    "effectiveness": effectiveness_of,
}


def surface_of(plan: StudyPlan, figures: Sequence[SweptFigures]) -> Surface | None:
    """Return the Sharpe ratio over the swept parameters; `None` when there are more than two.

    Values that are no numbers, such as names of rules, count as 0, 1, 2 …
    """
    if len(plan.sweep) > _MOST_PARAMETERS:
        return None
    values = tuple(tuple(map(float, _numbers(each.values))) for each in plan.sweep)
    found = [np.nan if each.sharpe is None else each.sharpe for each in figures]
    shape = [len(each) for each in values]
    return Surface(
        parameters=tuple(each.key for each in plan.sweep),
        values=values,
        figures=np.array(found).reshape(shape),
    )


def _numbers(values: Sequence[Any]) -> Sequence[float]:
    numbers = all(isinstance(each, int | float) for each in values)
    return list(values) if numbers else list(range(len(values)))


def flatness_of(plan: StudyPlan, figures: Sequence[SweptFigures]) -> Flatness | None:
    """Return how much is lost a step away from the best; `None` without a surface."""
    surface = surface_of(plan, figures)
    return None if surface is None else flatness(surface)


def judged(figures: Sequence[SweptFigures], tried: int) -> Selection | None:
    """Return what is left of the best Sharpe ratio when all that was tried is counted."""
    known = [each for each in figures if each.sharpe is not None]
    if not known:
        return None
    best = max(known, key=lambda each: each.sharpe or 0.0)
    returns = session_returns(best.rows.nav, best.rows.profit)
    sharpes = [each.sharpe for each in known if each.sharpe is not None]
    return judge_selection(
        returns[~np.isnan(returns)], trials=max(tried, len(figures)), annual_sharpes=sharpes
    )


def walk(figures: Sequence[SweptFigures], policy: WalkForward) -> Walk:
    """Choose on the past, judge on what follows, and walk on.

    Raises:
        Refused: There are not enough sessions for one window.
    """
    sessions = len(figures[0].rows)
    folds = walk_forward(
        sessions,
        train=policy.train_sessions,
        test=policy.test_sessions,
        anchored=policy.anchored,
    )
    if not folds:
        raise Refused(
            f"{sessions} sessions are too few to train on {policy.train_sessions} and test after "
            "them: make [walk_forward] train_sessions smaller, or the history longer"
        )
    objective = OBJECTIVES[policy.objective]
    chosen = [_chosen(figures, fold, objective) for fold in folds]
    by_name = {each.variant.name: each.rows for each in figures}
    rows = _joined([by_name[each.chosen.name].take(each.fold.test) for each in chosen])
    return Walk(
        folds=tuple(chosen),
        rows=rows,
        sharpe=sharpe_of(rows),
        unhedged=sharpe(session_returns(rows.nav, np.zeros(len(rows)))),
    )


def _chosen(figures: Sequence[SweptFigures], fold: Fold, objective: Objective) -> ChosenFold:
    trained = [objective(each.rows.take(fold.train)) for each in figures]
    tested = [objective(each.rows.take(fold.test)) for each in figures]
    known = [number for number, figure in enumerate(trained) if figure is not None]
    if not known:
        raise Refused("the objective is not defined on a training window: choose another")
    best = max(known, key=lambda number: trained[number] or 0.0)
    return ChosenFold(
        fold=fold,
        chosen=figures[best].variant,
        trained=trained[best] or 0.0,
        tested=tested[best],
        best=max((each for each in tested if each is not None), default=None),
    )


def _joined(parts: Sequence[DailyRows]) -> DailyRows:
    columns: dict[str, NDArray[Any]] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in DailyRows.__slots__
    }
    return DailyRows(**columns)
