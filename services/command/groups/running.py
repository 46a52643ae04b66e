"""Running it: the demo, all services or one of them, a replay."""

import socket
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from services.command.groups.common import (
    DEPLOY,
    Configuration,
    Speed,
    answering,
    console,
    settings_of,
    speed_of,
)

PANEL: Final = "Run"

app = typer.Typer()


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat demo\n\n"
    "  hedgestat demo --from 2018-01-02 --to 2018-03-29 --rule sigmoid\n\n"
    "  hedgestat demo --history ~/my-csv-files --hold",
)
def demo(
    first: Annotated[
        datetime,
        typer.Option(
            "--from", formats=["%Y-%m-%d"], help="First session.", show_default="2014-01-03"
        ),
    ] = datetime(2014, 1, 3),  # noqa: DTZ001 - a day
    last: Annotated[
        datetime,
        typer.Option(
            "--to", formats=["%Y-%m-%d"], help="Last session, included.", show_default="2018-12-31"
        ),
    ] = datetime(2018, 12, 31),  # noqa: DTZ001 - a day
    speed: Speed = "max",
    rule: Annotated[
        str | None, typer.Option(help="A rule preset instead of the configured rule.")
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(help="A folder of your own CSV files instead of the packaged history."),
    ] = None,
    broker: Annotated[
        str | None, typer.Option(help="A real broker, mqtt://host:port, instead of the embedded.")
    ] = None,
    redis: Annotated[
        str | None, typer.Option(help="A real store, redis://host:port/0, instead of the embedded.")
    ] = None,
    hold: Annotated[bool, typer.Option(help="Stay up after the replay.")] = False,
    verbose: Annotated[
        bool, typer.Option(help="Print every change of a trigger, acceptances and notes, too.")
    ] = False,
    exposure: Annotated[
        bool, typer.Option("--exposure", help="A session of a book of 1,210 options instead.")
    ] = False,
    config: Configuration = DEPLOY / "demo.toml",
) -> None:
    """Run everything on embedded servers over five years of real S&P 500 and VIX history."""
    from services.command.demo import DemoOptions, run_demo
    from services.command.exposure_demo import run_exposure_demo

    options = DemoOptions(
        first=first.date(),
        last=last.date(),
        speed=speed_of(speed),
        preset=rule,
        history=history,
        broker=broker,
        redis=redis,
        hold=hold,
        verbose=verbose,
        config=config.absolute(),
    )
    settings = settings_of(config)
    with answering():
        run = run_exposure_demo if exposure else run_demo
        if not run(settings, options, console):
            raise typer.Exit(130)


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat up -c deploy/hedges.toml\n\n"
    "  hedgestat up --without gateway -c deploy/hedges.toml",
)
def up(
    config: Configuration,
    without: Annotated[
        list[str] | None,
        typer.Option(help="Leave this one out, for it runs elsewhere; again for another."),
    ] = None,
) -> None:
    """Run all services: auditor, exposure and page in processes of their own, the rest in this one.

    On two machines this is high availability: one leads each stage, the other follows within two
    seconds. There is one gateway, with one record: the second machine runs `--without gateway`.
    """
    from services.command.up import run_services, some_of, with_children

    settings = settings_of(config)
    with answering():
        services = some_of(with_children(config.absolute(), settings), without or ())
        run_services(settings, services, port=settings.http.port, next_free=True)


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat run ingest -c deploy/hedges.toml\n\n"
    "  hedgestat run gateway -c deploy/hedges.toml",
)
def run(
    service: Annotated[
        str,
        typer.Argument(help="ingest, signals, hedger, gateway, exposure, auditor or dashboard."),
    ],
    config: Configuration,
    child: Annotated[
        bool, typer.Option(hidden=True, help="Stop when standard input ends; any free port.")
    ] = False,
    listener: Annotated[
        int | None, typer.Option(hidden=True, help="A listening socket that we inherited.")
    ] = None,
) -> None:
    """Run one service in this process; with the others elsewhere it is the same as `up`."""
    from services.command.up import ALL_SERVICES, run_services

    if service not in ALL_SERVICES:
        raise typer.BadParameter(f"{service!r} is none of {', '.join(ALL_SERVICES)}")
    settings = settings_of(config)
    port = settings.http.ports[service]
    with answering():
        services = {service: ALL_SERVICES[service]}
        given = None if listener is None else socket.socket(fileno=listener)
        run_services(settings, services, port=port, next_free=child, child=child, listener=given)


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat replay vix.csv spx.csv -c deploy/demo.toml\n\n"
    "  hedgestat replay my-history/ -c deploy/demo.toml --from 2018-01-02 --speed 86400",
)
def replay(
    files: Annotated[list[Path], typer.Argument(help="CSV files, or folders of them.")],
    config: Configuration,
    speed: Speed = "max",
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First session.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last session, included.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="Name of the replay; begun again under one name it goes on."),
    ] = None,
    wait: Annotated[
        bool, typer.Option(help="Wait for hedger and gateway to settle each step.")
    ] = True,
) -> None:
    """Publish recorded ticks and their clock to the broker, no faster than they are journalled."""
    from services.command.replay import ReplayOptions, run_replay

    options = ReplayOptions(
        files=tuple(files),
        first=first.date() if first else None,
        last=last.date() if last else None,
        speed=speed_of(speed),
        source=source,
        wait=wait,
    )
    settings = settings_of(config)
    with answering():
        if not run_replay(settings, options, console):
            raise typer.Exit(130)
