"""A month read again from a journal: what was recorded, counted as the live account counts it."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from fakes.recorded_run import RecordedRun
from msgspec import structs

from services.command.endings import Refused
from services.command.study.review.month import BookMonth, Month, book_month
from services.command.study.review.past import BookPast
from services.command.study.review.reading import ReadJournal, read_journal
from services.signals.step import SignalsStep
from shared.adapters.export import ExportFile
from shared.adapters.settings import Settings
from shared.adapters.store import Entry
from shared.domain.accounts.accounting import HedgeComparison
from shared.domain.accounts.effectiveness import SessionResult
from shared.domain.effects import OrderDecided, TargetChanged, WhipsawSuppressed
from shared.domain.events import ExecutionReported
from shared.domain.signals_observed import SignalsObserved
from shared.wire import keys
from shared.wire.decisions import read_decision
from shared.wire.journal import decode_log

AUGUST = Month.of(2015, 8)


def exported(run: RecordedRun, path: Path, first: int = 1) -> Path:
    decisions = [Entry(keys.decisions(), n, each) for n, each in enumerate(run.decisions, 1)]
    with ExportFile(path, {}) as file:
        file.write(decisions)
        file.write(run.entries[first - 1 :])
        file.finish()
    return path


@pytest.fixture(scope="module")
def found(run: RecordedRun, journal: Path) -> ReadJournal:
    return read_journal(run.settings, run.calendar, journal)


@pytest.fixture
def august(books: list[BookMonth]) -> BookMonth:
    return next(each for each in books if each.book.name == "overlay")


def past_of(found: ReadJournal, book: str) -> BookPast:
    return next(past for past in found.pasts if past.book.name == book)


def accounted(run: RecordedRun, book: str) -> list[SessionResult]:
    """As the account of a replay is made: `services.command.account`."""
    settings = run.settings
    policy = next(each for each in settings.books if each.name == book)
    account = HedgeComparison(policy, run.calendar, "SPX", settings.paper.commission)
    effects = [read_decision(each).effect for each in run.decisions]
    targets = [each for each in effects if isinstance(each, TargetChanged) and each.book == book]
    signals, last_ns = SignalsStep(settings.signals, run.calendar, None), 0
    for payload in signals.receive(run.entries).entries[keys.signal_log()]:
        for event in decode_log(payload):
            while targets and targets[0].event_ns < event.event_ns:
                account.receive_target(targets.pop(0))
            if isinstance(event, SignalsObserved | ExecutionReported) and (
                isinstance(event, SignalsObserved) or event.book == book
            ):
                account.receive(event)
            last_ns = event.event_ns
    for target in targets:
        account.receive_target(target)
    account.advance_to(last_ns + 1)
    return list(account.snapshot().results)


@pytest.mark.parametrize("book", ["overlay", "nervous"])
def test_sessions_are_the_live_accounts_own(
    run: RecordedRun, found: ReadJournal, book: str
) -> None:
    results = [each.result for each in past_of(found, book).sessions]
    assert results == accounted(run, book)
    assert len(results) > 120


@pytest.mark.parametrize("book", ["overlay", "nervous"])
def test_what_was_decided_and_reported_is_told_whole(
    run: RecordedRun, found: ReadJournal, book: str
) -> None:
    past = past_of(found, book)
    effects = [read_decision(each).effect for each in run.decisions]
    of_book = [each for each in effects if each.book == book]
    assert past.targets == [each for each in of_book if isinstance(each, TargetChanged)]
    assert past.orders == [each.order for each in of_book if isinstance(each, OrderDecided)]
    assert past.whipsaws == [each for each in of_book if isinstance(each, WhipsawSuppressed)]
    assert past.executions == [each for each in run.reports if each.book == book]
    assert past.skipped == 0


def test_a_month_is_its_own_sessions_and_events(
    run: RecordedRun, found: ReadJournal, august: BookMonth
) -> None:
    days = august.daily["day"].astype(str).tolist()
    assert (days[0], days[-1], len(days)) == ("2015-08-03", "2015-08-31", 21)
    results = [each for each in accounted(run, "overlay") if AUGUST.has(each.close_ns)]
    assert august.daily["profit"].tolist() == [each.dynamic_net for each in results]
    assert august.daily["static_profit"].tolist() == [each.static_carry for each in results]
    past = past_of(found, "overlay")
    for whole, part in (
        (past.orders, august.orders),
        (past.targets, august.targets),
        (past.executions, august.executions),
    ):
        inside = [each for each in whole if AUGUST.has(each.event_ns)]
        assert list(part) == inside
        assert 0 < len(inside) < len(whole)
    before = [each for each in accounted(run, "overlay") if each.close_ns < results[0].close_ns]
    assert results[-1].nav is not None
    assert before[-1].nav is not None
    assert august.portfolio_profit == results[-1].nav - before[-1].nav


def test_the_parts_of_the_profit_sum_to_it_and_what_is_held_is_what_was_filled(
    august: BookMonth, found: ReadJournal
) -> None:
    parts = [values for name, values in august.daily.items() if name.startswith("pnl_")]
    assert np.allclose(np.sum(parts, axis=0), august.daily["profit"], atol=1e-6)
    past = past_of(found, "overlay")
    filled = sum(each.quantity for each in past.executions if each.price is not None)
    assert past.sessions[-1].book.held_vega == pytest.approx(filled)


def test_december_ends_the_year() -> None:
    december = Month.of(2015, 12)
    assert (december.first, december.following) == (date(2015, 12, 1), date(2016, 1, 1))
    assert str(december) == "2015-12"


def test_a_month_without_sessions_has_no_figures(run: RecordedRun, found: ReadJournal) -> None:
    empty = book_month(past_of(found, "overlay"), Month.of(2017, 1), run.calendar, "SPX")
    assert empty.performance is None
    assert empty.portfolio_profit is None
    assert not empty.orders
    early = book_month(past_of(found, "overlay"), Month.of(2014, 1), run.calendar, "SPX")
    assert early.inception is None


def test_the_first_month_counts_the_portfolio_from_its_first_close(
    run: RecordedRun, found: ReadJournal
) -> None:
    first = book_month(past_of(found, "overlay"), Month.of(2015, 7), run.calendar, "SPX")
    nav = first.daily["nav"]
    assert first.portfolio_profit == nav[-1] - nav[0]


def test_a_journal_without_its_beginning_is_refused(run: RecordedRun, tmp_path: Path) -> None:
    path = exported(run, tmp_path / "run.parquet", first=5)
    with pytest.raises(Refused, match="lacks entries 1 to 4"):
        read_journal(run.settings, run.calendar, path)


def test_a_file_that_is_no_export_is_refused(run: RecordedRun, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"PAR1 no")
    with pytest.raises(Refused, match="no export of ours"):
        read_journal(run.settings, run.calendar, tmp_path / "x")


def test_another_configuration_and_a_book_that_cannot_be_accounted_for_are_said(
    run: RecordedRun, journal: Path
) -> None:
    assert not read_journal(run.settings, run.calendar, journal).remarks
    found = read_journal(_with_options(run.settings), run.calendar, journal)
    assert [past.book.name for past in found.pasts] == ["overlay"]
    assert "Book nervous cannot be accounted for" in found.remarks[0]
    assert "1 other configuration" in found.remarks[1]


def test_a_leg_that_the_configuration_lacks_is_said(run: RecordedRun, journal: Path) -> None:
    first, *others = run.settings.books
    renamed = structs.replace(first.legs[0], name="another")
    books = (structs.replace(first, legs=(renamed,)), *others)
    found = read_journal(structs.replace(run.settings, books=books), run.calendar, journal)
    assert [past.book.name for past in found.pasts] == [each.name for each in others]
    assert f"Book {first.name} traded the leg varswap_30d, which" in found.remarks[0]


def _with_options(settings: Settings) -> Settings:
    """Its first book trades an option whose vega nobody stated."""
    nervous, overlay = sorted(settings.books, key=lambda each: each.name)
    leg = structs.replace(nervous.legs[0], instrument="put", vega_per_unit=None)
    return structs.replace(settings, books=(structs.replace(nervous, legs=(leg,)), overlay))
