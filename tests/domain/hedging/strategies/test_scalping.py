from math import exp, sqrt

import pytest

from shared.domain.hedging.strategies.scalping import (
    ScalpingAccount,
    break_even_move,
    measured,
    scalping_figures,
)
from shared.domain.instants import DAY

START = ScalpingAccount()


def take(  # noqa: PLR0913 - each is one figure of the measurement
    account: ScalpingAccount,
    day: float,
    level: float,
    *,
    gamma: float = 400.0,
    theta: float = -800.0,
    volatility: float = 0.2,
) -> ScalpingAccount:
    return measured(
        account,
        event_ns=int(day * DAY),
        level=level,
        gamma=gamma,
        theta=theta,
        volatility=volatility,
    )


def test_gamma_earns_half_of_the_square_and_theta_costs_the_days() -> None:
    account = take(take(START, 1, 100.0), 3, 103.0, gamma=1.0, theta=-1.0)
    assert account.gamma_profit == 0.5 * 400.0 * 9.0
    assert account.theta_paid == 1600.0


def test_the_first_measurement_and_an_old_one_earn_nothing() -> None:
    first = take(START, 1, 100.0)
    assert (first.gamma_profit, first.theta_paid, first.years) == (0.0, 0.0, 0.0)
    assert take(first, 1, 110.0) is first
    assert take(first, 0.5, 110.0) is first


def test_who_is_short_of_gamma_pays_for_moves_and_receives_theta() -> None:
    account = take(take(START, 1, 100.0, gamma=-400.0, theta=800.0), 2, 98.0)
    assert (account.gamma_profit, account.theta_paid) == (-800.0, -800.0)


def test_a_move_at_break_even_earns_what_a_day_costs() -> None:
    assert break_even_move(400.0, -800.0) == 2.0
    assert break_even_move(-400.0, 800.0) == 2.0
    account = take(take(START, 1, 100.0), 2, 102.0)
    assert account.gamma_profit == account.theta_paid


@pytest.mark.parametrize(("gamma", "theta"), [(400.0, 10.0), (-1.0, -1.0), (0.0, -1.0)])
def test_there_is_none_where_gamma_and_theta_do_not_oppose(gamma: float, theta: float) -> None:
    assert break_even_move(gamma, theta) is None
    figures = scalping_figures(take(START, 1, 100.0, gamma=gamma, theta=theta))
    assert set(figures) == {"gamma_profit", "theta_paid", "scalping_net"}


def test_realized_and_implied_volatility_are_told_of_the_same_time() -> None:
    daily = 0.18 / sqrt(365)
    account, level = START, 100.0
    for day in range(1, 31):
        account = take(account, day, level, volatility=0.15)
        level *= exp(daily if day % 2 else -daily)
    figures = scalping_figures(account)
    assert figures["realized_volatility"] == pytest.approx(0.18)
    assert figures["implied_volatility"] == pytest.approx(0.15)
    assert figures["scalping_net"] == figures["gamma_profit"] - figures["theta_paid"]
