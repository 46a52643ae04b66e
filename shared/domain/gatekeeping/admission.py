"""Whether the gateway takes an order (spec 6; promises B1 to B7).

The hedger has checked all this before, with other code and other state: here it is checked by whom
the venue belongs to. In this order, and the first that objects decides: what the order says of
itself; the configuration it was made under; what the book may do; its time; its size, thrice told;
its price against our own mark; the book's exposure; what the book has sent before.
"""

from collections.abc import Mapping, Sequence
from math import isclose, isfinite
from typing import Final

from msgspec import Struct, UnsetType

from shared.domain.accounts.rolled import Rolled
from shared.domain.events import ExecutionReported
from shared.domain.gatekeeping.exposure_book import (
    ExposureBook,
    ExposureState,
    measure_for,
    size_of_one,
)
from shared.domain.gatekeeping.refusal import Refusal, beyond
from shared.domain.gatekeeping.throttles import History, HistoryState
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.orders import Order, order_id
from shared.domain.policies import BookPolicy, LegPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import Mark
from shared.domain.trading import ALL, TradingState

ROUNDING: Final = 1e-9
"""Relative: two statements of one size may differ by what floats do, and by no more."""


LIKELY_VEGA: Final = 4.0
"""An option's vega is not believed beyond so many times the configured, nor below its part."""

_OPTIONS: Final = frozenset({"vix_call", "put", "option"})


class BookState(Struct, frozen=True, kw_only=True):
    """What the gateway remembers of one book."""

    exposure: ExposureState = ExposureState()
    history: HistoryState = HistoryState()


class GatekeeperState(Struct, frozen=True):
    """What the gateway remembers of all books, by name."""

    books: dict[str, BookState] = {}


class Circumstances(Struct, frozen=True, kw_only=True):
    """When and under what an order is judged.

    Attributes:
        now_ns: By the gateway's clock: event time in a replay, the wall clock live.
        at_ns: The instant that it gives the order.
        trading: What the book may do.
        marks: The venue's live marks, by symbol.
    """

    now_ns: int
    at_ns: int
    trading: TradingState
    marks: Mapping[str, Mark]


class Gatekeeper:
    """Judges orders and counts those that were taken.

    Args:
        policies: The books.
        calendar: Their sessions.
        config_digest: Of our own configuration.
        commission: Of the venue, per fill, currency.
        state: Where to go on from.
    """

    def __init__(
        self,
        policies: Sequence[BookPolicy],
        calendar: SessionCalendar,
        config_digest: str,
        commission: float,
        state: GatekeeperState,
    ) -> None:
        self._policies = {policy.name: policy for policy in policies}
        self._sessions = SessionClock(calendar)
        self._config_digest = config_digest
        known = {name: state.books.get(name, BookState()) for name in self._policies}
        self._exposures = {
            name: ExposureBook(policy, commission, known[name].exposure)
            for name, policy in self._policies.items()
        }
        self._histories = {
            name: History(policy.limits, known[name].history)
            for name, policy in self._policies.items()
        }

    def snapshot(self) -> GatekeeperState:
        """Return all that a gatekeeper goes on from."""
        return GatekeeperState(
            {
                name: BookState(
                    exposure=exposure.snapshot(), history=self._histories[name].snapshot()
                )
                for name, exposure in self._exposures.items()
            }
        )

    @property
    def books(self) -> tuple[str, ...]:
        """Names of the books."""
        return tuple(self._policies)

    def judge(self, order: Order, circumstances: Circumstances) -> Refusal | None:
        """Return what speaks against an order, or `None`; nothing is counted."""
        policy = self._policies.get(order.book)
        leg = _leg(policy, order)
        if policy is None or leg is None:
            return Refusal("unknown_leg", f"no leg {order.leg} of book {order.book} here")
        return (
            _misnamed(policy, leg, order)
            or self._other_configuration(order)
            or self._stopped(leg, order, circumstances)
            or _misstated(leg, order, closes=self._closes(order))
            or self._mispriced(policy, leg, order, circumstances)
            or self._oversized(policy, leg, order, circumstances)
            or self._histories[order.book].refuses(
                order, circumstances.at_ns, self._sessions.at(circumstances.at_ns).session
            )
        )

    def accept(self, order: Order, at_ns: int) -> None:
        """Count an order that nothing spoke against, at the instant it was judged at."""
        self._histories[order.book].count(order, at_ns, self._sessions.at(at_ns).session)
        self._exposures[order.book].place(order.order_id, order.leg, order.signed_quantity)

    def take(self, report: ExecutionReported) -> None:
        """Book what our venue did."""
        self._exposures[report.book].take(report)

    def see(self, marks: Mapping[str, Mark], now_ns: int) -> None:
        """Take the marks of a clock event."""
        session = self._sessions.at(now_ns).session
        for exposure in self._exposures.values():
            exposure.see(marks, session)

    def roll(self, rolled: Rolled) -> None:
        """Take it that a symbol stands for another contract from here on."""
        for exposure in self._exposures.values():
            exposure.roll(rolled)

    def rearm(self, scope: str) -> None:
        """Forget what had tripped in a scope: an operator has resumed it."""
        for name in self._policies if scope == ALL else (scope,):
            self._histories[name].rearm()

    def vega(self, book: str) -> float:
        """Return the vega of a book's positions and open orders, currency per vol point."""
        return self._exposures[book].vega()

    def _other_configuration(self, order: Order) -> Refusal | None:
        if order.config_digest == self._config_digest:
            return None
        ours, theirs = self._config_digest[:16], order.config_digest[:16]
        return Refusal("config_digest", f"decided under {theirs or 'none'}, ours is {ours}")

    def _stopped(
        self, leg: LegPolicy, order: Order, circumstances: Circumstances
    ) -> Refusal | None:
        state = circumstances.trading
        if state is TradingState.HALTED:
            return Refusal("halted", "nothing trades until an operator resumes")
        if state is TradingState.REDUCING and self._grows(leg, order):
            measure = measure_for(leg)
            return Refusal("reducing", f"only what brings the {measure} nearer to 0 trades")
        if circumstances.now_ns > order.valid_until_ns:
            late_s = (circumstances.now_ns - order.valid_until_ns) / 1e9
            return Refusal("expired", f"it came {late_s:.3g} s after its valid_until")
        return None

    def _mispriced(
        self, policy: BookPolicy, leg: LegPolicy, order: Order, circumstances: Circumstances
    ) -> Refusal | None:
        mark = circumstances.marks.get(leg.symbol)
        middle = None if mark is None else mark.middle
        if mark is None or middle is None:
            return Refusal("no_mark", f"{leg.symbol} has no price")
        now = self._sessions.at(circumstances.now_ns).trading_ns
        age_ns = now - self._sessions.at(mark.event_ns).trading_ns
        if age_ns > policy.order.stale_mark_trading_ns:
            return Refusal("stale_mark", f"{leg.symbol} is {age_ns / 1e9:.3g} s old")
        limit = policy.limits.max_price_deviation
        return beyond(
            "max_price_deviation", abs(order.limit_price - middle) / middle, limit
        ) or beyond("max_price_deviation", abs(order.reference_price - middle) / middle, limit)

    def _oversized(
        self, policy: BookPolicy, leg: LegPolicy, order: Order, circumstances: Circumstances
    ) -> Refusal | None:
        limits, exposure, change = policy.limits, self._exposures[order.book], _size(leg, order)
        if measure_for(leg) == "delta":
            size = beyond("max_order_delta", abs(change), limits.at_most("max_order_delta"))
            most = limits.at_most("max_position_delta")
            furthest = exposure.furthest("delta", change, leg.name)
            position = beyond("max_position_delta", furthest, most)
        else:
            size = beyond("max_order_vega", abs(order.vega), limits.max_order_vega)
            position = beyond(
                "max_position_vega", exposure.furthest("vega", change), limits.max_position_vega
            )
        notional = beyond("max_order_notional", order.notional, limits.max_order_notional)
        refusal = size or notional or position
        if refusal is not None or not self._grows(leg, order):
            return refusal
        loss = exposure.loss(circumstances.marks, self._sessions.at(circumstances.now_ns).session)
        return beyond("max_daily_loss", loss, limits.max_daily_loss)

    def _closes(self, order: Order) -> bool:
        return self._exposures[order.book].closes(order.leg, order.signed_quantity)

    def _grows(self, leg: LegPolicy, order: Order) -> bool:
        measure = measure_for(leg)
        before = self._exposures[order.book].size(measure, leg.name if measure == "delta" else "")
        return not abs(before + _size(leg, order)) <= abs(before)  # what is no number grows


def _leg(policy: BookPolicy | None, order: Order) -> LegPolicy | None:
    legs = () if policy is None else policy.legs
    return next((leg for leg in legs if leg.name == order.leg), None)


def _misnamed(policy: BookPolicy, leg: LegPolicy, order: Order) -> Refusal | None:
    stated = (order.order_id, order.instrument, order.symbol, order.currency)
    ours = (
        order_id(order.book, order.decision, order.leg),
        leg.instrument,
        leg.symbol,
        policy.currency,
    )
    for said, should_be in zip(stated, ours, strict=True):
        if said != should_be:
            return Refusal("misnamed", f"{said!r} should be {should_be!r}")
    return None


def _misstated(leg: LegPolicy, order: Order, *, closes: bool) -> Refusal | None:
    """Compare what the order says of its size three times (Citi 2022: promises B2)."""
    sizes = (order.quantity, order.reference_price, order.limit_price, order.notional)
    if not all(isfinite(size) and size > 0 for size in sizes):
        return Refusal("misstated", "quantity, prices and notional must be finite and above 0")
    wrong = _wrong_size(leg, order, closes=closes)
    if wrong is not None:
        return wrong
    notional = order.quantity * order.reference_price * leg.multiplier
    if not isclose(order.notional, notional, rel_tol=ROUNDING):
        stated = f"{order.notional:.12g}"
        return Refusal("misstated", f"a notional of {stated}, its quantity has {notional:.12g}")
    return None


def _wrong_size(leg: LegPolicy, order: Order, *, closes: bool) -> Refusal | None:
    """Compare the size that an order tells with what its quantity has.

    An option's vega is the hedger's to measure, live; ours is the one configured, so they need not
    agree, but one beyond all likelihood, or of the other sign, is a slip. An old option has lost
    most of its vega: what only closes it may have as little as it likes, or nothing could be
    rolled; limits count the larger of both all the same.
    """
    measure, has = measure_for(leg), order.signed_quantity * size_of_one(leg)
    told = (order.vega, 0.0) if measure == "vega" else (order.delta, order.vega)
    if measure == "vega" and not isinstance(order.delta, UnsetType):
        return Refusal("misstated", f"a delta, and its leg {leg.name} is held for its vega")
    if isinstance(told[0], UnsetType) or told[1] != 0:
        return Refusal("misstated", f"no delta, or a vega, of leg {leg.name}, held for its delta")
    if leg.instrument in _OPTIONS:
        least = 0.0 if closes else has / LIKELY_VEGA
        agrees = least <= told[0] <= has * LIKELY_VEGA
        agrees = agrees or least >= told[0] >= has * LIKELY_VEGA
    else:
        agrees = isclose(told[0], has, rel_tol=ROUNDING)
    if agrees:
        return None
    stated = f"a {measure} of {told[0]:.12g}"
    return Refusal("misstated", f"{stated}, its quantity has {has:.12g}")


def _size(leg: LegPolicy, order: Order) -> float:
    """Return an order's size as it counts: what it tells or what we reckon, the larger."""
    ours = order.signed_quantity * size_of_one(leg)
    return max(order.size, ours, key=abs)
