"""A mark book answers in columns, and neither restarts nor splits change it."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from fakes.marked_chains import GOOD, LISTED, POLICY, PUT, Row, book_of, feed, marked
from fakes.option_chains import NOW, spot
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.events import Tick
from shared.domain.instants import DAY, MINUTE, SECOND
from shared.domain.marks.answers import MarkColumns
from shared.domain.marks.columns import Remark, Source
from shared.domain.marks.forward import ForwardSource
from shared.domain.marks.mark_book import MarkBook, MarkState, TooManyInstruments
from shared.domain.marks.quotes import QuoteQuality
from shared.domain.marks.smile import SmileStatus
from shared.domain.pricing.kernel import Output, evaluate


def test_a_good_quote_marks_at_its_middle_with_the_volatility_that_it_implies() -> None:
    row = Row(marked(LISTED), PUT)
    assert row.said == GOOD
    assert row.mark == pytest.approx(LISTED.price("put", 4800))
    assert row.volatility == pytest.approx(LISTED.volatility(4800), abs=1e-4)
    assert (row.sign, row.strike, row.level) == (-1.0, 4800.0, 5000.0)
    assert row.years == pytest.approx(30 / 365)
    assert row.age_ns == 0


def test_deep_in_the_money_the_smile_says_the_volatility_and_the_quote_marks() -> None:
    chain = replace(LISTED, half_spread=0.002, strikes=tuple(range(4400, 5601, 100)))
    book, symbol = marked(chain), chain.symbol("call", 4400)
    quote = chain.quote("call", 4400)
    assert quote.bid is not None
    assert quote.ask is not None
    assert quote.ask - quote.bid > 2.0  # some vol points, so far from the money
    feed(book, [Tick(symbol=symbol, event_ns=NOW, bid=quote.bid + 1, ask=quote.ask + 1)])
    book.refresh(NOW + POLICY.refresh_ns)
    row = Row(book, symbol)
    assert row.said == GOOD
    assert row.mark == pytest.approx(chain.price("call", 4400) + 1)
    assert row.volatility == pytest.approx(chain.volatility(4400), abs=1e-3)


def test_the_columns_price_every_option_at_its_mark() -> None:
    columns = marked(LISTED, replace(LISTED, days=90.0)).columns
    out = np.empty((len(Output), len(columns.sign)))
    evaluate(*columns[:7], out)
    assert out[Output.PRICE] == pytest.approx(columns.mark, rel=1e-9)


def test_a_row_never_moves_and_a_symbol_has_one() -> None:
    book = marked(LISTED)
    row = book.row(PUT)
    before = Row(book, PUT).mark
    more = replace(LISTED, strikes=(5500.0,))
    added = [book.add(option) for option in more.options()]
    assert added == [len(LISTED.strikes) * 2, len(LISTED.strikes) * 2 + 1]
    assert book.add(LISTED.option("put", 4800)) == row
    assert len(book) == len(book.symbols) == len(book.columns.mark)
    assert Row(book, PUT).mark == before
    assert Row(book, more.symbol("put", 5500)).remark == Remark.NO_QUOTE
    book.refresh(NOW)
    assert Row(book, more.symbol("put", 5500)).said == (Source.FIT, QuoteQuality.NONE, Remark.OK)


def test_the_book_is_bounded() -> None:
    book = MarkBook(replace(POLICY, max_instruments=1))
    book.add(spot("SPX"))
    with pytest.raises(TooManyInstruments, match="NDX would be number 2"):
        book.add(spot("NDX"))


def test_a_level_is_fresh_for_as_long_as_a_quote_is() -> None:
    book = marked(LISTED)
    assert book.is_level_fresh("SPX", NOW + POLICY.stale_ns)
    assert not book.is_level_fresh("SPX", NOW + POLICY.stale_ns + 1)
    assert not book.is_level_fresh("NDX", NOW)
    book.add(spot("NDX"))
    assert not book.is_level_fresh("NDX", NOW)


def test_an_empty_book_has_empty_columns() -> None:
    book = MarkBook(POLICY)
    feed(book, [Tick(symbol="SPX", event_ns=NOW, price=5000.0)])
    assert book.refresh(NOW) == ()
    assert len(book.columns.mark) == 0
    assert book.smiles() == ()
    assert book.row("SPX") is None


def test_an_expiry_of_which_nothing_was_heard_is_reported_without_numbers() -> None:
    (report,) = book_of(LISTED).smiles()
    assert (report.status, report.forward_source) == (SmileStatus.NONE, ForwardSource.NONE)
    assert np.isnan([report.forward, report.rate, report.missed, *report.parameters]).all()
    assert (report.fit_ns, report.compared, report.options) == (-1, 0, 18)


def test_a_refresh_is_due_an_interval_after_the_last() -> None:
    book = book_of(LISTED)
    assert book.next_deadline() is None
    book.refresh(NOW)
    assert book.next_deadline() == NOW + POLICY.refresh_ns


SMALL = [
    replace(LISTED, days=days, strikes=(4800.0, 4900.0, 5000.0, 5100.0, 5200.0))
    for days in (20.0, 45.0)
]
INSTRUMENTS = [spot("SPX"), *(option for chain in SMALL for option in chain.options())]
KNOWN = {instrument.symbol: instrument for instrument in INSTRUMENTS}


@st.composite
def histories(draw: st.DrawFn) -> list[list[Tick]]:
    """Runs of ticks; after each there is a refresh."""
    runs, now = [], NOW
    for _ in range(draw(st.integers(1, 4))):
        now += draw(st.sampled_from([SECOND, 3 * MINUTE, DAY]))
        level = draw(st.sampled_from([4950.0, 5000.0, 5100.0]))
        ticks = [tick for chain in SMALL for tick in replace(chain, level=level).quotes(now)]
        runs.append(
            [
                draw(st.sampled_from([tick, replace(tick, bid=None)]))
                for tick in ticks
                if draw(st.integers(0, 3))
            ]
        )
    return runs


def play(book: MarkBook, run: Sequence[Tick], pieces: int = 1) -> None:
    bounds = np.linspace(0, len(run), pieces + 1).astype(int)
    for start, end in pairwise(bounds):
        feed(book, run[start:end])
    book.refresh(max((tick.event_ns for tick in run), default=NOW))


def small_book() -> MarkBook:
    book = MarkBook(replace(POLICY, budget_rows=12))
    for instrument in INSTRUMENTS:
        book.add(instrument)
    return book


def resumed(book: MarkBook) -> MarkBook:
    packed = msgspec.msgpack.encode(book.snapshot())
    state = msgspec.msgpack.decode(packed, type=MarkState)
    return MarkBook.resume(replace(POLICY, budget_rows=12), KNOWN.__getitem__, state)


def same(left: MarkColumns, right: MarkColumns) -> bool:
    pairs = zip(map(np.asarray, left), map(np.asarray, right), strict=True)
    return all(np.array_equal(x, y, equal_nan=True) for x, y in pairs)


@settings(max_examples=15)
@given(histories())
def test_a_restart_at_any_refresh_changes_nothing(runs: list[list[Tick]]) -> None:
    going, stopped = small_book(), small_book()
    for run in runs:
        play(going, run)
        play(stopped, run)
        stopped = resumed(stopped)
        assert stopped.snapshot() == going.snapshot()
        assert same(stopped.columns, going.columns)
        assert stopped.next_deadline() == going.next_deadline()


@settings(max_examples=15)
@given(histories(), st.integers(2, 7))
def test_how_ticks_are_split_into_blocks_changes_nothing(
    runs: list[list[Tick]], pieces: int
) -> None:
    whole, split = small_book(), small_book()
    for run in runs:
        play(whole, run)
        play(split, run, pieces)
        assert split.snapshot() == whole.snapshot()
        assert same(split.columns, whole.columns)


def test_a_restart_in_the_middle_of_a_run_changes_nothing() -> None:
    going, stopped = small_book(), small_book()
    ticks = [tick for chain in SMALL for tick in chain.quotes()]
    for book in (going, stopped):
        feed(book, ticks[:13])
        book.follow(NOW + 1)
    stopped = resumed(stopped)
    assert same(stopped.columns, going.columns)
    for book in (going, stopped):
        feed(book, ticks[13:])
        book.refresh(NOW + 2)
        book.refresh(NOW + 3)
    assert same(stopped.columns, going.columns)
