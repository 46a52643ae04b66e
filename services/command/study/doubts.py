"""What makes a result doubtful: in and out of sample apart, and the red flags of the spec."""

from datetime import date
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.command.study.figures import VariantFigures
from shared.domain.hedging.rules import RuleSet
from shared.domain.policies import BookPolicy
from shared.domain.study.daily import DailyRows
from shared.domain.study.ratios import session_returns, sharpe
from shared.domain.study.red_flags import RedFlag, red_flags
from shared.domain.study.splits import out_of_sample, out_of_sample_from

FEWEST_FOR_A_SPLIT: Final = 40
"""Sessions: of fewer, no part says anything about a rule."""


class Split(Struct, frozen=True, kw_only=True):
    """A variant before and after the day on which out of sample begins.

    Attributes:
        day: The first session out of sample.
        inside: Sharpe ratio of portfolio and hedge before it.
        outside: From it on.
        unhedged_inside: Of the portfolio alone before it.
        unhedged_outside: From it on.
    """

    day: date
    inside: float | None
    outside: float | None
    unhedged_inside: float | None
    unhedged_outside: float | None


def split_of(rows: DailyRows, first_outside: date | None) -> Split | None:
    """Judge the sessions before and from a day on apart; `None`: from the last third on."""
    if len(rows) < FEWEST_FOR_A_SPLIT:
        return None
    try:
        fold = (
            out_of_sample(len(rows), train_share=2 / 3)
            if first_outside is None
            else out_of_sample_from(rows.day, first_outside)
        )
    except ValueError:  # the day is not inside this history
        return None
    nothing = np.zeros(len(rows))
    return Split(
        day=rows.day[fold.test_start].astype(object),
        inside=_sharpe(rows, rows.profit, fold.train),
        outside=_sharpe(rows, rows.profit, fold.test),
        unhedged_inside=_sharpe(rows, nothing, fold.train),
        unhedged_outside=_sharpe(rows, nothing, fold.test),
    )


def flags_of(figures: VariantFigures, split: Split | None) -> tuple[RedFlag, ...]:
    """Return every reason not to believe a variant's result."""
    return red_flags(
        figures.performance,
        inputs=_inputs(figures.variant.book),
        in_sample_sharpe=split.inside if split else None,
        out_of_sample_sharpe=split.outside if split else None,
    )


def _sharpe(rows: DailyRows, profit: NDArray[np.float64], part: slice) -> float | None:
    return sharpe(session_returns(rows.nav[part], profit[part]))


def _inputs(book: BookPolicy) -> int:
    if not book.rules:
        return 0
    return len(RuleSet(book.rules, book.composition, book.name).signals)
