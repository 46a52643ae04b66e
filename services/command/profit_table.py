"""Where a book's profit came from, as a table for a terminal."""

from collections.abc import Iterator
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from services.command.figures import rounded
from shared.wire.messages import ProfitAccountMessage, ProfitMessage, SuspendedMessage

_MOST_NAMED: Final = 5
_EXPLAINED: Final = {
    "gamma": "½Γ(dS)²",
    "theta": "time passed",
    "vanna": "dS · dσ",
    "volga": "½(dσ)²",
    "carry": "rates, realized − implied",
    "cost": "fills against marks",
    "trades": "fills until valued",
}


def profit_view(profit: ProfitMessage) -> Iterator[RenderableType]:
    """Draw a book's profit since the session opened and since the beginning, in whole currency."""
    accounts = (profit.session, profit.inception)
    table = Table(title="Profit explained", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("since the open", justify="right")
    table.add_column("since inception", justify="right")
    table.add_column("")
    for name in profit.session.parts:
        amounts = (_money(account.parts.get(name, 0.0)) for account in accounts)
        table.add_row(
            name, *amounts, _EXPLAINED.get(name, ""), style="dim" * _is_idle(name, profit)
        )
    table.add_row("unexplained", *(_money(account.unexplained) for account in accounts))
    table.add_section()
    table.add_row("total", *(_money(account.total) for account in accounts), style="bold")
    yield table
    yield from map(_waiting, profit.suspended[:_MOST_NAMED])
    if (more := profit.waiting - len(profit.suspended[:_MOST_NAMED])) > 0:
        yield Text(f"  … and the profit of {more} more", style="yellow")


def _is_idle(name: str, profit: ProfitMessage) -> bool:
    """Whether a part is nothing at all."""
    accounts: tuple[ProfitAccountMessage, ...] = (profit.session, profit.inception)
    return not any(account.parts.get(name) for account in accounts)


def _waiting(suspended: SuspendedMessage) -> Text:
    since = f"since {suspended.since}" if suspended.since else "that had none so far"
    place = f"{suspended.symbol} {suspended.quantity:+g}"
    return Text(f"  profit waits for a mark of {place}, {since}", style="yellow")


def _money(value: float) -> str:
    return rounded(value, ",.0f")
