"""The monitor: what is said when, and that neither restarts nor batches change it."""

from collections.abc import Callable

import msgspec
import pytest
from fakes.exposures import (
    CHAIN,
    EXPIRY,
    KNOWN,
    NOW,
    UNQUOTED,
    VX,
    index,
    level,
    monitor,
    option,
    price,
    quotes,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.effects import AlertRaised
from shared.domain.events import (
    ClockAdvanced,
    ExecutionKind,
    ExecutionReported,
    ExposureMeasured,
    PositionsReported,
)
from shared.domain.exposure.engine import (
    ExposureEffect,
    ExposureMonitor,
    ExposureState,
)
from shared.domain.exposure.layout import ExposureBook
from shared.domain.exposure.observed import ExposureObserved
from shared.domain.exposure.policy import ExposurePolicy, Shock
from shared.domain.instants import DAY, MILLISECOND, MINUTE, SECOND
from shared.domain.instruments.instrument import Instrument

CALL = CHAIN[5].symbol  # at the money
PUT = CHAIN[13].symbol
BOOK = ExposureBook(
    name="a", opening={CALL: 10.0, "SPX": 2.0}, legs={"hedge": PUT}, is_measured=True
)
OTHER = ExposureBook(name="b", opening={PUT: -5.0}, legs={"stock": "SPX"})


def fill(
    quantity: float, event_ns: int, *, leg: str = "hedge", number: int = 1
) -> ExecutionReported:
    return ExecutionReported(
        book="a",
        order_id=f"a-{number:08d}-{leg}",
        execution_id=f"x{number}",
        kind=ExecutionKind.FILL,
        quantity=quantity,
        price=1.0,
        event_ns=event_ns,
    )


def observed(effects: tuple[ExposureEffect, ...]) -> dict[str, ExposureObserved]:
    return {each.book: each for each in effects if isinstance(each, ExposureObserved)}


def measured(effects: tuple[ExposureEffect, ...]) -> list[ExposureMeasured]:
    return [each for each in effects if isinstance(each, ExposureMeasured)]


def begun(*books: ExposureBook, policy: ExposurePolicy | None = None) -> ExposureMonitor:
    """A monitor that has seen one full set of quotes."""
    made = monitor(*(books or (BOOK, OTHER)), policy=policy)
    made.receive_block(quotes(NOW, 100.0))
    return made


def test_a_book_is_told_with_every_figure_when_its_market_is_known() -> None:
    told = observed(begun().settle())
    book = told["a"]
    assert (book.positions, book.marked, book.coverage) == (2, 2, 1.0)
    assert [(group.underlying, group.bucket) for group in book.groups] == [
        ("SPX", "spot"),
        ("SPX", "8-30d"),
    ]
    expected = 1000 * price(KNOWN[CALL], NOW, 100.0, 0.2) + 200
    assert book.totals["value"] == pytest.approx(expected, rel=1e-3)
    assert book.index_delta == pytest.approx(book.totals["dollar_delta"] / 100)
    assert book.beta_delta == pytest.approx(book.totals["dollar_delta"])
    assert book.vix_vega == pytest.approx(book.totals["weighted_vega"])
    assert told["b"].totals["vega"] < 0
    assert book.risk is not None
    assert book.event_ns == book.youngest_ns == NOW


def test_without_a_market_every_position_is_named_and_no_number_is_made_up() -> None:
    lost = ExposureBook(name="a", opening={CALL: 1.0, "NOPE": 3.0})
    made = monitor(lost)
    (book,) = observed(made.advance_to(NOW)).values()
    assert book.coverage == 0.0
    reasons = {each.symbol: each.reason for each in book.unmarked}
    assert reasons == {"NOPE": "unknown_root", CALL: "no_level"}
    assert book.totals["dollar_delta"] == 0.0
    assert book.index_delta is None


def test_only_the_first_are_named_when_many_are_not_marked() -> None:
    opening = {each.symbol: 1.0 for each in CHAIN} | {f"X{n}": 1.0 for n in range(3)}
    made = monitor(ExposureBook(name="a", opening=opening), policy=ExposurePolicy(most_named=4))
    (book,) = observed(made.advance_to(NOW)).values()
    assert len(book.unmarked) == 4
    assert (book.positions, book.marked) == (len(CHAIN) + 3, 0)


def test_ticks_that_matter_to_no_book_say_nothing() -> None:
    made = begun()
    made.settle()
    made.receive_block(level(NOW + SECOND, 5.0, "VIX"))
    made.receive_block(level(NOW + SECOND, 5.0, "NDX"))
    assert made.settle() == ()


def test_ticks_within_the_pause_are_conflated_and_counted() -> None:
    made = begun()
    made.settle()
    for number in range(1, 4):
        made.receive_block(level(NOW + number * MILLISECOND, 100.0 + number))
        assert made.settle() == ()
    made.receive_block(level(NOW + 20 * MILLISECOND, 110.0))
    told = observed(made.settle())
    assert told["a"].conflated == 3
    assert told["a"].groups[0].level == 110.0


def many(policy: ExposurePolicy | None = None) -> ExposureMonitor:
    """Twenty books of three positions, and one that is measured, begun and told."""
    opening = {CALL: 1.0, PUT: 2.0, "SPX": 3.0}
    others = [ExposureBook(name=f"book {number}", opening=opening) for number in range(20)]
    made = begun(BOOK, *others, policy=policy)
    assert len(observed(made.settle())) == 21
    return made


REST_NS = 21 * 5 * MILLISECOND + 62 * 1_000


def test_many_books_rest_longer_and_what_comes_meanwhile_is_conflated_and_counted() -> None:
    made = many()
    for number in range(1, 4):
        made.receive_block(level(NOW + number * 10 * MILLISECOND, 100.0 + number))
        assert made.settle() == ()
    assert made.next_deadline() == NOW + REST_NS
    made.receive_block(level(NOW + REST_NS, 110.0))
    told = observed(made.settle())
    assert len(told) == 21
    assert {each.conflated for each in told.values()} == {3}
    assert {each.groups[0].level for each in told.values()} == {110.0}


def test_a_fill_of_one_of_many_books_waits_for_the_rest_of_all() -> None:
    made = many()
    made.receive(fill(-3.0, NOW + 1))
    rest_ns = REST_NS + 1_000  # it holds one position more
    assert made.next_deadline() == NOW + rest_ns
    assert made.settle() == ()
    assert made.advance_to(NOW + rest_ns - 1) == ()
    told = observed(made.advance_to(NOW + rest_ns))
    assert told["a"].positions == 3


def test_with_more_to_value_than_time_for_it_everything_waits_too() -> None:
    made = many(ExposurePolicy(book_ns=SECOND))
    due_ns = NOW + 21 * SECOND + 62 * 1_000
    assert made.next_deadline() == due_ns
    assert made.advance_to(due_ns - 1) == ()
    assert observed(made.advance_to(due_ns))


def test_few_books_do_not_rest() -> None:
    policy = ExposurePolicy()
    assert policy.rest_ns(1, 10_000) == 0
    assert policy.rest_ns(2, 10_000) == 0
    assert policy.rest_ns(2, 10_001) == 20_001_000
    assert policy.rest_ns(50, 100_000) == 350 * MILLISECOND


def test_in_a_replay_only_the_clock_counts() -> None:
    made = begun(policy=ExposurePolicy(only_at_clock=True))
    assert made.settle() == ()
    assert made.receive(ClockAdvanced(event_ns=NOW + 1))


def test_time_alone_revalues_everything_at_its_interval() -> None:
    made = begun()
    before = observed(made.settle())["a"]
    due_ns = made.next_deadline()
    assert due_ns == NOW + SECOND
    assert made.advance_to(NOW + SECOND - 1) == ()
    after = observed(made.advance_to(NOW + SECOND))["a"]
    assert after.totals["value"] < before.totals["value"]


def test_a_fill_is_in_the_exposure_at_once_and_in_the_next_measurement() -> None:
    made = begun()
    made.settle()
    assert made.receive(fill(-3.0, NOW + SECOND)) == ()
    assert made.next_deadline() == NOW + SECOND
    effects = made.settle()
    assert observed(effects)["a"].positions == 3
    (said,) = measured(effects)
    assert said.greeks[f"filled.{PUT}"] == -3.0


def test_a_report_of_positions_that_differs_is_an_alert_and_changes_nothing() -> None:
    made = begun()
    made.settle()
    effects = made.receive(
        PositionsReported(book="a", event_ns=NOW + 1, quantities={CALL: 9.0, "SPX": 2.0})
    )
    assert any(isinstance(each, AlertRaised) for each in effects)
    assert made.settle() == ()


def test_a_measurement_says_what_a_hedge_needs() -> None:
    (said,) = measured(begun().settle())
    assert said.sequence == said.event_ns == NOW
    greeks = said.greeks
    assert greeks["coverage"] == 1.0
    assert said.portfolio_delta == greeks["delta"] == pytest.approx(greeks["delta.SPX"])
    assert greeks["level.SPX"] == 100.0
    assert greeks["vega"] == pytest.approx(greeks["vega.SPX.8-30d"])
    assert greeks["vega.SPX.366d+"] == 0.0
    assert greeks["volatility.SPX"] == pytest.approx(0.2, abs=0.01)
    assert said.put_delta == pytest.approx(greeks[f"unit_delta.{PUT}"] / 100)
    assert -1 < said.put_delta < 0
    assert greeks[f"unit_vega.{PUT}"] > 0


def test_vanna_is_the_change_of_delta_for_all_of_volatility() -> None:
    deltas, vannas = [], []
    for volatility in (0.199, 0.2, 0.201):
        made = monitor(BOOK)
        made.receive_block(quotes(NOW, 100.0, volatility=volatility))
        (said,) = measured(made.settle())
        deltas.append(said.greeks["delta.SPX"])
        vannas.append(said.greeks["vanna.SPX"])
    assert vannas[1] == pytest.approx((deltas[2] - deltas[0]) / 0.002, rel=0.02)


def test_years_to_expiry_are_weighted_by_gamma_whatever_its_sign() -> None:
    far = option("call", 100.0, expiry_ns=NOW + 120 * DAY)
    near = KNOWN[CALL]
    book = ExposureBook(
        name="a", opening={near.symbol: 10.0, far.symbol: -10.0, "SPX": 5.0}, is_measured=True
    )
    made = monitor(book, known=KNOWN | {far.symbol: far})
    (said,) = measured(made.advance_to(NOW))
    assert "years.SPX" not in said.greeks  # nothing is marked
    made = monitor(book, known=KNOWN | {far.symbol: far})
    made.receive_block(quotes(NOW, 100.0, (*CHAIN, far)))
    (said,) = measured(made.settle())
    gammas = [price_gamma(each) for each in (near, far)]
    weighted = (gammas[0] * 30 + gammas[1] * 120) / sum(gammas) / 365
    assert said.greeks["years.SPX"] == pytest.approx(weighted, rel=1e-2)


def price_gamma(instrument: Instrument) -> float:
    low, middle, high = (price(instrument, NOW, level, 0.2) for level in (99.9, 100.0, 100.1))
    return (low - 2 * middle + high) / 0.01


def test_futures_on_the_index_are_measured_as_delta_of_it() -> None:
    future = msgspec.structs.replace(VX, symbol="ESX", root="ES", underlying="ESX", index="SPX")
    nobodys = msgspec.structs.replace(future, symbol="FX", underlying="FX", index=msgspec.UNSET)
    opening = {"SPX": 2.0, "ESX": 3.0}
    book = ExposureBook(name="a", opening=opening, legs={"stock": "SPX"}, is_measured=True)
    made = monitor(book, known=KNOWN | {"ESX": future})
    other = msgspec.structs.replace(book, opening=opening | {"FX": 1.0})
    blind = monitor(other, known=KNOWN | {"ESX": future, "FX": nobodys})
    for each in (made, blind):
        for symbol, at in (("SPX", 100.0), ("ESX", 102.0), ("FX", 7.0)):
            each.receive_block(level(NOW, at, symbol))
    (said,) = measured(made.settle())
    assert said.greeks["futures_delta.SPX"] == pytest.approx(3 * 1000 * 1.02)
    (said,) = measured(blind.settle())
    assert said.greeks["coverage"] == 1.0
    assert "futures_delta.SPX" not in said.greeks


def test_what_a_hedge_protects_does_not_count_the_hedge() -> None:
    made = begun()
    (before,) = measured(made.settle())
    made.receive(fill(5.0, NOW + SECOND))
    (after,) = measured(made.settle())
    assert after.greeks["delta"] < before.portfolio_delta - 1.0  # the book's own has changed
    assert after.portfolio_delta == pytest.approx(before.portfolio_delta, rel=1e-6)
    assert after.put_delta == pytest.approx(before.put_delta, rel=1e-3)


def test_a_book_that_is_not_known_as_a_whole_has_no_delta_to_protect() -> None:
    partly = ExposureBook(
        name="a", opening={"SPX": 2.0, "NDX": 5.0}, legs={"hedge": PUT}, is_measured=True
    )
    made = monitor(partly, policy=ExposurePolicy(betas={"SPX": 1.0, "NDX": 1.2}))
    made.receive_block(quotes(NOW, 100.0))
    (said,) = measured(made.settle())
    assert said.greeks["coverage"] == 0.5
    assert (said.portfolio_delta, said.put_delta) == (0.0, 0.0)
    made.receive_block(level(NOW + SECOND, 200.0, "NDX"))
    (said,) = measured(made.settle())
    assert said.portfolio_delta == pytest.approx(2.0 + 5.0 * 1.2 * 2.0)
    assert said.put_delta < 0


def test_a_delta_without_a_beta_leaves_what_is_protected_unknown() -> None:
    partly = ExposureBook(name="a", opening={"NDX": 5.0}, legs={"hedge": PUT}, is_measured=True)
    made = monitor(partly)
    made.receive_block(quotes(NOW, 100.0))
    made.receive_block(level(NOW, 200.0, "NDX"))
    (said,) = measured(made.settle())
    assert (said.portfolio_delta, said.put_delta) == (0.0, 0.0)


def test_the_index_needs_no_position_for_a_delta_in_its_units() -> None:
    apart = ExposureBook(name="a", opening={"NDX": 5.0}, legs={"hedge": PUT}, is_measured=True)
    made = monitor(apart, policy=ExposurePolicy(betas={"SPX": 1.0, "NDX": 1.2}))
    made.receive_block(quotes(NOW, 100.0))
    made.receive_block(level(NOW, 200.0, "NDX"))
    (said,) = measured(made.settle())
    assert said.portfolio_delta == pytest.approx(12.0)


def test_a_level_that_is_stale_is_shown_and_not_acted_on() -> None:
    made = begun()
    made.settle()
    effects = made.advance_to(NOW + 5 * MINUTE)
    (said,) = measured(effects)
    assert (said.greeks["level.SPX"], said.put_delta < 0) == (100.0, True)
    effects = made.advance_to(NOW + 5 * MINUTE + SECOND)
    assert observed(effects)["a"].groups[0].level == 100.0
    (said,) = measured(effects)
    gone = {"level.SPX", f"unit_delta.{PUT}", f"unit_vega.{PUT}"}
    assert not gone & said.greeks.keys()
    assert (said.portfolio_delta, said.put_delta) == (0.0, 0.0)
    made.receive_block(level(NOW + 6 * MINUTE, 101.0))
    (said,) = measured(made.settle())
    assert said.greeks["level.SPX"] == 101.0
    assert said.put_delta < 0


def test_what_is_not_known_is_not_in_a_measurement() -> None:
    book = ExposureBook(
        name="a", opening={}, legs={"put": PUT, "none": "NOPE", "stock": "SPX"}, is_measured=True
    )
    made = monitor(book)
    (said,) = measured(made.advance_to(NOW))
    assert (said.portfolio_delta, said.put_delta) == (0.0, 0.0)
    assert not {"delta", "level.SPX", "volatility.SPX", f"unit_delta.{PUT}"} & said.greeks.keys()
    assert said.greeks["delta.SPX"] == 0.0
    assert said.greeks["filled.SPX"] == 0.0


def test_a_measurement_is_awaited_until_the_journal_has_it_or_a_newer_one() -> None:
    made = begun(policy=ExposurePolicy(measure_ns=2 * SECOND))
    (first,) = measured(made.settle())
    assert dict(made.awaited) == {"a": first}
    made.receive_block(level(NOW + SECOND, 101.0))
    assert measured(made.settle()) == []  # too soon
    made.receive_block(level(NOW + 2 * SECOND, 102.0))
    (second,) = measured(made.settle())
    made.receive(first)
    assert dict(made.awaited) == {"a": second}
    made.receive(second)
    assert dict(made.awaited) == {}
    made.receive(second)
    assert dict(made.awaited) == {}


def test_a_measurement_says_so_where_positions_are_not_marked() -> None:
    made = monitor(ExposureBook(name="a", opening={"NDX": 1.0}, is_measured=True))
    effects = made.advance_to(NOW)
    (said,) = measured(effects)
    assert said.greeks["coverage"] == 0.0
    assert "level.NDX" not in said.greeks
    assert observed(effects)["a"].without_beta == ()  # there is no delta that it would leave out


def test_an_underlying_without_beta_is_named() -> None:
    book = ExposureBook(name="a", opening={"NDX": 1.0, "SPX": 1.0})
    made = monitor(book)
    for symbol in ("NDX", "SPX"):
        made.receive_block(level(NOW, 100.0, symbol))
    told = observed(made.settle())["a"]
    assert told.without_beta == ("NDX",)
    assert told.beta_delta == 100.0


def test_a_vix_future_counts_as_points_and_not_as_dollars_of_the_index() -> None:
    book = ExposureBook(name="a", opening={VX.symbol: 2.0, "VARSWAP": 500.0})
    made = monitor(book)
    made.receive_block(level(NOW, 20.0, VX.symbol))
    made.receive_block(level(NOW, 20.0, "VIX"))
    told = observed(made.settle())["a"]
    assert told.vix_vega == 2500.0
    assert told.totals["dollar_delta"] == 0.0
    assert told.totals["vega"] == 2500.0


def test_what_expired_into_its_underlying_is_not_known_before_it_is_put_right() -> None:
    terms = CHAIN[2].option
    assert terms is not None
    delivery = msgspec.structs.replace(terms, delivery="physical")
    delivering = msgspec.structs.replace(CHAIN[2], option=delivery)
    book = ExposureBook(
        name="a",
        opening={delivering.symbol: 10.0, CALL: 1.0, "SPX": -1000.0},
        legs={"stock": "SPX"},
        is_measured=True,
    )
    made = monitor(book, known=KNOWN | {delivering.symbol: delivering})
    made.receive_block(quotes(NOW, 100.0))
    (said,) = measured(made.settle())
    assert said.greeks["coverage"] == 1.0
    made.receive_block(level(EXPIRY, 100.0))
    effects = made.advance_to(EXPIRY)
    told = observed(effects)["a"]
    assert told.expired == (CALL, delivering.symbol)
    assert [(each.symbol, each.reason) for each in told.unmarked] == [
        (delivering.symbol, "delivered")
    ]
    (said,) = measured(effects)
    assert said.greeks["coverage"] == 0.5


def test_what_has_expired_is_named_and_not_counted() -> None:
    made = begun()
    made.settle()
    made.receive_block(level(EXPIRY - SECOND, 100.0))
    told = observed(made.advance_to(EXPIRY))["a"]
    assert told.expired == (CALL,)
    assert (told.positions, told.coverage) == (1, 1.0)


def test_a_position_changes_its_bucket_on_the_day() -> None:
    made = begun()
    made.settle()
    changes_ns = EXPIRY - 8 * DAY + 1
    policy_late = ExposurePolicy(everything_ns=60 * DAY)
    slow = begun(policy=policy_late)
    slow.settle()
    assert slow.next_deadline() == changes_ns
    assert slow.advance_to(changes_ns - 1) == ()
    told = observed(slow.receive(ClockAdvanced(event_ns=changes_ns)))
    assert [group.bucket for group in told["a"].groups] == ["spot", "0-7d"]


def test_scenarios_are_computed_anew_when_due_or_when_more_is_marked() -> None:
    made = begun(policy=ExposurePolicy(scenarios_ns=10 * SECOND))
    first = observed(made.settle())["a"].risk
    second = observed(made.advance_to(NOW + SECOND))["a"].risk
    third = observed(made.advance_to(NOW + 10 * SECOND))["a"].risk
    assert first is second
    assert third is not None
    assert third.event_ns == NOW + 10 * SECOND
    half = monitor(BOOK, history=[Shock(-0.01, 1.0)] * 300)
    half.receive_block(level(NOW, 100.0))
    half.settle()
    half.receive_block(quotes(NOW + SECOND, 100.0))
    risk = observed(half.settle())["a"].risk
    assert risk is not None
    assert risk.event_ns == NOW + SECOND
    assert risk.shortfall is not None


def test_a_book_that_holds_nothing_yet_is_measured_for_its_legs() -> None:
    made = monitor(ExposureBook(name="a", legs={"hedge": PUT}, is_measured=True))
    made.receive_block(quotes(NOW, 100.0))
    (said,) = measured(made.settle())
    assert said.greeks["delta.SPX"] == said.greeks[f"filled.{PUT}"] == 0.0
    assert said.greeks[f"unit_delta.{PUT}"] < 0


def test_a_leg_without_beta_has_no_part_in_the_index() -> None:
    made = monitor(ExposureBook(name="a", legs={"stock": "NDX"}, is_measured=True))
    made.receive_block(level(NOW, 100.0, "NDX"))
    (said,) = measured(made.settle())
    assert said.greeks["level.NDX"] == 100.0


def test_a_monitor_of_nothing_has_no_deadline() -> None:
    made = monitor(ExposureBook(name="a"))
    made.advance_to(NOW)
    assert made.next_deadline() is None
    assert made.advance_to(NOW + DAY) == ()


def test_quotes_of_options_that_nobody_holds_make_the_smile() -> None:
    made = monitor(ExposureBook(name="a", opening={UNQUOTED.symbol: 1.0}))
    made.receive_block(quotes(NOW, 100.0))
    (book,) = observed(made.settle()).values()
    assert book.marked == 1  # by the smile of its expiry
    expected = 100 * price(UNQUOTED, NOW, 100.0, 0.2)
    assert book.totals["value"] == pytest.approx(expected, rel=0.02)
    assert made.wide_expiries == 0  # and it meets the quotes


# --- laws ------------------------------------------------------------------------------------

Action = Callable[[ExposureMonitor], tuple[ExposureEffect, ...]]


def a_print(at_ns: int, value: float) -> Action:
    def act(made: ExposureMonitor) -> tuple[ExposureEffect, ...]:
        made.receive_block(level(at_ns, value))
        return made.settle()

    return act


def a_clock(at_ns: int) -> Action:
    return lambda made: made.receive(ClockAdvanced(event_ns=at_ns))


def a_trade(at_ns: int, number: int) -> Action:
    return lambda made: made.receive(fill(1.0, at_ns, number=number))


def a_return(sequence_ns: int) -> Action:
    said = ExposureMeasured(
        book="a", event_ns=sequence_ns, portfolio_delta=0, put_delta=0, sequence=sequence_ns
    )
    return lambda made: made.receive(said)


@st.composite
def histories(draw: st.DrawFn) -> list[Action]:
    now_ns, actions = NOW, list[Action]()
    for number in range(draw(st.integers(2, 6))):
        now_ns += draw(st.sampled_from([1, 10 * MILLISECOND, 300 * MILLISECOND, SECOND, DAY]))
        kind = draw(st.sampled_from(["print", "print", "clock", "trade", "return"]))
        match kind:
            case "print":
                actions.append(a_print(now_ns, draw(st.sampled_from([99.0, 100.0, 103.5]))))
            case "clock":
                actions.append(a_clock(now_ns))
            case "trade":
                actions.append(a_trade(now_ns, number + 1))
            case _:
                actions.append(a_return(now_ns))
    return actions


def restarted(made: ExposureMonitor, policy: ExposurePolicy) -> ExposureMonitor:
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(made.snapshot()), type=ExposureState)
    return monitor(BOOK, OTHER, policy=policy, state=state)


@settings(max_examples=12, deadline=None)
@given(histories(), st.integers(0, 6), st.booleans(), st.sampled_from([0, 100 * MILLISECOND]))
def test_a_restart_changes_nothing(
    actions: list[Action],
    at: int,
    only_at_clock: bool,  # noqa: FBT001 - drawn
    book_ns: int,
) -> None:
    policy = ExposurePolicy(
        only_at_clock=only_at_clock,
        scenarios_ns=2 * SECOND,
        book_ns=book_ns,
        position_ns=MILLISECOND,
    )
    never, stopped = begun(policy=policy), begun(policy=policy)
    for number, action in enumerate(actions):
        if number == at:
            stopped = restarted(stopped, policy)
        assert action(never) == action(stopped)
        assert never.next_deadline() == stopped.next_deadline()
        assert never.awaited == stopped.awaited


@settings(max_examples=10, deadline=None)
@given(histories())
def test_nothing_is_said_before_the_deadline_and_something_at_it(actions: list[Action]) -> None:
    made = begun()
    made.settle()
    for action in actions:
        action(made)
    deadline_ns = made.next_deadline()
    assert deadline_ns is not None
    early = restarted(made, ExposurePolicy())
    if deadline_ns > made.snapshot().now_ns:
        assert early.advance_to(deadline_ns - 1) == ()
    said = made.advance_to(deadline_ns)
    assert said or made.next_deadline() != deadline_ns  # a print that repeats itself moves nothing


def test_blocks_split_elsewhere_say_the_same_at_the_clock() -> None:
    policy = ExposurePolicy(only_at_clock=True)
    whole, split = monitor(BOOK, policy=policy), monitor(BOOK, policy=policy)
    whole.receive_block(quotes(NOW, 100.0))
    split.receive_block(quotes(NOW, 100.0, CHAIN[:7]))
    split.settle()
    split.receive_block(quotes(NOW, 100.0, CHAIN[7:]))
    split.settle()
    first = observed(whole.advance_to(NOW + SECOND))["a"]
    second = observed(split.advance_to(NOW + SECOND))["a"]
    assert msgspec.structs.replace(first, conflated=0) == msgspec.structs.replace(
        second, conflated=0
    )


def test_the_small_world_is_as_it_should_be() -> None:
    assert KNOWN[CALL] == option("call", 100.0)
    assert KNOWN["SPX"] == index()
