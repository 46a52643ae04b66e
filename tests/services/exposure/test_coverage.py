from services.exposure.coverage import HOLD_S, Coverage
from shared.domain.exposure.observed import ExposureObserved


def observed(marked: int, book: str = "overlay") -> ExposureObserved:
    return ExposureObserved(
        book=book,
        event_ns=7,
        youngest_ns=7,
        groups=(),
        totals={},
        beta_delta=0.0,
        without_beta=(),
        index_delta=None,
        vix_vega=0.0,
        positions=10,
        marked=marked,
        unmarked=(),
        expired=(),
        conflated=0,
    )


def whats(coverage: Coverage, marked: int, now_s: float, book: str = "overlay") -> list[str]:
    return [each.what for each in coverage.judge(observed(marked, book), now_s)]


def test_low_coverage_that_lasts_is_told_once_and_once_when_it_is_over() -> None:
    coverage = Coverage()
    assert whats(coverage, 8, 0.0) == []
    (told,) = coverage.judge(observed(8), HOLD_S)
    assert (told.what, told.book) == ("coverage_low", "overlay")
    assert told.figures == {"coverage": 0.8, "positions": 10.0}
    assert whats(coverage, 8, 2 * HOLD_S) == []
    assert whats(coverage, 9, 3 * HOLD_S) == ["coverage_restored"]
    assert whats(coverage, 10, 4 * HOLD_S) == []


def test_each_book_has_its_own() -> None:
    coverage = Coverage()
    assert whats(coverage, 8, 0.0) == []
    assert whats(coverage, 8, HOLD_S, "other") == []
    assert whats(coverage, 10, HOLD_S) == []
    assert whats(coverage, 8, HOLD_S + 1) == []
