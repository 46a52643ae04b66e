"""The Hawkes intensity, live and fitted."""

from itertools import product

import msgspec
import numpy as np
import pytest

from shared.domain.market.statistics.crash_intensity import (
    CrashIntensity,
    CrashIntensityState,
    fit,
    log_likelihood,
)
from shared.domain.policies import CrashIntensityPolicy

POLICY = CrashIntensityPolicy()


def simulated(mu: float, alpha: float, beta: float, days: float, seed: int = 1) -> list[float]:
    """Events of a Hawkes process by thinning (Ogata 1981)."""
    random, instants = np.random.default_rng(seed), list[float]()
    now, excitation = 0.0, 0.0
    while True:
        bound = mu + excitation
        gap = random.exponential(1 / bound)
        now, excitation = now + gap, excitation * np.exp(-beta * gap)
        if now > days:
            return instants
        if random.random() < (mu + excitation) / bound:
            instants.append(now)
            excitation += alpha


def test_the_long_run_mean_is_the_baseline_over_one_less_the_branching() -> None:
    crash = CrashIntensity(POLICY)
    assert crash.mean == pytest.approx(0.04)
    assert crash.observe(10.0, 1, None, 0.01) == pytest.approx(0.02 + 0.02 * np.exp(-1.0))


def test_the_intensity_is_the_sum_over_all_past_events_at_every_prefix() -> None:
    crash, random = CrashIntensity(POLICY), np.random.default_rng(3)
    now, events = 0.0, list[float]()
    for _ in range(300):
        gap, live = float(random.exponential(1.0)), float(random.normal(0, 0.012))
        now += gap
        result = crash.observe(gap, 1, live, 0.01)
        if live < -0.02:
            events.append(now)
        past = 0.05 * np.sum(np.exp(-0.1 * (now - np.array(events))))
        assert result == pytest.approx(0.02 + 0.02 * np.exp(-0.1 * now) + past)
    assert events


def test_a_session_has_one_event_at_its_first_print_beyond_the_threshold() -> None:
    crash = CrashIntensity(POLICY)
    calm = crash.observe(0.0, 1, -0.02, 0.01)  # exactly k sigmas is not beyond
    assert crash.observe(0.0, 0, -0.021, 0.01) == pytest.approx(calm + 0.05)
    assert crash.observe(0.0, 0, -0.05, 0.01) == pytest.approx(calm + 0.05)
    assert crash.observe(0.0, 1, -0.05, 0.01) == pytest.approx(calm + 0.10)


def test_without_a_return_or_a_volatility_there_is_no_event() -> None:
    crash = CrashIntensity(POLICY)
    assert crash.observe(9.0, 1, -0.5, None) == crash.mean  # nor does the mean decay
    assert crash.observe(0.0, 1, None, 0.01) == pytest.approx(crash.mean)


@pytest.mark.parametrize(
    "rates", [(0.0, 0.05, 0.1), (0.02, 0.1, 0.1), (0.02, 0.2, 0.1), (0.02, -0.01, 0.1)]
)
def test_rates_without_a_long_run_mean_are_refused(rates: tuple[float, float, float]) -> None:
    mu, alpha, beta = rates
    with pytest.raises(ValueError, match="alpha < beta"):
        CrashIntensity(
            CrashIntensityPolicy(baseline_per_day=mu, alpha_per_day=alpha, beta_per_day=beta)
        )


def test_a_restart_changes_nothing() -> None:
    going, resumed = CrashIntensity(POLICY), CrashIntensity(POLICY)
    for live in np.random.default_rng(4).normal(0, 0.015, 100):
        args = (0.3, int(live > 0), float(live), 0.01)
        assert resumed.observe(*args) == going.observe(*args)
        state = msgspec.msgpack.encode(resumed.snapshot())
        resumed = CrashIntensity(POLICY, msgspec.msgpack.decode(state, type=CrashIntensityState))


def test_the_likelihood_is_that_of_the_definition() -> None:
    events, days, mu, alpha, beta = [1.0, 1.5, 4.0], 10.0, 0.2, 0.3, 0.7
    grid = np.linspace(0, days, 2_000_001)
    past = [np.where(grid > at, alpha * np.exp(-beta * (grid - at)), 0.0) for at in events]
    compensator = np.trapezoid(mu + sum(past), grid)
    intensities = [
        mu + sum(alpha * np.exp(-beta * (at - before)) for before in events if before < at)
        for at in events
    ]
    expected = np.sum(np.log(intensities)) - compensator
    assert log_likelihood(events, days, mu, alpha, beta) == pytest.approx(expected, abs=1e-5)


def test_the_fit_is_more_likely_than_its_neighbours_and_near_the_truth() -> None:
    truth, days = (0.05, 0.3, 0.5), 20_000.0
    events = simulated(*truth, days)
    fitted = fit(events, days)
    rates = (fitted.baseline_per_day, fitted.alpha_per_day, fitted.beta_per_day)
    assert rates == pytest.approx(truth, rel=0.15)
    assert fitted.alpha_per_day < fitted.beta_per_day
    for factors in product((0.98, 1.0, 1.02), repeat=3):
        mu, alpha, beta = (rate * factor for rate, factor in zip(rates, factors, strict=True))
        assert log_likelihood(events, days, mu, alpha, beta) <= fitted.log_likelihood


def test_a_fit_that_ran_out_of_steps_is_still_better_than_where_it_began() -> None:
    events = simulated(0.05, 0.3, 0.5, 2_000.0)
    steps = [fit(events, 2_000.0, steps=n).log_likelihood for n in (1, 3, 10)]
    assert steps == sorted(steps)


@pytest.mark.parametrize("events", [[], [1.0], [2.0, 1.0], [1.0, 1.0], [-1.0, 2.0], [1.0, 11.0]])
def test_events_that_cannot_be_fitted_are_refused(events: list[float]) -> None:
    with pytest.raises(ValueError, match="two or more events"):
        fit(events, 10.0)
