"""Ticks of neighbouring messages, judged as one block, each refused one traced to its message."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shared.adapters.bus import Message
from shared.domain.intake import Verdict
from shared.domain.tick_block import TickBlock
from shared.wire import topics
from shared.wire.messages import TickMessage
from shared.wire.ticks import block_of, check_symbol, read_ticks

Verdicts = NDArray[np.uint8]


class TickRun:
    """Ticks in order of arrival, from one message or several."""

    def __init__(self) -> None:
        self.origins: list[Message] = []
        """The message of each tick."""
        self._messages: list[TickMessage] = []
        self._instants: list[int] = []
        self._block: TickBlock | None = None

    @classmethod
    def of_arrow(cls, message: Message) -> "TickRun":
        """Read an Arrow stream: a block as it is.

        Raises:
            MalformedMessage: No stream of ticks, or of another symbol than the topic's.
        """
        from shared.wire.arrow import read_arrow  # noqa: PLC0415 - an extra, loaded when used

        run = cls()
        run._block = read_arrow(message.payload)
        for name in run._block.symbols:
            check_symbol(name, _symbol_of(message))
        run.origins = [message] * len(run._block)
        return run

    def add(self, message: Message) -> None:
        """Append the ticks of a JSON or MessagePack message; all of them or none.

        Raises:
            MalformedMessage: It is none.
        """
        ticks = read_ticks(message.payload, message.content_type, _symbol_of(message))
        self._messages.extend(ticks.messages)
        self._instants.extend(ticks.instants)
        self.origins.extend([message] * len(ticks.messages))

    def block(self) -> TickBlock:
        """Lay the run out as columns."""
        return block_of(self._messages, self._instants) if self._block is None else self._block

    def refused(
        self, block: TickBlock, verdicts: Verdicts
    ) -> Iterator[tuple[Message, Verdict, str]]:
        """Tell what was refused: once for each message and reason, with the first such tick."""
        rows = np.flatnonzero(verdicts > Verdict.HELD).tolist()
        told: dict[tuple[int, int], int] = {}
        for row in rows:
            told.setdefault((id(self.origins[row]), int(verdicts[row])), row)
        for (_, verdict), row in told.items():
            yield self.origins[row], Verdict(verdict), f"the first such tick: {block.tick(row)}"


def _symbol_of(message: Message) -> str | None:
    return None if message.topic == topics.TICKS else topics.last_level(message.topic)
