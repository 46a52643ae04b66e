"""Looking back: why an order was sent, the journal as a file, the chain of decisions."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from services.command.groups.common import Configuration, answering, console, settings_of

PANEL: Final = "Look back"

app = typer.Typer()


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat why overlay-00000007-varswap_3m -c deploy/hedges.toml\n\n"
    "  hedgestat why overlay-00000007-varswap_3m --json --from run.parquet -c deploy/hedges.toml",
)
def why(
    order_id: Annotated[str, typer.Argument(help="Of the order.")],
    config: Configuration,
    as_json: Annotated[bool, typer.Option("--json", help="All of it, for a program.")] = False,
    export: Annotated[
        Path | None,
        typer.Option("--from", help="An exported journal instead of archive and store."),
    ] = None,
) -> None:
    """Tell what an order came of: triggers, signals, sizing, limits, code; and what of it."""
    from services.command.why import run_why

    settings = settings_of(config)
    with answering():
        run_why(settings, order_id, export=export, as_json=as_json, console=console)


journal = typer.Typer(
    help="The journal as a file: taken along, and decided once more.",
    epilog="Example:\n\n  hedgestat journal export run.parquet -c deploy/hedges.toml",
)
app.add_typer(journal, name="journal", no_args_is_help=True, rich_help_panel=PANEL)


@journal.command(
    epilog="Examples:\n\n  hedgestat journal export run.parquet -c deploy/hedges.toml\n\n"
    "  hedgestat journal export 2026.parquet --to 2026-12-31 -c deploy/hedges.toml"
)
def export(
    file: Annotated[Path, typer.Argument(help="Written whole at the end, or not at all.")],
    config: Configuration,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, UTC.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, UTC, included.")
    ] = None,
) -> None:
    """Write the journal and what was decided of it, archive and store together, to one file."""
    from services.command.journal import Period, run_export

    period = Period.of(first.date() if first else None, last.date() if last else None)
    settings = settings_of(config)
    with answering():
        if not run_export(settings, file, period, console):
            raise typer.Exit(130)


@journal.command(
    "replay",
    epilog="Example:\n\n  hedgestat journal replay run.parquet --compare -c deploy/hedges.toml",
)
def journal_replay(
    file: Annotated[Path, typer.Argument(help="As `hedgestat journal export` writes it.")],
    config: Configuration,
    compare: Annotated[
        bool, typer.Option(help="Hold the decisions against those that were recorded.")
    ] = False,
    write: Annotated[Path | None, typer.Option(help="Write the decisions to this file.")] = None,
) -> None:
    """Decide an exported journal anew, without servers, and print the digest of the decisions."""
    from services.command.journal import run_journal_replay

    settings = settings_of(config)
    with answering():
        run_journal_replay(settings, file, write=write, compare=compare, console=console)


audit = typer.Typer(help="Whether the record of decisions is what was decided.")
app.add_typer(
    audit,
    name="audit",
    no_args_is_help=True,
    rich_help_panel=PANEL,
    epilog="Example:\n\n  hedgestat audit verify -c x.toml",
)


@audit.command(
    epilog="Examples:\n\n  hedgestat audit verify -c deploy/hedges.toml\n\n"
    "  hedgestat audit verify --from archive/hedge.v1.hedger.decisions -c deploy/hedges.toml"
)
def verify(
    config: Configuration,
    files: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            help="[bold]store[/]: archive and store; or segments of an archive, or their folder.",
            show_default="store",
        ),
    ] = None,
    without_head: Annotated[
        bool, typer.Option(help="Be content when no signed head is known.")
    ] = False,
) -> None:
    """Follow the chain of the decision log, and hold it against the heads that were signed."""
    from services.command.audit import STORE, VerifyOptions, run_verify

    paths = tuple(Path(each) for each in files or () if each != STORE)
    settings = settings_of(config)
    with answering():
        run_verify(settings, VerifyOptions(files=paths, without_head=without_head), console)
