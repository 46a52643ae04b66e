"""From tick payloads, in any of their encodings, to a block that the intake can judge."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.domain.events import Tick
from shared.domain.intake import NOT_A_NUMBER
from shared.domain.tick_block import TickBlock
from shared.wire.codec import MalformedMessage, decode_ticks, instant_ns, is_arrow
from shared.wire.messages import TickMessage

_FIELDS = ("price", "bid", "ask", "bid_size", "ask_size")


def read_block(payload: bytes, content_type: str | None, symbol: str | None) -> TickBlock:
    """Read the ticks of one message.

    Args:
        payload: JSON, MessagePack or an Arrow IPC stream.
        content_type: MQTT 5's, or `None`: then the first bytes decide.
        symbol: What the topic says the ticks are of, or `None` for any.

    Raises:
        MalformedMessage: Not ticks, or of another symbol than the topic's.
    """
    if is_arrow(payload, content_type):
        from shared.wire.arrow import read_arrow  # noqa: PLC0415 - an extra, loaded when used

        block = read_arrow(payload)
    else:
        block = block_of(decode_ticks(payload, content_type))
    if symbol is not None and any(name != symbol for name in block.symbols):
        raise MalformedMessage(f"the topic says {symbol}, the ticks say {block.symbols[:5]}")
    return block


def block_of(messages: Sequence[TickMessage]) -> TickBlock:
    """Lay decoded ticks out as columns.

    A field that was given but is no number (MessagePack can say NaN) becomes `NOT_A_NUMBER`, so
    that the intake refuses it instead of taking it for absent.

    Raises:
        MalformedMessage: An `event_time` is no instant.
    """
    return TickBlock.of([_tick(message) for message in messages])


def numbers_or_refusals(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mark what was given and is no number, for a column without absent fields."""
    return np.where(np.isfinite(column), column, NOT_A_NUMBER)


def _tick(message: TickMessage) -> Tick:
    prices = {field: _judged(getattr(message, field)) for field in _FIELDS}
    return Tick(
        symbol=message.symbol,
        event_ns=instant_ns(message.event_time),
        source=message.source,
        sequence=message.sequence,
        **prices,
    )


def _judged(value: float | None) -> float | None:
    return NOT_A_NUMBER if value is not None and not np.isfinite(value) else value
