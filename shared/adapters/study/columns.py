"""Rows as columns and back: what Parquet holds, and numpy computes over."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[Any]]
"""One array a column, all of one length."""


def columns_of(kind: type[Struct], rows: Sequence[Struct]) -> dict[str, NDArray[Any]]:
    """Lay rows out as columns: numbers as they are, an absent one as NaN, all else as text."""
    return {name: _column([getattr(row, name) for row in rows]) for name in kind.__struct_fields__}


def _column(values: list[Any]) -> NDArray[Any]:
    known = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in known) and len(known) == len(values):
        return np.array(values, dtype=np.bool_)
    if all(isinstance(value, int) for value in known) and len(known) == len(values):
        return np.array(values, dtype=np.int64)
    if all(isinstance(value, int | float) for value in known):
        return np.array(values, dtype=np.float64)  # numpy reads None as NaN
    return np.array(["" if value is None else str(value) for value in values], dtype=np.str_)
