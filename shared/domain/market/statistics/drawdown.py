"""A portfolio's value and its fall from the peak (spec 1, `drawdown`)."""

from collections.abc import Mapping

from msgspec import Struct

from shared.domain.policies import PortfolioPolicy


class PortfolioState(Struct, frozen=True, kw_only=True):
    """The weights, levels at which they were bought, the live ones, and the highest value."""

    weights: dict[str, float] = {}
    bases: dict[str, float] = {}
    levels: dict[str, float] = {}
    peak: float = 0.0


class PortfolioValue:
    """Buys its weights at the first instant when every symbol has printed, and holds them.

    Raises:
        ValueError: No weights, a negative one, or more than 1 in all.
    """

    def __init__(self, policy: PortfolioPolicy, state: PortfolioState | None = None) -> None:
        weights = policy.weights
        if not weights or min(weights.values()) < 0 or sum(weights.values()) > 1 + 1e-9:
            raise ValueError(f"weights of {policy.book} must be at least 0 and at most 1 in all")
        if state is None or state.weights != weights:  # another portfolio has another history
            state = PortfolioState()
        self._policy = policy
        self._bases: Mapping[str, float] = state.bases
        self._levels = dict(state.levels)
        self._peak = state.peak

    def observe(self, symbol: str, level: float) -> None:
        """Take a print of one of its symbols."""
        self._levels[symbol] = level
        if not self._bases and len(self._levels) == len(self._policy.weights):
            self._bases = dict(self._levels)
        self._peak = max(self._peak, self.value or 0.0)

    @property
    def have(self) -> int:
        """Symbols that have printed."""
        return len(self._levels)

    @property
    def value(self) -> float | None:
        """Net asset value in the book's currency; `None` until every symbol has printed."""
        if not self._bases:
            return None
        gains = (
            weight * (self._levels[symbol] / self._bases[symbol] - 1)
            for symbol, weight in self._policy.weights.items()
        )
        return self._policy.value * (1 + sum(gains))

    @property
    def drawdown(self) -> float | None:
        """Value over its running peak, less 1: decimal, at most 0."""
        value = self.value
        return None if value is None else value / self._peak - 1

    def snapshot(self) -> PortfolioState:
        """State for the constructor."""
        return PortfolioState(
            weights=self._policy.weights,
            bases=dict(self._bases),
            levels=dict(self._levels),
            peak=self._peak,
        )
