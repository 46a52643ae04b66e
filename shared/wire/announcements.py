"""What the hedger's effects look like on the wire: topic, payload, retained or not."""

from math import isfinite
from typing import Any, Final, TypeVar, assert_never

import msgspec
from msgspec import Struct

from shared.domain.effects import (
    AlertRaised,
    Effect,
    OrderDecided,
    OrderWithheld,
    TargetChanged,
    TriggerChanged,
    WhipsawSuppressed,
)
from shared.domain.orders import Order
from shared.domain.signals_observed import Signal
from shared.wire import topics
from shared.wire.codec import encode, instant_ns
from shared.wire.messages import (
    AlertMessage,
    OrderMessage,
    SignalMessage,
    TargetMessage,
    TriggerMessage,
    WhipsawMessage,
    WithheldMessage,
)
from shared.wire.notices import Notice
from shared.wire.times import format_instant

_TIMES: Final = {"event_ns": "event_time", "since_ns": "since", "valid_until_ns": "valid_until"}
_FIGURES: Final = frozenset(("figures", "inputs", "peak"))

MessageType = TypeVar("MessageType", bound=Struct)


class Announcement(Struct, frozen=True):
    """One message to publish."""

    topic: str
    message: Struct
    retain: bool


def announce(effect: Effect) -> Announcement | None:
    """Turn an effect into its message; `None` for an order, which goes by the outbox."""
    match effect:
        case TargetChanged():
            return _announcement(topics.target(effect.book), TargetMessage, effect, retain=True)
        case TriggerChanged():
            topic = topics.trigger(effect.book, effect.trigger)
            return _announcement(topic, TriggerMessage, effect, retain=True)
        case WhipsawSuppressed():
            return _announcement(topics.whipsaws(effect.book), WhipsawMessage, effect)
        case OrderWithheld():
            return _announcement(topics.withheld(effect.book), WithheldMessage, effect)
        case AlertRaised():
            return _alert(effect)
        case OrderDecided():
            return None
        case _:
            assert_never(effect)


def notice_of(effect: Effect) -> Notice | None:
    """Turn an effect into its message, encoded; `None` for an order."""
    announcement = announce(effect)
    return None if announcement is None else _encoded(announcement)


def alert_notice(alert: AlertRaised) -> Notice:
    """Turn an alert into its message, encoded."""
    return _encoded(_alert(alert))


def order_message(order: Order, *, epoch: int, sequence: int) -> OrderMessage:
    """Put an order on the wire under a lease epoch, as the outbox's row `sequence`."""
    return _message(OrderMessage, order, epoch=epoch, sequence=sequence)


def order_from(message: OrderMessage) -> Order:
    """Take an order off the wire: the inverse of `order_message`, the epoch aside.

    Raises:
        MalformedMessage: An instant is not RFC 3339, or outside the years 1970 to 2262.
    """
    fields = msgspec.to_builtins(message)
    for inside, outside in _TIMES.items():
        if outside in fields:
            fields[inside] = instant_ns(fields.pop(outside))
    return msgspec.convert(fields | {"type": "order"}, Order)


def signal_message(name: str, signal: Signal) -> SignalMessage:
    """Put a signal on the wire."""
    event_time = format_instant(signal.event_ns) if signal.event_ns else None
    fields = msgspec.structs.asdict(signal) | {"quality": signal.quality.value}
    return msgspec.convert(fields | {"name": name, "event_time": event_time}, SignalMessage)


def _alert(alert: AlertRaised) -> Announcement:
    return _announcement(topics.alerts(alert.severity), AlertMessage, alert)


def _encoded(announcement: Announcement) -> Notice:
    return Notice(announcement.topic, encode(announcement.message), announcement.retain)


def _announcement(
    topic: str, kind: type[MessageType], effect: Effect, *, retain: bool = False
) -> Announcement:
    return Announcement(topic, _message(kind, effect), retain)


def _message(kind: type[MessageType], value: Struct, **more: Any) -> MessageType:  # noqa: ANN401 - fields of any type, checked by convert
    """Turn a domain value into its message: the same fields, instants as the edges write them.

    A figure that is not finite is left out: JSON would have to say `null`, which no reader expects.
    """
    fields = msgspec.to_builtins(value) | more
    for name in _FIGURES & fields.keys():
        fields[name] = {figure: at for figure, at in fields[name].items() if isfinite(at)}
    for inside, outside in _TIMES.items():
        if inside in fields:
            fields[outside] = format_instant(fields.pop(inside))
    return msgspec.convert(fields, kind)
