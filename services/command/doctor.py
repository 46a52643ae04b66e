"""`hedgestat doctor`: what is wrong with a deployment, and what to do about it."""

import asyncio
import sys

from rich.console import Console
from rich.markup import escape

from shared.adapters.clock import SystemClock
from shared.adapters.examination import examine_all
from shared.adapters.settings import Settings
from shared.runtime.logs import configure_logging


def examine(settings: Settings, console: Console) -> bool:
    """Print every finding as it comes; whether all is well."""
    configure_logging("error", stream=sys.stderr)
    return asyncio.run(_examine(settings, console))


async def _examine(settings: Settings, console: Console) -> bool:
    is_well = True
    async for finding in examine_all(settings, SystemClock()):
        mark = "[green]ok  [/]" if finding.is_well else "[bold red]FAIL[/]"
        lines = [f"{mark} {escape(finding.subject)}: {escape(finding.seen)}"]
        if not finding.is_well:
            lines.append(f"     [bold]->[/] {escape(finding.remedy)}")
            is_well = False
        console.print("\n".join(lines), highlight=False, soft_wrap=True)
    return is_well
