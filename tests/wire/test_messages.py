"""Version 1 of every payload, byte for byte: a change that turns a test red needs a version 2."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wire import messages
from shared.wire.codec import MalformedMessage, decode, encode
from shared.wire.examples import EXAMPLES
from shared.wire.messages import ExecutionMessage, RebalanceMessage

GOLDEN = Path(__file__).parent / "golden"
PARTS = (
    messages.SizingStepMessage,
    messages.LegTargetMessage,
    messages.BandMessage,
    messages.StrategyMessage,
    messages.SealedMessage,
    messages.ExposureGroupMessage,
    messages.UnmarkedMessage,
    messages.ScenarioMessage,
    messages.ProfitAccountMessage,
    messages.SuspendedMessage,
    messages.ProfitMessage,
)
KINDS = [
    kind
    for kind in vars(messages).values()
    if isinstance(kind, type)
    and issubclass(kind, msgspec.Struct)
    and kind not in (msgspec.Struct, *PARTS)
]


def identity(example: msgspec.Struct) -> str:
    return type(example).__name__


def golden(example: msgspec.Struct) -> bytes:
    return (GOLDEN / f"{identity(example)}.json").read_bytes().removesuffix(b"\n")


def test_every_message_has_an_example_and_a_golden_payload() -> None:
    assert [type(example) for example in EXAMPLES] == KINDS
    assert {path.stem for path in GOLDEN.iterdir()} == {kind.__name__ for kind in KINDS}


@pytest.mark.parametrize("example", EXAMPLES, ids=identity)
def test_a_message_is_written_as_it_always_was(example: msgspec.Struct) -> None:
    assert encode(example) == golden(example)


@pytest.mark.parametrize("example", EXAMPLES, ids=identity)
def test_a_payload_is_read_as_it_always_was(example: msgspec.Struct) -> None:
    assert decode(type(example), golden(example)) == example


@pytest.mark.parametrize("example", EXAMPLES, ids=identity)
def test_a_message_without_a_field_that_it_needs_is_malformed(example: msgspec.Struct) -> None:
    needed = [field.name for field in msgspec.structs.fields(example) if field.required]
    assert needed
    for name in needed:
        fields = msgspec.to_builtins(example)
        del fields[name]
        with pytest.raises(MalformedMessage, match=name):
            decode(type(example), msgspec.json.encode(fields))


@pytest.mark.parametrize("example", EXAMPLES, ids=identity)
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=4))
def test_a_damaged_payload_is_a_message_or_malformed(
    example: msgspec.Struct, at: int, damage: bytes
) -> None:
    payload = golden(example)
    at %= len(payload)
    try:
        decode(type(example), payload[:at] + damage + payload[at + 1 :])
    except MalformedMessage:
        return


FILL: dict[str, Any] = msgspec.to_builtins(
    next(example for example in EXAMPLES if isinstance(example, ExecutionMessage))
)
REBALANCE: dict[str, Any] = msgspec.to_builtins(
    next(example for example in EXAMPLES if isinstance(example, RebalanceMessage))
)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (ExecutionMessage, FILL | {"order_id": ""}),
        (ExecutionMessage, FILL | {"order_id": "a b"}),
        (ExecutionMessage, FILL | {"order_id": "a" * 161}),
        (ExecutionMessage, FILL | {"order_id": "a\n"}),
        (ExecutionMessage, FILL | {"execution_id": "a b"}),
        (ExecutionMessage, FILL | {"execution_id": "ä"}),
        (ExecutionMessage, FILL | {"execution_id": "a\n"}),
        (ExecutionMessage, FILL | {"execution_id": "a" * 201}),
        (ExecutionMessage, FILL | {"kind": "filled"}),
        (ExecutionMessage, FILL | {"quantity": None}),
        (ExecutionMessage, FILL | {"quantity": "400"}),
        (ExecutionMessage, FILL | {"reason": "x" * 501}),
        (RebalanceMessage, REBALANCE | {"scope": "all books"}),
        (RebalanceMessage, REBALANCE | {"scope": "#"}),
        (RebalanceMessage, REBALANCE | {"scope": "all\n"}),
        (RebalanceMessage, REBALANCE | {"operator": ""}),
        (RebalanceMessage, REBALANCE | {"operator": "x" * 101}),
        (RebalanceMessage, REBALANCE | {"reason": "x" * 501}),
    ],
)
def test_names_and_texts_from_outside_are_bounded(
    kind: type[msgspec.Struct], fields: dict[str, Any]
) -> None:
    with pytest.raises(MalformedMessage):
        decode(kind, msgspec.json.encode(fields))
