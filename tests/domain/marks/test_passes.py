"""What ticks and time do to a row: source, age, remark, and the level it is priced at."""

import numpy as np
import pytest
from fakes.marked_chains import GOOD, LISTED, POLICY, PUT, Row, book_of, feed, marked
from fakes.option_chains import NOW, spot
from msgspec.structs import replace

from shared.domain.events import Tick
from shared.domain.instants import DAY, SECOND
from shared.domain.instruments.instrument import Instrument, Kind, Model
from shared.domain.marks.columns import Remark, Source
from shared.domain.marks.forward import ForwardSource
from shared.domain.marks.mark_book import MarkBook
from shared.domain.marks.policy import MarkPolicy
from shared.domain.marks.quotes import QuoteQuality


def test_without_quotes_volatility_sticks_to_the_strike_while_level_and_time_go_on() -> None:
    book = marked(LISTED)
    before = Row(book, PUT).volatility
    later = NOW + POLICY.stale_ns + 1
    feed(book, [Tick(symbol="SPX", event_ns=later, price=4900.0)])
    book.refresh(later)
    row = Row(book, PUT)
    assert row.said == (Source.STICKY, QuoteQuality.STALE, Remark.OK)
    assert row.volatility == pytest.approx(before, abs=1e-4)
    assert row.age_ns == POLICY.stale_ns + 1
    moved = replace(LISTED, level=4900.0)
    assert row.mark == pytest.approx(
        Row(marked(moved), PUT).mark, rel=0.15
    )  # the smile stays at its strikes, so not equal
    assert row.mark > Row(marked(LISTED), PUT).mark
    assert book.smiles()[0].forward_source is ForwardSource.PARITY_AT_RATE  # kept, too


def test_a_quote_gone_bad_that_the_budget_does_not_reach_sticks_until_it_does() -> None:
    far = replace(LISTED, days=60.0)
    book = marked(LISTED, far, policy=replace(POLICY, budget_rows=18))
    feed(book, LISTED.quotes(NOW + 1))
    book.refresh(NOW + 1)  # the far one's first turn
    gone = far.symbol("put", 4800)
    feed(book, [Tick(symbol=gone, event_ns=NOW + 2, ask=500.0), *LISTED.quotes(NOW + 2)])
    book.refresh(NOW + 2)
    assert Row(book, gone).said == (Source.STICKY, QuoteQuality.ONE_SIDED, Remark.OK)
    book.refresh(NOW + 3)
    assert Row(book, gone).said == (Source.FIT, QuoteQuality.ONE_SIDED, Remark.OK)


def test_a_mark_is_forgotten_after_the_limit() -> None:
    book = marked(LISTED)
    levels = [Tick(symbol="SPX", event_ns=NOW + 4 * DAY, price=5000.0)]
    feed(book, levels)
    book.refresh(NOW + POLICY.forget_ns)
    assert Row(book, PUT).said[0] is Source.STICKY
    book.refresh(NOW + POLICY.forget_ns + 1)
    row = Row(book, PUT)
    assert row.said == (Source.NONE, QuoteQuality.STALE, Remark.FORGOTTEN)
    assert (np.isnan(row.mark), row.age_ns) == (True, -1)
    assert np.isnan(row.volatility)  # nor does it value anything
    feed(book, [LISTED.quote("put", 4800, NOW + POLICY.forget_ns + 2)])
    book.refresh(NOW + POLICY.forget_ns + 2)
    assert Row(book, PUT).volatility > 0


def test_a_level_that_is_forgotten_prices_nothing() -> None:
    book = marked(LISTED)
    book.follow(NOW + POLICY.forget_ns)
    assert (Row(book, PUT).level, Row(book, PUT).underlying > 0) == (5000.0, True)
    book.follow(NOW + POLICY.forget_ns + 1)
    assert np.isnan(Row(book, PUT).level)
    assert np.isnan(Row(book, PUT).underlying)


def test_what_was_never_quoted_has_no_mark_and_says_so() -> None:
    book = book_of(LISTED)
    feed(book, [Tick(symbol="SPX", event_ns=NOW, price=5000.0)])
    book.refresh(NOW)
    row = Row(book, PUT)
    assert row.said == (Source.NONE, QuoteQuality.NONE, Remark.NO_QUOTE)
    assert np.isnan([row.mark, row.volatility, row.model_error]).all()
    assert row.carry == pytest.approx(0.025)  # the configured carry is known all the same


def test_without_a_level_there_is_no_mark_and_the_first_level_brings_all() -> None:
    book = book_of(LISTED)
    quotes = list(LISTED.quotes())
    feed(book, quotes[1:])
    book.refresh(NOW)
    row = Row(book, PUT)
    assert row.said == (Source.NONE, QuoteQuality.GOOD, Remark.NO_LEVEL)
    assert np.isnan(row.underlying)
    feed(book, quotes[:1])
    book.refresh(NOW)
    assert Row(book, PUT).said == GOOD
    assert Row(book, PUT).underlying == pytest.approx(5000.0)


def test_without_pairs_or_configuration_there_is_no_forward_and_no_mark() -> None:
    book = book_of(LISTED, policy=MarkPolicy(rate=0.04))
    feed(book, [Tick(symbol="SPX", event_ns=NOW, price=5000.0), LISTED.quote("put", 4800)])
    book.refresh(NOW)
    assert Row(book, PUT).said == (Source.NONE, QuoteQuality.GOOD, Remark.NO_FORWARD)


def test_an_expired_option_has_no_mark() -> None:
    book = marked(LISTED)
    book.refresh(LISTED.expiry_ns - 1)
    assert Row(book, PUT).remark == Remark.NO_LEVEL
    feed(book, LISTED.quotes(LISTED.expiry_ns))
    book.refresh(LISTED.expiry_ns)
    row = Row(book, PUT)
    assert row.said[::2] == (Source.NONE, Remark.EXPIRED)
    assert row.years == 0


def test_a_quote_that_breaks_the_bounds_of_arbitrage_is_marked_by_the_smile() -> None:
    book = book_of(LISTED)
    quotes = {tick.symbol: tick for tick in LISTED.quotes()}
    deep = LISTED.symbol("call", 4600)
    quotes[deep] = replace(quotes[deep], bid=300.0, ask=310.0)  # 400 in the money
    feed(book, quotes.values())
    book.refresh(NOW)
    row = Row(book, deep)
    assert row.said == (Source.FIT, QuoteQuality.GOOD, Remark.OUT_OF_BOUNDS)
    assert row.mark == pytest.approx(LISTED.price("call", 4600), rel=1e-3)


def test_what_is_no_option_is_marked_at_its_own_level() -> None:
    book = MarkBook(POLICY)
    for symbol in ("SPX", "ES"):
        book.add(spot(symbol))
    feed(book, [Tick(symbol="SPX", event_ns=NOW, price=5000.0)])
    book.refresh(NOW)
    row, other = Row(book, "SPX"), Row(book, "ES")
    assert row.said == GOOD
    assert (row.mark, row.underlying, row.years) == (5000.0, 5000.0, 0.0)
    assert np.isnan(row.volatility)
    assert other.said == (Source.NONE, QuoteQuality.NONE, Remark.NO_LEVEL)
    assert np.isnan(other.mark)
    book.refresh(NOW + POLICY.stale_ns + 1)
    assert Row(book, "SPX").said == (Source.STICKY, QuoteQuality.STALE, Remark.OK)
    book.refresh(NOW + POLICY.forget_ns + 1)
    assert Row(book, "SPX").said == (Source.NONE, QuoteQuality.STALE, Remark.NO_LEVEL)


def test_a_variance_swap_is_marked_at_its_own_level_and_knows_that_of_its_underlying() -> None:
    book = MarkBook(POLICY)
    swap = Instrument(
        symbol="VAR-SPX",
        kind=Kind.VARIANCE_SWAP,
        root="VAR",
        underlying="SPX",
        model=Model.VARIANCE_SWAP,
    )
    book.add(swap)
    ticks = [
        Tick(symbol="SPX", event_ns=NOW, price=5000.0),
        Tick(symbol="VAR-SPX", event_ns=NOW, price=21.0),
    ]
    feed(book, ticks)
    book.refresh(NOW)
    row = Row(book, "VAR-SPX")
    assert (row.mark, row.level) == (21.0, 5000.0)


def test_the_middle_of_a_sound_quote_goes_before_the_last_trade_as_a_level() -> None:
    book = MarkBook(POLICY)
    book.add(spot("ES"))
    for bid, ask, wanted in (
        (4999.0, 5000.0, 4999.5),
        (5000.0, 4999.0, 5003.0),
        (None, None, 5003.0),
    ):
        feed(book, [Tick(symbol="ES", event_ns=NOW, price=5003.0, bid=bid, ask=ask)])
        book.refresh(NOW)
        assert Row(book, "ES").mark == wanted


def test_a_trade_of_an_option_is_no_quote() -> None:
    book = marked(LISTED)
    feed(book, [Tick(symbol=PUT, event_ns=NOW + SECOND, price=1.0)])
    book.refresh(NOW + SECOND)
    assert Row(book, PUT).mark == pytest.approx(LISTED.price("put", 4800))


def test_a_side_that_is_gone_is_gone() -> None:
    book = marked(LISTED)
    feed(book, [Tick(symbol=PUT, event_ns=NOW + SECOND, ask=50.0)])
    book.refresh(NOW + SECOND)
    assert Row(book, PUT).said[:2] == (Source.FIT, QuoteQuality.ONE_SIDED)


def test_an_older_tick_changes_nothing() -> None:
    book = marked(LISTED)
    before = book.snapshot()
    old = NOW - 1
    feed(
        book,
        [
            Tick(symbol=PUT, event_ns=old, bid=1.0, ask=2.0),
            Tick(symbol="SPX", event_ns=old, price=1.0),
        ],
    )
    assert book.snapshot() == before


def test_ticks_of_strangers_pass_by() -> None:
    book = marked(LISTED)
    before = book.snapshot()
    feed(book, [Tick(symbol="NDX", event_ns=NOW, price=17_000.0)])
    feed(book, [])
    assert book.snapshot() == before


def test_between_refreshes_following_moves_underlying_and_time_alone() -> None:
    book = marked(LISTED)
    before = book.columns
    feed(book, [Tick(symbol="SPX", event_ns=NOW + SECOND, price=5050.0)])
    book.follow(NOW + DAY)
    after = Row(book, PUT)
    assert after.level == 5050.0
    assert after.underlying == pytest.approx(5050.0)
    assert after.years == pytest.approx(29 / 365)
    assert np.array_equal(book.columns.volatility, before.volatility)
    assert np.array_equal(book.columns.mark, before.mark)
