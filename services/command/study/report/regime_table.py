"""What each hedge did in each regime, as a table."""

from collections.abc import Callable, Sequence

from services.command.study.report.contents import Contents
from services.command.study.report.sheet import EMPTY, Cell, Row, Sheet
from services.command.study.report.wording import money, percent, ratio
from shared.domain.study.regimes import RegimeResult


def regime_table(contents: Contents) -> Sheet | None:
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
