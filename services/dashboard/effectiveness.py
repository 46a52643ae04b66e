"""How well a book's hedge did in the falls of its portfolio, as far as the log tells (spec 7)."""

from math import fsum

from shared.domain.accounts.accounting import ComparisonState, HedgeComparison
from shared.domain.events import ExecutionReported
from shared.domain.orders import leg_of
from shared.domain.policies import BookPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import SignalsObserved
from shared.wire.views import EffectivenessView


class Effectiveness:
    """Follows what hedge and portfolio earned, session by session.

    Args:
        policy: The book; one with an option leg whose vega is only measured is not followed.
        calendar: Its sessions.
        index_symbol: Whose returns a variance swap realizes.
        commission: Per execution that trades.
    """

    def __init__(
        self, policy: BookPolicy, calendar: SessionCalendar, index_symbol: str, commission: float
    ) -> None:
        self._legs = frozenset(leg.name for leg in policy.legs)
        self._arguments = (policy, calendar, index_symbol, commission)
        self._gain: float | None = None
        self._loss: float | None = None
        self._comparison: HedgeComparison | None = None
        try:
            self._comparison = HedgeComparison(policy, calendar, index_symbol, commission)
        except ValueError:
            return

    def receive(self, event: SignalsObserved | ExecutionReported) -> None:
        """Take an event of the signal log, in its order."""
        if self._comparison is None:
            return
        if isinstance(event, ExecutionReported) and leg_of(event.order_id) not in self._legs:
            return  # of a leg that is not configured any more
        if self._comparison.receive(event):
            self._sum_up()

    def view(self, correlation: float | None) -> EffectivenessView:
        """Return gain by loss over all falls beyond 5%."""
        gain, loss = self._gain, self._loss
        is_known = gain is not None and loss is not None and loss > 0
        return EffectivenessView(
            ratio=gain / loss if is_known else None,  # type: ignore[operator] # is_known says so
            hedge_profit=gain,
            book_loss=loss,
            correlation=correlation,
        )

    def snapshot(self) -> ComparisonState | None:
        """Return what `restore` needs; `None`: nothing is followed."""
        return None if self._comparison is None else self._comparison.snapshot()

    def restore(self, state: ComparisonState) -> None:
        """Go on from a state."""
        if self._comparison is not None:
            policy, calendar, index_symbol, commission = self._arguments
            self._comparison = HedgeComparison.resume(
                policy, calendar, state, index_symbol, commission
            )
            self._sum_up()

    def _sum_up(self) -> None:
        assert self._comparison is not None  # noqa: S101 - only what is followed is summed up
        crashes = self._comparison.report().crashes
        losses = [each.portfolio_loss for each in crashes if each.portfolio_loss is not None]
        if losses:
            self._gain = fsum(each.dynamic_gain for each in crashes)
            self._loss = fsum(losses)
