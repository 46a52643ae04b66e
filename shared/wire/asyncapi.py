"""The wire contract as an AsyncAPI 3 document, made from the message types and the topics.

Actions are hedgestat's: it *receives* ticks and *sends* orders. `deploy/asyncapi.json` is this
document; a test compares them.

Longer than most: every channel of the contract is a row here.
"""

from inspect import cleandoc
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from shared.wire import topics
from shared.wire.codec import ARROW, JSON, MSGPACK
from shared.wire.examples import EXAMPLES
from shared.wire.messages import SealedMessage
from shared.wire.seal import SEALED

Json = dict[str, Any]


class Channel(Struct, frozen=True, kw_only=True):
    """One row of the contract's table.

    Attributes:
        name: Of the channel and of its operation, camelCase.
        topic: As in `shared.wire.topics`, each level that varies a `+`.
        parameters: Names of those levels, in order.
        action: What hedgestat does.
        messages: Names of what it carries, see `_messages`.
        qos: MQTT's quality of service; of ticks, the most that is asked for.
        retain: Whether the broker keeps the last one.
        summary: For a reader.
    """

    name: str
    topic: str
    parameters: tuple[str, ...] = ()
    action: Literal["send", "receive"]
    messages: tuple[str, ...]
    qos: Literal[0, 1] = 1
    retain: bool = False
    summary: str

    @property
    def address(self) -> str:
        """The topic with named levels: `hedge/v1/ticks/{symbol}`."""
        levels = iter(self.parameters)
        parts = [f"{{{next(levels)}}}" if part == "+" else part for part in self.topic.split("/")]
        return "/".join(parts)


_TICKS: Final = ("Ticks", "TicksMessagePack", "TicksArrow")

CHANNELS: Final = (
    Channel(
        name="ticks",
        topic=topics.TICKS,
        action="receive",
        messages=_TICKS,
        summary="Ticks of any symbols. QoS 0 or 1.",
    ),
    Channel(
        name="ticksOfSymbol",
        topic=topics.TICKS_OF_A_SYMBOL,
        parameters=("symbol",),
        action="receive",
        messages=_TICKS,
        summary="Ticks of one symbol; a tick of another refuses the message. QoS 0 or 1.",
    ),
    Channel(
        name="clock",
        topic=topics.CLOCK,
        action="receive",
        messages=("Clock",),
        summary="Event time, from a replaying feed. Refused when the monitor runs on wall time.",
    ),
    Channel(
        name="executions",
        topic=topics.EXECUTIONS,
        parameters=("book",),
        action="receive",
        messages=("Execution",),
        summary="What the venue says of a book's orders. May come again: execution ids are unique.",
    ),
    Channel(
        name="positions",
        topic=topics.POSITIONS,
        parameters=("book",),
        action="receive",
        messages=("Positions",),
        summary="All that a book holds, as others have it: differences are told, never adopted.",
    ),
    Channel(
        name="measurements",
        topic=topics.MEASUREMENTS,
        parameters=("book",),
        action="receive",
        messages=("Measurement",),
        summary="A book's Greeks, from the exposure stage: for the journal.",
    ),
    Channel(
        name="rebalance",
        topic=topics.REBALANCE,
        action="receive",
        messages=("Rebalance",),
        summary="An operator, or the desk, asks for a rebalance now.",
    ),
    Channel(
        name="halt",
        topic=topics.HALT,
        action="receive",
        messages=("TradingCommand",),
        summary="An operator, the desk, or the auditor, stops orders or lets them only reduce.",
    ),
    Channel(
        name="resume",
        topic=topics.RESUME,
        action="receive",
        messages=("TradingCommand",),
        summary="An operator lets orders pass again.",
    ),
    Channel(
        name="gatewayState",
        topic=topics.GATEWAY_STATE,
        action="receive",
        messages=("TradingState",),
        summary="The gateway stopped orders by itself, or lets them pass again: for the journal.",
    ),
    Channel(
        name="trading",
        topic=topics.TRADING,
        parameters=("scope",),
        action="send",
        messages=("TradingState",),
        retain=True,
        summary="What the gateway does with orders now.",
    ),
    Channel(
        name="heartbeats",
        topic=topics.HEARTBEATS,
        parameters=("service",),
        action="send",
        messages=("Heartbeat",),
        summary="A leader lives; without them the gateway stops trading.",
    ),
    Channel(
        name="epochs",
        topic=topics.EPOCHS,
        parameters=("service",),
        action="send",
        messages=("Epoch",),
        summary="A new leader tells the gateway its epoch, until answered.",
    ),
    Channel(
        name="epochAnswers",
        topic=topics.EPOCH_ANSWERS,
        parameters=("service",),
        action="receive",
        messages=("EpochAnswer",),
        summary="The gateway knows the epoch, or knows a later one.",
    ),
    Channel(
        name="orders",
        topic=topics.ORDERS,
        parameters=("book",),
        action="send",
        messages=("Order",),
        summary="Orders to the gateway, resent until it acknowledges them.",
    ),
    Channel(
        name="acks",
        topic=topics.ACKS,
        parameters=("book",),
        action="receive",
        messages=("Ack",),
        summary="The gateway, ours or another, has an order on disk or refuses it.",
    ),
    Channel(
        name="target",
        topic=topics.TARGETS,
        parameters=("book",),
        action="send",
        messages=("Target",),
        retain=True,
        summary="What a book should hold, and why.",
    ),
    Channel(
        name="exposures",
        topic=topics.EXPOSURES,
        parameters=("book",),
        action="send",
        messages=("Exposure",),
        qos=0,
        retain=True,
        summary="A book's Greeks, in units and in money, and what is missing from them.",
    ),
    Channel(
        name="triggers",
        topic=topics.TRIGGERS,
        parameters=("book", "trigger"),
        action="send",
        messages=("Trigger",),
        retain=True,
        summary="Every change of a trigger's state.",
    ),
    Channel(
        name="whipsaws",
        topic=topics.WHIPSAWS,
        parameters=("book",),
        action="send",
        messages=("Whipsaw",),
        summary="Moves that did not last: no order came of them.",
    ),
    Channel(
        name="withheld",
        topic=topics.WITHHELD,
        parameters=("book",),
        action="send",
        messages=("Withheld",),
        summary="Orders that a control held back.",
    ),
    Channel(
        name="signals",
        topic=topics.SIGNALS,
        parameters=("signal",),
        action="send",
        messages=("Signal",),
        qos=0,
        retain=True,
        summary="The market's state, one signal a topic.",
    ),
    Channel(
        name="alerts",
        topic=topics.ALERTS,
        parameters=("severity",),
        action="send",
        messages=("Alert",),
        summary="What a person should know.",
    ),
    Channel(
        name="rejects",
        topic=topics.REJECTS,
        action="send",
        messages=("Reject",),
        summary="Dead letters: refused messages, with the reason and the original bytes.",
    ),
    Channel(
        name="decisionHead",
        topic=topics.DECISION_HEAD,
        action="send",
        messages=("DecisionHead",),
        retain=True,
        summary="The last entry of the hash-chained decision log, signed by the monitor.",
    ),
    Channel(
        name="progress",
        topic=topics.PROGRESS,
        parameters=("service",),
        action="send",
        messages=("Progress",),
        qos=0,
        summary="How far a service is: what paces a replaying feed.",
    ),
    Channel(
        name="status",
        topic=topics.STATUS,
        parameters=("service",),
        action="send",
        messages=("Status",),
        retain=True,
        summary="Online, or its last will: offline.",
    ),
)

_PARAMETERS: Final[Json] = {
    "symbol": {"description": "`[A-Z0-9._-]{1,32}`", "examples": ["VIX", "SPX"]},
    "book": {"description": "A book's name, `[A-Za-z0-9._-]{1,64}`", "examples": ["overlay"]},
    "trigger": {
        "description": "A trigger's name",
        "examples": ["vix_move", "schedule", "greek.delta"],
    },
    "signal": {"description": "A signal's name", "examples": ["vix_smooth", "drawdown.overlay"]},
    "severity": {"enum": ["info", "warning", "critical"], "description": "`critical` pages"},
    "scope": {"description": "A book's name, or `all`", "examples": ["all", "overlay"]},
    "service": {"description": "A service's name", "examples": ["ingest", "hedger"]},
}

_DESCRIPTION: Final = """\
A thermostat for volatility hedges: market ticks in, rebalance orders out, over MQTT 5 or 3.1.1.

JSON everywhere; ticks also as MessagePack and as an Arrow IPC stream. MQTT 5 says which by its
content type, else the first bytes do. A message that does not fit its schema changes nothing and
goes to `rejects`. Fields that are not named here are ignored; a reader should do the same.

Orders, acknowledgements, commands, heartbeats, epochs and measurements are sealed (ed25519); what
is forged, altered, replayed or meant for another topic or environment is refused, counted, and
changes nothing."""

_SEALED: Final = f"""\
Sealed, `{SEALED}`: two lines. The first is the payload described here, one line of JSON, its bytes
as they were signed. The second is an ed25519 signature in base64, over `hedgestat/v1`, the topic
and the first line, joined by newlines. `key_id`: the first 16 hexadecimal digits of the SHA-256 of
the raw public key."""

_ARROW_COLUMNS: Final = """\
An Arrow IPC stream of record batches, not compressed. Columns: `symbol` (text or dictionary),
`event_time` (integer ns or timestamp) and any of `price`, `bid`, `ask`, `bid_size`, `ask_size`
(floats or integers), `source` (text or dictionary), `sequence` (integers from 1). A null price or
sequence is absent."""


def document() -> Json:
    """Build the AsyncAPI 3.0 document, as a tree of JSON's own types."""
    tree: Json = msgspec.json.decode(render())
    return tree


def render() -> str:
    """Write the document as it is kept in `deploy/asyncapi.json`."""
    return msgspec.json.format(msgspec.json.encode(_document()), indent=2).decode() + "\n"


def _document() -> Json:
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "hedgestat", "version": "1", "description": _DESCRIPTION},
        "defaultContentType": JSON,
        "servers": {
            "broker": {
                "host": "localhost:1883",
                "protocol": "mqtt",
                "description": "The broker that the configuration names.",
            }
        },
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {_operation_name(channel): _operation(channel) for channel in CHANNELS},
        "components": {
            "schemas": _schemas(),
            "messages": _messages(),
            "parameters": _PARAMETERS,
        },
    }


def _channel(channel: Channel) -> Json:
    described: Json = {
        "address": channel.address,
        "summary": channel.summary,
        "messages": {name: _ref("messages", name) for name in channel.messages},
    }
    if channel.parameters:
        described["parameters"] = {name: _ref("parameters", name) for name in channel.parameters}
    return described


def _operation_name(channel: Channel) -> str:
    return channel.action + channel.name[0].upper() + channel.name[1:]


def _operation(channel: Channel) -> Json:
    path = f"#/channels/{channel.name}"
    return {
        "action": channel.action,
        "channel": {"$ref": path},
        "summary": channel.summary,
        "messages": [{"$ref": f"{path}/messages/{name}"} for name in channel.messages],
        "bindings": {
            "mqtt": {"qos": channel.qos, "retain": channel.retain, "bindingVersion": "0.2.0"}
        },
    }


def _schemas() -> Json:
    kinds = [type(example) for example in EXAMPLES]
    template = "#/components/schemas/{name}"
    _, schemas = msgspec.json.schema_components(kinds, ref_template=template)
    return schemas


def _messages() -> Json:
    """Describe each kind of message; ticks have three encodings of one content instead of one."""
    plain = {_name(example): _message(example) for example in EXAMPLES}
    tick = plain.pop("Tick")
    one = tick["payload"]
    either = {"oneOf": [one, {"type": "array", "items": one}]}
    summary = "One tick or an array of them"
    return {
        "Ticks": tick | {"name": "Ticks", "summary": f"{summary}.", "payload": either},
        "TicksMessagePack": {
            "name": "TicksMessagePack",
            "summary": f"{summary}, as MessagePack.",
            "contentType": MSGPACK,
            "payload": either,
        },
        "TicksArrow": {
            "name": "TicksArrow",
            "summary": "Ticks as columns, for fast feeds.",
            "description": _ARROW_COLUMNS,
            "contentType": ARROW,
            "payload": {"type": "string", "format": "binary"},
        },
    } | plain


def _message(example: Struct) -> Json:
    text = cleandoc(type(example).__doc__ or "")
    summary, *paragraphs = text.split("\n\n")
    if is_sealed := isinstance(example, SealedMessage):
        paragraphs.append(_SEALED)
    described: Json = {"name": _name(example), "summary": summary.replace("\n", " ")}
    if paragraphs:
        described["description"] = "\n\n".join(paragraphs)
    return described | {
        "contentType": SEALED if is_sealed else JSON,
        "payload": _ref("schemas", type(example).__name__),
        "examples": [{"payload": msgspec.to_builtins(example)}],
    }


def _name(example: Struct) -> str:
    return type(example).__name__.removesuffix("Message")


def _ref(part: str, name: str) -> Json:
    return {"$ref": f"#/components/{part}/{name}"}
