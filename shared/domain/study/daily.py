"""A variant's sessions as columns: what every figure of a study is computed from."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from shared.domain.accounts.effectiveness import SessionResult

Rows = slice | NDArray[np.bool_] | NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyRows:
    """One row a counted session, oldest first; columns of shape (n,), money in the book's currency.

    Attributes:
        day: The session, `datetime64[D]`.
        close_ns: Its close, int64.
        nav: The portfolio's value at it, without any hedge; NaN when not known.
        carry: What the hedge as traded earned, before transaction cost.
        cost: Its transaction cost, rolls included.
        static_profit: What the static hedge earned.
        turnover_vega: Vega traded, unsigned, currency per vol point.
        trades: Number of trades, int64.
        multiplier: Of the last target; NaN before the first.
        at_floor: Whether that target was at the floor, bool.
        at_cap: Whether it was at the cap, bool.
        regime: Of the market at the close, str; empty when not known.

    Raises:
        ValueError: Columns of different length, or closes that do not rise.
    """

    day: NDArray[np.datetime64]
    close_ns: NDArray[np.int64]
    nav: NDArray[np.float64]
    carry: NDArray[np.float64]
    cost: NDArray[np.float64]
    static_profit: NDArray[np.float64]
    turnover_vega: NDArray[np.float64]
    trades: NDArray[np.int64]
    multiplier: NDArray[np.float64]
    at_floor: NDArray[np.bool_]
    at_cap: NDArray[np.bool_]
    regime: NDArray[np.str_]

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns differ in length: {lengths}")
        if np.any(np.diff(self.close_ns) <= 0):
            raise ValueError("closes do not rise from row to row")

    def __len__(self) -> int:
        return len(self.day)

    @property
    def profit(self) -> NDArray[np.float64]:
        """What the hedge as traded earned, transaction cost paid."""
        return self.carry - self.cost

    def take(self, rows: Rows) -> "DailyRows":
        """Return some of the rows, in order."""
        return DailyRows(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def results(self) -> list[SessionResult]:
        """Return the rows as the live account keeps them."""
        navs = [None if unknown else nav for nav, unknown in _cells(self.nav)]
        multipliers = [None if unknown else value for value, unknown in _cells(self.multiplier)]
        return [
            SessionResult(
                close_ns=close_ns,
                nav=nav,
                dynamic_carry=carry,
                transaction_cost=cost,
                static_carry=static,
                turnover_vega=turnover,
                trades=trades,
                multiplier=multiplier,
                at_floor=at_floor,
                at_cap=at_cap,
            )
            for close_ns, nav, carry, cost, static, turnover, trades, multiplier, at_floor, at_cap
            in zip(
                self.close_ns.tolist(),
                navs,
                self.carry.tolist(),
                self.cost.tolist(),
                self.static_profit.tolist(),
                self.turnover_vega.tolist(),
                self.trades.tolist(),
                multipliers,
                self.at_floor.tolist(),
                self.at_cap.tolist(),
                strict=True,
            )
        ]  # fmt: skip


def _cells(column: NDArray[np.float64]) -> list[tuple[float, bool]]:
    return list(zip(column.tolist(), np.isnan(column).tolist(), strict=True))
