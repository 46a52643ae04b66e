"""From a folder's columns to figures: the one place where results are read for statistics."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from services.command.endings import Failed
from services.command.study.results import StudyFolder
from shared.adapters.study.columns import Columns
from shared.adapters.study.plan import Variant
from shared.domain.study.crises import CrisisResult
from shared.domain.study.daily import DailyRows
from shared.domain.study.performance import Performance, measure_performance
from shared.domain.study.whipsaw_cost import WhipsawCost, trips_of, whipsaw_cost


class VariantFigures(Struct, frozen=True, kw_only=True):
    """A variant, its sessions and what they come to.

    Attributes:
        variant: Which.
        rows: Its sessions.
        performance: All of them together.
        whipsaws: Suppressed …
        whipsaw_cost: … and what they would have cost.
    """

    variant: Variant
    rows: DailyRows
    performance: Performance
    whipsaws: int
    whipsaw_cost: WhipsawCost


def figures_of(folder: StudyFolder, variants: Sequence[Variant]) -> list[VariantFigures]:
    """Read and measure variants that were run.

    Raises:
        Failed: Results are missing or damaged, or hold no session.
    """
    return [_figures(folder, variant) for variant in variants]


def _figures(folder: StudyFolder, variant: Variant) -> VariantFigures:
    rows = rows_of(folder.daily(variant.name))
    if not len(rows):
        raise Failed(f"{variant.name}: no session of this history has every level it needs")
    whipsaws = folder.read(variant.name, "whipsaws")
    return VariantFigures(
        variant=variant,
        rows=rows,
        performance=measure_performance(rows, cap=variant.book.sizing.cap),
        whipsaws=len(whipsaws["event_ns"]),
        whipsaw_cost=whipsaw_cost(trips_of(whipsaws)),
    )


def crises_of(figures: Sequence[VariantFigures]) -> list[CrisisResult]:
    """Return every crisis that any variant covers, in order; as the longest of them saw it."""
    found: dict[str, CrisisResult] = {}
    for each in sorted(figures, key=lambda each: -len(each.rows)):
        for crisis in each.performance.crises:
            found.setdefault(crisis.name, crisis)
    return sorted(found.values(), key=lambda crisis: crisis.first)


def rows_of(daily: Columns) -> DailyRows:
    """Return a variant's sessions as the statistics want them; see `DailyRows`."""
    return DailyRows(
        day=daily["day"].astype("datetime64[D]"),
        close_ns=daily["close_ns"].astype(np.int64),
        nav=daily["nav"].astype(np.float64),
        carry=daily["carry"].astype(np.float64),
        cost=daily["cost"].astype(np.float64),
        static_profit=daily["static_profit"].astype(np.float64),
        turnover_vega=daily["turnover_vega"].astype(np.float64),
        trades=daily["trades"].astype(np.int64),
        multiplier=daily["multiplier"].astype(np.float64),
        at_floor=daily["at_floor"].astype(np.bool_),
        at_cap=daily["at_cap"].astype(np.bool_),
        regime=daily["regime"].astype(np.str_),
    )
