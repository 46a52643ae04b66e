"""One HTML file that needs nothing else: template, figures and plotly's own script."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from services.command.study.report.plotting import Figure, figure_json, plotly_source

_TEMPLATES: Final = files("services.command.study.report") / "templates"


class Drawings:
    """The charts of one page, each under a name of its own, as the page's script wants them."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def add(self, figure: Figure, title: str) -> Markup:
        """Take a chart; returns where it is to stand.

        Args:
            figure: Laid out.
            title: What it shows, for who cannot see it.
        """
        name = f"chart-{len(self._figures) + 1}"
        self._figures[name] = figure
        height = int(figure.layout.height)
        place = '<div class="chart" id="{}" role="img" aria-label="{}" style="height:{}px"></div>'
        return Markup(place).format(name, title, height)  # noqa: S704 - format escapes

    def script(self) -> Markup:
        """Return all charts as JSON that no text can break out of."""
        text = ",".join(
            f"{json.dumps(name)}:{figure_json(figure)}" for name, figure in self._figures.items()
        )
        return _inside_script(f"{{{text}}}")


def rendered(template: str, page: Mapping[str, Any]) -> str:
    """Fill a template of the package; every text is escaped that is not `Markup`."""
    return _environment().get_template(template).render(page)


def plotly_script() -> Markup:
    """Return plotly.js as the plotly package carries it."""
    return Markup(plotly_source())  # noqa: S704 - a package's own script


def style() -> Markup:
    """Return the style sheet."""
    return Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8"))  # noqa: S704 - our own


def _inside_script(text: str) -> Markup:
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(safe)  # noqa: S704 - JSON without a < ends no script


@cache
def _environment() -> Environment:
    texts = {
        each.name: each.read_text(encoding="utf-8")
        for each in _TEMPLATES.iterdir()
        if each.name.endswith(".html")
    }
    return Environment(
        loader=DictLoader(texts),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
