"""Setting it up: configuration, servers, and the files that are generated."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from services.command.groups.common import Configuration, console, settings_of

PANEL: Final = "Set up"

app = typer.Typer()


@app.command(rich_help_panel=PANEL, epilog="Example:\n\n  hedgestat check -c deploy/hedges.toml")
def check(config: Configuration) -> None:
    """List every fault of a configuration, with its line and what to write instead."""
    from services.command.doctor import missing_keys
    from services.command.holdings import told_holdings
    from shared.adapters.clock import SystemClock

    settings = settings_of(config)
    books = ", ".join(book.name for book in settings.books)
    verdict = f"[green]{escape(str(config))}: no fault.[/]"
    told = f"{verdict} Books: {books}. Digest {settings.digest[:16]}."
    console.print(told, highlight=False, soft_wrap=True)
    for line in told_holdings(settings, SystemClock().now_ns()):
        console.print(line, highlight=False, soft_wrap=True)
    for line in missing_keys(settings):
        console.print(f"[yellow]{escape(line)}[/]", highlight=False, soft_wrap=True)


Where = Annotated[str | None, typer.Option(metavar="URL", help="Look at this one, too.")]


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat doctor -c deploy/hedges.toml\n\n"
    "  hedgestat doctor gateway -c deploy/hedges.toml\n\n"
    "  hedgestat doctor --running --page http://127.0.0.1:8088 "
    "--prometheus http://127.0.0.1:9090 --alertmanager http://127.0.0.1:9093 -c deploy/hedges.toml",
)
def doctor(
    config: Configuration,
    services: Annotated[
        list[str] | None,
        typer.Argument(
            help="The services of this machine, whose keys and files it needs; "
            "operator, where none runs; else all."
        ),
    ] = None,
    running: Annotated[
        bool,
        typer.Option(help="They are to be running: leases, gateway, versions, this clock, too."),
    ] = False,
    page: Where = None,
    prometheus: Where = None,
    alertmanager: Where = None,
) -> None:
    """Check servers, certificates, keys, files and room, and say what to do about what is wrong.

    With --running, and with the address of page, Prometheus or Alertmanager, those too.
    """
    from services.command.doctor import OPERATOR, Examination, examine
    from services.command.up import ALL_SERVICES

    known = (*ALL_SERVICES, OPERATOR)
    for service in services or ():
        if service not in known:
            raise typer.BadParameter(f"{service!r} is none of {', '.join(known)}")
    examination = Examination(
        services=tuple(services or ALL_SERVICES),
        is_running=running,
        page=page,
        prometheus=prometheus,
        alertmanager=alertmanager,
    )
    if not examine(settings_of(config), examination, console):
        raise typer.Exit(1)


@app.command(
    rich_help_panel=PANEL, epilog="Example:\n\n  hedgestat asyncapi > deploy/asyncapi.json"
)
def asyncapi() -> None:
    """Print the AsyncAPI 3 document of the wire contract."""
    from shared.wire.asyncapi import render

    typer.echo(render(), nl=False)


@app.command(
    rich_help_panel=PANEL, epilog="Example:\n\n  hedgestat grafana deploy/grafana/dashboards"
)
def grafana(
    directory: Annotated[Path, typer.Argument(help="Where Grafana's provisioning finds them.")],
) -> None:
    """Write the Grafana dashboards, a file each."""
    from services.command.grafana.files import write_dashboards

    write_dashboards(directory)
