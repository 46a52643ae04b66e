import numpy as np
import pytest

from shared.domain.study.sensitivity import Surface, flatness


def line(*figures: float) -> Surface:
    return Surface(
        parameters=("cap",),
        values=(tuple(float(number) for number in range(len(figures))),),
        figures=np.array(figures),
    )


def test_a_plateau_loses_nothing_a_step_away() -> None:
    found = flatness(line(0.0, 1.0, 1.0, 1.0, 0.0))
    assert found is not None
    assert (found.best, found.at) == (1.0, {"cap": 1.0})  # the first of equals
    assert found.mean_loss == 0.5
    assert found.at_edge == ()


def test_a_needle_loses_all() -> None:
    found = flatness(line(0.0, 0.0, 2.0, 0.0))
    assert found is not None
    assert (found.neighbours, found.mean_loss, found.largest_loss) == (2, 2.0, 2.0)


def test_a_best_at_the_edge_is_said() -> None:
    for figures in ((3.0, 2.0, 1.0), (1.0, 2.0, 3.0)):
        found = flatness(line(*figures))
        assert found is not None
        assert found.at_edge == ("cap",)
        assert found.neighbours == 1


def test_two_parameters_have_eight_neighbours() -> None:
    figures = np.array(
        [[0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 2.0, 3.0], [0.0, 4.0, 9.0, 5.0], [0.0, 6.0, 7.0, 8.0]]
    )
    found = flatness(
        Surface(
            parameters=("a", "b"),
            values=((8.0, 10.0, 12.0, 14.0), (5.0, 7.5, 10.0, 15.0)),
            figures=figures,
        )
    )
    assert found is not None
    assert found.at == {"a": 12.0, "b": 10.0}
    assert (found.neighbours, found.largest_loss) == (8, 8.0)
    assert found.mean_loss == pytest.approx(9 - 36 / 8)
    assert found.at_edge == ()


def test_a_variant_without_a_figure_is_no_neighbour() -> None:
    found = flatness(line(np.nan, 2.0, 1.0, np.nan))
    assert found is not None
    assert (found.neighbours, found.mean_loss) == (1, 1.0)
    alone = flatness(line(np.nan, 2.0, np.nan))
    assert alone is not None
    assert (alone.mean_loss, alone.largest_loss) == (None, None)


def test_no_figure_has_no_best() -> None:
    assert flatness(line(np.nan, np.nan)) is None


@pytest.mark.parametrize(
    ("parameters", "values"),
    [((), ()), (("a", "b", "c"), ((1.0,),) * 3), (("a", "b"), ((1.0,),))],
)
def test_a_surface_has_one_or_two_parameters(
    parameters: tuple[str, ...], values: tuple[tuple[float, ...], ...]
) -> None:
    with pytest.raises(ValueError, match="one or two parameters"):
        Surface(parameters=parameters, values=values, figures=np.array([1.0]))


def test_a_surface_has_a_figure_for_each_combination() -> None:
    with pytest.raises(ValueError, match="figures of shape"):
        Surface(parameters=("a",), values=((1.0, 2.0),), figures=np.array([1.0]))
