"""A table as texts: the template only lays it out."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from services.command.study.report.contents import VariantStudy


class Cell(Struct, frozen=True):
    """One figure, and what stands small beneath it.

    Attributes:
        text: The figure.
        below: An interval, say.
        bad: Whether it is a red flag.
    """

    text: str
    below: str = ""
    bad: bool = False


class Row(Struct, frozen=True):
    """One line of a table.

    Attributes:
        name: What the figures are.
        unit: Of them.
        cells: One a column.
        begins: Name of the group that begins here, or nothing.
    """

    name: str
    unit: str
    cells: tuple[Cell, ...]
    begins: str = ""


class Sheet(Struct, frozen=True):
    """A table with names above its columns.

    Attributes:
        heads: Of the columns of figures.
        rows: Under them.
    """

    heads: tuple[str, ...]
    rows: tuple[Row, ...]


EMPTY: Final = Cell("")


def packed(variants: Sequence[VariantStudy], most: int) -> list[tuple[VariantStudy, ...]]:
    """Deal variants out in groups of about one size, at most `most` each."""
    groups = -(-len(variants) // most)
    size = -(-len(variants) // max(groups, 1))
    return [tuple(variants[at : at + size]) for at in range(0, len(variants), max(size, 1))]
