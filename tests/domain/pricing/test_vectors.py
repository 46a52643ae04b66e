from typing import Any

from numba import njit

from shared.domain.pricing.vectors import prefer_wide_vectors


def double(x: float) -> float:
    prefer_wide_vectors()
    return 2.0 * x


def test_the_wish_stands_on_the_function_that_makes_it_and_changes_no_result() -> None:
    doubled: Any = njit(double)
    assert doubled(21.0) == 42.0
    if doubled is not double:  # compiled
        code = "".join(doubled.inspect_llvm().values())
        assert '"prefer-vector-width"="512"' in code
