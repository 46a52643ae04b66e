"""What a row must pass before it becomes a bar, and what is said of it when it does not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.history.series import Finding, FindingKind, Inspection, Prices, Row

FRIDAY, MONDAY, TUESDAY = date(2018, 2, 2), date(2018, 2, 5), date(2018, 2, 6)
GOOD = (17.0, 18.0, 16.0, 17.31)


def row(day: date, *prices: float | None, line: int = 2) -> Row:
    opening, high, low, close = prices or GOOD
    return Row(place=f"VIX.csv:{line}", when=day, prices=(opening, high, low, close))


def inspect(*rows: Row) -> tuple[dict[date, Prices], list[Finding]]:
    inspection = Inspection("VIX", "VIX.csv")
    return inspection.passed(rows), inspection.findings


def test_good_rows_pass_without_a_word() -> None:
    assert inspect(row(FRIDAY), row(MONDAY)) == ({FRIDAY: GOOD, MONDAY: GOOD}, [])


def test_a_date_twice_with_the_same_values_is_used_once_and_reported() -> None:
    passed, (finding,) = inspect(row(FRIDAY), row(FRIDAY, line=9))
    assert passed == {FRIDAY: GOOD}
    assert finding.kind is FindingKind.DUPLICATE
    assert (finding.place, finding.day, finding.is_error) == ("VIX.csv:9", FRIDAY, False)
    assert "already at VIX.csv:2" in finding.message


def test_a_date_twice_with_other_values_is_refused() -> None:
    passed, (finding,) = inspect(
        row(FRIDAY), row(FRIDAY, 17.0, 18.0, 16.0, 17.5, line=9), row(MONDAY)
    )
    assert passed == {MONDAY: GOOD}
    assert (finding.kind, finding.is_error) == (FindingKind.CONFLICT, True)


@pytest.mark.parametrize(
    ("days", "order"),
    [((TUESDAY, MONDAY, FRIDAY), "newest first"), ((MONDAY, TUESDAY, FRIDAY), "in no order")],
)
def test_rows_out_of_order_are_sorted_and_reported(days: tuple[date, ...], order: str) -> None:
    passed, (finding,) = inspect(*map(row, days))
    assert list(passed) == [FRIDAY, MONDAY, TUESDAY]
    assert (finding.kind, finding.day) == (FindingKind.ORDER, None)
    assert order in finding.message


def test_a_row_without_a_close_is_left_out_and_reported() -> None:
    passed, (finding,) = inspect(row(FRIDAY, 17.0, 18.0, 16.0, None))
    assert passed == {}
    assert finding.kind is FindingKind.EMPTY


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_bar_that_is_not_whole_is_its_close(missing: int) -> None:
    prices: list[float | None] = list(GOOD)
    prices[missing] = None
    assert inspect(row(FRIDAY, *prices)) == ({FRIDAY: (None, None, None, 17.31)}, [])


@pytest.mark.parametrize(
    "prices", [(17.0, 17.2, 16.0, 17.31), (17.0, 18.0, 17.2, 17.31), (18.5, 18.0, 16.0, 17.31)]
)
def test_high_and_low_that_do_not_bracket_leave_the_close(prices: tuple[float, ...]) -> None:
    passed, (finding,) = inspect(row(FRIDAY, *prices))
    assert passed == {FRIDAY: (None, None, None, 17.31)}
    assert (finding.kind, finding.is_error) == (FindingKind.BRACKET, False)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("inf"), float("-inf")])
@pytest.mark.parametrize("cell", [0, 1, 2, 3])
def test_a_value_that_is_not_a_positive_number_refuses_its_row(bad: float, cell: int) -> None:
    prices: list[float | None] = list(GOOD)
    prices[cell] = bad
    passed, (finding,) = inspect(row(FRIDAY, *prices))
    assert passed == {}
    assert (finding.kind, finding.is_error) == (FindingKind.REFUSED, True)


def test_a_finding_reads_like_a_compiler_message() -> None:
    _, (finding,) = inspect(row(FRIDAY, 17.0, 18.0, 16.0, 0.0, line=7))
    assert str(finding) == (
        "VIX.csv:7: VIX: 2018-02-02 has 0, which is not a positive number; row refused"
    )


@given(st.lists(st.tuples(st.dates(), st.floats(min_value=0.01, max_value=1e6)), max_size=20))
def test_every_date_comes_out_once_in_order_or_is_accounted_for(
    closes: list[tuple[date, float]],
) -> None:
    passed, findings = inspect(*(row(day, None, None, None, close) for day, close in closes))
    assert list(passed) == sorted(passed)
    refused = {finding.day for finding in findings if finding.kind is FindingKind.CONFLICT}
    assert set(passed) | refused == {day for day, _ in closes}
    assert not set(passed) & refused
