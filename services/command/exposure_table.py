"""A book's exposure as tables for a terminal."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from services.command.figures import rounded
from services.command.profit_table import profit_view
from shared.domain.exposure.policy import BUCKETS
from shared.domain.instants import SECOND
from shared.wire.messages import ExposureGroupMessage, ExposureMessage
from shared.wire.times import parse_instant

_COLUMNS: Final = (
    ("dollar_delta", "$ delta"),
    ("dollar_gamma", "$ gamma 1%"),
    ("vega", "vega pt"),
    ("theta", "theta day"),
    ("weighted_vega", "vega 30d"),
    ("rho", "rho 1%"),
    ("vanna", "vanna pt"),
    ("volga", "volga pt"),
    ("charm", "charm day"),
)
_NARROW: Final = 4
"""Of these columns, so many fit a terminal of 80."""
_WIDE: Final = 120
_MOST_NAMED: Final = 5
_OLD_S: Final = 60.0


class ExposureView:
    """A book's exposure, as wide as the terminal is.

    Args:
        message: What was told of it.
        now_ns: To say how old it is; `None` where event time is not the wall clock's.
    """

    def __init__(self, message: ExposureMessage, now_ns: int | None = None) -> None:
        self._message = message
        self._now_ns = now_ns

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        columns = _COLUMNS if options.max_width >= _WIDE else _COLUMNS[:_NARROW]
        yield _table(self._message, columns)
        if self._message.profit is not None:
            yield from profit_view(self._message.profit)
        yield from _lines(self._message, self._now_ns)


def _table(message: ExposureMessage, columns: Sequence[tuple[str, str]]) -> Table:
    title = f"Exposure of {message.book}"
    table = Table(title=title, title_justify="left", show_footer=True, box=None, pad_edge=False)
    table.add_column("underlying", footer="total")
    table.add_column("bucket")
    table.add_column("level", justify="right")
    table.add_column(
        "marked", justify="right", no_wrap=True, footer=f"{message.marked}/{message.positions}"
    )
    table.add_column("delta", justify="right")
    for name, title in columns:
        table.add_column(title, justify="right", footer=_money(message.totals.get(name, 0.0)))
    for group in _ordered(message.groups):
        table.add_row(
            group.underlying,
            group.bucket,
            "unknown" if group.level is None else f"{group.level:.2f}",
            f"{group.marked}/{group.positions}",
            _money(group.figures.get("delta", 0.0)),
            *(_money(group.figures.get(name, 0.0)) for name, _ in columns),
        )
    return table


def _ordered(groups: Sequence[ExposureGroupMessage]) -> list[ExposureGroupMessage]:
    order = {bucket: number for number, bucket in enumerate(BUCKETS)}
    return sorted(groups, key=lambda group: (group.underlying, order.get(group.bucket, 99)))


def _lines(message: ExposureMessage, now_ns: int | None) -> list[Text]:
    index = (
        ""
        if message.index_delta is None
        else f" = {rounded(message.index_delta, ',.1f')} index units"
    )
    lines = [
        Text(
            f"beta-weighted delta {_money(message.beta_delta)}{index}, "
            f"vega to VIX {_money(message.vix_vega)} a point"
        ),
        *_risk(message),
        _coverage(message),
    ]
    lines += [
        Text(f"  not marked: {each.symbol} {each.quantity:+g} ({each.reason})", style="yellow")
        for each in message.unmarked[:_MOST_NAMED]
    ]
    if message.approximate:
        told = (
            f"{message.approximate} American options count as if European: not valued as such yet"
        )
        lines.append(Text(told, style="yellow"))
    if message.without_beta:
        names = ", ".join(message.without_beta)
        lines.append(Text(f"no beta, not in the beta-weighted delta: {names}", style="yellow"))
    if message.expired:
        names = ", ".join(message.expired[:_MOST_NAMED])
        lines.append(Text(f"expired and still held: {names}", style="yellow"))
    return [*lines, _age(message, now_ns)]


def _risk(message: ExposureMessage) -> list[Text]:
    if message.worst is None:
        return []
    stress = ", ".join(f"{each.name} {_money(each.profit)}" for each in message.stress)
    days = message.shortfall_days
    shortfall = (
        f"expected shortfall: needs a year of daily closes, has {days} days"
        if message.shortfall is None
        else f"expected shortfall of a day {_money(message.shortfall)} (of {days} days)"
    )
    return [
        Text(f"worst scenario {message.worst.name}: {_money(message.worst.profit)}", style="bold"),
        Text(f"stress days: {stress}"),
        Text(shortfall),
    ]


def _coverage(message: ExposureMessage) -> Text:
    missing = message.positions - message.marked
    text = f"coverage {message.coverage:.1%} of {message.positions} positions"
    if not missing:
        return Text(text, style="green")
    return Text(f"{text}: {missing} in no figure above", style="bold yellow")


def _age(message: ExposureMessage, now_ns: int | None) -> Text:
    text = f"as of {message.event_time}"
    if message.conflated:
        text += f", {message.conflated} ticks conflated"
    if now_ns is None:
        return Text(text, style="dim")
    age_s = (now_ns - parse_instant(message.event_time)) / SECOND
    return Text(f"{text}, {age_s:.1f} s old", style="dim" if age_s < _OLD_S else "bold red")


def _money(value: float) -> str:
    """Write an amount with three digits that count."""
    for unit, size in (("bn", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.{_decimals(abs(value) / size)}f}{unit}"
    return rounded(value, ".0f")


def _decimals(scaled: float) -> int:
    return 2 if scaled < 10 else 1 if scaled < 100 else 0  # noqa: PLR2004 - powers of ten
