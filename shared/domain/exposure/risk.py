"""Scenarios and expected shortfall of all books at once."""

from collections.abc import Sequence
from typing import Final

from shared.domain.exposure.aggregate import Portfolio
from shared.domain.exposure.observed import Risk, ScenarioProfit
from shared.domain.exposure.policy import ExposurePolicy, Shock
from shared.domain.exposure.scenarios import GRID, STRESS_DAYS, Scenarios
from shared.domain.exposure.shortfall import (
    LEAST_DAYS,
    NODES,
    candidates,
    expected_shortfall,
    interpolated,
)
from shared.domain.exposure.terms import Floats, Terms

_SHOCKS: Final = (*GRID, *STRESS_DAYS.values())
_NAMES: Final = (
    *(f"spot {100 * shock.spot:+.0f}% volatility {shock.volatility:+.0f}" for shock in GRID),
    *STRESS_DAYS,
)


class RiskDesk:
    """Values books where the market is not.

    Args:
        policy: Confidence of the shortfall.
        history: Daily shocks of the past.
    """

    def __init__(self, policy: ExposurePolicy, history: Sequence[Shock]) -> None:
        self._confidence = policy.confidence
        self._history = tuple(history)

    def risks(  # noqa: PLR0913, PLR0917 - all of a moment
        self,
        terms: Terms,
        portfolio: Portfolio,
        values: Floats,
        inputs: Floats,
        beta: Floats,
        now_ns: int,
    ) -> dict[str, Risk]:
        """Compute the risk of every book.

        Args:
            terms: Of the rows.
            portfolio: Of all books.
            values: Of the rows, shape `(GREEKS, n)`.
            inputs: They came from these, shape `(INPUTS, n)`.
            beta: Of every row's underlying to the index, shape `(n,)`.
            now_ns: The instant of all of it.
        """
        scenarios = Scenarios(terms, beta, now_ns)
        profits = scenarios.profits(portfolio, _SHOCKS, values, inputs)
        shortfalls = self._shortfalls(scenarios, portfolio, values, inputs)
        risks = {}
        for number, book in enumerate(portfolio.books):
            cells = [
                ScenarioProfit(name=name, shock=shock, profit=profit)
                for name, shock, profit in zip(
                    _NAMES, _SHOCKS, profits[:, number].tolist(), strict=True
                )
            ]
            risks[book] = Risk(
                event_ns=now_ns,
                grid=tuple(cells[: len(GRID)]),
                stress=tuple(cells[len(GRID) :]),
                worst=min(cells, key=lambda cell: cell.profit),
                shortfall=shortfalls[number],
                shortfall_days=len(self._history),
            )
        return risks

    def _shortfalls(
        self,
        scenarios: Scenarios,
        portfolio: Portfolio,
        values: Floats,
        inputs: Floats,
    ) -> list[float | None]:
        days = len(self._history)
        if days < LEAST_DAYS:
            return [None] * len(portfolio.books)
        surface = scenarios.profits(portfolio, NODES, values, inputs, by_tenor=True)
        estimates = interpolated(surface, self._history)
        worst = [self._history[day] for day in candidates(estimates, self._confidence).tolist()]
        profits = scenarios.profits(portfolio, worst, values, inputs, by_tenor=True)
        return [
            expected_shortfall(profits[:, number], self._confidence, days)
            for number in range(len(portfolio.books))
        ]
