"""The whole report as one text of HTML."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from markupsafe import Markup

from services.command.figures import counted
from services.command.study.report.attribution_charts import (
    attribution_chart,
    parts_of,
    unexplained_share,
)
from services.command.study.report.contents import Contents, VariantStudy
from services.command.study.report.crisis_charts import crisis_charts
from services.command.study.report.curves import growth_chart, profit_chart
from services.command.study.report.market_charts import MOST_ON_A_SHEET, has_market, hedge_chart
from services.command.study.report.page import Drawings, plotly_script, rendered, style
from services.command.study.report.tables import comparison, packed, regimes
from services.command.study.report.wording import percent
from services.command.study.report.words import summary

PARTS: Final = (
    ("summary", "Summary"),
    ("flags", "Red flags"),
    ("comparison", "Side by side"),
    ("paths", "With and without"),
    ("market", "Against VIX"),
    ("crises", "Crises"),
    ("attribution", "Attribution"),
    ("regimes", "Regimes"),
    ("sweep", "Sensitivity"),
    ("walk", "Walk-forward"),
    ("quality", "Data quality"),
    ("reproduce", "To make this again"),
)


def document(contents: Contents) -> str:
    """Return the report."""
    said, variants = contents.provenance, contents.variants
    charts = Drawings()
    page: dict[str, Any] = {
        "said": said,
        "contents": contents,
        "parts": PARTS,
        "summary": summary(contents),
        "described": described,
        "flagged": any(each.flags for each in variants),
        "multiple_testing": multiple_testing(contents),
        "warning": selection_warning(contents),
        "comparison": comparison(contents),
        "confidence": percent(said.bootstrap.confidence, 0),
        "resamples": f"{said.bootstrap.resamples:,}",
        "growth": charts.add(growth_chart(variants), "Portfolio with and without each hedge"),
        "profit": charts.add(profit_chart(variants, said.currency), "Profit of each hedge alone"),
        "hedges": list(_hedges(contents, charts)),
        "crises": list(_crises(contents, charts)),
        "attribution": list(_attribution(contents, charts)),
        "regimes": regimes(contents),
        "heat_maps": [],
        "no_sweep": "",
        "walk": None,
        "plotly": plotly_script(),
        "style": style(),
        "charts": charts,
    }
    return rendered("report.html", page)


def described(each: VariantStudy) -> str:
    """Say what a variant sets otherwise than the configuration."""
    changes: Mapping[str, Any] = each.figures.variant.changes
    return ", ".join(f"{key} = {value}" for key, value in changes.items()) or "as configured"


def multiple_testing(contents: Contents) -> str:
    """Say how many configurations were tried, and what that does to a Sharpe ratio."""
    tried = contents.provenance.tried
    known = [each.selection for each in contents.variants if each.selection is not None]
    text = (
        f"{counted(tried, 'configuration')} {'was' if tried == 1 else 'were'} ever run in this "
        "folder, those no longer in the plan included. "
    )
    if tried < 2 or not known:  # noqa: PLR2004 - of one nothing was chosen
        return f"{text}Nothing was chosen among them, so nothing is deflated."
    return (
        f"{text}The best of as many without any skill would show a Sharpe ratio of "
        f"{known[0].annual_expected_maximum:.2f}; the deflated Sharpe in the table is the "
        "probability that a variant’s true ratio is above that."
    )


def selection_warning(contents: Contents) -> str:
    """Return the warning about the variant with the highest Sharpe ratio, were it chosen."""
    judged = [(each.selection, each) for each in contents.variants if each.selection is not None]
    if not judged:
        return ""
    selection, best = max(judged, key=lambda pair: pair[0].annual_sharpe)
    return "" if selection.warning is None else f"The highest, {best.label}: {selection.warning}"


def _hedges(contents: Contents, charts: Drawings) -> Iterator[Markup]:
    shown = [each for each in contents.variants if has_market(each.daily)]
    number = 0
    for pack in packed(shown, MOST_ON_A_SHEET):
        yield charts.add(hedge_chart(pack, number), "VIX and the vega that each variant held")
        number += len(pack)


def _crises(contents: Contents, charts: Drawings) -> Iterator[tuple[str, str, Markup]]:
    for crisis, chart in crisis_charts(contents.variants, contents.provenance.currency):
        yield crisis.name, f"{crisis.first} to {crisis.last}", charts.add(chart, crisis.name)


def _attribution(contents: Contents, charts: Drawings) -> Iterator[tuple[str, str, Markup]]:
    for each in contents.variants:
        if not parts_of(each.daily):
            continue
        chart = attribution_chart(each, contents.provenance.currency)
        share = percent(unexplained_share(each.daily), 2)
        remark = f"Unexplained, session by session, is {share} of all profits and losses."
        yield each.label, remark, charts.add(chart, f"Profit of {each.name} by part")
