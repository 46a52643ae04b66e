"""What is concluded of an expiry: forward, smile, volatilities, on a budget."""

from math import exp

import numpy as np
import pytest
from fakes.marked_chains import CALL, GOOD, LISTED, POLICY, PUT, VIX, Row, book_of, feed, marked
from fakes.option_chains import NOW, spot
from msgspec.structs import replace

from shared.domain.events import Tick
from shared.domain.instants import HOUR, SECOND
from shared.domain.instruments.instrument import Model
from shared.domain.marks.columns import Remark, Source
from shared.domain.marks.forward import ForwardSource
from shared.domain.marks.mark_book import MarkBook
from shared.domain.marks.quotes import QuoteQuality
from shared.domain.marks.smile import SmileStatus


def test_what_has_no_good_quote_is_marked_by_the_smile_of_its_expiry_and_says_so() -> None:
    book = book_of(LISTED)
    quotes = {tick.symbol: tick for tick in LISTED.quotes()}
    quotes[PUT] = replace(quotes[PUT], bid=0.0)
    quotes[CALL] = replace(quotes[CALL], bid=1.0, ask=50.0)
    feed(book, quotes.values())
    book.refresh(NOW)
    put, call = Row(book, PUT), Row(book, CALL)
    assert put.said == (Source.FIT, QuoteQuality.ONE_SIDED, Remark.OK)
    assert call.said == (Source.FIT, QuoteQuality.TOO_WIDE, Remark.OK)
    assert put.mark == pytest.approx(LISTED.price("put", 4800), rel=1e-3)
    assert call.volatility == pytest.approx(LISTED.volatility(5200), abs=1e-4)


def test_an_option_alone_keeps_its_own_volatility_when_there_is_no_smile() -> None:
    lonely = replace(LISTED, strikes=(4900.0, 5000.0, 5100.0))
    book = marked(lonely)
    symbol = lonely.symbol("put", 4900)
    assert Row(book, symbol).said == GOOD
    assert np.isnan(Row(book, symbol).model_error)
    book.refresh(NOW + HOUR)
    row = Row(book, symbol)
    assert row.said == (Source.STICKY, QuoteQuality.STALE, Remark.OK)
    assert row.age_ns == HOUR


def test_an_own_volatility_younger_than_the_last_smile_goes_before_it() -> None:
    book = marked(LISTED)
    later = NOW + POLICY.stale_ns + SECOND
    dear = replace(LISTED, smile=(0.005, 0.02, -0.5, 0.01, 0.08))
    feed(book, [dear.quote("put", 4800, later)])
    book.refresh(later)
    assert Row(book, PUT).said == GOOD
    assert Row(book, CALL).said == (Source.STICKY, QuoteQuality.STALE, Remark.OK)
    feed(book, [Tick(symbol=PUT, event_ns=later + 1, ask=500.0)])
    book.refresh(later + 1)
    row = Row(book, PUT)
    assert row.said == (Source.STICKY, QuoteQuality.ONE_SIDED, Remark.OK)
    assert row.volatility == pytest.approx(dear.volatility(4800), abs=5e-3)
    assert row.age_ns == 1


def test_an_expired_expiry_is_not_worked_on() -> None:
    book = marked(LISTED)
    feed(book, LISTED.quotes(LISTED.expiry_ns))
    before = book.smiles()
    book.refresh(LISTED.expiry_ns)
    assert book.smiles() == before


def test_vix_options_are_priced_on_their_future_and_never_on_spot() -> None:
    book = book_of(VIX)
    book.add(spot("VIX"))
    feed(book, [Tick(symbol="VIX", event_ns=NOW, price=13.0), *VIX.quotes()])
    book.refresh(NOW)
    row = Row(book, VIX.symbol("call", 19.0))
    assert row.said == GOOD
    assert (row.underlying, row.carry) == (17.0, 0.0)
    assert row.volatility == pytest.approx(VIX.volatility(19.0), rel=1e-2)
    assert book.smiles()[0].forward_source is ForwardSource.FUTURE


def test_without_their_future_vix_options_have_no_mark() -> None:
    book = book_of(VIX)
    book.add(spot("VIX"))
    feed(book, [Tick(symbol="VIX", event_ns=NOW, price=13.0), *list(VIX.quotes())[1:]])
    book.refresh(NOW)
    assert Row(book, VIX.symbol("call", 19.0)).remark == Remark.NO_LEVEL


def test_american_options_are_implied_as_if_european_and_say_so() -> None:
    spy = replace(LISTED, root="SPY", style="american", model=Model.AMERICAN)
    book = book_of(spy)
    quotes = {tick.symbol: tick for tick in spy.quotes()}
    deep = spy.symbol("put", 5400)
    quotes[deep] = replace(quotes[deep], bid=400.0, ask=402.0)  # worth its exercise
    feed(book, quotes.values())
    book.refresh(NOW)
    out, within = Row(book, spy.symbol("put", 4800)), Row(book, deep)
    assert out.said == within.said == (Source.QUOTE, QuoteQuality.GOOD, Remark.APPROXIMATE)
    assert within.mark == 401.0
    assert within.volatility == pytest.approx(spy.volatility(5400), abs=2e-3)
    assert np.isnan(within.model_error)
    assert abs(out.model_error_half_spreads) < 0.5


def test_near_expiry_the_basis_goes_to_the_level_and_prices_stay() -> None:
    week = replace(LISTED, days=3.0, smile=(0.00005, 0.004, -0.5, 0.0, 0.02))
    row = Row(marked(week), week.symbol("put", 4900))
    assert row.level == 5000.0
    assert row.underlying * exp(row.carry * row.years) == pytest.approx(week.forward, rel=1e-6)
    assert abs(row.carry) < 0.01
    assert row.underlying != row.level


def test_an_option_without_an_expiry_is_refused() -> None:
    with pytest.raises(ValueError, match="no option that expires"):
        MarkBook(POLICY).add(replace(LISTED.option("put", 4800), expiry_ns=None))


def test_the_budget_is_spent_on_the_expiries_that_have_waited_longest() -> None:
    chains = [
        replace(LISTED, days=days, strikes=LISTED.strikes[2:7]) for days in (20.0, 40.0, 60.0)
    ]
    book = book_of(*chains, policy=replace(POLICY, budget_rows=15))
    seen = []
    for step in range(5):
        for chain in chains:
            feed(book, chain.quotes(NOW + step))
        book.refresh(NOW + step)
        seen.append([report.fit_ns - NOW for report in book.smiles()])
    never = -1 - NOW
    assert seen == [
        [0, never, never],
        [0, 1, never],
        [0, 1, 2],
        [3, 1, 2],
        [3, 4, 2],
    ]


def test_an_expiry_without_news_is_not_worked_on_again() -> None:
    book = marked(LISTED)
    before = book.smiles()
    feed(book, [Tick(symbol="SPX", event_ns=NOW + 1, price=5100.0)])
    book.refresh(NOW + 1)
    assert book.smiles() == before


def test_the_report_of_an_expiry_says_what_its_smile_is_and_how_well_it_fits() -> None:
    near, far = marked(LISTED, replace(LISTED, days=60.0)).smiles()
    assert near.name == "SPXW 2023-12-14"
    assert near.options == near.compared == 18
    assert near.status is SmileStatus.GOOD
    assert near.parameters == pytest.approx(LISTED.smile, abs=2e-3)
    assert near.forward == pytest.approx(LISTED.forward, rel=1e-4)
    assert near.missed == 0
    assert abs(near.worst_half_spreads) < 0.1
    assert near.calendar_fall == 0
    assert far.calendar_fall == pytest.approx(0, abs=1e-3)  # the same total variance


def test_calendar_arbitrage_is_reported_at_the_later_expiry() -> None:
    cheap = replace(LISTED, days=60.0, smile=(0.0002, 0.01, -0.5, 0.01, 0.08))
    near, far = marked(LISTED, cheap).smiles()
    assert near.calendar_fall == 0
    assert far.calendar_fall == pytest.approx(0.5, abs=0.1)


def test_calendar_arbitrage_is_seen_whichever_of_two_neighbours_moves() -> None:
    later = replace(LISTED, days=60.0)
    cheap = replace(later, smile=(0.0002, 0.01, -0.5, 0.01, 0.08))
    book = marked(LISTED, later)
    feed(book, cheap.quotes(NOW + 1))
    book.refresh(NOW + 1)
    assert book.smiles()[1].calendar_fall > 0.3
    feed(book, replace(LISTED, smile=(0.0001, 0.005, -0.5, 0.01, 0.08)).quotes(NOW + 2))
    book.refresh(NOW + 2)
    assert book.smiles()[1].calendar_fall == 0


def test_an_option_of_a_known_expiry_joins_it_and_its_smile() -> None:
    book = marked(LISTED)
    more = LISTED.option("put", 4500.0)
    book.add(more)
    book.refresh(NOW)
    (report,) = book.smiles()
    assert report.options == 19
    row = Row(book, more.symbol)
    assert row.said == (Source.FIT, QuoteQuality.NONE, Remark.OK)
    assert row.volatility == pytest.approx(LISTED.volatility(4500.0), abs=1e-3)
