"""What a report is made of: every figure of every variant, before any of it is drawn."""

from collections.abc import Callable, Collection, Sequence
from datetime import date

import numpy as np
from msgspec import Struct

from services.command.endings import Refused
from services.command.study.doubts import Split, flags_of, split_of
from services.command.study.figures import VariantFigures, figures_of
from services.command.study.results import StudyFolder
from services.command.study.selection import (
    Walk,
    flatness_of,
    judged,
    surface_of,
    swept_figures,
    walk,
)
from services.command.study.study import swept_variants
from shared.adapters.study.columns import Columns
from shared.adapters.study.plan import StudyPlan, Sweep, WalkForward
from shared.domain.policies import BookPolicy
from shared.domain.study.daily import DailyRows
from shared.domain.study.intervals import PerformanceIntervals, performance_intervals
from shared.domain.study.performance import crash_sessions
from shared.domain.study.ratios import session_returns, sharpe
from shared.domain.study.red_flags import RedFlag
from shared.domain.study.resampling import BootstrapPolicy
from shared.domain.study.selection import Selection, judge_selection
from shared.domain.study.sensitivity import Flatness, Surface

Told = Callable[[], None]
"""Called after each variant."""


class Provenance(Struct, frozen=True, kw_only=True):
    """What made the figures: enough to make them again.

    Attributes:
        title: Of the study.
        command: As it was typed.
        plan: Its file's name.
        configuration: The configuration's file's name.
        book: Whose hedge.
        currency: Of all money.
        first: First day of history.
        last: Last day.
        prints: What a session printed.
        zero_cost: Whether nothing cost anything.
        code_version: Of the rules.
        data_digest: Of every bar that was used.
        findings: Everything odd about the history.
        notes: What a reader of the figures must know of instruments and marks.
        model_priced: Symbols whose marks come of a model, not of prints.
        tried: Configurations that were ever run in the folder.
        bootstrap: How intervals were made.
    """

    title: str
    command: str
    plan: str
    configuration: str
    book: str
    currency: str
    first: date
    last: date
    prints: str
    zero_cost: bool
    code_version: str
    data_digest: str
    findings: tuple[str, ...]
    notes: tuple[str, ...]
    model_priced: tuple[str, ...]
    tried: int
    bootstrap: BootstrapPolicy


class VariantStudy(Struct, frozen=True, kw_only=True):
    """Everything about one variant.

    Attributes:
        figures: Measured.
        daily: Its sessions, with whatever columns the study wrote.
        whipsaws: That were suppressed, likewise.
        intervals: How sure the figures are.
        selection: Its Sharpe ratio in the light of all that were tried; `None` without one.
        split: In and out of sample; `None` when the history is too short.
        flags: Reasons not to believe it.
        model_priced: Legs whose marks are a model's.
    """

    figures: VariantFigures
    daily: Columns
    whipsaws: Columns
    intervals: PerformanceIntervals
    selection: Selection | None
    split: Split | None
    flags: tuple[RedFlag, ...]
    model_priced: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the variant."""
        return self.figures.variant.name

    @property
    def label(self) -> str:
        """Name, marked when a leg is priced by a model."""
        return f"{self.name} *" if self.model_priced else self.name


class SweptStudy(Struct, frozen=True, kw_only=True):
    """What varying the parameters showed.

    Attributes:
        parameters: That were varied.
        surface: The Sharpe ratio over them; `None` for more than two.
        flatness: How much is lost a step away from the best.
        selection: The best in the light of all that were tried.
        walk: Chosen on the past, judged on what follows; `None` when the history is too short.
        policy: Of the walk.
    """

    parameters: tuple[Sweep, ...]
    surface: Surface | None
    flatness: Flatness | None
    selection: Selection | None
    walk: Walk | None
    policy: WalkForward


class Contents(Struct, frozen=True, kw_only=True):
    """A whole report.

    Attributes:
        provenance: What made it.
        variants: In the order of the plan; at least one.
        swept: Parameters that were varied, if they were.
    """

    provenance: Provenance
    variants: tuple[VariantStudy, ...]
    swept: SweptStudy | None = None

    @property
    def reference(self) -> VariantStudy:
        """The first of those with the most sessions: what stands for the portfolio alone."""
        return max(self.variants, key=lambda each: len(each.figures.rows))

    @property
    def is_uneven(self) -> bool:
        """Whether variants cover other sessions than each other."""
        days = self.reference.figures.rows.day
        return any(not np.array_equal(each.figures.rows.day, days) for each in self.variants)

    @property
    def is_model_priced(self) -> bool:
        """Whether any figure comes of a model's marks."""
        return any(each.model_priced for each in self.variants)


def contents_of(
    plan: StudyPlan,
    folder: StudyFolder,
    provenance: Provenance,
    swept: SweptStudy | None = None,
    told: Told = lambda: None,
) -> Contents:
    """Measure every variant of a plan whose results are in a folder.

    Raises:
        Failed: Results are missing or damaged, or hold no session.
    """
    figures = figures_of(folder, plan.variants)
    sharpes = [each.performance.hedge.path.sharpe for each in figures]
    known = [each for each in sharpes if each is not None]
    variants = []
    for each in figures:
        variants.append(_studied(plan, folder, each, provenance, known))
        told()
    return Contents(provenance=provenance, variants=tuple(variants), swept=swept)


def swept_study(plan: StudyPlan, folder: StudyFolder, tried: int) -> SweptStudy:
    """Measure every combination of a plan's sweep, all of which are in a folder.

    Raises:
        Failed: Results are missing or damaged, or hold no session.
    """
    figures = swept_figures(folder, list(swept_variants(plan)))
    try:
        walked = walk(figures, plan.walk_forward)
    except Refused:  # too few sessions for one window
        walked = None
    return SweptStudy(
        parameters=plan.sweep,
        surface=surface_of(plan, figures),
        flatness=flatness_of(plan, figures),
        selection=judged(figures, tried),
        walk=walked,
        policy=plan.walk_forward,
    )


def _studied(
    plan: StudyPlan,
    folder: StudyFolder,
    figures: VariantFigures,
    provenance: Provenance,
    sharpes: Sequence[float],
) -> VariantStudy:
    rows, performance = figures.rows, figures.performance
    split = split_of(rows, plan.out_of_sample)
    return VariantStudy(
        figures=figures,
        daily=folder.daily(figures.variant.name),
        whipsaws=folder.read(figures.variant.name, "whipsaws"),
        intervals=performance_intervals(
            rows, crash_sessions(rows, performance.crashes), provenance.bootstrap
        ),
        selection=_selection(rows, max(provenance.tried, 1), sharpes),
        split=split,
        flags=flags_of(figures, split),
        model_priced=model_priced_legs(figures.variant.book, provenance.model_priced),
    )


def model_priced_legs(book: BookPolicy, symbols: Collection[str]) -> tuple[str, ...]:
    """Return the legs of a book whose marks come of a model."""
    return tuple(leg.name for leg in book.legs if leg.symbol in symbols)


def _selection(rows: DailyRows, tried: int, sharpes: Sequence[float]) -> Selection | None:
    returns = session_returns(rows.nav, rows.profit)
    if sharpe(returns) is None:
        return None
    return judge_selection(returns, trials=tried, annual_sharpes=sharpes)
