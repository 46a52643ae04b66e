"""What marks an instrument, with what numbers, and that no number is made up."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import exp

import msgspec
import numpy as np
import pytest
from fakes.option_chains import NOW, ListedChain, spot
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.events import Tick
from shared.domain.instants import DAY, HOUR, MINUTE, SECOND
from shared.domain.instruments.instrument import Instrument, Kind, Model
from shared.domain.marks.answers import MarkColumns
from shared.domain.marks.columns import Remark, Source
from shared.domain.marks.forward import ForwardSource
from shared.domain.marks.mark_book import MarkBook, MarkState, TooManyInstruments
from shared.domain.marks.policy import MarkPolicy
from shared.domain.marks.quotes import QuoteQuality
from shared.domain.marks.smile import SmileStatus
from shared.domain.pricing.kernel import Output, evaluate
from shared.domain.tick_block import TickBlock

POLICY = MarkPolicy(rate=0.04, dividend_yields={"SPX": 0.015}, min_strikes=5)
LISTED = ListedChain(strikes=tuple(range(4600, 5401, 100)))
VIX = ListedChain(
    root="VIX",
    underlying="VXZ23",
    level=17.0,
    strikes=(13.0, 15.0, 17.0, 19.0, 21.0, 25.0),
    smile=(0.01, 0.2, 0.4, -0.1, 0.3),
    tick_size=0.01,
    model=Model.BLACK,
)


def book_of(*chains: ListedChain, policy: MarkPolicy = POLICY) -> MarkBook:
    book = MarkBook(policy)
    for chain in chains:
        for option in chain.options():
            book.add(option)
    return book


def feed(book: MarkBook, ticks: Iterable[Tick]) -> None:
    book.receive_block(TickBlock.of(list(ticks)))


def marked(*chains: ListedChain, policy: MarkPolicy = POLICY) -> MarkBook:
    """Every option quoted at `NOW`, and refreshed."""
    book = book_of(*chains, policy=policy)
    for chain in chains:
        feed(book, chain.quotes())
    assert book.refresh(NOW) == ()
    return book


class Row:
    """One row of the columns, by names."""

    def __init__(self, book: MarkBook, symbol: str) -> None:
        self.number = book.row(symbol)
        self.columns = book.columns

    def __getattr__(self, name: str) -> float:
        value: float = getattr(self.columns, name)[self.number].item()
        return value

    @property
    def said(self) -> tuple[Source, QuoteQuality, Remark]:
        return Source(int(self.source)), QuoteQuality(int(self.quality)), Remark(int(self.remark))


GOOD = (Source.QUOTE, QuoteQuality.GOOD, Remark.OK)
PUT = LISTED.symbol("put", 4800)
CALL = LISTED.symbol("call", 5200)


# --- from what ------------------------------------------------------------------------------------


def test_a_good_quote_marks_at_its_middle_with_the_volatility_that_it_implies() -> None:
    row = Row(marked(LISTED), PUT)
    assert row.said == GOOD
    assert row.mark == pytest.approx(LISTED.price("put", 4800))
    assert row.volatility == pytest.approx(LISTED.volatility(4800), abs=1e-4)
    assert (row.sign, row.strike, row.level) == (-1.0, 4800.0, 5000.0)
    assert row.years == pytest.approx(30 / 365)
    assert row.age_ns == 0


def test_the_columns_price_every_option_at_its_mark() -> None:
    columns = marked(LISTED, replace(LISTED, days=90.0)).columns
    out = np.empty((len(Output), len(columns.sign)))
    evaluate(*columns[:7], out)
    assert out[Output.PRICE] == pytest.approx(columns.mark, rel=1e-9)


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


def test_an_expired_expiry_is_not_worked_on() -> None:
    book = marked(LISTED)
    feed(book, LISTED.quotes(LISTED.expiry_ns))
    before = book.smiles()
    book.refresh(LISTED.expiry_ns)
    assert book.smiles() == before


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


# --- levels, futures, American options ------------------------------------------------------------


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


# --- what ticks do --------------------------------------------------------------------------------


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


# --- instruments come and go ----------------------------------------------------------------------


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


def test_an_option_without_an_expiry_is_refused() -> None:
    with pytest.raises(ValueError, match="no option that expires"):
        MarkBook(POLICY).add(replace(LISTED.option("put", 4800), expiry_ns=None))


def test_an_empty_book_has_empty_columns() -> None:
    book = MarkBook(POLICY)
    feed(book, [Tick(symbol="SPX", event_ns=NOW, price=5000.0)])
    assert book.refresh(NOW) == ()
    assert len(book.columns.mark) == 0
    assert book.smiles() == ()
    assert book.row("SPX") is None


# --- work on a budget -----------------------------------------------------------------------------


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


def test_a_refresh_is_due_an_interval_after_the_last() -> None:
    book = book_of(LISTED)
    assert book.next_deadline() is None
    book.refresh(NOW)
    assert book.next_deadline() == NOW + POLICY.refresh_ns


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


# --- laws -----------------------------------------------------------------------------------------

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
