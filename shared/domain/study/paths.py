"""All figures of one path of returns, and the paper's closed form beside the measured ratio."""

from datetime import date

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.accounts.variance_swap import SESSIONS_PER_YEAR
from shared.domain.study.ratios import (
    annual_return,
    annual_volatility,
    calmar,
    closed_form_sharpe,
    correlation,
    maximum_drawdown,
    session_returns,
    sharpe,
    sortino,
)


class PathFigures(Struct, frozen=True, kw_only=True):
    """One path of session returns on the portfolio's value; `None` where not defined.

    Attributes:
        annual_return: Compound growth, decimal per year.
        annual_volatility: Decimal per year.
        sharpe: Measured: mean / sample deviation of the session returns, times √252, over 0.
        sortino: The same over the root mean square of losses.
        calmar: Annual return / depth of the deepest fall.
        maximum_drawdown: Deepest fall of compounded wealth, ≤ 0.
    """

    annual_return: float | None
    annual_volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    maximum_drawdown: float | None


class ClosedForm(Struct, frozen=True, kw_only=True):
    """The paper's (μ − C)/(σ·√(1 − ρ²)), a claim to hold beside the measured Sharpe ratio.

    Attributes:
        mean_return: μ, arithmetic mean return of the unhedged portfolio, decimal per year.
        cost_rate: C, mean loss of the hedge in sessions outside crash windows, share of the
            portfolio per year.
        volatility: σ of the unhedged portfolio, decimal per year.
        correlation: ρ of the portfolio's session returns with the hedge's.
        sharpe: The result.
    """

    mean_return: float
    cost_rate: float
    volatility: float
    correlation: float
    sharpe: float | None


def path_figures(nav: NDArray[np.float64], profit: NDArray[np.float64]) -> PathFigures:
    """Return the figures of portfolio and hedge together; columns as in `session_returns`."""
    returns = session_returns(nav, profit)
    return PathFigures(
        annual_return=annual_return(returns),
        annual_volatility=annual_volatility(returns),
        sharpe=sharpe(returns),
        sortino=sortino(returns),
        calmar=calmar(returns),
        maximum_drawdown=maximum_drawdown(returns),
    )


def closed_form(
    nav: NDArray[np.float64], profit: NDArray[np.float64], crash: NDArray[np.bool_]
) -> ClosedForm | None:
    """Return the paper's Sharpe ratio and its parts; `None` when portfolio or hedge never moved.

    Args:
        nav: Value of the unhedged portfolio, (n,); NaN where not known.
        profit: Of the hedge, transaction cost paid, (n,).
        crash: Whether a session lies in a crash window, (n,).
    """
    portfolio = session_returns(nav, np.zeros_like(nav))
    hedge = session_returns(nav, profit) - portfolio
    together = correlation(portfolio, hedge)
    volatility = annual_volatility(portfolio)
    if together is None or volatility is None:
        return None
    calm = hedge[~crash[~np.isnan(nav)][1:]]
    mean_return = float(np.mean(portfolio)) * SESSIONS_PER_YEAR
    cost_rate = -float(np.mean(calm)) * SESSIONS_PER_YEAR if len(calm) else 0.0
    return ClosedForm(
        mean_return=mean_return,
        cost_rate=cost_rate,
        volatility=volatility,
        correlation=together,
        sharpe=closed_form_sharpe(
            mean_return=mean_return,
            cost_rate=cost_rate,
            volatility=volatility,
            correlation=together,
        ),
    )


def calendar_day(day: np.datetime64) -> date:
    """Return a `datetime64[D]` as a date."""
    converted = day.astype("datetime64[D]").item()
    assert isinstance(converted, date)  # noqa: S101 - what datetime64[D] holds, for mypy
    return converted
