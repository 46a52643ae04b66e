"""The tables of a report, as texts: the template only lays them out.

Longer than most: every row that all variants are compared by stands in one place.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from services.command.figures import counted
from services.command.study.report.contents import Contents, SweptStudy, VariantStudy
from services.command.study.report.wording import (
    NOT_DEFINED,
    interval,
    money,
    money_interval,
    percent,
    ratio,
)
from services.command.study.selection import Walk
from shared.domain.study.crises import CrisisResult
from shared.domain.study.paths import PathFigures
from shared.domain.study.performance import HedgeFigures, Performance
from shared.domain.study.regimes import RegimeResult
from shared.domain.study.whipsaw_cost import WhipsawCost

COLUMNS_A_SHEET: Final = 6
"""Variants beside each other on a sheet of paper; the others follow underneath."""


class Cell(Struct, frozen=True):
    """One figure, and what stands small beneath it.

    Attributes:
        text: The figure.
        below: An interval, say.
        bad: Whether it is a red flag.
    """

    text: str
    below: str = ""
    bad: bool = False


class Row(Struct, frozen=True):
    """One line of a table.

    Attributes:
        name: What the figures are.
        unit: Of them.
        cells: One a column.
        begins: Name of the group that begins here, or nothing.
    """

    name: str
    unit: str
    cells: tuple[Cell, ...]
    begins: str = ""


class Sheet(Struct, frozen=True):
    """A table with names above its columns.

    Attributes:
        heads: Of the columns of figures.
        rows: Under them.
    """

    heads: tuple[str, ...]
    rows: tuple[Row, ...]


EMPTY: Final = Cell("")


def comparison(contents: Contents) -> list[Sheet]:
    """Return all variants side by side, no hedge and the free static one before them."""
    return [_sheet(contents, pack) for pack in packed(contents.variants, COLUMNS_A_SHEET)]


def packed(variants: Sequence[VariantStudy], most: int) -> list[tuple[VariantStudy, ...]]:
    """Deal variants out in groups of about one size, at most `most` each."""
    groups = -(-len(variants) // most)
    size = -(-len(variants) // max(groups, 1))
    return [tuple(variants[at : at + size]) for at in range(0, len(variants), max(size, 1))]


class Pack(Struct, frozen=True):
    """What stands on one sheet.

    Attributes:
        reference: Whose sessions no hedge and the free static one are told of.
        variants: On this sheet.
        all: On all sheets.
    """

    reference: VariantStudy
    variants: tuple[VariantStudy, ...]
    all: tuple[VariantStudy, ...]


def _sheet(contents: Contents, variants: tuple[VariantStudy, ...]) -> Sheet:
    currency = contents.provenance.currency
    heads = ("no hedge", "free static", *(each.label for each in variants))
    pack = Pack(contents.reference, variants, contents.variants)
    rows = [
        *_costs(pack, currency),
        *_crises(pack, currency),
        *_paths(pack),
        *_conduct(pack, currency),
        *_hindsight(pack, currency),
        *_belief(pack),
    ]
    return Sheet(heads, tuple(rows))


# --- groups of rows --------------------------------------------------------------------------


def _costs(pack: Pack, currency: str) -> Iterator[Row]:
    static = pack.reference.figures.performance.static
    yield Row(
        "Sessions",
        "",
        tuple(map(_sessions, (pack.reference, pack.reference, *pack.variants))),
        "What it cost and earned",
    )
    yield Row(
        "Cost a year outside crashes",
        currency,
        (
            Cell("0"),
            Cell(money(static.cost_per_year)),
            *(
                Cell(
                    money(_hedge(each).cost_per_year), money_interval(each.intervals.cost_per_year)
                )
                for each in pack.variants
            ),
        ),
    )
    yield _money("of it traded for", currency, pack, lambda hedge: hedge.transaction_cost)
    yield _money("Net profit, all sessions", currency, pack, lambda hedge: hedge.net_profit)


def _sessions(each: VariantStudy) -> Cell:
    first = str(each.figures.performance.first).replace("-", "\N{NON-BREAKING HYPHEN}")
    return Cell(f"{len(each.figures.rows):,}", f"from {first}")


def _crises(pack: Pack, currency: str) -> Iterator[Row]:
    static = pack.reference
    yield Row(
        "HER, all crash windows",
        "ratio",
        (
            EMPTY,
            Cell(
                ratio(static.figures.performance.static.effectiveness, 3),
                interval(static.intervals.static_effectiveness),
            ),
            *(
                Cell(ratio(_hedge(each).effectiveness, 3), interval(each.intervals.effectiveness))
                for each in pack.variants
            ),
        ),
        "Hedge gain by crisis (no hedge: the portfolio's profit)",
    )
    for crisis in _all_crises(pack.all):
        yield Row(crisis.name, currency, _crisis_cells(crisis, pack))


def _all_crises(variants: Sequence[VariantStudy]) -> list[CrisisResult]:
    """Every crisis that any variant covers, in order; as the longest of them saw it."""
    found: dict[str, CrisisResult] = {}
    for each in sorted(variants, key=lambda each: -len(each.figures.rows)):
        for crisis in each.figures.performance.crises:
            found.setdefault(crisis.name, crisis)
    return sorted(found.values(), key=lambda crisis: crisis.first)


def _crisis_cells(crisis: CrisisResult, pack: Pack) -> tuple[Cell, ...]:
    loss = crisis.result.portfolio_loss
    return (
        Cell(money(None if loss is None else -loss)),
        Cell(money(crisis.result.static_gain)),
        *(Cell(money(_gain(each, crisis.name))) for each in pack.variants),
    )


def _gain(each: VariantStudy, crisis: str) -> float | None:
    """`None` when a variant's sessions do not cover it."""
    found = (one for one in each.figures.performance.crises if one.name == crisis)
    return next((one.result.dynamic_gain for one in found), None)


def _paths(pack: Pack) -> Iterator[Row]:
    yield _path(
        "Return a year", "", pack, lambda path: percent(path.annual_return, 2),
        "Portfolio and hedge together",
    )  # fmt: skip
    yield _path("Volatility a year", "", pack, lambda path: percent(path.annual_volatility, 2))
    yield _path("Deepest fall", "", pack, lambda path: percent(path.maximum_drawdown, 2))
    yield Row(
        "Sharpe, measured",
        "ratio",
        (
            *(Cell(ratio(path.sharpe, 3)) for path in _benchmarks(pack)),
            *(
                Cell(
                    ratio(_hedge(each).path.sharpe, 3),
                    interval(each.intervals.sharpe),
                    bad=any(flag.name == "sharpe" for flag in each.flags),
                )
                for each in pack.variants
            ),
        ),
    )
    yield _hedged(
        "Sharpe, the paper’s formula",
        "ratio",
        pack,
        lambda hedge: ratio(hedge.closed_form.sharpe if hedge.closed_form else None, 3),
    )
    yield Row(
        "Sharpe over no hedge",
        "difference",
        (
            EMPTY,
            EMPTY,
            *(_difference(each) for each in pack.variants),
        ),
    )


def _difference(each: VariantStudy) -> Cell:
    gained = each.intervals.sharpe_gain
    return EMPTY if gained is None else Cell(ratio(gained.value, 3), interval(gained))


def _conduct(pack: Pack, currency: str) -> Iterator[Row]:
    yield _measured(
        "Turnover a year", "vega", pack, lambda p: money(p.turnover_vega_per_year),
        "What it did",
    )  # fmt: skip
    yield _measured("Trades", "", pack, lambda p: f"{p.trades:,}")
    yield _measured("Multiplier, average", "×", pack, lambda p: ratio(p.average_multiplier))
    yield _measured("Multiplier, most", "×", pack, lambda p: ratio(p.maximum_multiplier))
    yield _measured("Time at the floor", "", pack, lambda p: percent(p.time_at_floor, 0))
    yield _measured("Time at the cap", "", pack, lambda p: percent(p.time_at_cap, 0))
    yield Row(
        "Whipsaws suppressed",
        "",
        (EMPTY, EMPTY, *(Cell(f"{each.figures.whipsaws:,}") for each in pack.variants)),
    )
    yield Row(
        "What they would have cost",
        currency,
        (EMPTY, EMPTY, *(_whipsaws(each.figures.whipsaw_cost) for each in pack.variants)),
    )
    yield _measured("Sessions won", "", pack, lambda p: percent(p.win_rate, 0))


def _whipsaws(cost: WhipsawCost) -> Cell:
    return Cell(money(cost.total), f"of it spread {money(cost.certain)}")


def _hindsight(pack: Pack, currency: str) -> Iterator[Row]:
    yield Row(
        "Regret by profit",
        currency,
        (EMPTY, EMPTY, *(_profit_regret(each.figures.performance) for each in pack.variants)),
        "Against the best constant hedge in hindsight",
    )
    yield Row(
        "Regret by Sharpe",
        "ratio",
        (EMPTY, EMPTY, *(_sharpe_regret(each.figures.performance) for each in pack.variants)),
    )


def _profit_regret(performance: Performance) -> Cell:
    found = performance.regret
    return Cell(money(found.profit_regret), _best(found.multiple_by_profit))


def _sharpe_regret(performance: Performance) -> Cell:
    found = performance.regret
    if found.sharpe_regret is None:
        return Cell(NOT_DEFINED)
    return Cell(ratio(found.sharpe_regret, 3), _best(found.multiple_by_sharpe))


def _best(multiple: float | None) -> str:
    return f"best: {ratio(multiple)} ×" if multiple else "best: none"


def _belief(pack: Pack) -> Iterator[Row]:
    split = pack.reference.split
    if split is not None:
        inside = [each.split.inside if each.split else None for each in pack.variants]
        outside = [each.split.outside if each.split else None for each in pack.variants]
        for name, unit, alone, figures in (
            (f"Sharpe before {split.day}", "in sample", split.unhedged_inside, inside),
            (f"Sharpe from {split.day}", "out of sample", split.unhedged_outside, outside),
        ):
            cells = (Cell(ratio(figure, 3)) for figure in figures)
            begins = "Can it be believed" if figures is inside else ""
            yield Row(name, unit, (Cell(ratio(alone, 3)), EMPTY, *cells), begins)
    deflated = (each.selection.deflated if each.selection else None for each in pack.variants)
    yield Row(
        "Deflated Sharpe",
        "probability",
        (EMPTY, EMPTY, *(Cell(percent(each, 0)) for each in deflated)),
        "" if split is not None else "Can it be believed",
    )
    yield Row("Red flags", "", (EMPTY, EMPTY, *map(_flags, pack.variants)))


def _flags(each: VariantStudy) -> Cell:
    return Cell(counted(len(each.flags), "flag"), bad=True) if each.flags else Cell("none")


# --- rows of one shape -----------------------------------------------------------------------


def _hedge(each: VariantStudy) -> HedgeFigures:
    return each.figures.performance.hedge


def _benchmarks(pack: Pack) -> tuple[PathFigures, PathFigures]:
    performance = pack.reference.figures.performance
    return performance.unhedged, performance.static.path


def _hedged(
    name: str,
    unit: str,
    pack: Pack,
    told: Callable[[HedgeFigures], str],
) -> Row:
    hedges = [pack.reference.figures.performance.static, *(_hedge(each) for each in pack.variants)]
    return Row(name, unit, (EMPTY, *(Cell(told(hedge)) for hedge in hedges)))


def _money(
    name: str,
    currency: str,
    pack: Pack,
    figure: Callable[[HedgeFigures], float],
) -> Row:
    row = _hedged(name, currency, pack, lambda hedge: money(figure(hedge)))
    return Row(name, currency, (Cell("0"), *row.cells[1:]))


def _path(
    name: str,
    unit: str,
    pack: Pack,
    told: Callable[[PathFigures], str],
    begins: str = "",
) -> Row:
    paths = [*_benchmarks(pack), *(_hedge(each).path for each in pack.variants)]
    return Row(name, unit, tuple(Cell(told(path)) for path in paths), begins)


def _measured(
    name: str,
    unit: str,
    pack: Pack,
    told: Callable[[Performance], str],
    begins: str = "",
) -> Row:
    cells = (Cell(told(each.figures.performance)) for each in pack.variants)
    return Row(name, unit, (EMPTY, EMPTY, *cells), begins)


# --- by regime -------------------------------------------------------------------------------


def regimes(contents: Contents) -> Sheet | None:
    """Return every variant's hedge profit, cost and Sharpe ratio by regime; `None` without any."""
    names = [each.regime for each in contents.reference.figures.performance.regimes]
    known = [name for name in names if name]
    if not known:
        return None
    currency = contents.provenance.currency
    first = contents.reference.figures.performance.regimes
    rows = [
        _by_regime(
            "Share of sessions", "", first, known, lambda each: Cell(percent(each.share, 0))
        ),
        _by_regime(
            "Portfolio profit",
            currency,
            first,
            known,
            lambda each: Cell(money(each.portfolio_profit)),
        ),
        _by_regime(
            "Free static",
            currency,
            first,
            known,
            lambda each: Cell(money(each.static_profit), "1.00 ×"),
        ),
    ]
    for each in contents.variants:
        found = each.figures.performance.regimes
        rows.append(_by_regime(each.label, currency, found, known, _hedge_by_regime))
    return Sheet(tuple(known), tuple(rows))


def _hedge_by_regime(found: RegimeResult) -> Cell:
    return Cell(money(found.profit), f"{ratio(found.average_multiplier)} ×")


def _by_regime(
    name: str,
    unit: str,
    found: Sequence[RegimeResult],
    regimes: Sequence[str],
    told: Callable[[RegimeResult], Cell],
) -> Row:
    by_name = {each.regime: each for each in found}
    cells = (told(by_name[regime]) if regime in by_name else EMPTY for regime in regimes)
    return Row(name, unit, tuple(cells))


# --- walk-forward ----------------------------------------------------------------------------


def walk_table(swept: SweptStudy) -> Sheet | None:
    """Return what was chosen in each window and what it did afterwards; `None` without a walk."""
    if swept.walk is None:
        return None
    parameters = [each.key.rpartition(".")[2] for each in swept.parameters]
    heads = (*parameters, "in training", "afterwards", "best afterwards")
    return Sheet(heads, tuple(_folds(swept, swept.walk)))


def _folds(swept: SweptStudy, walk: Walk) -> Iterator[Row]:
    done = 0
    written = money if swept.policy.objective == "net_profit" else partial(ratio, digits=3)
    for each in walk.folds:
        length = each.fold.test_stop - each.fold.test_start
        days = walk.rows.day[done : done + length]
        done += length
        chosen = (Cell(str(each.chosen.changes[one.key])) for one in swept.parameters)
        figures = (Cell(written(one)) for one in (each.trained, each.tested, each.best))
        yield Row(f"{days[0]} to {days[-1]}", "", (*chosen, *figures))
