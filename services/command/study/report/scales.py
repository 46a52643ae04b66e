"""Which lines may share an axis: beside one that is far larger the others would be flat."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from services.command.study.report.contents import VariantStudy

FAR_LARGER: Final = 6.0
"""Times the median."""


class Scales(Struct, frozen=True):
    """Variants with their places in the plan, dealt out by size.

    Attributes:
        usual: Those of a size.
        larger: Those far larger, to be drawn apart.
    """

    usual: tuple[tuple[int, VariantStudy], ...]
    larger: tuple[tuple[int, VariantStudy], ...]


def by_scale(variants: Sequence[VariantStudy], size: Callable[[VariantStudy], float]) -> Scales:
    """Deal variants out by the largest figure that is to be drawn of each."""
    sizes = [size(each) for each in variants]
    line = FAR_LARGER * float(np.median([each for each in sizes if each > 0] or [0.0]))
    numbered = list(zip(sizes, enumerate(variants), strict=True))
    return Scales(
        tuple(place for each, place in numbered if each <= line),
        tuple(place for each, place in numbered if each > line),
    )
