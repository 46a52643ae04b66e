"""One book as the page shows it: target against hedge, triggers, budget, exposure."""

from collections import deque
from math import isfinite
from typing import Final, TypeVar

from msgspec import Struct

from services.dashboard.effectiveness import Effectiveness
from services.dashboard.triggers import TriggersPicture
from services.dashboard.why import binding_step
from shared.domain.dealing.cost_ledger import year_end_ns, year_of
from shared.domain.dealing.dealer import Dealer
from shared.domain.effects import OrderWithheld, TargetChanged, TriggerChanged, WhipsawSuppressed
from shared.domain.exposure.observed import ExposureObserved
from shared.domain.hedging.book import HedgeBookState
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.instants import DAY
from shared.domain.policies import BookPolicy
from shared.domain.signals_observed import Signal
from shared.wire.announcements import announce
from shared.wire.exposures import exposure_message
from shared.wire.messages import (
    SignalMessage,
    TargetMessage,
    TradingStateMessage,
    WhipsawMessage,
    WithheldMessage,
)
from shared.wire.views import (
    BandsView,
    BookSummaryView,
    BookView,
    BudgetView,
    ScenarioCellView,
)

MessageType = TypeVar("MessageType", bound=Struct)

_KEPT: Final = 20
"""Whipsaws, and orders withheld."""
_WORST: Final = ("good", "warming", "stale", "frozen", "halted")


class Surroundings(Struct, frozen=True, kw_only=True):
    """What a book's views need of the rest of the picture.

    Attributes:
        now_ns: The market's instant.
        signals: All of the market, by name.
        own: Of the book, by name without it.
        trading: What governs it; `None` until the gateway was heard.
        orders_waiting: For an acknowledgement.
        alerts: That are kept.
    """

    now_ns: int
    signals: dict[str, Signal]
    own: dict[str, SignalMessage]
    trading: TradingStateMessage | None
    orders_waiting: int
    alerts: int


class BookPicture:
    """What is known of one book.

    Args:
        policy: Its configuration.
        clock: The exchange's sessions.
        effectiveness: Of its hedge.

    Attributes:
        exposure: As last observed; `None` without positions.
        target: The last decision; `None` before the first.
    """

    def __init__(
        self, policy: BookPolicy, clock: SessionClock, effectiveness: Effectiveness
    ) -> None:
        self.exposure: ExposureObserved | None = None
        self.target: TargetChanged | None = None
        self.effectiveness = effectiveness
        self.triggers = TriggersPicture(policy, clock)
        self._policy = policy
        self._clock = clock
        self._state = HedgeBookState()
        self._current_vega: float | None = None
        self._used: float | None = None
        self._whipsaws: deque[WhipsawMessage] = deque(maxlen=_KEPT)
        self._withheld: deque[WithheldMessage] = deque(maxlen=_KEPT)

    @property
    def currency(self) -> str:
        """Of its money."""
        return self._policy.currency

    @property
    def current_vega(self) -> float | None:
        """Vega of what it holds, currency per vol point; `None` while not known."""
        if self._current_vega is None and self.target is not None:
            return self.target.current_vega
        return self._current_vega

    def decided(self, target: TargetChanged) -> None:
        """Take a decision."""
        self.target = target
        self.triggers.decided(target.event_ns, target.decision)

    def changed(self, change: TriggerChanged) -> None:
        """Take a transition of a trigger."""
        self.triggers.changed(change)

    def suppressed(self, whipsaw: WhipsawSuppressed) -> None:
        """Take a whipsaw."""
        self._whipsaws.appendleft(_message(whipsaw, WhipsawMessage))

    def withheld(self, order: OrderWithheld) -> None:
        """Take an order that a control held back."""
        self._withheld.appendleft(_message(order, WithheldMessage))

    def counted(self, state: HedgeBookState) -> None:
        """Take the hedger's own state of the book: what it holds, has paid and is counting."""
        self._state = state
        self.triggers.counted(state.runs, state.now_ns)
        dealer = Dealer(self._policy, self._clock, state.dealer)
        self._used = dealer.ledger.used
        try:
            self._current_vega = dealer.held_vega()
        except ValueError:  # an option that was never measured
            self._current_vega = None

    def summary(self, around: Surroundings) -> BookSummaryView:
        """Return its line."""
        target = self.target
        step = None if target is None else binding_step(target)
        return BookSummaryView(
            book=self._policy.name,
            currency=self._policy.currency,
            state="unknown" if around.trading is None else around.trading.state,
            target_vega=None if target is None else target.target_vega,
            current_vega=self.current_vega,
            multiplier=None if target is None else target.multiplier,
            binding="" if step is None else step.name,
            firing=self.triggers.in_state("firing"),
            pending=self.triggers.in_state("pending"),
            budget_used=self._used_fraction(),
            orders_waiting=around.orders_waiting,
            alerts=around.alerts,
            quality=self._quality(around.signals),
        )

    def view(self, around: Surroundings) -> BookView:
        """Return all of it."""
        exposure = self.exposure
        return BookView(
            summary=self.summary(around),
            target=None if self.target is None else _message(self.target, TargetMessage),
            bands=self._bands(),
            triggers=self.triggers.views(around.now_ns),
            whipsaws=tuple(self._whipsaws),
            withheld=tuple(self._withheld),
            budget=self._budget(around.now_ns),
            effectiveness=self.effectiveness.view(_value(around.own, "hedge_correlation")),
            signals=around.own,
            exposure=None if exposure is None else exposure_message(exposure),
            scenarios=_cells(exposure),
            trading=around.trading,
        )

    def _quality(self, signals: dict[str, Signal]) -> str:
        """Return the worst quality of what its rules and triggers watch."""
        found = [signals[name].quality.value for name in self._state.good if name in signals]
        return max(found, key=_WORST.index, default="good" if self._state.good else "warming")

    def _bands(self) -> BandsView:
        triggers, reference = self._policy.triggers, self._state.references.vix
        if reference is None and self.target is not None:
            reference = self.target.reference_vix
        if reference is None:
            return BandsView(
                reference=None, lower=None, upper=None, fast_upper=None, fast_lower=None
            )
        width = min(triggers.vix_points, triggers.vix_relative * reference)
        watched = isfinite(width)  # both may be off
        fast = triggers.fast
        return BandsView(
            reference=reference,
            lower=reference - width if watched else None,
            upper=reference + width if watched else None,
            fast_upper=None if fast is None else reference + fast.vix_points,
            fast_lower=None,  # the fast path is for jumps up alone (spec 3)
        )

    def _used_fraction(self) -> float | None:
        budget = self._policy.sizing.budget
        if budget is None:
            return None
        if self._used is not None:
            return max(0.0, self._used) / budget.annual
        return None if self.target is None else self.target.budget_used

    def _budget(self, now_ns: int) -> BudgetView | None:
        budget, used = self._policy.sizing.budget, self._used_fraction()
        if budget is None or used is None or not now_ns:
            return None
        year = year_of(now_ns)
        elapsed_days = max((now_ns - year_end_ns(year - 1)) / DAY, 1 / 24)
        return BudgetView(
            annual=budget.annual,
            used_fraction=used,
            warn_fraction=budget.warn_fraction,
            days_left=max(0.0, 1 - used) / (used / elapsed_days) if used > 0 else None,
            year_days_left=(year_end_ns(year) - now_ns) / DAY,
        )


def _value(signals: dict[str, SignalMessage], name: str) -> float | None:
    return signals[name].value if name in signals else None


def _cells(exposure: ExposureObserved | None) -> tuple[ScenarioCellView, ...]:
    if exposure is None or exposure.risk is None:
        return ()
    return tuple(
        ScenarioCellView(spot=cell.shock.spot, volatility=cell.shock.volatility, profit=cell.profit)
        for cell in exposure.risk.grid
    )


def _message(
    effect: TargetChanged | WhipsawSuppressed | OrderWithheld, kind: type[MessageType]
) -> MessageType:
    announcement = announce(effect)
    assert announcement is not None  # noqa: S101 - only an order has none
    assert isinstance(announcement.message, kind)  # noqa: S101 - as it is announced
    return announcement.message
