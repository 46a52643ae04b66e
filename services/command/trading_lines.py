"""What may trade, a line a scope: what an operator's commands print."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape

from shared.adapters.control_socket import GatewayStatus
from shared.wire.messages import TradingStateMessage
from shared.wire.times import format_instant

_STYLES: Final = {"active": "green", "reducing": "yellow", "halted": "bold red"}


class TradingLines:
    """Prints to one console.

    Args:
        console: Where lines go.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, markup: str) -> None:
        """Print a line."""
        self._console.print(markup, highlight=False, soft_wrap=True)

    def states(self, told: Sequence[TradingStateMessage]) -> None:
        """Print what the gateway told over the broker."""
        for said in told:
            by = "" if said.state == "active" else f"by {said.authority} {said.operator}: "
            self._state(said.scope, said.state, f"{by}{said.reason}")

    def status(self, status: GatewayStatus) -> None:
        """Print what the gateway answered at its own door."""
        self.say("Confirmed by the gateway, at its own socket.")
        for scope, state in status.scopes.items():
            self._state(scope, state.value)
        for order in status.orders:
            since = format_instant(order.event_ns)[:19].replace("T", " ")
            self.say(
                f"  {order.state} for {escape(order.scope)} by {order.authority} "
                f"{escape(order.operator)} since {since}: {escape(order.reason)}"
            )
        heard = "never" if status.heard_s is None else f"{status.heard_s:.1f} s ago"
        self.say(f"epoch {status.epoch}, {status.answered} orders answered, hedger heard {heard}")
        for check, trouble in status.trouble.items():
            self.say(f"[yellow]{escape(check)}: {escape(trouble)}[/]")

    def _state(self, scope: str, state: str, why: str = "") -> None:
        line = f"{escape(scope):<16} [{_STYLES[state]}]{state:<9}[/] {escape(why)}"
        self.say(line.rstrip())
