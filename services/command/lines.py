"""One readable line a message: what the demo and `hedgestat tail` print."""

from collections.abc import Callable

from msgspec import Struct
from rich.markup import escape

from shared.wire import topics
from shared.wire.codec import decode
from shared.wire.messages import (
    AckMessage,
    AlertMessage,
    ExecutionMessage,
    OrderMessage,
    RejectMessage,
    SignalMessage,
    StatusMessage,
    TargetMessage,
    TriggerMessage,
    WhipsawMessage,
    WithheldMessage,
)

_STATE_STYLES = {"pending": "yellow", "firing": "bold red", "cooldown": "dim", "inactive": "green"}
_SEVERITY_STYLES = {"info": "cyan", "warning": "yellow", "critical": "bold red"}


def line(topic: str, payload: bytes) -> str:
    """Describe a message in one line of rich markup.

    Raises:
        MalformedMessage: The payload is not what the topic carries.
        KeyError: Nothing is known of that topic.
    """
    kind, describe = _describer(topic)
    return describe(decode(kind, payload), topic)


def _describer(topic: str) -> tuple[type[Struct], Callable[..., str]]:
    parts = topic.removeprefix(f"{topics.PREFIX}/").split("/")
    name = parts[0] if parts[0] != "books" else parts[2]
    return _DESCRIBERS[name]


def _when(instant: str) -> str:
    return f"[dim]{instant[:19].replace('T', ' ')}[/]"


def _order(order: OrderMessage, _: str) -> str:
    color = "green" if order.side == "buy" else "magenta"
    return (
        f"{_when(order.event_time)} [bold {color}]ORDER[/]    {order.side} {order.quantity:g} "
        f"{escape(order.leg)} -> {order.target_quantity:g}, limit {order.limit_price:.2f} "
        f"(mid {order.reference_price:.2f})  [dim]{escape(order.reason)}[/]"
    )


def _execution(report: ExecutionMessage, _: str) -> str:
    instant = report.event_time if isinstance(report.event_time, str) else str(report.event_time)
    price = "" if report.price is None else f" {report.quantity:+g} at {report.price:.2f}"
    reason = f"  [dim]{escape(report.reason)}[/]" if report.reason else ""
    kind = f"[blue]{report.kind.upper():8}[/]"
    return f"{_when(instant)} {kind} {escape(report.order_id)}{price}{reason}"


def _ack(answer: AckMessage, _: str) -> str:
    reason = f": {escape(answer.reason)}" if answer.reason else ""
    return f"ACK      {escape(answer.order_id)} {answer.status}{reason}"


def _target(target: TargetMessage, _: str) -> str:
    steps = ", ".join(
        f"{step.name} {step.multiplier:.3g}{'*' if step.binding else ''}" for step in target.steps
    )
    return (
        f"{_when(target.event_time)} [bold]TARGET[/]   {escape(target.book)}: "
        f"{target.current_vega:g} -> {target.target_vega:g} vega "
        f"(multiplier {target.multiplier:.3g}: {escape(steps)})"
    )


def _trigger(trigger: TriggerMessage, _: str) -> str:
    style = _STATE_STYLES[trigger.state]
    return (
        f"{_when(trigger.event_time)} TRIGGER  {escape(trigger.trigger)}: {trigger.previous} -> "
        f"[{style}]{trigger.state}[/]  [dim]{escape(trigger.reason)}[/]"
    )


def _whipsaw(whipsaw: WhipsawMessage, _: str) -> str:
    peak = ", ".join(f"{escape(name)} {value:.4g}" for name, value in whipsaw.peak.items())
    return (
        f"{_when(whipsaw.event_time)} [yellow]WHIPSAW[/]  {escape(whipsaw.trigger)} suppressed, "
        f"pending since {whipsaw.since[:10]} ({peak})"
    )


def _withheld(order: WithheldMessage, _: str) -> str:
    figures = ", ".join(f"{escape(name)} {value:g}" for name, value in order.figures.items())
    return (
        f"{_when(order.event_time)} [yellow]WITHHELD[/] {escape(order.leg)} by "
        f"{escape(order.control)} ({figures})"
    )


def _alert(alert: AlertMessage, _: str) -> str:
    style = _SEVERITY_STYLES[alert.severity]
    figures = ", ".join(f"{escape(name)} {value:g}" for name, value in alert.figures.items())
    return (
        f"{_when(alert.event_time)} [{style}]{alert.severity.upper():8}[/] {escape(alert.what)} "
        f"{escape(alert.where)} ({figures})  [dim]{escape(alert.runbook)}[/]"
    )


def _reject(letter: RejectMessage, _: str) -> str:
    return (
        f"{_when(letter.received_time)} [red]REJECT[/]   {escape(letter.reason)} on "
        f"{escape(letter.topic)}: {escape(letter.detail)}  "
        f"[dim]{escape(repr(letter.payload[:200]))}[/]"
    )


def _signal(signal: SignalMessage, _: str) -> str:
    value = "-" if signal.value is None else f"{signal.value:.6g}"
    filled = f" {signal.have}/{signal.need}" if signal.have < signal.need else ""
    return (
        f"{_when(signal.event_time or '-')} SIGNAL   {escape(signal.name)} = {value} {signal.unit} "
        f"{signal.state} {signal.quality}{filled}"
    )


def _status(status: StatusMessage, _: str) -> str:
    style = "green" if status.state == "online" else "bold red"
    return f"STATUS   {escape(status.service)} [{style}]{status.state}[/] {escape(status.version)}"


_DESCRIBERS: dict[str, tuple[type[Struct], Callable[..., str]]] = {
    "orders": (OrderMessage, _order),
    "executions": (ExecutionMessage, _execution),
    "acks": (AckMessage, _ack),
    "target": (TargetMessage, _target),
    "triggers": (TriggerMessage, _trigger),
    "whipsaws": (WhipsawMessage, _whipsaw),
    "withheld": (WithheldMessage, _withheld),
    "alerts": (AlertMessage, _alert),
    "rejects": (RejectMessage, _reject),
    "signals": (SignalMessage, _signal),
    "status": (StatusMessage, _status),
}
