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
from services.command.study.report.curves import growth_chart, profit_charts
from services.command.study.report.market_charts import MOST_ON_A_SHEET, has_market, hedge_chart
from services.command.study.report.page import Drawings, plotly_script, rendered, style
from services.command.study.report.regime_table import regime_table
from services.command.study.report.sheet import packed
from services.command.study.report.side_by_side import comparison
from services.command.study.report.sweep_charts import sweep_chart
from services.command.study.report.walk_table import walk_table
from services.command.study.report.whipsaws import HEADS, whipsaw_rows
from services.command.study.report.wording import percent, ratio
from services.command.study.report.words import summary

PARTS: Final = (
    ("summary", "Summary"),
    ("flags", "Red flags"),
    ("comparison", "Side by side"),
    ("paths", "With and without"),
    ("market", "Against VIX"),
    ("crises", "Crises"),
    ("attribution", "Attribution"),
    ("whipsaws", "Whipsaws"),
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
    listed, more = whipsaw_rows(contents)
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
        "growth": charts.add(
            growth_chart(variants, contents.reference), "Portfolio with and without each hedge"
        ),
        "profits": [
            (remark, charts.add(chart, "Profit of each hedge alone"))
            for remark, chart in profit_charts(variants, contents.reference, said.currency)
        ],
        "hedges": list(_hedges(contents, charts)),
        "crises": list(_crises(contents, charts)),
        "attribution": list(_attribution(contents, charts)),
        "whipsaw_heads": HEADS,
        "whipsaws": listed,
        "whipsaws_more": more,
        "regimes": regime_table(contents),
        "sweep": _sweep(contents, charts),
        "swept": contents.swept,
        "sensitivity": sensitivity(contents),
        "walk": None if contents.swept is None else walk_table(contents.swept),
        "walked": walked(contents),
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


def sensitivity(contents: Contents) -> str:
    """Say how much of the best combination is lost a step away from it."""
    swept = contents.swept
    if swept is None:
        return ""
    flat = swept.flatness
    text = ""
    if flat is not None and flat.mean_loss is not None and flat.largest_loss is not None:
        at = ", ".join(f"{key.rpartition('.')[2]} {value:g}" for key, value in flat.at.items())
        text = (
            f"The best is at {at}. One step from it {ratio(flat.mean_loss, 3)} of its Sharpe ratio "
            f"is lost on average, {ratio(flat.largest_loss, 3)} at most. "
        )
        text += "The colours span this sweep’s range alone, however small it is. "
        if flat.at_edge:
            edges = ", ".join(key.rpartition(".")[2] for key in flat.at_edge)
            text += f"It lies at the edge of {edges}: the true best may lie beyond. "
    if swept.selection is not None:
        better = percent(swept.selection.deflated, 0)
        text += (
            f"With all {swept.selection.trials} trials counted, the best is better than luck with "
            f"probability {better}."
        )
    return text


def walked(contents: Contents) -> str:
    """Say how windows were laid, and what came of choosing on the past."""
    if contents.swept is None or contents.swept.walk is None:
        return ""
    found, policy = contents.swept.walk, contents.swept.policy
    window = "growing" if policy.anchored else "sliding"
    return (
        f"Chosen by {policy.objective.replace('_', ' ')} on a {window} window of "
        f"{policy.train_sessions} sessions{' at first' if policy.anchored else ''}, judged on the "
        f"{policy.test_sessions} that follow. Sharpe over all judged sessions: "
        f"{ratio(found.sharpe, 3)}, of the portfolio alone {ratio(found.unhedged, 3)}."
    )


def _sweep(contents: Contents, charts: Drawings) -> Markup | None:
    swept = contents.swept
    if swept is None or swept.surface is None:
        return None
    return charts.add(sweep_chart(swept.parameters, swept.surface), "Sharpe ratio by parameter")


def _hedges(contents: Contents, charts: Drawings) -> Iterator[Markup]:
    shown = [each for each in contents.variants if has_market(each.daily)]
    longest = max(shown, key=lambda each: len(each.figures.rows), default=None)
    if longest is None:
        return
    number = 0
    for pack in packed(shown, MOST_ON_A_SHEET):
        yield charts.add(
            hedge_chart(pack, longest, number), "VIX and the vega that each variant held"
        )
        number += len(pack)


def _crises(contents: Contents, charts: Drawings) -> Iterator[tuple[str, str, Markup]]:
    for crisis, chart in crisis_charts(
        contents.variants, contents.reference, contents.provenance.currency
    ):
        yield crisis.name, f"{crisis.first} to {crisis.last}", charts.add(chart, crisis.name)


def _attribution(contents: Contents, charts: Drawings) -> Iterator[tuple[str, str, Markup]]:
    for each in contents.variants:
        if not parts_of(each.daily):
            continue
        chart = attribution_chart(each, contents.provenance.currency)
        share = percent(unexplained_share(each.daily), 2)
        remark = f"Unexplained, session by session, is {share} of all profits and losses."
        yield each.label, remark, charts.add(chart, f"Profit of {each.name} by part")
