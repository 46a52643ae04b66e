"""The kernel is compiled: to see its branches covered, run with `NUMBA_DISABLE_JIT=1` as well."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import ClockAdvanced, Tick
from shared.domain.instants import DAY, HOUR, MINUTE, SECOND
from shared.domain.intake import (
    LARGEST,
    MAX_SOURCES,
    NOT_A_NUMBER,
    Intake,
    IntakeState,
    Screened,
    SymbolState,
    Verdict,
)
from shared.domain.policies import IntakePolicy, OptionIntakePolicy, SymbolPolicy
from shared.domain.tick_block import TickBlock

POLICY = IntakePolicy(
    symbols={"VIX": SymbolPolicy(), "SPX": SymbolPolicy(max_jump=0.1, confirmations=2)},
    future_skew_ns=2 * SECOND,
    late_limit_ns=5 * SECOND,
    options=OptionIntakePolicy(roots=frozenset({"VIX", "SPXW"}), max_symbols=4),
)
NOON = 1_383_134_400 * SECOND  # 2013-10-30


def vix(at_s: float = 0.0, price: float | None = 14.0, **fields: object) -> Tick:
    tick = Tick(symbol="VIX", event_ns=NOON + round(at_s * SECOND), price=price)
    return msgspec.structs.replace(tick, **fields)


def judge(intake: Intake, *ticks: Tick, now_ns: int | None = None) -> list[Verdict]:
    return [Verdict(verdict) for verdict in receive(intake, ticks, now_ns).verdicts]


def receive(intake: Intake, ticks: Sequence[Tick], now_ns: int | None = None) -> Screened:
    return intake.receive_block(TickBlock.of(ticks), now_ns)


def fresh(*, lossless: bool = False) -> Intake:
    return Intake(POLICY, lossless=lossless)


def warm(*, lossless: bool = False) -> Intake:
    """An intake that has taken one tick of each symbol, at noon."""
    intake = fresh(lossless=lossless)
    ticks = [vix(), Tick(symbol="SPX", event_ns=NOON, price=1763.0)]
    assert judge(intake, *ticks) == [Verdict.ACCEPTED] * 2
    return intake


# --- refusals, one by one (spec 9) ------------------------------------------------------------

REFUSED = [
    (Verdict.UNKNOWN_SYMBOL, vix(1, symbol="VIY")),
    (Verdict.NO_PRICE, vix(1, None)),
    (Verdict.NO_PRICE, vix(1, None, bid=14.0)),
    (Verdict.NO_PRICE, vix(1, None, ask=14.0, ask_size=1.0)),
    (Verdict.NOT_A_NUMBER, vix(1, NOT_A_NUMBER)),
    (Verdict.NOT_A_NUMBER, vix(1, -math.inf)),
    (Verdict.NOT_A_NUMBER, vix(1, LARGEST * 1.01)),
    (Verdict.NOT_A_NUMBER, vix(1, None, bid=1.7e308, ask=1.7e308)),
    (Verdict.NOT_A_NUMBER, vix(1, bid=NOT_A_NUMBER)),
    (Verdict.NOT_A_NUMBER, vix(1, ask=NOT_A_NUMBER)),
    (Verdict.NOT_A_NUMBER, vix(1, bid_size=NOT_A_NUMBER)),
    (Verdict.NOT_A_NUMBER, vix(1, ask_size=NOT_A_NUMBER)),
    (Verdict.NOT_POSITIVE, vix(1, 0.0)),
    (Verdict.NOT_POSITIVE, vix(1, -14.0)),
    (Verdict.NOT_POSITIVE, vix(1, bid=0.0, ask=14.0)),
    (Verdict.NOT_POSITIVE, vix(1, ask=-1.0)),
    (Verdict.NOT_POSITIVE, vix(1, bid_size=-1.0)),
    (Verdict.NOT_POSITIVE, vix(1, ask_size=-1.0)),
    (Verdict.CROSSED, vix(1, None, bid=14.1, ask=14.0)),
    (Verdict.CROSSED, vix(1, 14.0, bid=14.1, ask=14.0)),
    (Verdict.WIDE_QUOTE, vix(1, None, bid=10.0, ask=18.0)),
    (Verdict.FUTURE, vix(60)),
    (Verdict.LATE, vix(-0.001)),  # behind its own symbol
    (Verdict.JUMP, vix(1, 18.3)),
    (Verdict.JUMP, vix(1, 9.7)),
    (Verdict.JUMP, vix(1, None, bid=21.0, ask=21.5)),
]


EXPIRING = "VIX131030C00015000"


def option(at_s: float = 1.0, name: str = "SPXW131220P01600000", **fields: object) -> Tick:
    tick = Tick(symbol=name, event_ns=NOON + round(at_s * SECOND), bid=3.9, ask=4.1)
    return msgspec.structs.replace(tick, **fields)


REFUSED += [
    (Verdict.UNKNOWN_SYMBOL, option(name="NDXP131220P01600000")),
    (Verdict.UNKNOWN_SYMBOL, option(name="SPXW  131220P01600000")),
    (Verdict.UNKNOWN_SYMBOL, option(name="SPXW131320P01600000")),
    (Verdict.NO_PRICE, option(ask=None)),
    (Verdict.NO_PRICE, option(price=4.0, bid=None, ask=None)),
    (Verdict.NOT_A_NUMBER, option(ask=NOT_A_NUMBER)),
    (Verdict.NOT_A_NUMBER, option(bid_size=NOT_A_NUMBER)),
    (Verdict.NOT_POSITIVE, option(bid=0.0, ask=0.0)),
    (Verdict.NOT_POSITIVE, option(bid=-0.05)),
    (Verdict.NOT_POSITIVE, option(price=0.0)),
    (Verdict.NOT_POSITIVE, option(ask_size=-1.0)),
    (Verdict.CROSSED, option(bid=4.2)),
    (Verdict.FUTURE, option(60)),
    (Verdict.LATE, option(-5.001)),
    (Verdict.EXPIRED, option(name="VIX131028C00015000")),
]


@pytest.mark.parametrize(("verdict", "tick"), REFUSED)
def test_a_refused_tick_says_why_and_changes_nothing_else(verdict: Verdict, tick: Tick) -> None:
    intake = warm()
    before = intake.snapshot()
    screened = receive(
        intake, [msgspec.structs.replace(tick, source="feed", sequence=7)], NOON + 10 * SECOND
    )
    assert screened.verdicts.tolist() == [verdict]
    assert verdict.is_refusal
    assert len(screened.accepted) == 0
    after = intake.snapshot()
    assert after.sequences == {"feed": 7}  # refused for good, so not asked for again
    assert after.newest_ns == before.newest_ns
    assert [believed(after, name) for name in POLICY.symbols] == [
        believed(before, name) for name in POLICY.symbols
    ]
    if verdict is not Verdict.JUMP:
        assert after.symbols == before.symbols


def believed(state: IntakeState, name: str) -> tuple[float, int]:
    known = state.symbols[name]
    return known.level, known.event_ns


def test_every_reason_to_refuse_has_its_test() -> None:
    tested = {verdict for verdict, _ in REFUSED}
    tested |= {Verdict.TOO_MANY_SOURCES, Verdict.TOO_MANY_SYMBOLS}
    assert tested == {verdict for verdict in Verdict if verdict.is_refusal}


ACCEPTED = [
    vix(1, 14.1),
    vix(0),  # the same instant is not late
    vix(1, None, bid=14.0, ask=14.0),  # locked is not crossed
    vix(1, None, bid=14.0, ask=14.2, bid_size=0.0, ask_size=5.0),
    vix(1, 14.0, bid=13.9),  # half a quote beside a price
    vix(1, None, bid=12.0, ask=20.0),  # exactly as wide as allowed
    vix(1, 14.0 * 1.3),  # exactly as far as allowed
    vix(12.0),  # exactly as far ahead as allowed
]


@pytest.mark.parametrize("tick", ACCEPTED)
def test_what_is_just_inside_the_limits_is_accepted(tick: Tick) -> None:
    intake = warm()
    screened = receive(intake, [tick], NOON + 10 * SECOND)
    assert screened.verdicts.tolist() == [Verdict.ACCEPTED]
    assert screened.accepted.tick(0) == tick
    known = intake.snapshot().symbols["VIX"]
    assert (known.level, known.event_ns) == (tick.level, tick.event_ns)


def test_far_behind_the_newest_tick_of_any_symbol_is_late() -> None:
    intake = fresh()
    spx = Tick(symbol="SPX", event_ns=NOON, price=1763.0)
    assert judge(intake, spx, vix(-5), vix(-5.001)) == [
        Verdict.ACCEPTED,
        Verdict.ACCEPTED,
        Verdict.LATE,
    ]


def test_event_time_of_a_replay_knows_no_future() -> None:
    intake = warm()
    assert judge(intake, vix(86_400 * 365)) == [Verdict.ACCEPTED]


def test_the_accepted_ticks_keep_their_order_and_their_fields() -> None:
    ticks = [
        vix(0, 14.0, source="a", sequence=1),
        vix(1, -1.0, source="b"),
        vix(2, 14.1, bid=14.0, ask=14.2, bid_size=1.0, ask_size=2.0, source="b", sequence=9),
    ]
    screened = receive(fresh(), ticks)
    assert [screened.accepted.tick(row) for row in range(2)] == [ticks[0], ticks[2]]


def test_an_empty_block_is_nothing() -> None:
    screened = receive(fresh(), [])
    assert (len(screened.accepted), len(screened.verdicts), screened.missing) == (0, 0, {})


# --- sequences --------------------------------------------------------------------------------


def numbered(*numbers: int, source: str = "feed") -> list[Tick]:
    return [vix(0, source=source, sequence=number) for number in numbers]


def test_a_number_that_was_seen_is_a_duplicate_and_nothing_to_tell() -> None:
    intake = fresh()
    assert judge(intake, *numbered(1, 1, 2, 1, 2)) == [
        Verdict.ACCEPTED,
        Verdict.DUPLICATE,
        Verdict.ACCEPTED,
        Verdict.DUPLICATE,
        Verdict.DUPLICATE,
    ]
    assert not Verdict.DUPLICATE.is_refusal
    assert judge(intake, *numbered(2, 3)) == [Verdict.DUPLICATE, Verdict.ACCEPTED]


def test_each_source_counts_for_itself() -> None:
    intake = fresh()
    ticks = numbered(5, source="a") + numbered(5, source="b") + numbered(5, source="a")
    assert judge(intake, *ticks) == [Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.DUPLICATE]
    assert intake.sequences == {"a": 5, "b": 5}


def test_a_gap_is_reported_and_the_tick_goes_on() -> None:
    intake = fresh()
    screened = receive(intake, numbered(10, 11, 15) + numbered(3, source="other"))
    assert screened.missing == {"feed": 3}  # the first number of a source misses nothing
    assert screened.verdicts.tolist() == [Verdict.ACCEPTED] * 4
    assert receive(intake, numbered(18)).missing == {"feed": 2}


def test_a_lossless_series_is_never_taken_out_of_turn() -> None:
    intake = fresh(lossless=True)
    assert judge(intake, *numbered(2)) == [Verdict.HELD]
    assert not Verdict.HELD.is_refusal
    assert intake.sequences == {}
    screened = receive(intake, numbered(1, 3, 2, 3))
    assert screened.verdicts.tolist() == [
        Verdict.ACCEPTED,
        Verdict.HELD,
        Verdict.ACCEPTED,
        Verdict.ACCEPTED,
    ]
    assert screened.missing == {}


def test_ticks_without_a_number_are_never_duplicates() -> None:
    intake = fresh(lossless=True)
    assert judge(intake, vix(), vix(), vix(source="feed")) == [Verdict.ACCEPTED] * 3
    assert intake.sequences == {}


def test_a_refused_tick_uses_its_number_up() -> None:
    intake = fresh(lossless=True)
    bad = vix(0, -1.0, source="feed", sequence=1)
    assert judge(intake, bad, bad, *numbered(2)) == [
        Verdict.NOT_POSITIVE,
        Verdict.DUPLICATE,
        Verdict.ACCEPTED,
    ]


def test_the_largest_number_is_a_number() -> None:
    intake = fresh()
    assert judge(intake, *numbered(2**63 - 2, 2**63 - 1, 2**63 - 1)) == [
        Verdict.ACCEPTED,
        Verdict.ACCEPTED,
        Verdict.DUPLICATE,
    ]


def test_the_number_of_sources_is_bounded_within_one_block_too() -> None:
    intake = fresh()
    ticks = [tick for n in range(MAX_SOURCES + 2) for tick in numbered(1, source=f"s{n}")]
    verdicts = judge(intake, *ticks)
    assert Counter(verdicts) == {Verdict.ACCEPTED: MAX_SOURCES, Verdict.TOO_MANY_SOURCES: 2}
    assert len(intake.sequences) == MAX_SOURCES
    assert judge(intake, *numbered(1, source="new"), *numbered(2, source="s0")) == [
        Verdict.TOO_MANY_SOURCES,
        Verdict.ACCEPTED,
    ]
    assert judge(intake, vix(source="new")) == [Verdict.ACCEPTED]  # nothing to remember
    clock = ClockAdvanced(event_ns=NOON, source="new", sequence=1)
    assert intake.receive_clock(clock) is Verdict.TOO_MANY_SOURCES


# --- jumps ------------------------------------------------------------------------------------


def test_2013_10_30_one_bad_print_of_21_26_is_never_accepted() -> None:
    """A software fault printed 21.26; the true high of the day was 14.10 (spec 12)."""
    intake = fresh()
    prints = [13.9, 14.0, 14.1, 21.26, 14.05, 14.0]
    assert judge(intake, *(vix(15 * n, price) for n, price in enumerate(prints))) == [
        Verdict.JUMP if price == 21.26 else Verdict.ACCEPTED for price in prints
    ]


def test_a_bad_print_now_and_then_is_never_confirmed() -> None:
    intake = fresh()
    for n in range(50):
        assert judge(intake, vix(n), vix(n + 0.5, 21.26)) == [Verdict.ACCEPTED, Verdict.JUMP]


def test_a_bad_print_that_is_delivered_again_confirms_nothing() -> None:
    intake = warm()
    bad = vix(1, 21.26)
    assert judge(intake, *[bad] * 20) == [Verdict.JUMP] * 20
    assert intake.snapshot().symbols["VIX"].confirmed == 1


def test_2018_02_05_a_crash_is_believed_at_the_third_print() -> None:
    intake = fresh()
    prints = [17.31, 37.32, 36.9, 37.5, 37.4]
    assert judge(intake, *(vix(15 * n, price) for n, price in enumerate(prints))) == [
        Verdict.ACCEPTED,
        Verdict.JUMP,
        Verdict.JUMP,
        Verdict.ACCEPTED,
        Verdict.ACCEPTED,
    ]
    assert intake.snapshot().symbols["VIX"].level == 37.4


def test_prints_that_do_not_agree_confirm_nothing() -> None:
    intake = warm()
    wild = [vix(n, price) for n, price in enumerate([40.0, 80.0, 41.0, 85.0, 20.0, 42.0], 1)]
    assert judge(intake, *wild) == [Verdict.JUMP] * 6


def test_a_good_print_between_starts_the_count_anew() -> None:
    intake = warm()
    prints = [37.0, 37.0, 14.0, 37.0, 37.0, 37.0]
    verdicts = judge(intake, *(vix(n, price) for n, price in enumerate(prints, 1)))
    assert [verdict is Verdict.ACCEPTED for verdict in verdicts] == [
        price == 14.0 for price in prints[:5]
    ] + [True]


def test_each_symbol_has_its_own_filter() -> None:
    intake = warm()
    spx = [Tick(symbol="SPX", event_ns=NOON + n, price=1500.0) for n in (1, 2)]
    assert judge(intake, spx[0], vix(1, 15.5), spx[1]) == [
        Verdict.JUMP,
        Verdict.ACCEPTED,
        Verdict.ACCEPTED,
    ]


def test_one_confirmation_believes_at_once() -> None:
    policy = IntakePolicy(symbols={"VIX": SymbolPolicy(confirmations=1)})
    intake = Intake(policy, lossless=False)
    assert judge(intake, vix(0), vix(1, 80.0), vix(2, 14.0)) == [Verdict.ACCEPTED] * 3


TWO_FEEDS = msgspec.structs.replace(POLICY, independent_sources=("floor", "model"))


def test_a_jump_that_two_independent_sources_print_is_believed_at_once() -> None:
    intake = Intake(TWO_FEEDS, lossless=False)
    first, second = vix(2, 37.32, source="floor"), vix(1.9, 36.8, source="model")
    assert judge(intake, vix(0), first, second, vix(3, 37.0)) == [
        Verdict.ACCEPTED,
        Verdict.JUMP,
        Verdict.ACCEPTED,
        Verdict.ACCEPTED,
    ]


@pytest.mark.parametrize("source", ["floor", "vendor", ""])
def test_a_source_that_is_not_another_or_not_independent_is_one_more_print(source: str) -> None:
    intake = Intake(TWO_FEEDS, lossless=False)
    prints = [vix(0), vix(1, 37.0, source="floor"), vix(2, 37.0, source=source)]
    assert judge(intake, *prints, vix(3, 37.0)) == [
        Verdict.ACCEPTED,
        Verdict.JUMP,
        Verdict.JUMP,
        Verdict.ACCEPTED,
    ]


def test_an_independent_source_that_does_not_agree_confirms_nothing() -> None:
    intake = Intake(TWO_FEEDS, lossless=False)
    prints = [vix(0), vix(1, 37.0, source="floor"), vix(2, 90.0, source="model")]
    assert judge(intake, *prints)[1:] == [Verdict.JUMP] * 2


# --- clock ------------------------------------------------------------------------------------


def clock(at_s: float, sequence: int | None = None) -> ClockAdvanced:
    return ClockAdvanced(event_ns=NOON + round(at_s * SECOND), source="feed", sequence=sequence)


def test_a_clock_event_moves_the_newest_instant_and_never_backwards() -> None:
    intake = warm()
    assert intake.receive_clock(clock(10)) is Verdict.ACCEPTED
    assert intake.receive_clock(clock(10)) is Verdict.ACCEPTED
    assert intake.receive_clock(clock(9)) is Verdict.LATE
    assert intake.snapshot().newest_ns == NOON + 10 * SECOND
    assert judge(intake, vix(4.9), vix(5)) == [Verdict.LATE, Verdict.ACCEPTED]


def test_a_clock_event_is_numbered_in_one_series_with_the_ticks() -> None:
    intake = fresh(lossless=True)
    assert intake.receive_clock(clock(0, 2)) is Verdict.HELD
    assert judge(intake, *numbered(1)) == [Verdict.ACCEPTED]
    assert intake.receive_clock(clock(0, 2)) is Verdict.ACCEPTED
    assert intake.receive_clock(clock(0, 2)) is Verdict.DUPLICATE
    assert judge(intake, *numbered(2, 3)) == [Verdict.DUPLICATE, Verdict.ACCEPTED]


def test_a_late_clock_event_uses_its_number_up() -> None:
    intake = warm(lossless=True)
    assert intake.receive_clock(clock(-1, 1)) is Verdict.LATE
    assert intake.receive_clock(clock(0, 2)) is Verdict.ACCEPTED
    assert intake.sequences == {"feed": 2}


def test_the_wall_clock_raises_the_newest_instant_and_never_lowers_it() -> None:
    intake = warm()
    intake.advance_to(NOON + MINUTE)
    intake.advance_to(NOON)
    assert intake.snapshot().newest_ns == NOON + MINUTE
    assert judge(intake, vix(54), vix(56)) == [Verdict.LATE, Verdict.ACCEPTED]


# --- laws, and an oracle ----------------------------------------------------------------------


@dataclass
class Remembered:
    level: float | None = None
    event_ns: int = 0
    candidates: list[tuple[float, int, str]] = field(default_factory=list)


@dataclass
class SlowIntake:
    """The module's docstring of `shared.domain.intake`, word by word, one tick at a time."""

    policy: IntakePolicy
    lossless: bool
    sequences: dict[str, int] = field(default_factory=dict)
    missing: Counter[str] = field(default_factory=Counter)
    symbols: dict[str, Remembered] = field(default_factory=dict)
    newest_ns: int = 0

    def judge(self, tick: Tick, now_ns: int | None) -> Verdict:
        verdict = self.sequence(tick) or self.shape(tick)
        verdict = verdict or self.time(tick, now_ns) or self.jump(tick)
        if verdict is None:
            self.newest_ns = max(self.newest_ns, tick.event_ns)
            self.symbols[tick.symbol] = Remembered(tick.level, tick.event_ns)
        return verdict or Verdict.ACCEPTED

    def sequence(self, tick: Tick) -> Verdict | None:
        if tick.sequence is None:
            return None
        last = self.sequences.get(tick.source)
        if last is not None and tick.sequence <= last:
            return Verdict.DUPLICATE
        if self.lossless and tick.sequence != (last or 0) + 1:
            return Verdict.HELD
        if last is not None and tick.sequence > last + 1:
            self.missing[tick.source] += tick.sequence - last - 1
        self.sequences[tick.source] = tick.sequence
        return None

    def shape(self, tick: Tick) -> Verdict | None:  # noqa: PLR0911 - a list of rules
        if tick.symbol not in self.policy.symbols:
            return Verdict.UNKNOWN_SYMBOL
        prices = [value for value in (tick.price, tick.bid, tick.ask) if value is not None]
        sizes = [value for value in (tick.bid_size, tick.ask_size) if value is not None]
        if any(abs(value) > LARGEST for value in prices + sizes):
            return Verdict.NOT_A_NUMBER
        if tick.price is None and (tick.bid is None or tick.ask is None):
            return Verdict.NO_PRICE
        if any(price <= 0 for price in prices) or any(size < 0 for size in sizes):
            return Verdict.NOT_POSITIVE
        if tick.bid is None or tick.ask is None:
            return None
        if tick.bid > tick.ask:
            return Verdict.CROSSED
        middle = (tick.ask + tick.bid) / 2
        widest = self.policy.symbols[tick.symbol].max_spread * middle
        return Verdict.WIDE_QUOTE if tick.ask - tick.bid > widest else None

    def time(self, tick: Tick, now_ns: int | None) -> Verdict | None:
        if now_ns is not None and tick.event_ns > now_ns + self.policy.future_skew_ns:
            return Verdict.FUTURE
        known = self.symbols.get(tick.symbol, Remembered())
        oldest_ns = max(known.event_ns, self.newest_ns - self.policy.late_limit_ns)
        return Verdict.LATE if tick.event_ns < oldest_ns else None

    def jump(self, tick: Tick) -> Verdict | None:
        limit = self.policy.symbols[tick.symbol]
        known = self.symbols.setdefault(tick.symbol, Remembered())
        if known.level is None or abs(tick.level - known.level) <= limit.max_jump * known.level:
            return None
        if known.candidates:
            level, event_ns, source = known.candidates[-1]
            agrees = abs(tick.level - level) <= limit.max_jump * level
            independent = {source, tick.source} <= set(self.policy.independent_sources)
            if agrees and independent and source != tick.source:
                return None
            if tick.event_ns <= event_ns:
                return Verdict.JUMP
            if not agrees:
                known.candidates.clear()
        known.candidates.append((tick.level, tick.event_ns, tick.source))
        return Verdict.JUMP if len(known.candidates) < limit.confirmations else None


COARSE = IntakePolicy(
    symbols={"VIX": SymbolPolicy(), "SPX": SymbolPolicy(max_jump=0.1, confirmations=2)},
    future_skew_ns=2,
    late_limit_ns=5,
    independent_sources=("a", "b"),
)
values = st.none() | st.sampled_from([14.0, 14.5, 19.0, 19.5, 37.0, 0.0, -1.0, math.inf, 1e16])
good_values = st.sampled_from([14.0, 14.5, 19.0, 19.5, 37.0])
ticks = st.builds(
    Tick,
    symbol=st.sampled_from(["VIX", "VIX", "SPX", "SPX", "VIY"]),
    event_ns=st.integers(0, 20),
    price=good_values | good_values | values,
    bid=values | st.none(),
    ask=values | st.none(),
    bid_size=st.none() | st.just(1.0) | values,
    ask_size=st.none() | st.just(1.0),
    source=st.sampled_from(["", "a", "b"]),
    sequence=st.none() | st.integers(1, 12),
)
plain_ticks = st.builds(
    Tick,
    symbol=st.sampled_from(["VIX", "SPX"]),
    event_ns=st.integers(0, 20),
    price=good_values,
    source=st.sampled_from(["a", "a", "b", "c"]),
    sequence=st.none() | st.integers(1, 30),
)
streams = st.lists(st.lists(ticks | plain_ticks, max_size=6), max_size=6)
clocks = st.none() | st.integers(0, 20)


@given(streams, clocks, st.booleans())
def test_it_judges_as_the_slow_and_obvious_one(
    blocks: list[list[Tick]],
    now_ns: int | None,
    lossless: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    intake = Intake(COARSE, lossless=lossless)
    slow = SlowIntake(COARSE, lossless)
    missing: Counter[str] = Counter()
    for block in blocks:
        screened = receive(intake, block, now_ns)
        missing.update(screened.missing)
        expected = [slow.judge(tick, now_ns) for tick in block]
        assert screened.verdicts.tolist() == expected
        accepted = [
            tick for tick, verdict in zip(block, expected, strict=True) if not verdict.value
        ]
        assert [screened.accepted.tick(row) for row in range(len(accepted))] == accepted
        assert len(screened.accepted) == len(accepted)
    assert missing == slow.missing
    assert intake.sequences == slow.sequences
    assert intake.snapshot().newest_ns == slow.newest_ns


@given(streams, clocks, st.booleans())
def test_however_the_ticks_are_split_into_blocks_the_verdicts_are_the_same(
    blocks: list[list[Tick]],
    now_ns: int | None,
    lossless: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    split, whole = Intake(COARSE, lossless=lossless), Intake(COARSE, lossless=lossless)
    verdicts = [verdict for block in blocks for verdict in judge(split, *block, now_ns=now_ns)]
    assert verdicts == judge(whole, *[tick for block in blocks for tick in block], now_ns=now_ns)
    assert split.snapshot() == whole.snapshot()


@given(streams, streams, clocks, st.booleans())
def test_a_restart_changes_nothing(
    before: list[list[Tick]],
    after: list[list[Tick]],
    now_ns: int | None,
    lossless: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    never_stopped = Intake(COARSE, lossless=lossless)
    for block in before:
        receive(never_stopped, block, now_ns)
    kept = msgspec.msgpack.encode(never_stopped.snapshot())
    state = msgspec.msgpack.decode(kept, type=IntakeState)
    assert state == never_stopped.snapshot()
    restarted = Intake.resume(COARSE, state, lossless=lossless)
    assert restarted.snapshot() == state
    for block in after:
        assert judge(restarted, *block, now_ns=now_ns) == judge(
            never_stopped, *block, now_ns=now_ns
        )
        instant = block[0].event_ns if block else 0
        event = ClockAdvanced(event_ns=instant, source="a", sequence=None)
        assert restarted.receive_clock(event) is never_stopped.receive_clock(event)
    assert restarted.snapshot() == never_stopped.snapshot()


@given(streams, clocks)
def test_snapshots_between_make_no_difference_to_the_last(
    blocks: list[list[Tick]], now_ns: int | None
) -> None:
    often, once = Intake(COARSE, lossless=False), Intake(COARSE, lossless=False)
    for block in blocks:
        receive(often, block, now_ns)
        receive(once, block, now_ns)
        often.snapshot()
    assert often.snapshot() == once.snapshot()


def test_a_symbol_that_no_tick_touched_stays_as_it_was_in_the_snapshot() -> None:
    intake = warm()
    before = intake.snapshot().symbols
    assert judge(intake, vix(1, 15.0), vix(1, symbol="NDX"))[0] is Verdict.ACCEPTED
    after = intake.snapshot().symbols
    assert after == {"VIX": SymbolState(15.0, NOON + SECOND, 0.0, 0), "SPX": before["SPX"]}
    assert before["VIX"].level == 14.0


def test_an_intake_without_symbols_knows_none() -> None:
    intake = Intake(IntakePolicy(symbols={}), lossless=False)
    assert judge(intake, vix()) == [Verdict.UNKNOWN_SYMBOL]
    assert intake.snapshot().symbols == {}


def test_a_snapshot_does_not_change_with_what_comes_after() -> None:
    intake = warm()
    before = intake.snapshot()
    kept = msgspec.msgpack.encode(before)
    judge(intake, *numbered(1), vix(1, 15.0), vix(2, 40.0))
    intake.advance_to(NOON + DAY)
    assert msgspec.msgpack.encode(before) == kept
    intake.sequences.clear()
    assert intake.sequences == {"feed": 1}


def test_a_symbol_that_left_the_policy_is_forgotten_and_a_new_one_starts_empty() -> None:
    intake = warm()
    policy = IntakePolicy(symbols={"NDX": SymbolPolicy(), "VIX": SymbolPolicy()})
    resumed = Intake.resume(policy, intake.snapshot(), lossless=False)
    symbols = resumed.snapshot().symbols
    assert symbols["NDX"] == SymbolState(0.0, 0, 0.0, 0)
    assert symbols["VIX"] == intake.snapshot().symbols["VIX"]
    assert "SPX" not in symbols


# --- options ----------------------------------------------------------------------------------


def test_an_option_of_a_known_root_needs_no_configuration_and_leaves_no_state() -> None:
    intake = warm()
    before = intake.snapshot()
    screened = receive(intake, [option(), option(0.5)])  # their order is their reader's matter
    assert screened.verdicts.tolist() == [Verdict.ACCEPTED] * 2
    assert screened.accepted.tick(0) == option()
    assert intake.snapshot() == msgspec.structs.replace(before, newest_ns=NOON + SECOND)


@pytest.mark.parametrize("bid", [0.0, None])
def test_an_option_that_nobody_bids_for_is_taken_with_a_bid_of_zero(bid: float | None) -> None:
    screened = receive(warm(), [vix(1), option(bid=bid), option(2, bid=None, price=4.0)])
    assert [screened.accepted.tick(row).bid for row in range(3)] == [None, 0.0, 0.0]


def test_a_jump_of_an_option_is_no_matter() -> None:
    quotes = [
        option(),
        option(2, bid=40.0, ask=90.0),
        option(3, bid=0.05, ask=90.0),
        option(3, bid=4.0, ask=4.0),
    ]
    assert judge(warm(), *quotes) == [Verdict.ACCEPTED] * 4


def test_an_option_is_taken_on_its_last_day_wherever_that_ends() -> None:
    last_ns = (NOON // DAY + 1) * DAY + 12 * HOUR
    intake = fresh()
    assert judge(intake, option(name=EXPIRING, event_ns=last_ns)) == [Verdict.ACCEPTED]
    assert judge(intake, option(name=EXPIRING, event_ns=last_ns + 1)) == [Verdict.EXPIRED]


def test_so_many_options_and_no_more() -> None:
    intake = fresh()
    names = [f"SPXW131220P0{strike}000" for strike in range(1600, 1605)]
    verdicts = judge(intake, *(option(name=name) for name in names))
    assert verdicts == [Verdict.ACCEPTED] * 4 + [Verdict.TOO_MANY_SYMBOLS]
    assert judge(intake, option(2, name=names[0])) == [Verdict.ACCEPTED]


def test_without_roots_an_option_is_an_unknown_symbol() -> None:
    policy = msgspec.structs.replace(POLICY, options=msgspec.UNSET)
    assert judge(Intake(policy, lossless=False), option()) == [Verdict.UNKNOWN_SYMBOL]
