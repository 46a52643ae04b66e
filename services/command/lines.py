"""One readable line a message: what the demo and `hedgestat tail` print."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct, UnsetType
from rich.console import Console
from rich.markup import escape

from services.command.figures import figure, rounded
from shared.wire import topics
from shared.wire.codec import MalformedMessage, decode
from shared.wire.messages import (
    AckMessage,
    AlertMessage,
    ExecutionMessage,
    InstantOrNanoseconds,
    OrderMessage,
    RejectMessage,
    SealedMessage,
    SignalMessage,
    StatusMessage,
    StrategyMessage,
    TargetMessage,
    TriggerMessage,
    WhipsawMessage,
    WithheldMessage,
)
from shared.wire.times import format_instant

_STATE_STYLES = {"pending": "yellow", "firing": "bold red", "cooldown": "dim", "inactive": "green"}
_SEVERITY_STYLES = {"info": "cyan", "warning": "yellow", "critical": "bold red"}
_LAST_NS: Final = 2**63 - 1
_SHOWN_BYTES: Final = 200
"""Of a refused message."""


def read(topic: str, payload: bytes) -> Struct:
    """Read a message of any topic that `describe` knows; whose seal it bears is not asked.

    Raises:
        MalformedMessage: The payload is not what the topic carries.
        KeyError: Nothing is known of that topic.
    """
    parts = topic.removeprefix(f"{topics.PREFIX}/").split("/")
    kind = _KINDS[parts[2] if parts[0] == "books" else parts[0]]
    return decode(kind, payload.partition(b"\n")[0] if issubclass(kind, SealedMessage) else payload)


def describe(message: Struct) -> str:
    """Describe a message in one line of rich markup; what came from outside is plain text in it."""
    describer: Callable[..., str] = _DESCRIBERS[type(message)]
    return describer(message)


def complaint(topic: str, error: MalformedMessage) -> str:
    """Describe a message that is not what its topic carries."""
    return f"[red]malformed[/] {_plain(topic)}: {_plain(str(error))}"


def print_line(console: Console, markup: str) -> None:
    """Print one line: cut to a terminal's width, whole anywhere else."""
    if console.is_terminal:
        console.print(markup, highlight=False, no_wrap=True, overflow="ellipsis")
    else:
        console.print(markup, highlight=False, soft_wrap=True)


def _plain(text: str) -> str:
    """Text from outside: no markup, and nothing that a terminal obeys."""
    return escape(printable(text))


def printable(text: str) -> str:
    """Text from outside: nothing that a terminal obeys."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _figures(figures: Mapping[str, float]) -> str:
    named = ", ".join(f"{_plain(name)} {figure(value)}" for name, value in figures.items())
    return f" ({named})" if named else ""


def _when(instant: InstantOrNanoseconds) -> str:
    if isinstance(instant, int) and 0 <= instant <= _LAST_NS:
        instant = format_instant(instant)
    return f"[dim]{_plain(str(instant)[:19].replace('T', ' '))}[/]"


def _order(order: OrderMessage) -> str:
    color = "green" if order.side == "buy" else "magenta"
    return (
        f"{_when(order.event_time)} [bold {color}]ORDER[/]    {order.side} "
        f"{figure(order.quantity)} {_plain(order.leg)} -> {figure(order.target_quantity)}, "
        f"limit {order.limit_price:.2f}  "
        f"[dim]{_plain(order.reason)}, mid {order.reference_price:.2f}[/]"
    )


def _execution(report: ExecutionMessage) -> str:
    price = "" if report.price is None else f" {figure(report.quantity, '+')} at {report.price:.2f}"
    reason = f"  [dim]{_plain(report.reason)}[/]" if report.reason else ""
    kind = f"[blue]{report.kind.upper():8}[/]"
    return f"{_when(report.event_time)} {kind} {_plain(report.order_id)}{price}{reason}"


def _ack(answer: AckMessage) -> str:
    reason = f": {_plain(answer.reason)}" if answer.reason else ""
    return f"ACK      {_plain(answer.order_id)} {answer.status}{reason}"


def _target(target: TargetMessage) -> str:
    if not isinstance(target.strategies, UnsetType):
        legs = ", ".join(f"{_plain(leg.leg)} {_quantity(leg.quantity)}" for leg in target.legs)
        told = "; ".join(_strategy(each) for each in target.strategies)
        head = f"{_when(target.event_time)} [bold]TARGET[/]   {_plain(target.book)}"
        return f"{head}: hold {legs}  [dim]{told}[/]"
    steps = ", ".join(
        f"{step.name} {step.multiplier:.3g}{'*' if step.binding else ''}" for step in target.steps
    )
    return (
        f"{_when(target.event_time)} [bold]TARGET[/]   {_plain(target.book)}: "
        f"{figure(target.current_vega)} -> {figure(target.target_vega)} vega "
        f"(multiplier {target.multiplier:.3g}: {_plain(steps)})"
    )


def _quantity(quantity: float | None) -> str:
    return "unpriced" if quantity is None else f"{quantity:+,.10g}"


def _strategy(told: StrategyMessage) -> str:
    """What a strategy saw, and what its and every other band has cost so far."""
    figures = ", ".join(f"{_plain(name)} {figure(value)}" for name, value in told.figures.items())
    costs = ", ".join(
        f"{band.kind} {rounded(band.cost, ',.0f')} in {band.trades}" for band in told.bands
    )
    bands = f"; cost so far: {costs}" if costs else ""
    note = f"; {_plain(told.note)}" if told.note else ""
    return f"{_plain(told.strategy)} {told.band}: {figures}{bands}{note}"


def _trigger(trigger: TriggerMessage) -> str:
    style = _STATE_STYLES[trigger.state]
    return (
        f"{_when(trigger.event_time)} TRIGGER  {_plain(trigger.trigger)}: {trigger.previous} -> "
        f"[{style}]{trigger.state}[/]  [dim]{_plain(trigger.reason)}[/]"
    )


def _whipsaw(whipsaw: WhipsawMessage) -> str:
    return (
        f"{_when(whipsaw.event_time)} [yellow]WHIPSAW[/]  {_plain(whipsaw.trigger)} suppressed, "
        f"pending since {_plain(whipsaw.since[:10])}{_figures(whipsaw.peak)}"
    )


def _withheld(order: WithheldMessage) -> str:
    return (
        f"{_when(order.event_time)} [yellow]WITHHELD[/] {_plain(order.leg)} by "
        f"{_plain(order.control)}{_figures(order.figures)}"
    )


def _alert(alert: AlertMessage) -> str:
    style = _SEVERITY_STYLES[alert.severity]
    return (
        f"{_when(alert.event_time)} [{style}]{alert.severity.upper():8}[/] {_plain(alert.what)} "
        f"{_plain(alert.where)}{_figures(alert.figures)}  [dim]{_plain(alert.runbook)}[/]"
    )


def _reject(letter: RejectMessage) -> str:
    return (
        f"{_when(letter.received_time)} [red]REJECT[/]   {_plain(letter.reason)} on "
        f"{_plain(letter.topic)}: {_plain(letter.detail)}  "
        f"[dim]{_plain(repr(letter.payload[:_SHOWN_BYTES]))}[/]"
    )


def _signal(signal: SignalMessage) -> str:
    value = "-" if signal.value is None else figure(signal.value)
    state = f" {_plain(signal.state)}" if signal.state else ""
    filled = f" {signal.have}/{signal.need}" if signal.have < signal.need else ""
    return (
        f"{_when(signal.event_time or '-')} SIGNAL   {_plain(signal.name)} = {value} "
        f"{_plain(signal.unit)}{state} {signal.quality}{filled}"
    )


def _status(status: StatusMessage) -> str:
    style = "green" if status.state == "online" else "bold red"
    return f"STATUS   {_plain(status.service)} [{style}]{status.state}[/] {_plain(status.version)}"


_KINDS: dict[str, type[Struct]] = {
    "orders": OrderMessage,
    "executions": ExecutionMessage,
    "acks": AckMessage,
    "target": TargetMessage,
    "triggers": TriggerMessage,
    "whipsaws": WhipsawMessage,
    "withheld": WithheldMessage,
    "alerts": AlertMessage,
    "rejects": RejectMessage,
    "signals": SignalMessage,
    "status": StatusMessage,
}
_DESCRIBERS: dict[type[Struct], Callable[..., str]] = {
    OrderMessage: _order,
    ExecutionMessage: _execution,
    AckMessage: _ack,
    TargetMessage: _target,
    TriggerMessage: _trigger,
    WhipsawMessage: _whipsaw,
    WithheldMessage: _withheld,
    AlertMessage: _alert,
    RejectMessage: _reject,
    SignalMessage: _signal,
    StatusMessage: _status,
}
