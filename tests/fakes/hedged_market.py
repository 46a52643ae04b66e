"""A market for hedge books: a calendar, and signals as the signals stage would observe them."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from fakes.books import LOOSE
from msgspec import structs

from shared.domain.effects import Effect, OrderDecided, TriggerChanged
from shared.domain.events import ExecutionKind, ExecutionReported, RebalanceRequested
from shared.domain.hedging.book import HedgeBook, HedgeBookState
from shared.domain.hedging.rules import PRESETS
from shared.domain.instants import DAY, HOUR, MINUTE, SECOND
from shared.domain.orders import Order
from shared.domain.policies import (
    BookPolicy,
    FastPathPolicy,
    Hold,
    LegPolicy,
    LimitPolicy,
    RulePolicy,
    SizingPolicy,
    TriggerPolicy,
)
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput, Mark, Quality, Signal, SignalsObserved
from shared.domain.trading import Authority, TradingState, TradingStateSet


def instant(text: str) -> int:
    """Read `2024-01-02 14:30` (UTC) as ns."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


MONDAY = instant("2024-12-02 14:30")
"""An opening: sessions last six and a half hours, Monday to Friday."""


def weekdays(weeks: int = 8) -> SessionCalendar:
    opens = [MONDAY + (7 * week + day) * DAY for week in range(weeks) for day in range(5)]
    return SessionCalendar(opens, [each + 6 * HOUR + 30 * MINUTE for each in opens])


CALENDAR = weekdays()

SWAP = LegPolicy(
    name="swap", instrument="variance_swap", symbol="VIX", maturity_days=30, max_vega=10_000
)
FUTURE = LegPolicy(
    name="future",
    instrument="vix_future",
    symbol="VX6",
    maturity_days=180,
    max_vega=10_000,
    multiplier=1000,
)
LIMITS = structs.replace(
    LOOSE,
    max_order_vega=10_000,
    max_order_notional=10_000_000,
    max_position_vega=10_000,
    max_orders_per_day=50,
)


def policy(
    *,
    rules: tuple[RulePolicy, ...] = (PRESETS["option_a"],),
    legs: tuple[LegPolicy, ...] = (SWAP,),
    sizing: dict[str, Any] | None = None,
    triggers: dict[str, Any] | None = None,
    limits: LimitPolicy = LIMITS,
) -> BookPolicy:
    """A book of base 1000 on `option_a`, with only the trigger `vix_move` unless asked."""
    quiet: dict[str, Any] = {"vix_relative": 9.0, "schedule_days": 7.0, "fast": FastPathPolicy()}
    return BookPolicy(
        name="overlay",
        rules=rules,
        legs=legs,
        sizing=SizingPolicy(**({"base_vega": 1000.0} | (sizing or {}))),
        triggers=TriggerPolicy(**(quiet | (triggers or {}))),
        limits=limits,
    )


IMMEDIATELY = Hold(trading_ns=0, sessions=1, observations=1)


class HedgedMarket:
    """Feeds a book, remembers what it did, and can fill its orders.

    Attributes:
        now: Event time, ns.
        book: The book.
        effects: Everything it answered, in order.
        orders: Its orders, in order.
    """

    def __init__(self, book_policy: BookPolicy | None = None, now: int = MONDAY) -> None:
        self.policy = book_policy or policy()
        self.calendar = CALENDAR
        self.now = now
        self.book = HedgeBook(self.policy, self.calendar, "digest")
        self.effects: list[Effect] = []
        self.levels = {
            "vix": 18.0,
            "vix_smooth": 18.0,
            "rv": 0.15,
            "drawdown.overlay": 0.0,
            "hedge_correlation.overlay": -0.5,
            "term_ratio": 0.9,
            "index_return": 0.0,
            "correlation": 0.4,
            "vix_percentile": 0.5,
            "crash_intensity_ratio": 1.0,
            "regime": 1.0,
            "front_future": 20.0,
            "vix_trend": 0.0,
            "index_return_5d": 0.0,
            "nav.overlay": 50_000_000.0,
        }
        self.qualities: dict[str, Quality] = {}
        self.missing: set[str] = set()
        self.printed: dict[str, tuple[int, int]] = dict.fromkeys(self.levels, (1, now))
        self.marks = {"VIX": 18.0, "VX6": 19.0}
        self.marked_at = dict.fromkeys(self.marks, now)
        self.index = 0

    @property
    def orders(self) -> list[Order]:
        return [effect.order for effect in self.effects if isinstance(effect, OrderDecided)]

    def of(self, kind: type[Effect]) -> list[Any]:
        """All effects of one kind."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def states(self, trigger: str) -> list[str]:
        """The states that a trigger went through."""
        changes: list[TriggerChanged] = self.of(TriggerChanged)
        return [change.state for change in changes if change.trigger == trigger]

    def observed(self, cause: str) -> SignalsObserved:
        """The snapshot that the signals stage would make now."""
        self.index += 1
        names = ("low", "medium", "high")
        signals = {
            name: Signal(
                value=value,
                unit="points",
                quality=self.qualities.get(name, Quality.GOOD),
                event_ns=self.printed[name][1],
                observations=self.printed[name][0],
                state=names[int(value)] if name == "regime" else "",
            )
            for name, value in self.levels.items()
            if name not in self.missing
        }
        marks = {
            symbol: Mark(level=level, event_ns=self.marked_at[symbol])
            for symbol, level in self.marks.items()
        }
        return SignalsObserved(
            event_ns=self.now, index=self.index, cause=cause, signals=signals, marks=marks
        )

    def send(self, event: HedgerInput) -> list[Effect]:
        """Give the book one event."""
        effects = list(self.book.receive(event))
        self.effects += effects
        return effects

    def tick(self, *, after: int = 0, **levels: float) -> list[Effect]:
        """Print new levels (`drawdown` is the book's), `after` ns later; marks print too."""
        self.now += after
        for name, level in levels.items():
            full = f"{name}.overlay" if f"{name}.overlay" in self.levels else name
            self.levels[full] = level
            self.printed[full] = (self.printed[full][0] + 1, self.now)
        self.marks["VIX"] = self.levels["vix"]
        self.marked_at = dict.fromkeys(self.marks, self.now)
        return self.send(self.observed("VIX"))

    def vix(self, level: float, *, after: int = 0) -> list[Effect]:
        """Print VIX, raw and smoothed alike."""
        return self.tick(after=after, vix=level, vix_smooth=level)

    def clock(self, *, after: int = 0) -> list[Effect]:
        """Let the clock tick: nothing printed."""
        self.now += after
        return self.send(self.observed("clock"))

    def report(
        self,
        order: Order,
        kind: ExecutionKind,
        quantity: float = 0.0,
        price: float | None = None,
        reason: str = "",
    ) -> ExecutionReported:
        """A venue's report on an order, now."""
        self.index += 1
        return ExecutionReported(
            book=order.book,
            order_id=order.order_id,
            execution_id=f"e{self.index}",
            kind=kind,
            quantity=quantity,
            price=price,
            event_ns=self.now,
            reason=reason,
        )

    def fill(self, order: Order | None = None, price: float | None = None) -> list[Effect]:
        """Fill an order, the last one unless told, at its reference price unless told."""
        done = order or self.orders[-1]
        at = done.reference_price if price is None else price
        return self.send(self.report(done, ExecutionKind.FILL, done.signed_quantity, at))

    def ask(self, reason: str = "review") -> list[Effect]:
        """An operator asks for a rebalance."""
        return self.send(
            RebalanceRequested(scope="all", operator="ann", reason=reason, event_ns=self.now)
        )

    def set_trading(
        self,
        state: TradingState,
        *,
        scope: str = "all",
        authority: Authority = "operator",
    ) -> list[Effect]:
        """Somebody sets a trading state."""
        return self.send(
            TradingStateSet(
                scope=scope,
                state=state,
                authority=authority,
                operator="ann",
                reason="drill",
                event_ns=self.now,
            )
        )

    def hedged(self, level: float = 18.0) -> "HedgedMarket":
        """The same market with its first hedge at this VIX filled and every cooldown over."""
        self.vix(level)
        self.fill()
        self.vix(level, after=30 * MINUTE)
        self.effects.clear()
        return self


def restarted(book: HedgeBook, book_policy: BookPolicy) -> HedgeBook:
    """The book after a restart: its state through MessagePack and back."""
    stored = msgspec.msgpack.encode(book.snapshot())
    state = msgspec.msgpack.decode(stored, type=HedgeBookState)
    return HedgeBook.resume(book_policy, CALENDAR, "digest", state)


def timeless(state: HedgeBookState) -> HedgeBookState:
    """The state apart from the time it was taken."""
    return structs.replace(state, now_ns=0)
