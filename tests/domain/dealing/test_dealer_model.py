"""Whatever happens, a dealer does what a naive model says that remembers and recounts everything.

Sizes and prices are short binary fractions, so that sums are exact in any order.
"""

from collections import Counter
from math import inf, isfinite, nan
from typing import Final

import msgspec
from fakes.hedged_market import FUTURE, LIMITS, MONDAY, SWAP, policy, weekdays
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import structs

from shared.domain.dealing.dealer import Dealer, DealerState, Market
from shared.domain.dealing.order_maker import Decision
from shared.domain.effects import LegTarget, OrderDecided, OrderWithheld
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.hedging.targets import Target
from shared.domain.instants import MINUTE, SECOND
from shared.domain.policies import LimitPolicy
from shared.domain.signals_observed import Mark, Quality
from shared.domain.trading import TradingState

LIMIT: Final = structs.replace(
    LIMITS,
    max_order_vega=2000.0,
    max_order_notional=41_000.0,
    max_position_vega=3000.0,
    max_orders_per_day=10,
    max_orders_per_minute=3,
    max_daily_turnover=90_000.0,
    max_daily_loss=700.0,
    max_price_deviation=0.125,
    max_repeats=3,
    repeat_ns=10 * MINUTE,
    duplicate_ns=2 * MINUTE,
)
SMALLEST: Final = 10.0
UNIT: Final = {"swap": 1.0, "future": 1000.0}
BOOK: Final = structs.replace(
    policy(legs=(SWAP, FUTURE), sizing={"min_trade_vega": SMALLEST}), limits=LIMIT
)
CLOCK: Final = SessionClock(weekdays(weeks=20))
SEEN: Counter[str] = Counter()
"""What the runs of this file came upon, by control; `sent` for an order."""


class Sent(msgspec.Struct, frozen=True):
    """A change of a leg, and when; `mark` is `None` without a fresh one."""

    leg: str
    change: float
    mark: float | None
    at_ns: int
    session: int

    @property
    def vega(self) -> float:
        return self.change * UNIT[self.leg]

    @property
    def notional(self) -> float:
        return abs(self.vega) * (self.mark or nan)


class Model:
    """What a dealer may do: keeps every order for ever, marks to market print by print."""

    def __init__(self, limits: LimitPolicy) -> None:
        self.limits = limits
        self.sent: list[Sent] = []
        self.fresh = 0
        self.stopped = ""
        self.held = dict.fromkeys(UNIT, 0.0)
        self.open: dict[str, tuple[str, float]] = {}
        self.marks: dict[str, float] = {}
        self.profit: dict[str, tuple[int, float]] = {}

    def expected(self, leg: str) -> float:
        return self.held[leg] + sum(rest for name, rest in self.open.values() if name == leg)

    def vega(self) -> float:
        return sum(self.expected(leg) * unit for leg, unit in UNIT.items())

    def worst(self, vega: float) -> float:
        """The largest position on a trade's side, if what is open trades on that side alone."""
        rests = [rest * UNIT[leg] for leg, rest in self.open.values()]
        held = sum(quantity * UNIT[leg] for leg, quantity in self.held.items()) + vega
        longest = held + sum(rest for rest in rests if rest > 0)
        shortest = held + sum(rest for rest in rests if rest < 0)
        return longest if vega > 0 else -shortest

    def print(self, marks: dict[str, float], session: int) -> None:
        for leg, mark in marks.items():
            day, profit = self.profit.get(leg, (-1, 0.0))
            moved = self.held[leg] * UNIT[leg] * (mark - self.marks.get(leg, mark))
            self.profit[leg] = (session, profit + moved if day == session else 0.0)
        self.marks = marks

    def trade(self, leg: str, quantity: float, price: float) -> None:
        self.held[leg] += quantity
        day, profit = self.profit[leg]
        self.profit[leg] = (day, profit + quantity * UNIT[leg] * (self.marks[leg] - price))

    def loss(self, session: int) -> float:
        return -sum(profit for day, profit in self.profit.values() if day == session)

    def control(self, new: Sent, state: str) -> str:
        """Name what withholds a change; `sent` when nothing does."""
        vega, before, limits = new.vega, self.vega(), self.limits
        grows = not abs(before + vega) <= abs(before)
        if abs(vega) <= SMALLEST:
            return "min_trade"
        if state == "halted" or (state == "reducing" and grows):
            return state
        if self.stopped or new.mark is None:
            return self.stopped or "mark"
        if not (isfinite(vega) and isfinite(before)):
            return "figures"
        today = [each for each in self.sent if each.session == new.session]
        fresh = self.sent[self.fresh :]
        row = [each for each in (*fresh, new) if each.leg == new.leg]
        copies = [each for each in self.sent if (each.leg, each.change) == (new.leg, new.change)]
        broken = {
            "max_order_vega": abs(vega) > limits.max_order_vega,
            "max_order_notional": new.notional > limits.max_order_notional,
            "max_position_vega": self.worst(vega) > limits.max_position_vega,
            "max_daily_loss": grows and self.loss(new.session) > limits.max_daily_loss,
            "max_orders_per_day": len(today) >= limits.max_orders_per_day,
            "max_daily_turnover": sum(each.notional for each in (*today, new))
            > limits.max_daily_turnover,
            "duplicate": any(new.at_ns - each.at_ns < limits.duplicate_ns for each in copies),
            "rate": sum(new.at_ns - each.at_ns < MINUTE for each in fresh)
            >= limits.max_orders_per_minute,
            "repeat": self.in_a_row(row) > limits.max_repeats,
        }
        control = next((name for name, is_broken in broken.items() if is_broken), "sent")
        if control in {"rate", "repeat"}:
            self.stopped = control
        elif control == "sent":
            self.sent.append(new)
        return control

    def in_a_row(self, orders: list[Sent]) -> int:
        """Count how many orders, the last among them, follow each other on one side."""
        *before, last = orders
        if not before or last.at_ns - before[-1].at_ns >= self.limits.repeat_ns:
            return 1
        return 1 if (last.change > 0) != (before[-1].change > 0) else 1 + self.in_a_row(before)

    def resume(self) -> None:
        self.stopped, self.fresh = "", len(self.sent)


levels = st.sampled_from([9.5, 19.0, 19.5, 20.0, 20.5, 21.0, 22.0])
swaps = st.sampled_from(
    [0.0, 5.0, 10.0, 10.5, 500.0, 1000.0, 1500.0, 2000.0, 2000.5, 2500.0, 3000.0, 3000.5, -1000.0]
)


class DealerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = MONDAY
        self.model = Model(LIMIT)
        self.dealer = Dealer(BOOK, CLOCK, DealerState())
        self.state = TradingState.ACTIVE
        self.decisions = 0
        self.reports = 0
        self.dealer.advance_to(self.now)
        self.print(20.0, 20.0)

    @property
    def session(self) -> int:
        return CLOCK.at(self.now).session

    @rule(seconds=st.sampled_from([1, 19, 20, 21, 59, 60, 61, 119, 120, 300, 599, 600]))
    def wait(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self.dealer.advance_to(self.now)

    @rule()
    def sleep(self) -> None:
        opening = CLOCK.opening_after(self.now)
        assert opening is not None
        self.now = opening
        self.dealer.advance_to(self.now)

    @rule(swap=levels, future=levels)
    def print(self, swap: float, future: float) -> None:
        self.model.print({"swap": swap, "future": future}, self.session)
        self.dealer.observe(self._marks(), CLOCK.at(self.now))

    @rule(swap=swaps, future=st.sampled_from([-1.0, 0.0, 0.0, 1.0, 2.0]))
    def deal(self, swap: float, future: float) -> None:
        self._deal({"swap": swap, "future": future}, dict(self.model.marks))

    @rule(seconds=st.sampled_from([1, 20, 100, 120, 599, 600]), change=st.sampled_from([60, -60]))
    def insist(self, seconds: int, change: int) -> None:
        for more in range(4):
            self.wait(seconds)
            wanted = {leg: self.model.expected(leg) for leg in UNIT}
            wanted["swap"] += change + more // 2
            self._deal(wanted, dict(self.model.marks))

    @rule(swap=swaps, leg=st.sampled_from(["swap", "future"]))
    def deal_without_a_mark(self, swap: float, leg: str) -> None:
        self._deal({"swap": swap, "future": 1.0}, self.model.marks | {leg: None})

    @rule(leg=st.sampled_from(["swap", "future"]), size=st.sampled_from([nan, inf, -inf]))
    def deal_nonsense(self, leg: str, size: float) -> None:
        self._deal({"swap": 0.0, "future": 0.0, leg: size}, dict(self.model.marks))

    @precondition(lambda self: self.model.open)
    @rule(
        which=st.integers(0, 99),
        kind=st.sampled_from([*ExecutionKind, ExecutionKind.FILL]),
        worse=st.sampled_from([-0.5, 0.0, 0.5, 8.0]),
    )
    def report(self, which: int, kind: ExecutionKind, worse: float) -> None:
        name = sorted(self.model.open)[which % len(self.model.open)]
        leg, rest = self.model.open[name]
        share = {ExecutionKind.FILL: 1.0, ExecutionKind.PARTIAL: 0.5}.get(kind, 0.0)
        price = self.model.marks[leg] + (worse if rest > 0 else -worse)
        self.reports += 1
        report = ExecutionReported(
            book="overlay",
            order_id=name,
            execution_id=f"e{self.reports}",
            kind=kind,
            quantity=rest * share,
            price=price if share else None,
            event_ns=self.now,
        )
        self.dealer.take(report, self.now)
        self.model.trade(leg, rest * share, price)
        self.model.open[name] = (leg, rest * (1 - share))
        if kind not in {ExecutionKind.NEW, ExecutionKind.PARTIAL}:
            del self.model.open[name]

    @precondition(lambda self: self.model.open)
    @rule()
    def fill_everything(self) -> None:
        while self.model.open:
            self.report(which=0, kind=ExecutionKind.FILL, worse=0.0)

    @rule(state=st.sampled_from(TradingState))
    def set_trading(self, state: TradingState) -> None:
        self.state = state

    @rule()
    def resume(self) -> None:
        self.state = TradingState.ACTIVE
        self.model.resume()
        self.dealer.resume()

    @rule()
    def restart(self) -> None:
        stored = msgspec.msgpack.encode(self.dealer.snapshot())
        self.dealer = Dealer(BOOK, CLOCK, msgspec.msgpack.decode(stored, type=DealerState))
        assert msgspec.msgpack.encode(self.dealer.snapshot()) == stored

    @invariant()
    def both_stand_alike(self) -> None:
        assert self.dealer.vega() == self.model.vega()
        stopped = self.dealer.stopped
        assert (stopped.control if stopped else "") == self.model.stopped
        assert all(self.dealer.holdings.position(leg) == self.model.held[leg] for leg in UNIT)

    @invariant()
    def no_limit_is_ever_passed(self) -> None:
        sent = self.model.sent
        for order in sent:
            today = [each for each in sent if each.session == order.session]
            assert len(today) <= LIMIT.max_orders_per_day
            assert sum(each.notional for each in today) <= LIMIT.max_daily_turnover
            assert abs(order.vega) <= LIMIT.max_order_vega

    def _deal(self, wanted: dict[str, float], marks: dict[str, float | None]) -> None:
        self.decisions += 1
        lacks = {leg: target - self.model.expected(leg) for leg, target in wanted.items()}
        expected = []
        for leg in sorted(UNIT, key=lambda leg: (lacks[leg] >= 0, leg != "swap")):
            if lacks[leg] == 0:
                continue
            new = Sent(leg, lacks[leg], marks[leg], self.now, self.session)
            control = self.model.control(new, self.state)
            expected.append((leg, control))
            if control == "sent":
                self.model.open[f"overlay-{self.decisions:08d}-{leg}"] = (leg, lacks[leg])
        SEEN.update(control for _, control in expected)
        effects, missed = self.dealer.deal(
            self._decision(),
            _target(wanted, marks),
            Market(session=self.session, marks=self._marks(), trading=self.state),
        )
        done = [
            (each.order.leg, "sent") if isinstance(each, OrderDecided) else (each.leg, each.control)
            for each in effects
            if isinstance(each, OrderDecided | OrderWithheld)
        ]
        assert done == expected
        assert missed is any(control not in {"sent", "min_trade"} for _, control in expected)

    def _marks(self) -> dict[str, Mark]:
        levels = self.model.marks
        return {
            "VIX": Mark(level=levels["swap"], event_ns=self.now),
            "VX6": Mark(level=levels["future"], event_ns=self.now),
        }

    def _decision(self) -> Decision:
        return Decision(
            number=self.decisions,
            event_ns=self.now,
            journal_index=0,
            valid_until_ns=self.now + 10 * MINUTE,
            trigger="vix_move",
            reason="",
            config_digest="",
        )


def _target(wanted: dict[str, float], marks: dict[str, float | None]) -> Target:
    return Target(
        rule=1.0,
        multiplier=1.0,
        steps=(),
        vega=0.0,
        legs=tuple(
            LegTarget(leg=leg, symbol=leg, vega=0.0, quantity=size, mark=marks[leg], weight=0.5)
            for leg, size in wanted.items()
        ),
        quantities=tuple(wanted.values()),
        quality=Quality.GOOD,
        at_floor=False,
        at_cap=False,
    )


def test_a_dealer_does_what_the_model_says() -> None:
    SEEN.clear()
    run_state_machine_as_test(
        DealerMachine,
        settings=settings(
            max_examples=200, stateful_step_count=50, deadline=None, derandomize=True
        ),
    )
    assert set(SEEN) == {
        *("sent", "min_trade", "halted", "reducing", "mark", "figures", "duplicate", "rate"),
        *("repeat", "max_order_vega", "max_order_notional", "max_position_vega"),
        *("max_orders_per_day", "max_daily_turnover", "max_daily_loss"),
    }
