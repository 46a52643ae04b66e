"""The dashboards as files, for Grafana's provisioning."""

import json
from pathlib import Path
from typing import Final

from services.command.grafana.exposure import EXPOSURE
from services.command.grafana.operations import OPERATIONS
from services.command.grafana.overview import OVERVIEW
from services.command.grafana.panels import Dashboard, render

DASHBOARDS: Final = (OVERVIEW, EXPOSURE, OPERATIONS)


def text_of(dashboard: Dashboard) -> str:
    """Return what its file holds."""
    return json.dumps(render(dashboard), indent=2, ensure_ascii=False) + "\n"


def write_dashboards(directory: Path) -> None:
    """Write a file for each dashboard, and remove what is no dashboard any more."""
    directory.mkdir(parents=True, exist_ok=True)
    files = {f"{dashboard.name}.json": dashboard for dashboard in DASHBOARDS}
    for path in directory.glob("*.json"):
        if path.name not in files:
            path.unlink()
    for name, dashboard in files.items():
        (directory / name).write_text(text_of(dashboard))
