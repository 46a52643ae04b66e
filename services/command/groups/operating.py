"""Operating it: who may trade, and a rebalancing at once."""

from typing import Annotated, Final

import typer

from services.command.groups.common import Configuration, Patience, answering, console, settings_of

PANEL: Final = "Operate"

app = typer.Typer()

Scope = Annotated[str, typer.Argument(help="A book, or [bold]all[/].")]
Reason = Annotated[str, typer.Option("--reason", help="Why: it is written down for good.")]
Operator = Annotated[str, typer.Option(help="Who you are.", envvar=["HEDGESTAT_OPERATOR", "USER"])]
Local = Annotated[
    bool,
    typer.Option("--local", help="By the gateway's own socket: needs no broker and no store."),
]


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat halt --reason 'wrong marks' -c deploy/hedges.toml\n\n"
    "  hedgestat halt overlay --reducing --reason 'fund closes' -c deploy/hedges.toml\n\n"
    "  hedgestat halt --local --reason 'broker is down' -c deploy/hedges.toml",
)
def halt(
    config: Configuration,
    reason: Reason,
    scope: Scope = "all",
    reducing: Annotated[
        bool, typer.Option("--reducing", help="Let orders through that bring the vega nearer to 0.")
    ] = False,
    local: Local = False,
    operator: Operator = "operator",
    patience: Patience = 5.0,
) -> None:
    """Stop trading and cancel what is open; done when the gateway has said so."""
    from services.command.control import Commander
    from services.command.operator_link import OperatorLink, Wish, run_command

    wish = Wish(scope=scope, operator=operator, reason=reason, local=local, patience_s=patience)
    commander = Commander(OperatorLink(settings_of(config), console))
    with answering():
        run_command(commander.halt(wish, "reducing" if reducing else "halted"))


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat resume --reason 'marks are right' -c deploy/hedges.toml\n\n"
    "  hedgestat resume overlay --local --reason drill -c deploy/hedges.toml",
)
def resume(
    config: Configuration,
    reason: Reason,
    scope: Scope = "all",
    local: Local = False,
    operator: Operator = "operator",
    patience: Patience = 5.0,
) -> None:
    """Let a scope trade again, whoever had stopped it; signed, also at the socket."""
    from services.command.control import Commander
    from services.command.operator_link import OperatorLink, Wish, run_command

    wish = Wish(scope=scope, operator=operator, reason=reason, local=local, patience_s=patience)
    commander = Commander(OperatorLink(settings_of(config), console))
    with answering():
        run_command(commander.resume(wish))


@app.command(
    rich_help_panel=PANEL,
    epilog="Example:\n\n"
    "  hedgestat rebalance overlay --reason 'index review' -c deploy/hedges.toml",
)
def rebalance(
    config: Configuration,
    reason: Reason,
    scope: Scope = "all",
    operator: Operator = "operator",
    patience: Patience = 5.0,
) -> None:
    """Ask books to rebalance now, and print what each of them answers."""
    from services.command.operator_link import OperatorLink, Wish, run_command
    from services.command.rebalancing import Rebalancer

    wish = Wish(scope=scope, operator=operator, reason=reason, patience_s=patience)
    rebalancer = Rebalancer(OperatorLink(settings_of(config), console))
    with answering():
        run_command(rebalancer.ask(wish))


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat status -c deploy/hedges.toml\n\n"
    "  hedgestat status --local -c deploy/hedges.toml",
)
def status(config: Configuration, local: Local = False, patience: Patience = 5.0) -> None:
    """Print what each scope may do now, by the gateway's own word, and who wanted it so."""
    from services.command.control import Commander
    from services.command.operator_link import OperatorLink, run_command

    commander = Commander(OperatorLink(settings_of(config), console))
    with answering():
        run_command(commander.status(local=local, patience_s=patience))
