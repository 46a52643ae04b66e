from datetime import date

import numpy as np
import pytest
from fakes.study_rows import index_rows, study_rows

from shared.domain.accounts.effectiveness import measure_window
from shared.domain.study.crises import NAMED_CRISES, Crisis, crisis_results, crisis_slices

WHIT = Crisis("Whit", date(2020, 1, 2), date(2020, 1, 4))


def test_named_crises_run_from_the_highest_to_the_lowest_close_of_the_index() -> None:
    rows = index_rows()
    found = crisis_slices(rows.day)
    assert [crisis.name for crisis, _ in found] == [
        "Dot-com 2000-2002",
        "Financial crisis 2008",
        "Flash crash and euro 2010",
        "Debt ceiling and euro 2011",
        "August 2015",
        "February 2018",
        "Fourth quarter 2018",
    ]
    for crisis, inside in found:
        closes = rows.nav[inside]
        assert rows.day[inside][[0, -1]].tolist() == [crisis.first, crisis.last]
        assert int(np.argmin(closes)) == len(closes) - 1
        assert closes[0] == closes.max()


def test_crises_are_named_once_and_in_order() -> None:
    assert len({crisis.name for crisis in NAMED_CRISES}) == len(NAMED_CRISES)
    assert all(crisis.first < crisis.last for crisis in NAMED_CRISES)
    firsts = [crisis.first for crisis in NAMED_CRISES]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize(
    ("first", "sessions", "expected"),
    [
        ("2020-01-01", 5, [(1, 4)]),
        ("2020-01-02", 3, [(0, 3)]),
        ("2020-01-03", 5, []),  # begins too late
        ("2020-01-01", 3, []),  # ends too early
        ("2020-01-01", 0, []),
    ],
)
def test_a_crisis_that_the_data_hold_in_part_is_left_out(
    first: str, sessions: int, expected: list[tuple[int, int]]
) -> None:
    rows = study_rows([100.0] * sessions, first=first)
    found = crisis_slices(rows.day, [WHIT])
    assert [(inside.start, inside.stop) for _, inside in found] == expected


def test_days_without_a_session_are_those_before_them() -> None:
    days = np.array(["2020-01-01", "2020-01-03", "2020-01-05"], dtype="datetime64[D]")
    (found,) = crisis_slices(days, [WHIT])
    assert found == (WHIT, slice(0, 2))


def test_a_crisis_is_measured_from_close_to_close() -> None:
    rows = study_rows(
        [100.0, 110.0, 80.0, 55.0, 60.0], carry=[9, 9, 10, 12, 9], cost=[0, 0, 1, 1, 0]
    )
    (found,) = crisis_results(rows.day, rows.results(), [WHIT])
    assert (found.name, found.first, found.last) == ("Whit", WHIT.first, WHIT.last)
    assert found.result == measure_window(
        rows.results(), after_ns=int(rows.close_ns[1]), end_ns=int(rows.close_ns[3])
    )
    assert found.result.portfolio_loss == 55.0
    assert found.result.dynamic_gain == 20.0
    assert found.result.dynamic_effectiveness == pytest.approx(20 / 55)
