"""The `hedgestat` command: its groups of commands, mounted in the order in which help shows them.

A group whose module takes long to import is mounted by `lazily`, with its help standing here.
"""

import typer

from services.command.groups import (
    access,
    deployment,
    operating,
    proving,
    records,
    running,
    watching,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="hedgestat: a thermostat for volatility hedges. Market ticks in over MQTT, rebalance "
    "orders out.",
    epilog="Begin with: hedgestat demo. Then: hedgestat check -c deploy/hedges.toml",
)
for group in (running, watching, operating, records, deployment, access, proving):
    app.add_typer(group.app)


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
