"""The fold expects what the hedger decides, however the journal is split, and after any restart."""

from datetime import date

import pytest
from fakes.recorded_run import RecordedRun, recorded_run
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, structs

from services.auditor.fold import ExpectedOrder, Fold, decode_expected, expected_of
from shared.adapters.store import Entry
from shared.wire import keys


@pytest.fixture(scope="module")
def run() -> RecordedRun:
    return recorded_run(date(2015, 7, 1), date(2015, 12, 31))


def fold_of(run: RecordedRun, state: bytes | None = None) -> Fold:
    policies = run.settings
    return Fold(policies.signals, policies.books, run.calendar, policies.digest, state)


def expected(fold: Fold, entries: list[Entry]) -> list[ExpectedOrder]:
    rows = fold.receive(entries).entries.get(keys.expected(), ())
    return [decode_expected(row) for row in rows]


def test_what_is_expected_is_what_the_hedger_decides(run: RecordedRun) -> None:
    assert expected(fold_of(run), run.entries) == [expected_of(order) for order in run.orders]
    assert len({order.book for order in run.orders}) == 2


def test_entries_that_decide_nothing_say_nothing(run: RecordedRun) -> None:
    assert not fold_of(run).receive(run.entries[:1])


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_restart_law_and_batch_law(data: st.DataObject) -> None:
    run = recorded_run(date(2015, 7, 1), date(2015, 12, 31))
    cut = data.draw(st.integers(0, len(run.entries)))
    first = fold_of(run)
    before = expected(first, run.entries[:cut])
    after = expected(fold_of(run, first.snapshot()), run.entries[cut:])
    assert before + after == [expected_of(order) for order in run.orders]


def test_an_order_that_differs_in_any_field_is_not_the_one_expected(run: RecordedRun) -> None:
    order = run.orders[0]
    for field in order.__struct_fields__:
        value = getattr(order, field)
        number = 0.0 if value is UNSET else value
        other = f"{value}x" if isinstance(value, str) else number + 1
        if field == "order_id":
            continue
        assert expected_of(structs.replace(order, **{field: other})) != expected_of(order), field
