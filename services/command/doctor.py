"""`hedgestat doctor`: what is wrong with a deployment, and what to do about it."""

import asyncio
import sys
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape

from services.command.up import KEYS
from shared.adapters.clock import SystemClock
from shared.adapters.examination import examine_all, examine_keys
from shared.adapters.keyring import KeysNeeded
from shared.adapters.settings import Settings
from shared.runtime.logs import configure_logging


def examine(settings: Settings, services: Iterable[str], console: Console) -> bool:
    """Print every finding as it comes; whether all is well for these services."""
    configure_logging("error", stream=sys.stderr)
    return asyncio.run(_examine(settings, _needed(services), console))


def missing_keys(settings: Settings) -> list[str]:
    """Say what is wrong with the keys, a line each: nothing of it is the configuration's fault."""
    findings = examine_keys(settings, _needed(KEYS))
    return [
        f"{each.subject}: {each.seen}\n  -> {each.remedy}" for each in findings if not each.is_well
    ]


def _needed(services: Iterable[str]) -> KeysNeeded:
    """All keys of some services."""
    each = [KEYS[service] for service in services if service in KEYS]
    return KeysNeeded(
        signs=tuple(dict.fromkeys(role for needed in each for role in needed.signs)),
        believes=tuple(dict.fromkeys(role for needed in each for role in needed.believes)),
    )


async def _examine(settings: Settings, needed: KeysNeeded, console: Console) -> bool:
    is_well = True
    async for finding in examine_all(settings, needed, SystemClock()):
        mark = "[green]ok  [/]" if finding.is_well else "[bold red]FAIL[/]"
        lines = [f"{mark} {escape(finding.subject)}: {escape(finding.seen)}"]
        if not finding.is_well:
            lines.append(f"     [bold]->[/] {escape(finding.remedy)}")
            is_well = False
        console.print("\n".join(lines), highlight=False, soft_wrap=True)
    return is_well
