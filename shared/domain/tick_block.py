"""A run of ticks as columns: what a fast path computes over instead of objects.

NaN and −1 stand for *absent* inside these arrays only; `TickBlock.tick` gives `None` back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.domain.events import Tick

NO_SEQUENCE: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TickBlock:
    """Ticks in journal order, one row each, all columns of shape `(n,)`.

    Attributes:
        symbols: Names that `symbol` indexes, each once.
        symbol: int32, index into `symbols`.
        event_ns: int64, when the market made the tick.
        price: float64, NaN when absent, like the four quote columns.
        bid: Best bid.
        ask: Best ask.
        bid_size: Size at the bid.
        ask_size: Size at the ask.
        sources: Names that `source` indexes, each once.
        source: int32, index into `sources`.
        sequence: int64, −1 when absent.
    """

    symbols: tuple[str, ...]
    symbol: NDArray[np.int32]
    event_ns: NDArray[np.int64]
    price: NDArray[np.float64]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    bid_size: NDArray[np.float64]
    ask_size: NDArray[np.float64]
    sources: tuple[str, ...]
    source: NDArray[np.int32]
    sequence: NDArray[np.int64]

    @classmethod
    def of(cls, ticks: Sequence[Tick]) -> "TickBlock":
        """Lay `ticks` out as columns, in their order."""
        symbols, symbol = numbered(tick.symbol for tick in ticks)
        sources, source = numbered(tick.source for tick in ticks)
        sequences = [NO_SEQUENCE if tick.sequence is None else tick.sequence for tick in ticks]
        return cls(
            symbols=symbols,
            symbol=symbol,
            event_ns=np.array([tick.event_ns for tick in ticks], dtype=np.int64),
            price=_column([tick.price for tick in ticks]),
            bid=_column([tick.bid for tick in ticks]),
            ask=_column([tick.ask for tick in ticks]),
            bid_size=_column([tick.bid_size for tick in ticks]),
            ask_size=_column([tick.ask_size for tick in ticks]),
            sources=sources,
            source=source,
            sequence=np.array(sequences, dtype=np.int64),
        )

    def __len__(self) -> int:
        return len(self.event_ns)

    def tick(self, i: int) -> Tick:
        """Row `i` as the event that it was."""
        sequence = int(self.sequence[i])
        return Tick(
            symbol=self.symbols[self.symbol[i]],
            event_ns=int(self.event_ns[i]),
            price=_present(self.price[i]),
            bid=_present(self.bid[i]),
            ask=_present(self.ask[i]),
            bid_size=_present(self.bid_size[i]),
            ask_size=_present(self.ask_size[i]),
            source=self.sources[self.source[i]],
            sequence=None if sequence == NO_SEQUENCE else sequence,
        )

    def levels(self, rows: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """Give the price where there is one, else the middle of bid and ask, shape `(n,)`.

        Args:
            rows: Of these alone; `None`: of all.

        Raises:
            ValueError: A tick has neither; the edge refuses such a tick, unless of an option.
        """
        taken = slice(None) if rows is None else rows
        price, middle = self.price[taken], (self.bid[taken] + self.ask[taken]) / 2
        levels = np.where(np.isnan(price), middle, price)
        if np.isnan(levels).any():
            raise ValueError("a tick of the block has neither a price nor both quotes")
        return levels


def numbered(names: Iterable[str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Number names in order of appearance: each name once, and the column of their numbers."""
    numbers: dict[str, int] = {}
    column = [numbers.setdefault(name, len(numbers)) for name in names]
    return tuple(numbers), np.array(column, dtype=np.int32)


def _column(values: list[float | None]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)  # numpy reads None as NaN


def _present(value: np.float64) -> float | None:
    return None if isnan(value) else float(value)
