"""What rows are worth, with their Greeks, in one pass of the kernel.

A row is a distinct instrument. Values are raw, in the kernel's units, of one unit of the
instrument's underlying; NaN where the market does not say enough, never a number made up.

What is not an option by formula: a linear instrument is worth its level. A variance swap is worth
(σ² − K²)/(2K) of its vega notional, σ the level in vol points and K its strike (Demeterfi, Derman,
Kamal, Zou 1999), times the share of its life that is left; one without a strike, a constant
maturity, is struck at its level. What it has realized so far is not in it. A point of the level
of a swap is a vol point: delta and vega are the same thing in two units. A VIX future has its
delta alone, for the vega of options on it is in points of another volatility: its own.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from shared.domain.exposure.terms import (
    AMERICAN,
    BLACK,
    LINEAR,
    VARIANCE,
    YEAR_NS,
    Floats,
    Integers,
    Terms,
)
from shared.domain.pricing.kernel import Output, evaluate

PRICE: Final = int(Output.PRICE)
DELTA: Final = int(Output.DELTA)
GAMMA: Final = int(Output.GAMMA)
VEGA: Final = int(Output.VEGA)
THETA: Final = int(Output.THETA)
RHO: Final = int(Output.RHO)
VANNA: Final = int(Output.VANNA)
VOLGA: Final = int(Output.VOLGA)
CHARM: Final = int(Output.CHARM)
GREEKS: Final = len(Output)

UNDERLYING: Final = 0
RATE: Final = 1
CARRY: Final = 2
VOLATILITY: Final = 3
LEVEL: Final = 4
INPUTS: Final = 5

_SCRATCH: Final = 7
_BLOCK: Final = 2048
"""Rows at a time: what the kernel takes and answers of them stays in the cache."""
_POINT: Final = 100.0
"""Vol points in one unit of volatility."""


class Scratch:
    """Room that one pass after another uses, so that none waits for fresh memory."""

    def __init__(self) -> None:
        self._columns: Floats = np.empty(0)
        self._out: Floats = np.empty(0)

    def columns(self, count: int) -> Floats:
        """Room for the kernel's inputs, shape `(7, count)`."""
        if len(self._columns) < _SCRATCH * count:
            self._columns = np.empty(_SCRATCH * count)
        return self._columns[: _SCRATCH * count].reshape(_SCRATCH, count)

    def out(self, count: int) -> Floats:
        """Room for what it answers, shape `(GREEKS, count)`."""
        if len(self._out) < GREEKS * count:
            self._out = np.empty(GREEKS * count)
        return self._out[: GREEKS * count].reshape(GREEKS, count)


def struck_at(terms: Terms, inputs: Floats) -> Floats:
    """Return every strike; of a variance swap without one the level, at which it is struck now."""
    if not (terms.model == VARIANCE).any():
        return terms.strike
    without = (terms.model == VARIANCE) & np.isnan(terms.strike)
    return np.where(without, inputs[LEVEL], terms.strike)


def value_rows(  # noqa: PLR0913, PLR0917 - of all rows at once
    terms: Terms,
    rows: Integers,
    struck: Floats,
    inputs: Floats,
    now_ns: int,
    values: Floats,
    scratch: Scratch,
) -> None:
    """Value some rows.

    Args:
        terms: Of all rows.
        rows: Which, ascending.
        struck: See `struck_at`.
        inputs: Of all rows, shape `(INPUTS, n)`.
        now_ns: From which years to expiry are counted.
        values: Written at these rows, shape `(GREEKS, n)`; American options as if European.
        scratch: To work in.
    """
    is_option = terms.model[rows] <= AMERICAN
    options = rows[is_option]
    for first in range(0, len(options), _BLOCK):
        block = options[first : first + _BLOCK]
        columns, out = scratch.columns(len(block)), scratch.out(len(block))
        _gather(block, terms.sign, struck, terms.expiry_ns, inputs, now_ns, columns)
        sign, underlying, strike, years, rate, carry, volatility = columns
        evaluate(sign, underlying, strike, years, rate, carry, volatility, out)
        _scatter(block, terms.model, columns, out, values)
    _value_others(
        rows[~is_option],
        terms.model,
        struck,
        terms.expiry_ns,
        terms.start_ns,
        inputs,
        now_ns,
        values,
    )


@njit(cache=True)
def _gather(  # noqa: PLR0913, PLR0917 - compiled code takes columns
    rows: Integers,
    sign: Floats,
    strike: Floats,
    expiry_ns: Integers,
    inputs: Floats,
    now_ns: int,
    columns: Floats,
) -> None:
    """Lay the kernel's inputs side by side; what is not known stays NaN, and so do its Greeks."""
    for i in range(len(rows)):
        row = rows[i]
        columns[0, i] = sign[row]
        columns[1, i] = inputs[UNDERLYING, row]
        columns[2, i] = strike[row]
        columns[3, i] = max(0.0, (expiry_ns[row] - now_ns) / YEAR_NS)
        columns[4, i] = inputs[RATE, row]
        columns[5, i] = inputs[CARRY, row]
        columns[6, i] = inputs[VOLATILITY, row]


@njit(cache=True)
def _scatter(
    rows: Integers, model: NDArray[np.int8], columns: Floats, out: Floats, values: Floats
) -> None:
    """Put the kernel's answers where their rows are; rho on a forward is that of the discount."""
    for greek in range(GREEKS):
        for i in range(len(rows)):
            values[greek, rows[i]] = out[greek, i]
    for i in range(len(rows)):
        if model[rows[i]] == BLACK:
            values[RHO, rows[i]] = -columns[3, i] * out[PRICE, i]


@njit(cache=True)
def _value_others(  # noqa: PLR0913, PLR0917 - compiled code takes columns
    rows: Integers,
    model: NDArray[np.int8],
    strike: Floats,
    expiry_ns: Integers,
    start_ns: Integers,
    inputs: Floats,
    now_ns: int,
    values: Floats,
) -> None:
    """Value what has no volatility of its own: see the module."""
    for row in rows:
        level = inputs[LEVEL, row]
        for greek in range(GREEKS):
            values[greek, row] = 0.0 if np.isfinite(level) else np.nan
        if not np.isfinite(level):
            continue
        if model[row] == LINEAR:
            values[PRICE, row] = level
            values[DELTA, row] = 1.0
        else:
            struck = strike[row]
            left = 1.0
            if start_ns[row] > 0:
                life = max(1, expiry_ns[row] - start_ns[row])
                left = min(1.0, max(0.0, (expiry_ns[row] - now_ns) / life))
            values[PRICE, row] = left * (level * level - struck * struck) / (2.0 * struck)
            values[DELTA, row] = left * level / struck
            values[GAMMA, row] = left / struck
            values[VEGA, row] = _POINT * left * level / struck
            values[VOLGA, row] = _POINT * _POINT * left / struck
