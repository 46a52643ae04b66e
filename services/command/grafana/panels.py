"""What a Grafana dashboard is made of, as far as ours need it: rows of panels on a grid of 24.

Only what differs from Grafana's defaults is written. The data source is named by its uid, which
`deploy/grafana/provisioning` gives it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from msgspec import Struct

SOURCE: Final = {"type": "prometheus", "uid": "prometheus"}
SCHEMA: Final = 39
"""Of the dashboard's JSON; newer Grafanas bring it up to theirs when they load it."""
COLUMNS: Final = 24

Kind = Literal["stat", "timeseries", "state-timeline", "heatmap", "table", "bargauge"]
Colour = Literal["green", "yellow", "orange", "red", "blue", "text"]
Words = Mapping[int, tuple[str, Colour]]
Json = dict[str, Any]


class Query(Struct, frozen=True):
    """A PromQL expression, and the name of its series: `{{label}}` stands for a label's value."""

    expression: str
    legend: str = ""


class Panel(Struct, frozen=True, kw_only=True):
    """One panel.

    Attributes:
        kind: As Grafana names it.
        title: At its head.
        queries: What it shows.
        width: In columns of 24.
        height: In grid units of 30 pixels.
        description: Behind the small `i`: what a person is to make of it.
        unit: As Grafana names it.
        words: Text and colour in the place of a number.
        colours: From which value on which colour.
        stacked: Whether series are put on top of one another.
        low: Least value of the axis, so that an axis does not flatter.
    """

    kind: Kind
    title: str
    queries: tuple[Query, ...]
    width: int = 8
    height: int = 8
    description: str = ""
    unit: str = "short"
    words: Words = {}
    colours: tuple[tuple[float, Colour], ...] = ()
    stacked: bool = False
    low: float | None = None


class Row(Struct, frozen=True):
    """Panels under a headline, side by side as long as there is room."""

    title: str
    panels: tuple[Panel, ...]


class Variable(Struct, frozen=True):
    """A choice above the dashboard: values of a label of a metric, several or all."""

    name: str
    metric: str


class Dashboard(Struct, frozen=True, kw_only=True):
    """A whole dashboard.

    Attributes:
        name: Of its file, and its uid: links to it last.
        title: As it is listed.
        description: What it answers.
        rows: From top to bottom.
        variables: What can be chosen.
    """

    name: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()

    @property
    def panels(self) -> Iterator[Panel]:
        """All of its panels."""
        return (panel for row in self.rows for panel in row.panels)


def render(dashboard: Dashboard) -> Json:
    """Return the dashboard as Grafana reads it."""
    return {
        "uid": f"hedgestat-{dashboard.name}",
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["hedgestat"],
        "schemaVersion": SCHEMA,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "5s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "utc",
        "links": [_others()],
        "templating": {"list": [_variable(each) for each in dashboard.variables]},
        "panels": list(_placed(dashboard.rows)),
    }


def _others() -> Json:
    """A menu of our other dashboards, which keeps the time that is looked at."""
    return {
        "type": "dashboards",
        "title": "hedgestat",
        "tags": ["hedgestat"],
        "asDropdown": False,
        "keepTime": True,
        "includeVars": True,
    }


def _variable(variable: Variable) -> Json:
    query = f"label_values({variable.metric}, {variable.name})"
    return {
        "type": "query",
        "name": variable.name,
        "datasource": SOURCE,
        "query": {"query": query, "refId": "values"},
        "definition": query,
        "refresh": 2,  # whenever the time range changes: books come and go
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _placed(rows: Sequence[Row]) -> Iterator[Json]:
    number, top = 0, 0
    for row in rows:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": top},
        }
        left, top, tallest = 0, top + 1, 0
        for panel in row.panels:
            if left + panel.width > COLUMNS:
                left, top, tallest = 0, top + tallest, 0
            number += 1
            place = {"h": panel.height, "w": panel.width, "x": left, "y": top}
            yield {"id": number, "gridPos": place, **_panel(panel)}
            left, tallest = left + panel.width, max(tallest, panel.height)
        top += tallest


def _panel(panel: Panel) -> Json:
    is_snapshot = panel.kind in {"stat", "table", "bargauge"}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + position),
                "datasource": SOURCE,
                "expr": query.expression,
                "legendFormat": query.legend or "__auto",
                "instant": is_snapshot,
                "range": not is_snapshot,
                "format": _format(panel.kind),
            }
            for position, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _format(kind: Kind) -> str:
    return {"heatmap": "heatmap", "table": "table"}.get(kind, "time_series")


def _defaults(panel: Panel) -> Json:
    defaults: Json = {"unit": panel.unit, "custom": _custom(panel)}
    if panel.low is not None:
        defaults["min"] = panel.low
    if panel.words:
        words = {
            str(value): {"text": text, "color": colour, "index": position}
            for position, (value, (text, colour)) in enumerate(panel.words.items())
        }
        defaults["mappings"] = [{"type": "value", "options": words}]
    if panel.colours:
        lowest, *others = panel.colours
        steps: list[Json] = [{"value": None, "color": lowest[1]}]  # below all others
        steps += [{"value": value, "color": colour} for value, colour in others]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        defaults["color"] = {"mode": "thresholds"}
    return defaults


def _custom(panel: Panel) -> Json:
    if panel.kind == "timeseries":
        return {
            "drawStyle": "line",
            "lineInterpolation": "stepAfter",  # a value holds until the next: nothing is made up
            "fillOpacity": 30 if panel.stacked else 0,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        }
    return {"fillOpacity": 80, "lineWidth": 0} if panel.kind == "state-timeline" else {}


def _options(panel: Panel) -> Json:
    last: Json = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    match panel.kind:
        case "stat":
            mode = "background" if panel.words or panel.colours else "none"
            return {"reduceOptions": last, "colorMode": mode, "graphMode": "none"}
        case "bargauge":
            return {"reduceOptions": last, "orientation": "horizontal", "displayMode": "basic"}
        case "timeseries":
            legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
            return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
        case "state-timeline":
            return {"mergeValues": True, "showValue": "auto", "rowHeight": 0.8}
        case "heatmap":
            colour = {"mode": "scheme", "scheme": "Blues", "steps": 32}
            return {"calculate": False, "color": colour, "yAxis": {"unit": panel.unit}}
        case "table":
            return {"showHeader": True}
