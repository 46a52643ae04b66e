"""What never changes of every row: the contract's terms, as columns for compiled code."""

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from shared.domain.instants import DAY
from shared.domain.instruments.instrument import Instrument, Model

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)

YEAR_NS: Final = 365 * DAY
"""ACT/365."""
NEVER: Final = 2**63 - 1
"""Expiry of what does not expire."""

OPTION: Final = 0
BLACK: Final = 1
AMERICAN: Final = 2
LINEAR: Final = 3
VARIANCE: Final = 4
_CODES: Final = {
    Model.BLACK_SCHOLES: OPTION,
    Model.BLACK: BLACK,
    Model.AMERICAN: AMERICAN,
    Model.LINEAR: LINEAR,
    Model.VARIANCE_SWAP: VARIANCE,
}


class Terms:
    """Columns of shape `(n,)`, one row an instrument.

    Args:
        volatility_roots: Roots whose level is in vol points: one point of it is one of vega.

    Attributes:
        instruments: The rows.
        model: int8, `OPTION` on a spot, `BLACK` on a forward, `AMERICAN`, `LINEAR` or `VARIANCE`.
        sign: +1 for a call, −1 for a put; 1 for what is no option.
        strike: Of an option; of a variance swap in vol points; NaN for what has none.
        expiry_ns: int64; `NEVER` for what does not expire.
        start_ns: int64; of a variance swap, when its variance began to count; else 0.
        underlyings: Their names, in order of appearance …
        underlying: … and which of them each row has; int64.
        multiplier: Units of the underlying a contract, or currency a point.
        in_points: Whether its underlying's level is in vol points; bool.
    """

    def __init__(self, volatility_roots: Sequence[str] = ()) -> None:
        self._volatility_roots = frozenset(volatility_roots)
        self.instruments: list[Instrument] = []
        self.model: NDArray[np.int8] = np.empty(0, dtype=np.int8)
        self.sign: Floats = np.empty(0)
        self.strike: Floats = np.empty(0)
        self.expiry_ns: Integers = np.empty(0, dtype=np.int64)
        self.start_ns: Integers = np.empty(0, dtype=np.int64)
        self.underlyings: dict[str, int] = {}
        self.underlying: Integers = np.empty(0, dtype=np.int64)
        self.multiplier: Floats = np.empty(0)
        self.in_points: NDArray[np.bool_] = np.empty(0, dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.instruments)

    def extend(self, instruments: Sequence[Instrument]) -> None:
        """Take on rows behind those that are there."""
        more = list(instruments)
        self.instruments += more
        self.model = _joined(self.model, [_CODES[each.model] for each in more])
        self.sign = _joined(self.sign, [_sign(each) for each in more])
        self.strike = _joined(self.strike, [_strike(each) for each in more])
        expiries = [NEVER if each.expiry_ns is None else each.expiry_ns for each in more]
        self.expiry_ns = _joined(self.expiry_ns, expiries)
        swaps = [each.variance_swap for each in more]
        self.start_ns = _joined(self.start_ns, [swap.start_ns if swap else 0 for swap in swaps])
        names = self.underlyings
        numbers = [names.setdefault(each.underlying, len(names)) for each in more]
        self.underlying = _joined(self.underlying, numbers)
        self.multiplier = _joined(self.multiplier, [each.multiplier for each in more])
        points = [self._is_in_points(each) for each in more]
        self.in_points = _joined(self.in_points, points)

    def _is_in_points(self, instrument: Instrument) -> bool:
        return instrument.model is Model.VARIANCE_SWAP or instrument.root in self._volatility_roots


def _joined(column: NDArray[Scalar], more: Sequence[float]) -> NDArray[Scalar]:
    return np.concatenate((column, np.array(more, dtype=column.dtype)))


def _sign(instrument: Instrument) -> float:
    return -1.0 if instrument.option is not None and instrument.option.right == "put" else 1.0


def _strike(instrument: Instrument) -> float:
    if instrument.variance_swap is not None:
        return instrument.variance_swap.strike
    return np.nan if instrument.option is None else instrument.option.strike
