"""How much a result depends on its parameters: surfaces, and how flat they are at the top.

A rule that is only good at one setting is fitted; one that stays good a step away is robust.
"""

from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """A figure over one or two parameters.

    Attributes:
        parameters: Their names, one or two.
        values: Of each, in the order of the sweep.
        figures: One a combination, (n,) or (n, m); NaN where the variant has none.

    Raises:
        ValueError: Shapes that do not go together.
    """

    parameters: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    figures: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = tuple(len(values) for values in self.values)
        if len(shape) not in {1, 2} or len(self.parameters) != len(shape):
            raise ValueError(f"a surface has one or two parameters, not {self.parameters}")
        if self.figures.shape != shape:
            raise ValueError(f"figures of shape {self.figures.shape} over values of {shape}")


class Flatness(Struct, frozen=True, kw_only=True):
    """The best point of a surface, and what is lost one step away in any direction.

    Attributes:
        best: The figure there; of equals the first.
        at: The parameters' values there, by name.
        neighbours: Points at most one step away in each parameter, that have a figure.
        mean_loss: `best` − mean of the neighbours, in the figure's unit; `None` without any.
        largest_loss: `best` − the worst neighbour; likewise.
        at_edge: Parameters whose best value is the first or last of the sweep: the best may lie
            beyond.
    """

    best: float
    at: dict[str, float]
    neighbours: int
    mean_loss: float | None
    largest_loss: float | None
    at_edge: tuple[str, ...]


def flatness(surface: Surface) -> Flatness | None:
    """Return how flat a surface is around its highest figure; `None` when it has no figure."""
    figures = surface.figures
    if np.all(np.isnan(figures)):
        return None
    place = tuple(int(index) for index in np.unravel_index(np.nanargmax(figures), figures.shape))
    best = float(figures[place])
    around = _neighbours(figures, place)
    return Flatness(
        best=best,
        at={
            name: values[index]
            for name, values, index in zip(surface.parameters, surface.values, place, strict=True)
        },
        neighbours=len(around),
        mean_loss=best - float(np.mean(around)) if len(around) else None,
        largest_loss=best - float(np.min(around)) if len(around) else None,
        at_edge=tuple(
            name
            for name, size, index in zip(surface.parameters, figures.shape, place, strict=True)
            if index in {0, size - 1}
        ),
    )


def _neighbours(figures: NDArray[np.float64], place: tuple[int, ...]) -> NDArray[np.float64]:
    others = figures.copy()
    others[place] = np.nan
    near = others[tuple(slice(max(0, index - 1), index + 2) for index in place)]
    return near[~np.isnan(near)]
