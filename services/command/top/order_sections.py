"""The blotter, and the alerts."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from services.command.figures import figure
from services.command.top.sections import Section
from services.command.top.words import CALM, LOUD, Column, age, amount, folded, row
from shared.domain.hedging.alerts import runbook_of
from shared.wire.messages import AckMessage
from shared.wire.views import AlertView, OrderView

_STATUS_STYLES: Final = {
    "decided": "bold yellow",
    "accepted": "cyan",
    "working": "cyan",
    "partial": "cyan",
    "filled": "green",
    "refused": LOUD,
    "rejected": LOUD,
    "cancelled": "yellow",
    "expired": "yellow",
}
_SEVERITY_STYLES: Final = {"info": "cyan", "warning": "bold yellow", "critical": LOUD}
_ORDER: Final = (Column(7, "right"), Column(12), Column(4), Column(26), Column(9), Column(0))
_ALERT: Final = (Column(7, "right"), Column(8), Column(12), Column(0))
_ALIVE: Final = "monitor_alive"
_BAD: Final = frozenset(("refused", "rejected"))


def orders_section(orders: Sequence[OrderView], now_ns: int, width: int) -> Section:
    """Draw them newest first; of the newest the whole why."""
    return Section(
        title="Orders, newest first",
        lines=tuple(_order_lines(orders, now_ns, width)) or (Text("none yet", CALM),),
        least=4,
    )


def alerts_section(alerts: Sequence[AlertView], now_ns: int, width: int) -> Section:
    """Newest first, without those that only say that the monitor lives."""
    alerts = [told for told in alerts if told.alert.what != _ALIVE]
    lines = tuple(_alert_lines(alerts, now_ns, width))
    title = f"Alerts ({len(alerts)})"
    return Section(title=title, lines=lines or (Text("none", CALM),), least=2 + bool(lines[1:]))


def _order_lines(orders: Sequence[OrderView], now_ns: int, width: int) -> Iterator[Text]:
    for place, order in enumerate(orders):
        yield row(
            (
                age(order.decided_time, now_ns),
                order.book,
                Text(order.side, "bold"),
                f"{figure(order.quantity)} {order.symbol}",
                _status(order),
                Text(
                    f"decision {order.decision}, {order.leg}" if place == 0 else _why(order), CALM
                ),
            ),
            _ORDER,
            width,
        )
        if place == 0:
            yield from folded(f"why: {_why(order)}", width, 3)
            yield from _fate(order)


def _why(order: OrderView) -> str:
    return order.why or order.reason


def _fate(order: OrderView) -> Iterator[Text]:
    """What became of the newest: answer and fills."""
    answer = order.acknowledgement
    if answer is None and order.status == "decided":
        yield Text("NOT ACKNOWLEDGED yet", "bold yellow")
    else:
        text = _answered(answer)
        fill = "" if order.average_price is None else f" at {order.average_price:,.2f}"
        yield Text(
            f"{text}; filled {figure(order.filled, '+')}{fill}, limit {order.limit_price:,.2f}"
        )


def _answered(answer: AckMessage | None) -> str:
    if answer is None:
        return "gateway: answered before the page listened"
    return f"gateway: {answer.status}" + (f": {answer.reason}" if answer.reason else "")


def _status(order: OrderView) -> Text:
    word = order.status.upper() if order.status in _BAD else order.status
    return Text(word, _STATUS_STYLES[order.status])


def _runbook(what: str) -> str:
    """Name the file that says what to do, where there is one."""
    try:
        return f"  deploy/runbooks/{runbook_of(what)}.md"
    except KeyError:  # of a later version
        return ""


def _alert_lines(alerts: Sequence[AlertView], now_ns: int, width: int) -> Iterator[Text]:
    for told in alerts:
        alert = told.alert
        word = alert.severity if alert.severity == "info" else alert.severity.upper()
        figures = ", ".join(f"{name} {amount(value)}" for name, value in alert.figures.items())
        what = f"{alert.what} {alert.where}{f' ({figures})' if figures else ''}"
        text = Text(what).append(f"{_runbook(alert.what)}  {alert.runbook}", CALM)
        severity = Text(word, _SEVERITY_STYLES[alert.severity])
        yield row((age(alert.event_time, now_ns), severity, alert.book, text), _ALERT, width)
