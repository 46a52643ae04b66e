"""The review as one text of HTML."""

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup
from msgspec import Struct

from services.command.figures import counted
from services.command.study.report.attribution_charts import unexplained_share
from services.command.study.report.page import Drawings, plotly_script, rendered, style
from services.command.study.report.wording import money, percent
from services.command.study.review.charts import (
    attribution_chart,
    budget_chart,
    exposure_chart,
    profit_chart,
)
from services.command.study.review.month import BookMonth, Month
from services.command.study.review.tables import decisions, figures, orders, whipsaws


class Origin(Struct, frozen=True, kw_only=True):
    """What made a review.

    Attributes:
        title: Of the page.
        command: As it was typed.
        code_version: That reviews.
        decided_by: Versions that decided.
        config_digest: Of the configuration given.
        remarks: What a reader must know.
    """

    title: str
    command: str
    code_version: str
    decided_by: tuple[str, ...]
    config_digest: str
    remarks: tuple[str, ...]


def review_document(month: Month, books: Sequence[BookMonth], origin: Origin) -> str:
    """Return the review."""
    charts = Drawings()
    page: dict[str, Any] = {
        "said": origin,
        "month": month,
        "books": [_book(each, charts) for each in books],
        "plotly": plotly_script(),
        "style": style(),
        "charts": charts,
    }
    return rendered("review.html", page)


def _book(month: BookMonth, charts: Drawings) -> dict[str, Any]:
    return {
        "name": month.book.name,
        "currency": month.book.currency,
        "sessions": len(month.daily["day"]),
        "summary": list(summary(month)),
        "figures": figures(month),
        "decisions": decisions(month),
        "orders": orders(month),
        "whipsaws": whipsaws(month),
        "charts": list(_charts(month, charts)),
    }


def _charts(month: BookMonth, charts: Drawings) -> Iterator[tuple[str, Markup, str]]:
    if not len(month.daily["day"]):
        return
    title = "Hedge against target and VIX"
    yield title, charts.add(exposure_chart(month), title), "At each close."
    title = "Profit"
    remark = "Net of transaction cost. Free static: the base hedge throughout, traded for nothing."
    yield title, charts.add(profit_chart(month), title), remark
    if (attribution := attribution_chart(month)) is not None:
        title = "Where the profit came from"
        share = percent(unexplained_share(month.daily), 2)
        remark = f"Unexplained, session by session, is {share} of all profits and losses."
        yield title, charts.add(attribution, title), remark
    if (budget := budget_chart(month)) is not None:
        title = "Budget of the calendar year"
        yield title, charts.add(budget, title), "Share used, as of the last decision."


def summary(month: BookMonth) -> Iterator[str]:
    """Return the month in sentences."""
    sessions = len(month.daily["day"])
    if not sessions:
        yield "No session of this month has every level that an account needs."
        return
    currency = month.book.currency
    yield (
        f"{counted(sessions, 'session')}: {counted(len(month.targets), 'decision')}, "
        f"{counted(len(month.orders), 'order')}, "
        f"{counted(len(month.executions), 'execution report')}, "
        f"{counted(len(month.whipsaws), 'whipsaw')} suppressed."
    )
    yield (
        f"The hedge made {money(month.total('profit'), '+')} {currency}, of it "
        f"{money(month.total('cost'))} paid for trading. The base hedge held throughout for "
        f"nothing would have made {money(month.total('static_profit'), '+')}, no hedge 0."
    )
    if month.firings:
        fired = ", ".join(f"{name} {count} ×" for name, count in month.firings.items())
        yield f"Triggers that fired: {fired}."
