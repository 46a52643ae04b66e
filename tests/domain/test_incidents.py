"""The incidents of spec 12, from the edge to the orders: intake, signals and a hedge book.

Prints come every 15 seconds, as VIX does, on an invented path through the recorded figures.
"""

from collections.abc import Iterable

import pytest
from fakes.hedged_market import LIMITS, instant, policy
from msgspec import structs

from shared.domain.effects import AlertRaised, Effect, OrderDecided, TargetChanged
from shared.domain.events import ClockAdvanced, ExecutionKind, ExecutionReported, Tick
from shared.domain.hedging.book import HedgeBook
from shared.domain.hedging.rules import PRESETS
from shared.domain.instants import DAY, HOUR, MINUTE, SECOND
from shared.domain.intake import Intake
from shared.domain.market.signals import SignalMonitor
from shared.domain.orders import Order
from shared.domain.policies import (
    BookPolicy,
    IntakePolicy,
    LegPolicy,
    PortfolioPolicy,
    SignalPolicy,
    SymbolPolicy,
)
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import SignalsObserved
from shared.domain.tick_block import TickBlock

SYMBOLS = {
    "VIX": SymbolPolicy(max_jump=0.6),
    "SPX": SymbolPolicy(max_jump=0.15),
    "VX1": SymbolPolicy(),
    "VX3": SymbolPolicy(),
}
SIGNALS = SignalPolicy(
    portfolios=(PortfolioPolicy(book="overlay", value=1e6, weights={"SPX": 1.0}),),
    mark_symbols=("VIX", "VX1", "VX3"),
)
LENGTH = 6 * HOUR + 30 * MINUTE


class Desk:
    """Three days of trading around `opening`; every order is filled at once."""

    def __init__(self, opening: str, book: BookPolicy) -> None:
        self.opened = instant(opening)
        opens = [self.opened + day * DAY for day in (-1, 0, 1)]
        calendar = SessionCalendar(opens, [each + LENGTH for each in opens])
        self.intake = Intake(IntakePolicy(symbols=SYMBOLS), lossless=False)
        self.monitor = SignalMonitor(SIGNALS, calendar)
        self.book = HedgeBook(book, calendar, "")
        self.now = opens[0]
        self.effects: list[Effect] = []
        self.sent = 0

    @property
    def orders(self) -> list[Order]:
        return [each.order for each in self.effects if isinstance(each, OrderDecided)]

    @property
    def alerts(self) -> list[tuple[str, str]]:
        found = [each for each in self.effects if isinstance(each, AlertRaised)]
        return [(each.what, each.where) for each in found]

    @property
    def target(self) -> TargetChanged:
        return [each for each in self.effects if isinstance(each, TargetChanged)][-1]

    def prints(self, **levels: float) -> None:
        """Fifteen seconds later these print; the clock ticks too."""
        self.now += 15 * SECOND
        ticks = [Tick(symbol=name, event_ns=self.now, price=at) for name, at in levels.items()]
        for tick in ticks:
            screened = self.intake.receive_block(TickBlock.of([tick]), None)
            if len(screened.accepted):
                self.observe(tick)
        self.observe(ClockAdvanced(event_ns=self.now))

    def path(self, symbol: str, levels: Iterable[float], **others: float) -> None:
        for level in levels:
            self.prints(**{symbol: level}, **others)

    def observe(self, event: Tick | ClockAdvanced) -> None:
        self.sent += 1
        for observed in self.monitor.receive(event, self.sent):
            assert isinstance(observed, SignalsObserved)
            self.take(observed)

    def take(self, event: SignalsObserved | ExecutionReported) -> None:
        effects = self.book.receive(event)
        self.effects += effects
        for effect in effects:
            if isinstance(effect, OrderDecided):
                self.take(_filled(effect.order))

    def hedged(self, vix: float, **others: float) -> "Desk":
        """A calm day before, hedged, up to the next opening; what it did is forgotten."""
        self.path("VIX", [vix] * 200, SPX=2000.0, **others)
        self.now = self.opened - DAY + LENGTH - 15 * SECOND
        self.prints(VIX=vix, SPX=2000.0, **others)
        self.now = self.opened - 15 * SECOND
        self.effects.clear()
        return self


def _filled(order: Order) -> ExecutionReported:
    return ExecutionReported(
        book="overlay",
        order_id=order.order_id,
        execution_id=f"{order.order_id}-1",
        kind=ExecutionKind.FILL,
        quantity=order.signed_quantity,
        price=order.reference_price,
        event_ns=order.event_ns,
    )


def flat(level: float, minutes: int) -> list[float]:
    return [level] * (4 * minutes)


def test_2013_10_30_one_false_print_of_vix_makes_no_order() -> None:
    desk = Desk("2013-10-30 13:30", policy(triggers={"vix_relative": 0.15})).hedged(13.6)
    desk.path("VIX", [*flat(13.7, 60), 21.26, *flat(13.8, 60)], SPX=2000.0)
    assert desk.orders == []


def test_2014_12_15_quotes_that_flicker_make_no_flip_flop() -> None:
    desk = Desk("2014-12-15 14:30", policy(triggers={"vix_relative": 0.15})).hedged(21.0)
    desk.path("VIX", [21.0, 25.0, 17.5, 24.8] * 90, SPX=2000.0)
    assert desk.orders == []


def test_2015_08_24_without_vix_it_is_unknown_the_others_live_and_a_person_is_told() -> None:
    desk = Desk("2015-08-24 13:30", policy()).hedged(28.03)
    for minute in range(30):
        for quarter in range(4):
            desk.prints(SPX=2000.0 * (1 - 0.002 * minute - 0.0005 * quarter))
    assert desk.orders == []
    assert ("signal_lost", "vix_smooth") in desk.alerts
    assert ("target_unknown", "fast_index") in desk.alerts
    assert len(desk.alerts) == len(set(desk.alerts))  # one an occurrence
    desk.path("VIX", [46.0, 50.0, 53.29], SPX=1900.0)
    assert desk.orders[-1].target_quantity == 2000.0


@pytest.mark.parametrize("levels", [[26.0, 29.0, 33.0], [37.32] * 5])
def test_2018_02_05_a_sustained_crash_fires_within_k_prints(levels: list[float]) -> None:
    desk = Desk("2018-02-05 14:30", policy()).hedged(17.31)
    desk.path("VIX", levels, SPX=2000.0)  # a jump beyond 60% needs three prints to be believed
    assert [order.trigger for order in desk.orders] == ["fast_vix"]
    desk.path("VIX", flat(37.32, 120), SPX=1960.0)
    assert {order.side for order in desk.orders} == {"buy"}
    assert desk.target.multiplier == 2.0


def test_2020_03_16_the_cap_holds_and_long_legs_are_reduced() -> None:
    short = LegPolicy(
        name="short", instrument="variance_swap", symbol="VIX", maturity_days=30, max_vega=9000
    )
    long = structs.replace(short, name="long", maturity_days=365)
    book = policy(
        legs=(short, long),
        rules=(PRESETS["covid"],),
        sizing={"split_by_term_structure": True},
        limits=structs.replace(LIMITS, max_position_vega=2000.0),
    )
    desk = Desk("2020-03-16 13:30", book).hedged(57.83, VX1=40.0, VX3=42.0)
    held = {leg.leg: leg.vega for leg in _sized(desk, 57.83, 40.0, 42.0).legs}
    found = _sized(desk, 82.69, 72.6, 44.9)
    vegas = {leg.leg: leg.vega for leg in found.legs}
    assert (found.multiplier, found.at_cap) == (2.0, True)
    assert vegas["short"] == pytest.approx(2000 * 72.6 / (72.6 + 44.9))
    assert vegas["long"] < held["long"]
    assert desk.book.position("short") == round(vegas["short"])
    assert desk.book.position("long") == round(vegas["long"])


def _sized(desk: Desk, vix: float, front: float, third: float) -> TargetChanged:
    """The target after 25 minutes at these levels; futures come before VIX."""
    for _ in range(100):
        desk.prints(VX1=front, VX3=third, VIX=vix, SPX=1800.0)
    return desk.target


def test_2024_08_05_prints_before_the_bell_do_not_trade() -> None:
    desk = Desk("2024-08-05 13:30", policy()).hedged(23.39)
    desk.now -= HOUR
    desk.path("VIX", flat(65.73, 59))
    assert desk.orders == []
    desk.now = desk.opened
    desk.path("VIX", flat(38.57, 5), SPX=1950.0)
    assert [order.trigger for order in desk.orders] == ["fast_vix"]
    assert desk.target.multiplier == 2.0
