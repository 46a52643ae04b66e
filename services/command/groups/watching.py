"""Watching it: topics, the page in a terminal, exposures."""

from typing import Annotated, Final

import typer

from services.command.groups.common import (
    Configuration,
    ConfigurationIfAny,
    Patience,
    answering,
    console,
    errors,
    settings_of,
)

PANEL: Final = "Watch"

app = typer.Typer()


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat tail orders -c deploy/hedges.toml\n\n"
    "  hedgestat tail alerts -c deploy/hedges.toml",
)
def tail(
    what: Annotated[
        str,
        typer.Argument(
            help="orders, executions, triggers, targets, whipsaws, withheld, alerts, rejects, "
            "signals, acks or status."
        ),
    ],
    config: Configuration,
) -> None:
    """Follow a topic, one readable line a message; Ctrl-C ends it."""
    from services.command.tail import TOPICS, run_tail

    if what not in TOPICS:
        raise typer.BadParameter(f"{what!r} is none of {', '.join(TOPICS)}")
    run_tail(settings_of(config), TOPICS[what], console, errors)


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat top -c deploy/hedges.toml\n\n  hedgestat top overlay --url http://10.0.0.7:8088\n\n"
    "  hedgestat top --once | less",
)
def top(
    book: Annotated[str, typer.Argument(help="Show this book first.", show_default=False)] = "",
    config: ConfigurationIfAny = None,
    url: Annotated[
        str | None,
        typer.Option(
            help="Where the dashboard is, if not where the configuration has it.",
            envvar="HEDGESTAT_DASHBOARD",
            show_default="http://127.0.0.1:8088",
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Print once, for a pipe.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="All of it for a program, a line each.")
    ] = False,
    interval: Annotated[
        float, typer.Option(min=0.1, max=60.0, help="Draw at most so often, seconds.")
    ] = 0.5,
) -> None:
    """Show the page in a terminal: market, books, orders, alerts, services; q quits, ? helps."""
    from services.command.top.command import TopOptions, page_of, run_top
    from shared.adapters.configuration.services import HttpSettings

    http = HttpSettings() if config is None else settings_of(config).http
    with answering():
        run_top(
            TopOptions(
                url=url or page_of(http),
                book=book,
                once=once,
                as_json=as_json,
                interval_s=interval,
            ),
            console,
        )


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat exposure overlay -c deploy/hedges.toml\n\n"
    "  hedgestat exposure overlay --follow -c deploy/hedges.toml",
)
def exposure(
    book: Annotated[str, typer.Argument(help="Whose.")],
    config: Configuration,
    follow: Annotated[bool, typer.Option("--follow", help="Show each new one.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a line.")] = False,
    patience: Patience = 5.0,
) -> None:
    """Print a book's Greeks in units and in money, its worst scenario, and what is missing."""
    from services.command.exposure import ExposureOptions, run_exposure

    options = ExposureOptions(book=book, follow=follow, as_json=as_json, patience_s=patience)
    settings = settings_of(config)
    with answering():
        run_exposure(settings, options, console)
