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
from services.command.groups.lazy import lazily

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
app.add_typer(
    lazily(
        "services.command.groups.study",
        help="What a rule would have done over history, what it cost, and whether it survives.",
        epilog="Examples:\n\n  hedgestat study claims\n\n  hedgestat study report",
    ),
    name="study",
    rich_help_panel="Study",
)


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
