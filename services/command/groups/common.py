"""What commands share: the configuration, two consoles, and how a refusal is said.

A command imports what it needs when it runs, so that `hedgestat --help` stays quick.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from shared.adapters.settings import FaultyConfiguration, Settings, load_settings

DEPLOY: Final = Path(__file__).parents[3] / "deploy"
console = Console()
errors = Console(stderr=True)

Configuration = Annotated[
    Path,
    typer.Option("-c", "--config", help="The TOML configuration.", envvar="HEDGESTAT_CONFIG"),
]
ConfigurationIfAny = Annotated[
    Path | None,
    typer.Option(
        "-c",
        "--config",
        help="The TOML configuration; without it, its defaults.",
        envvar="HEDGESTAT_CONFIG",
        show_default=False,
    ),
]
Speed = Annotated[
    str,
    typer.Option(
        help="Event time per wall time, such as 3600; [bold]max[/]: as fast as it settles."
    ),
]
Patience = Annotated[float, typer.Option("--patience", min=0.1, help="Seconds to wait.")]


def settings_of(config: Path) -> Settings:
    """Load the configuration, or print everything wrong with it and exit with 2."""
    with refusing_faults(config, "nothing was started"):
        return load_settings(config)


@contextlib.contextmanager
def refusing_faults(path: Path, outcome: str) -> Iterator[None]:
    """Print everything that is wrong with a file, and what came of it, and exit with 2."""
    try:
        yield
    except FaultyConfiguration as faulty:
        for fault in faulty.faults:
            complain(f"[bold red]{escape(str(path))}[/]: {escape(str(fault))}")
        complain(f"{len(faulty.faults)} fault(s); {outcome}.")
        raise typer.Exit(2) from None


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Say in plain words why a command ends, and end it with the code that stands for it."""
    from services.command.endings import Failed, Refused

    try:
        yield
    except (Refused, Failed) as reason:
        complain(f"[bold red]{escape(str(reason))}[/]")
        raise typer.Exit(2 if isinstance(reason, Refused) else 1) from None


def speed_of(text: str) -> float | None:
    """Read --speed: event time per wall time; None, which is `max`, as fast as it settles."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 < speed < float("inf"):
        raise typer.BadParameter("a positive number, or max", param_hint="--speed")
    return speed


def complain(markup: str) -> None:
    """Print to standard error."""
    errors.print(markup, highlight=False, soft_wrap=True)
