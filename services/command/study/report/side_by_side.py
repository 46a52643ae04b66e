"""All variants side by side, no hedge and the free static one before them, as tables."""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from services.command.figures import counted
from services.command.study.figures import crises_of
from services.command.study.report.contents import Contents, VariantStudy
from services.command.study.report.sheet import EMPTY, Cell, Row, Sheet, packed
from services.command.study.report.wording import (
    NOT_DEFINED,
    interval,
    money,
    money_interval,
    percent,
    ratio,
)
from shared.domain.study.crises import CrisisResult
from shared.domain.study.paths import PathFigures
from shared.domain.study.performance import HedgeFigures, Performance

COLUMNS_A_SHEET: Final = 6
"""Variants beside each other on a sheet of paper; the others follow underneath."""


def comparison(contents: Contents) -> list[Sheet]:
    """Return all variants side by side, no hedge and the free static one before them."""
    return [_sheet(contents, pack) for pack in packed(contents.variants, COLUMNS_A_SHEET)]


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
    for crisis in crises_of([each.figures for each in pack.all]):
        yield Row(crisis.name, currency, _crisis_cells(crisis, pack))


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
    yield _variants("Sharpe over no hedge", "difference", pack, _difference)


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
    yield _variants(
        "Whipsaws suppressed", "", pack, lambda each: Cell(f"{each.figures.whipsaws:,}")
    )
    yield _variants("What they would have cost", currency, pack, _whipsaws)
    yield _measured("Sessions won", "", pack, lambda p: percent(p.win_rate, 0))


def _whipsaws(each: VariantStudy) -> Cell:
    cost = each.figures.whipsaw_cost
    return Cell(money(cost.total), f"of it spread {money(cost.certain)}")


def _hindsight(pack: Pack, currency: str) -> Iterator[Row]:
    yield _variants(
        "Regret by profit", currency, pack, _profit_regret,
        "Against the best constant hedge in hindsight",
    )  # fmt: skip
    yield _variants("Regret by Sharpe", "ratio", pack, _sharpe_regret)


def _profit_regret(each: VariantStudy) -> Cell:
    found = each.figures.performance.regret
    return Cell(money(found.profit_regret), _best(found.multiple_by_profit))


def _sharpe_regret(each: VariantStudy) -> Cell:
    found = each.figures.performance.regret
    if found.sharpe_regret is None:
        return Cell(NOT_DEFINED)
    return Cell(ratio(found.sharpe_regret, 3), _best(found.multiple_by_sharpe))


def _best(multiple: float | None) -> str:
    return f"best: {ratio(multiple)} ×" if multiple else "best: none"


def _belief(pack: Pack) -> Iterator[Row]:
    begins = "Can it be believed"
    if (split := pack.reference.split) is not None:
        inside = [each.split.inside if each.split else None for each in pack.variants]
        outside = [each.split.outside if each.split else None for each in pack.variants]
        for name, unit, figures in (
            (f"Sharpe before {split.day}", "in sample", [split.unhedged_inside, *inside]),
            (f"Sharpe from {split.day}", "out of sample", [split.unhedged_outside, *outside]),
        ):
            alone, *cells = (Cell(ratio(figure, 3)) for figure in figures)
            yield Row(name, unit, (alone, EMPTY, *cells), begins)
            begins = ""
    yield _variants("Deflated Sharpe", "probability", pack, _deflated, begins)
    yield _variants("Red flags", "", pack, _flags)


def _deflated(each: VariantStudy) -> Cell:
    return Cell(percent(each.selection.deflated if each.selection else None, 0))


def _flags(each: VariantStudy) -> Cell:
    return Cell(counted(len(each.flags), "flag"), bad=True) if each.flags else Cell("none")


# --- rows of one shape -----------------------------------------------------------------------


def _hedge(each: VariantStudy) -> HedgeFigures:
    return each.figures.performance.hedge


def _benchmarks(pack: Pack) -> tuple[PathFigures, PathFigures]:
    performance = pack.reference.figures.performance
    return performance.unhedged, performance.static.path


def _hedged(name: str, unit: str, pack: Pack, told: Callable[[HedgeFigures], str]) -> Row:
    hedges = [pack.reference.figures.performance.static, *(_hedge(each) for each in pack.variants)]
    return Row(name, unit, (EMPTY, *(Cell(told(hedge)) for hedge in hedges)))


def _money(name: str, currency: str, pack: Pack, figure: Callable[[HedgeFigures], float]) -> Row:
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
    return _variants(name, unit, pack, lambda each: Cell(told(each.figures.performance)), begins)


def _variants(
    name: str,
    unit: str,
    pack: Pack,
    told: Callable[[VariantStudy], Cell],
    begins: str = "",
) -> Row:
    """A row that says nothing of no hedge and of the free static one."""
    return Row(name, unit, (EMPTY, EMPTY, *map(told, pack.variants)), begins)
