"""From tick payloads, in any of their encodings, to blocks that the intake can judge."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.intake import NOT_A_NUMBER
from shared.domain.tick_block import NO_SEQUENCE, TickBlock, numbered
from shared.wire.codec import MalformedMessage, decode_ticks, instant_ns
from shared.wire.messages import TickMessage


class TimedTicks(Struct, frozen=True):
    """The ticks of one message, with their instants read: ready to be joined with others'."""

    messages: Sequence[TickMessage]
    instants: list[int]


def read_ticks(payload: bytes, content_type: str | None, symbol: str | None) -> TimedTicks:
    """Read the ticks of one JSON or MessagePack message.

    Args:
        payload: The bytes as they came.
        content_type: MQTT 5's. `None`, or none of ours: the first byte decides.
        symbol: What the topic says the ticks are of, or `None` for any.

    Raises:
        MalformedMessage: Not ticks, or of another symbol than the topic's.
    """
    messages = decode_ticks(payload, content_type)
    for message in messages:
        check_symbol(message.symbol, symbol)
    return TimedTicks(messages, [instant_ns(message.event_time) for message in messages])


def check_symbol(name: str, symbol: str | None) -> None:
    """Refuse a tick of another symbol than its topic's.

    Raises:
        MalformedMessage: It is.
    """
    if symbol is not None and name != symbol:
        raise MalformedMessage(f"the topic says {symbol}, a tick says {name}")


def block_of(messages: Sequence[TickMessage], instants: Sequence[int]) -> TickBlock:
    """Lay decoded ticks out as columns, in their order."""
    symbols, symbol = numbered(message.symbol for message in messages)
    sources, source = numbered(message.source for message in messages)
    sequences = [
        NO_SEQUENCE if message.sequence is None else message.sequence for message in messages
    ]
    return TickBlock(
        symbols=symbols,
        symbol=symbol,
        event_ns=np.array(instants, dtype=np.int64),
        price=given([message.price for message in messages]),
        bid=given([message.bid for message in messages]),
        ask=given([message.ask for message in messages]),
        bid_size=given([message.bid_size for message in messages]),
        ask_size=given([message.ask_size for message in messages]),
        sources=sources,
        source=source,
        sequence=np.array(sequences, dtype=np.int64),
    )


def given(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Make a column: what is absent NaN, what is there and no number `NOT_A_NUMBER`.

    MessagePack and Arrow can say NaN: that must be refused, not taken for absent.
    """
    column = np.array(values, dtype=np.float64)
    for row in np.flatnonzero(np.isnan(column)).tolist():
        if values[row] is not None:
            column[row] = NOT_A_NUMBER
    return column
