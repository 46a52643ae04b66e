"""A book's exposure in lines: Greeks by underlying and expiry, profit explained, scenarios."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from services.command.top.words import CALM, LOUD, NOTHING, Column, age, amount, row
from shared.domain.exposure.policy import BUCKETS
from shared.wire.messages import ExposureMessage, ProfitAccountMessage
from shared.wire.views import ScenarioCellView

_GREEKS: Final = (
    ("delta", "delta"),
    ("dollar_delta", "$delta"),
    ("dollar_gamma", "$gamma1%"),
    ("vega", "vega"),
    ("theta", "theta"),
    ("rho", "rho"),
    ("vanna", "vanna"),
    ("volga", "volga"),
    ("charm", "charm"),
)
_TOTALS: Final = ("dollar_delta", "dollar_gamma", "vega", "theta")
_GROUP: Final = (Column(8), Column(8), Column(9, "right"), Column(9, "right"))
_FIGURE: Final = 9
_SPOT: Final = 6
_CELL: Final = 8


def totals_line(exposure: ExposureMessage, now_ns: int) -> Text:
    """The sums, and how much of the book they hold."""
    line = Text("Greeks", CALM)
    titles = dict(_GREEKS)
    for name in _TOTALS:
        line.append(f"  {titles[name]} ", CALM)
        line.append(amount(exposure.totals.get(name)), "bold")
    marked = f"  {exposure.marked} of {exposure.positions} marked"
    line.append(marked, CALM if exposure.marked == exposure.positions else LOUD)
    return line.append(f"  {age(exposure.event_time, now_ns)}", CALM)


def group_lines(exposure: ExposureMessage, width: int) -> Iterator[Text]:
    """By underlying and expiry, as many Greeks as fit."""
    fixed = sum(each.width for each in _GROUP) + len(_GROUP) - 1
    fitting = _GREEKS[: max((width - fixed) // (_FIGURE + 1), 0)]
    columns = (*_GROUP, *(Column(_FIGURE, "right") for _ in fitting))
    titles = ("index", "expiry", "level", "marked", *(title for _, title in fitting))
    yield row([Text(title, CALM) for title in titles], columns, width)
    order = {bucket: place for place, bucket in enumerate(BUCKETS)}
    groups = sorted(
        exposure.groups, key=lambda each: (each.underlying, order.get(each.bucket, len(order)))
    )
    for group in groups:
        level = Text("unknown", LOUD) if group.level is None else f"{group.level:,.2f}"
        is_whole = group.marked == group.positions
        marked = Text(f"{group.marked}/{group.positions}", "" if is_whole else LOUD)
        figures = [amount(group.figures.get(name)) for name, _ in fitting]
        yield row((group.underlying, group.bucket, level, marked, *figures), columns, width)


def profit_lines(exposure: ExposureMessage) -> Iterator[Text]:
    """Where profit came from, since the open and since inception."""
    if exposure.worst is not None:
        worst = exposure.worst
        yield Text(f"worst scenario {worst.name}: {amount(worst.profit)}", "bold")
    if exposure.profit is None:
        return
    yield _account("profit since the open", exposure.profit.session)
    yield _account("profit since inception", exposure.profit.inception)
    if exposure.profit.waiting:
        yield Text(f"{exposure.profit.waiting} waiting for a mark, in neither", LOUD)


def _account(title: str, account: ProfitAccountMessage) -> Text:
    parts = "  ".join(f"{name} {amount(value)}" for name, value in account.parts.items())
    return Text.assemble(
        (f"{title} ", CALM),
        (amount(account.total), "bold"),
        f" = {parts}  unexplained {amount(account.unexplained)}",
    )


def scenario_lines(cells: Sequence[ScenarioCellView], width: int) -> Iterator[Text]:
    """Profit by move of the index (down) and points of volatility (across); losses in red."""
    if not cells:
        return
    profits = {(cell.spot, cell.volatility): cell.profit for cell in cells}
    points = sorted({cell.volatility for cell in cells})
    points = points[: max((width - _SPOT) // (_CELL + 1), 0)]
    columns = (Column(_SPOT, "right"), *(Column(_CELL, "right") for _ in points))
    yield row([Text("spot", CALM), *(f"{each:+g} vol" for each in points)], columns, width)
    for spot in sorted({cell.spot for cell in cells}):
        row_cells = [_profit(profits.get((spot, each))) for each in points]
        yield row([Text(f"{spot:+.0%}"), *row_cells], columns, width)


def _profit(profit: float | None) -> Text:
    if profit is None:
        return Text(NOTHING, CALM)
    return Text(amount(profit), "red" if profit < 0 else "green")
