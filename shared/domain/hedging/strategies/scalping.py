"""Gamma scalping: what gamma has earned against what theta has cost (spec 4.3).

Between two measurements the book earns ½Γ(dS)² and pays theta for the time between, both with the
figures of the earlier one. Days are calendar days and years 365 of them, as theta's and implied
volatility's are; an overnight move counts as any other.
"""

from math import log, sqrt

from msgspec import Struct, structs

from shared.domain.instants import DAY

_YEAR_NS = 365 * DAY


class ScalpingAccount(Struct, frozen=True, kw_only=True):
    """What gamma and theta have come to.

    Attributes:
        measured_ns: Instant of the last measurement; 0 before the first.
        level: Of the underlying then …
        gamma: … units a point …
        theta: … currency a calendar day …
        volatility: … and implied volatility, decimal.
        gamma_profit: Σ ½Γ(dS)², currency.
        theta_paid: Σ −θ·dt, currency; negative when it was received.
        years: Time between the measurements.
        squared_returns: Σ of the squared log returns.
        implied_years: Σ of implied volatility × time.
    """

    measured_ns: int = 0
    level: float = 0.0
    gamma: float = 0.0
    theta: float = 0.0
    volatility: float = 0.0
    gamma_profit: float = 0.0
    theta_paid: float = 0.0
    years: float = 0.0
    squared_returns: float = 0.0
    implied_years: float = 0.0


def measured(  # noqa: PLR0913 - each is one figure of the measurement
    account: ScalpingAccount,
    *,
    event_ns: int,
    level: float,
    gamma: float,
    theta: float,
    volatility: float,
) -> ScalpingAccount:
    """Take a measurement; one that is not later than the last changes nothing.

    Args:
        account: Up to the last one.
        event_ns: Instant.
        level: Of the underlying, above 0.
        gamma: Of the book, units a point, signed.
        theta: Of the same positions, currency a calendar day, negative for decay.
        volatility: Implied, at the money, decimal.
    """
    if event_ns <= account.measured_ns:
        return account
    now = structs.replace(
        account,
        measured_ns=event_ns,
        level=level,
        gamma=gamma,
        theta=theta,
        volatility=volatility,
    )
    if not account.measured_ns:
        return now
    elapsed_ns = event_ns - account.measured_ns
    years = elapsed_ns / _YEAR_NS
    return structs.replace(
        now,
        gamma_profit=account.gamma_profit + account.gamma * (level - account.level) ** 2 / 2,
        theta_paid=account.theta_paid - account.theta * elapsed_ns / DAY,
        years=account.years + years,
        squared_returns=account.squared_returns + log(level / account.level) ** 2,
        implied_years=account.implied_years + account.volatility * years,
    )


def break_even_move(gamma: float, theta: float) -> float | None:
    """Return the move of the underlying a day at which gamma earns what theta costs.

    ½Γ(dS)² = −θ: the same for who is long of gamma and pays, and who is short and receives.

    Returns:
        Points; `None` when gamma and theta do not oppose each other.
    """
    return sqrt(-2 * theta / gamma) if gamma * theta < 0 else None


def scalping_figures(account: ScalpingAccount) -> dict[str, float]:
    """Return what a person is shown; what is not known yet is left out."""
    figures = {
        "gamma_profit": account.gamma_profit,
        "theta_paid": account.theta_paid,
        "scalping_net": account.gamma_profit - account.theta_paid,
    }
    move = break_even_move(account.gamma, account.theta)
    if move is not None:
        figures["break_even_move"] = move
    if account.years > 0:
        figures["realized_volatility"] = sqrt(account.squared_returns / account.years)
        figures["implied_volatility"] = account.implied_years / account.years
    return figures
