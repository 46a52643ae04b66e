"""A group of commands whose module is imported when one of them is asked for."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group


def lazily(module: str, *, help: str, epilog: str) -> typer.Typer:  # noqa: A002 - as typer has it
    """Make a group of the commands of `app` in a module that is not imported yet.

    `hedgestat --help` shows the group by this help alone, so it stays quick.
    """

    class Lazy(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer hides its class
            self._load()
            return super().list_commands(ctx)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - likewise
            self._load()
            return super().get_command(ctx, cmd_name)

        def _load(self) -> None:
            if not self.commands:
                self.commands.update(get_group(import_module(module).app).commands)

    return typer.Typer(cls=Lazy, no_args_is_help=True, help=help, epilog=epilog)
