"""The monitor: what counts, who drives, and the laws it keeps."""

import math
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from fakes.calendars import LENGTH, at, close_of, daily
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.events import (
    ClockAdvanced,
    Event,
    ExecutionKind,
    ExecutionReported,
    ExposureMeasured,
    PositionsReported,
    RebalanceRequested,
    Tick,
)
from shared.domain.instants import HOUR, MINUTE, SECOND
from shared.domain.market.signals import SignalMonitor, SignalMonitorState
from shared.domain.policies import (
    PortfolioPolicy,
    RealizedVolatilityPolicy,
    SignalPolicy,
    SmoothingPolicy,
)
from shared.domain.signals_observed import HedgerInput, Mark, Quality, SignalsObserved
from shared.domain.tick_block import TickBlock

BASKET = ("AAPL", "MSFT", "NVDA", "SPX")
POLICY = SignalPolicy(
    correlation_basket=BASKET,
    correlation_returns=3,
    hedge_correlation_returns=3,
    percentile_sessions=2,
    realized_volatility=RealizedVolatilityPolicy(returns=2),
    portfolios=(PortfolioPolicy(book="fund", value=1_000.0, weights={"SPX": 0.5, "QQQ": 0.3}),),
    mark_symbols=("VX1", "PUT"),
)
CALENDAR = daily(12)
DRIVING = ("VIX", "SPX", "VX1", "VX3", "QQQ", "PUT")
VIX_NAMES = {"vix", "vix_smooth", "vix_percentile", "regime"}
TRANSITIONS = {
    f"transition_{name}" for name in ("p_low_to_high", "p_high_to_low", "stationary_high")
}
INDEX_NAMES = {"index_return", "rv", "crash_intensity", "crash_intensity_ratio"}
OTHER_NAMES = {"correlation", "term_ratio", "term_state"}
BOOK_NAMES = {"nav.fund", "drawdown.fund", "hedge_correlation.fund"}
NAMES = VIX_NAMES | TRANSITIONS | INDEX_NAMES | OTHER_NAMES | BOOK_NAMES
OTHERS: list[Event] = [
    ExecutionReported(
        book="fund",
        order_id="fund-00000001-swap",
        execution_id="1",
        kind=ExecutionKind.NEW,
        quantity=0.0,
        price=None,
        event_ns=at(1, HOUR),
    ),
    RebalanceRequested(scope="all", operator="ann", reason="review", event_ns=at(1, HOUR)),
    ExposureMeasured(book="fund", event_ns=at(1, HOUR), portfolio_delta=1.0, put_delta=-0.2),
]


def test_reported_positions_are_no_signal() -> None:
    report = PositionsReported(book="fund", event_ns=at(1, HOUR), quantities={"SPX": 1.0})
    assert monitor().receive(report, 0) == ()


def print_of(symbol: str, event_ns: int, price: float = 20.0) -> Tick:
    return Tick(symbol=symbol, event_ns=event_ns, price=price)


def monitor() -> SignalMonitor:
    return SignalMonitor(POLICY, CALENDAR)


def observed(outputs: tuple[HedgerInput, ...]) -> SignalsObserved:
    (output,) = outputs
    assert isinstance(output, SignalsObserved)
    return output


@pytest.mark.parametrize("symbol", DRIVING)
def test_a_driving_print_is_answered_with_every_signal(symbol: str) -> None:
    output = observed(monitor().receive(print_of(symbol, at(1)), 7))
    assert (output.event_ns, output.index, output.cause) == (at(1), 7, symbol)
    assert set(output.signals) == NAMES


@pytest.mark.parametrize("symbol", ["AAPL", "UNKNOWN"])
def test_a_member_of_the_basket_alone_and_a_stranger_are_not_answered(symbol: str) -> None:
    assert monitor().receive(print_of(symbol, at(1)), 0) == ()


def test_nothing_is_known_before_the_first_print() -> None:
    output = observed(monitor().receive(ClockAdvanced(event_ns=at(1)), 0))
    assert output.cause == "clock"
    assert {signal.quality for signal in output.signals.values()} == {Quality.WARMING}
    assert {signal.value for signal in output.signals.values()} == {None}


@pytest.mark.parametrize("event", OTHERS, ids=lambda event: type(event).__name__)
def test_what_is_not_about_the_market_is_handed_on_unchanged(event: Event) -> None:
    subject = monitor()
    subject.receive(ClockAdvanced(event_ns=at(1)), 2)
    assert subject.receive(event, 3) == (event,)
    assert (subject.snapshot().now, subject.snapshot().index) == (at(1), 3)


@pytest.mark.parametrize("instant", [0, at(1) - 1, close_of(1) + 1, at(13), close_of(12) + 1])
def test_a_print_outside_sessions_moves_nothing_but_the_clock(instant: int) -> None:
    subject = monitor()
    before = subject.snapshot()
    assert subject.receive(print_of("VIX", instant, 66.0), 0) == ()  # 2024-08-05, before the bell
    assert subject.snapshot() == msgspec.structs.replace(before, now=instant)


def test_the_closing_instant_belongs_to_the_session() -> None:
    output = observed(monitor().receive(print_of("VIX", close_of(1)), 0))
    assert output.signals["vix"].is_good


def test_a_print_older_than_the_last_of_its_symbol_is_superseded() -> None:
    subject = monitor()
    subject.receive(print_of("VIX", at(1, MINUTE)), 0)
    assert subject.receive(print_of("VIX", at(1, SECOND), 99.0), 1) == ()
    late = observed(subject.receive(print_of("SPX", at(1, SECOND), 99.0), 2))  # its first print
    assert late.event_ns == at(1, MINUTE)  # the clock does not run backwards
    assert late.signals["vix"].value == 20.0


def test_a_print_of_an_earlier_session_is_superseded_by_any_print_of_a_later_one() -> None:
    subject = monitor()
    subject.receive(print_of("VIX", at(2)), 0)
    assert subject.receive(print_of("SPX", close_of(1)), 1) == ()


def test_marks_are_the_last_levels_with_their_quotes() -> None:
    subject = monitor()
    quote = Tick(symbol="PUT", event_ns=at(1), bid=3.0, ask=4.0)
    first = observed(subject.receive(quote, 0))
    assert first.marks == {"PUT": Mark(level=3.5, event_ns=at(1), bid=3.0, ask=4.0)}
    second = observed(subject.receive(print_of("VX1", at(1, 1), 19.0), 1))
    assert second.marks == {**first.marks, "VX1": Mark(level=19.0, event_ns=at(1, 1))}
    assert observed(subject.receive(print_of("VIX", at(1, 2)), 2)).marks == second.marks


def test_an_option_that_nobody_bids_for_has_no_mark_any_more() -> None:
    quote = Tick(symbol="PUT", event_ns=at(1), bid=3.0, ask=4.0)
    unbid = Tick(symbol="PUT", event_ns=at(1, 1), ask=0.05)
    basket = [Tick(symbol="AAPL", event_ns=at(1, 2), price=1.0)]
    one, all_at_once = monitor(), monitor()
    answers = [one.receive(tick, number) for number, tick in enumerate([quote, unbid])]
    assert observed(answers[1]).marks == {}
    block = TickBlock.of([quote, unbid, *basket])
    assert all_at_once.receive_block(block, 0) == [answer for (answer,) in answers]


def test_vix_is_stale_after_a_minute_and_the_index_after_five() -> None:
    subject = monitor()
    subject.receive(print_of("VIX", at(1)), 0)
    subject.receive(print_of("VX1", at(1)), 1)
    subject.receive(print_of("VX3", at(1)), 2)
    assert subject.next_deadline() == at(1, MINUTE + 1)
    output = observed(subject.advance_to(at(1, MINUTE + 1)))
    assert (output.cause, output.index) == ("clock", 2)
    assert output.signals["vix"].quality == Quality.STALE
    assert output.signals["term_ratio"].quality == Quality.GOOD
    assert subject.next_deadline() == at(1, 5 * MINUTE + 1)


def test_no_vix_leaves_the_other_signals_alone() -> None:
    subject, now = monitor(), at(1)  # 2015-08-24: no VIX for half an hour while the index fell
    for minute in range(30):
        now = at(1, minute * MINUTE)
        subject.receive(print_of("SPX", now, 2_000.0 - minute), minute)
        subject.receive(print_of("QQQ", now, 100.0), minute)
    output = observed(subject.receive(ClockAdvanced(event_ns=now), 30))
    assert (output.signals["vix"].value, output.signals["vix"].quality) == (None, Quality.WARMING)
    assert output.signals["drawdown.fund"].is_good


def closes(days: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    symbols = sorted({*DRIVING, *BASKET})
    return {symbol: 20 * np.exp(np.cumsum(random.normal(0, 0.02, days))) for symbol in symbols}


def fed_with_closes(days: int) -> tuple[SignalsObserved, dict[str, np.ndarray]]:
    subject, levels = monitor(), closes(days)
    for day in range(days):
        for symbol, path in levels.items():
            subject.receive(print_of(symbol, close_of(day + 1), float(path[day])), 0)
    return observed(subject.receive(ClockAdvanced(event_ns=close_of(days)), 1)), levels


def test_history_fed_as_closing_prints_fills_every_window() -> None:
    output, levels = fed_with_closes(10)
    returns = {symbol: np.diff(np.log(path)) for symbol, path in levels.items()}
    values = {name: signal.value for name, signal in output.signals.items()}
    assert values["vix"] == levels["VIX"][-1]
    assert values["index_return"] == pytest.approx(levels["SPX"][-1] / levels["SPX"][-2] - 1)
    assert values["rv"] == pytest.approx(math.sqrt(252 / 2 * np.sum(returns["SPX"][-2:] ** 2)))
    matrix = np.corrcoef([returns[symbol][-3:] for symbol in BASKET])
    assert values["correlation"] == pytest.approx(np.mean(matrix[np.triu_indices(4, 1)]))
    assert values["term_ratio"] == levels["VX1"][-1] / levels["VX3"][-1]
    spx, qqq = (levels[symbol] / levels[symbol][0] for symbol in ("SPX", "QQQ"))
    nav = 1_000 * (0.2 + 0.5 * spx + 0.3 * qqq)
    assert values["nav.fund"] == pytest.approx(nav[-1])
    assert values["drawdown.fund"] == pytest.approx(nav[-1] / max(nav) - 1)
    hedge = np.corrcoef(np.diff(np.log(nav))[-3:], returns["VIX"][-3:])[0, 1]
    assert values["hedge_correlation.fund"] == pytest.approx(hedge)
    good = {name for name, signal in output.signals.items() if signal.is_good}
    assert NAMES - good == TRANSITIONS  # ten sessions are too few for these


STEPS = st.integers(0, 40).map(lambda step: step * MINUTE) | st.sampled_from(
    [-MINUTE, LENGTH, 22 * HOUR, 24 * HOUR, 46 * HOUR]
)
SYMBOLS = st.sampled_from(["VIX", "SPX", "QQQ", "VX1", "VX3", "PUT", "NIL", "AAPL", "MSFT", "NVDA"])
LEVELS = st.sampled_from([12.0, 14.0, 20.0, 26.0, 40.0])


@st.composite
def journals(draw: st.DrawFn, *, others: bool = True) -> list[Event]:
    """Prints in and out of sessions, now and then late; clock and other events between them."""
    now, events = at(1), list[Event]()
    for symbol, step, level in draw(st.lists(st.tuples(SYMBOLS, STEPS, LEVELS), max_size=40)):
        now += step
        kind = draw(st.integers(0, 9)) if others else 9
        if kind == 0:
            events.append(ClockAdvanced(event_ns=now))
        elif kind == 1:
            events.append(OTHERS[len(events) % len(OTHERS)])
        else:
            events.append(print_of(symbol, now, level))
    return events


def settled(subject: SignalMonitor, events: list[Event], first: int = 0) -> list[HedgerInput]:
    return [
        output
        for index, event in enumerate(events, first)
        for output in subject.receive(event, index)
    ]


def resumed(subject: SignalMonitor) -> SignalMonitor:
    state = msgspec.msgpack.encode(subject.snapshot())
    return SignalMonitor.resume(
        POLICY, CALENDAR, msgspec.msgpack.decode(state, type=SignalMonitorState)
    )


@settings(max_examples=60, deadline=None)  # the first call loads compiled code
@given(before=journals(), after=journals())
def test_a_restart_changes_nothing(before: list[Event], after: list[Event]) -> None:
    going = monitor()
    settled(going, before)
    again = resumed(going)
    assert again.next_deadline() == going.next_deadline()
    assert settled(again, after) == settled(going, after)
    assert again.snapshot() == going.snapshot()


@settings(max_examples=80, deadline=None)  # the first call loads compiled code
@given(ticks=journals(others=False), cuts=st.lists(st.integers(0, 40)))
def test_blocks_cut_anywhere_say_what_single_ticks_say(ticks: list[Tick], cuts: list[int]) -> None:
    single, batched = monitor(), monitor()
    edges = sorted({0, len(ticks), *(cut for cut in cuts if cut < len(ticks))})
    outputs: list[HedgerInput] = []
    for start, end in pairwise(edges):
        outputs += batched.receive_block(TickBlock.of(ticks[start:end]), 100 + start)
    assert outputs == settled(single, list(ticks), 100)
    if ticks:
        assert batched.snapshot() == single.snapshot()
    assert batched.receive_block(TickBlock.of([]), 0) == []


def test_a_block_of_the_basket_alone_may_span_sessions() -> None:
    ticks = [
        print_of(symbol, at(day, HOUR), 10.0 + day + len(symbol) / day)
        for day in range(1, 9)
        for symbol in ("AAPL", "NVDA", "AAPL")
    ]
    single, batched = monitor(), monitor()
    assert batched.receive_block(TickBlock.of(ticks), 0) == settled(single, list(ticks)) == []
    assert batched.snapshot() == single.snapshot()


@settings(max_examples=60, deadline=None)  # the first call loads compiled code
@given(before=journals())
def test_nothing_changes_before_the_deadline_and_something_does_at_it(before: list[Event]) -> None:
    subject = monitor()
    settled(subject, before)
    while (deadline := subject.next_deadline()) is not None:
        state = subject.snapshot()
        assert subject.advance_to(deadline - 1) == ()
        assert subject.snapshot() == msgspec.structs.replace(
            state, now=max(state.now, deadline - 1)
        )
        assert observed(subject.advance_to(deadline)).event_ns == deadline
    assert subject.advance_to(at(12)) == ()


def busy(minutes: int, first_ns: int, vix: float | None = None) -> list[Event]:
    """VIX and the index each minute; VIX moves unless told not to."""
    return [
        print_of(symbol, first_ns + minute * MINUTE, level)
        for minute in range(minutes)
        for symbol, level in (("VIX", vix or 20.0 + minute / 10), ("SPX", 2_000.0 + minute))
    ]


def qualities(output: HedgerInput) -> dict[str, Quality]:
    assert isinstance(output, SignalsObserved)
    return {name: signal.quality for name, signal in output.signals.items()}


def test_a_vix_that_repeats_itself_is_frozen_and_prices_nothing_until_it_moves() -> None:
    policy = msgspec.structs.replace(POLICY, mark_symbols=("SPX", "VIX"))
    subject = SignalMonitor(policy, CALENDAR)
    *_, before = settled(subject, busy(8, at(1), 20.0))
    assert isinstance(before, SignalsObserved)
    assert (qualities(before)["vix"], set(before.marks)) == (Quality.GOOD, {"SPX", "VIX"})
    *_, frozen = settled(subject, busy(3, at(1, 8 * MINUTE), 20.0))
    assert isinstance(frozen, SignalsObserved)
    assert {qualities(frozen)[name] for name in VIX_NAMES - {"vix_percentile"}} == {Quality.FROZEN}
    assert qualities(frozen)["nav.fund"] == qualities(before)["nav.fund"]
    assert set(frozen.marks) == {"SPX"}
    *_, thawed = settled(subject, busy(2, at(1, 11 * MINUTE), 21.0))
    assert isinstance(thawed, SignalsObserved)
    assert (qualities(thawed)["vix"], set(thawed.marks)) == (Quality.GOOD, {"SPX", "VIX"})


def test_a_halted_market_has_nothing_good_and_no_marks_until_it_is_warm_again() -> None:
    policy = msgspec.structs.replace(POLICY, mark_symbols=("SPX", "VIX"))
    subject = SignalMonitor(policy, CALENDAR)
    *_, _ = settled(subject, busy(5, at(2), None))
    halted = observed(subject.advance_to(subject.next_deadline() or 0))  # VIX is stale
    assert halted.signals["vix"].quality is Quality.STALE
    halted = observed(subject.advance_to(at(2, 6 * MINUTE) + 1))
    assert set(qualities(halted).values()) == {Quality.HALTED, Quality.WARMING}
    assert {halted.signals[name].quality for name in ("vix", "regime")} == {Quality.HALTED}
    assert halted.marks == {}
    resumed = settled(subject, busy(4, at(2, 20 * MINUTE)), 50)
    seen = [qualities(output) for output in resumed]
    assert [each["vix"] for each in seen] == [Quality.WARMING] * 4 + [Quality.GOOD] * 4
    marks = [set(output.marks) for output in resumed if isinstance(output, SignalsObserved)]
    assert marks[0] == {"SPX", "VIX"}


def test_a_feed_that_misses_two_prints_is_named_while_the_other_is_not() -> None:
    subject = monitor()
    ticks = [print_of("VIX", at(1, second * SECOND), 20.0 + second) for second in (0, 15, 30)]
    settled(subject, [*ticks, print_of("SPX", at(1, 59 * SECOND))])
    assert subject.next_deadline() == at(1, MINUTE) + 1
    assert observed(subject.advance_to(at(1, MINUTE) + 1)).silent == ("VIX",)
    back = observed(subject.receive(print_of("VIX", at(1, 2 * MINUTE)), 9))
    assert back.silent == ()


def test_after_a_halt_the_index_does_not_wait_for_vix() -> None:
    subject = monitor()
    settled(subject, busy(5, close_of(1) - 4 * MINUTE))
    settled(subject, busy(5, at(2)))
    index = [print_of("SPX", at(2, (20 + minute) * MINUTE), 1_900.0) for minute in range(4)]
    seen = [qualities(output) for output in settled(subject, [*index])]
    assert [each["index_return"] for each in seen] == [Quality.WARMING] * 2 + [Quality.GOOD] * 2
    assert {each["vix"] for each in seen} == {Quality.STALE}


@st.composite
def halting(draw: st.DrawFn) -> list[Event]:
    """Busy stretches with silences between them, VIX at times repeating itself."""
    now, events = at(1), list[Event]()
    for minutes, silence, vix in draw(
        st.lists(
            st.tuples(
                st.integers(1, 14), st.integers(1, 40), st.sampled_from([None, None, 20.0, 21.0])
            ),
            max_size=6,
        )
    ):
        events += busy(minutes, now, vix)
        now += (minutes + silence) * MINUTE
    return events


@settings(max_examples=40, deadline=None)  # the first call loads compiled code
@given(before=halting(), after=halting(), cut=st.integers(0, 60))
def test_halts_and_freezes_survive_a_restart_and_any_cut(
    before: list[Event], after: list[Event], cut: int
) -> None:
    ticks = [event for event in (*before, *after) if isinstance(event, Tick)]
    going, batched = monitor(), monitor()
    outputs = settled(going, list(ticks[:cut]))
    assert batched.receive_block(TickBlock.of(ticks[:cut]), 0) == outputs
    again = resumed(going)
    assert again.next_deadline() == going.next_deadline()
    rest = settled(going, list(ticks[cut:]), 100)
    assert settled(again, list(ticks[cut:]), 100) == rest
    assert again.snapshot() == going.snapshot()


@settings(max_examples=40, deadline=None)  # the first call loads compiled code
@given(before=halting())
def test_a_halt_comes_at_its_deadline_and_not_before(before: list[Event]) -> None:
    subject = monitor()
    settled(subject, before)
    while (deadline := subject.next_deadline()) is not None:
        assert subject.advance_to(deadline - 1) == ()
        assert observed(subject.advance_to(deadline)).event_ns == deadline


@settings(max_examples=40, deadline=None)  # the first call loads compiled code
@given(before=journals())
def test_the_clock_and_the_age_of_signals_never_run_backwards(before: list[Event]) -> None:
    outputs = [
        output for output in settled(monitor(), before) if isinstance(output, SignalsObserved)
    ]
    instants = [output.event_ns for output in outputs]
    assert instants == sorted(instants)
    for output in outputs:
        for signal in output.signals.values():
            assert signal.event_ns <= output.event_ns
            assert (signal.value is None) == (signal.quality == Quality.WARMING)


def test_under_another_policy_what_is_not_shared_starts_cold() -> None:
    subject = monitor()
    for day in range(1, 6):
        for symbol in (*DRIVING, *BASKET):
            subject.receive(print_of(symbol, close_of(day), 20.0 + day), 0)
    policy = msgspec.structs.replace(
        POLICY,
        correlation_basket=("AAPL", "MSFT"),
        mark_symbols=(),
        smoothing=SmoothingPolicy(method="median"),
        portfolios=(PortfolioPolicy(book="other", value=1.0, weights={"SPX": 1.0}),),
    )
    other = SignalMonitor.resume(policy, CALENDAR, subject.snapshot())
    output = observed(other.receive(print_of("SPX", at(6), 30.0), 1))
    assert output.signals["rv"].is_good
    assert output.signals["nav.other"].value == 1.0
    output = observed(other.receive(print_of("VIX", at(6), 30.0), 2))
    assert output.signals["vix"].observations == 6
