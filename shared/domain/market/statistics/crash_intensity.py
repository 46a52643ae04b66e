"""Self-exciting (Hawkes) intensity of crashes, exponential kernel (spec 1, `crash_intensity`).

Live: λ ← μ + (λ − μ)·e^(−β·Δt), plus α at each event; O(1). Its long-run mean is
λ̄ = μ / (1 − α/β). Offline: `fit` finds μ, α, β by maximum likelihood. Rates are per trading day.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from shared.domain.policies import CrashIntensityPolicy


class CrashIntensityState(Struct, frozen=True, kw_only=True):
    """The intensity after the last print, per day; whether its session has had its event."""

    intensity: float
    counted: bool = False


class CrashIntensity:
    """Starts at its long-run mean, so that it says nothing before it knows something.

    Attributes:
        mean: λ̄, per day.

    Raises:
        ValueError: Rates that are not positive, or α ≥ β: each crash would cause another for ever.
    """

    def __init__(
        self, policy: CrashIntensityPolicy, state: CrashIntensityState | None = None
    ) -> None:
        mu, alpha, beta = policy.baseline_per_day, policy.alpha_per_day, policy.beta_per_day
        if not (mu > 0 and 0 <= alpha < beta):
            raise ValueError("crash intensity needs a positive baseline and 0 <= alpha < beta")
        self._policy = policy
        self.mean = mu / (1 - alpha / beta)
        self._state = state or CrashIntensityState(intensity=self.mean)

    def observe(
        self, days: float, sessions: int, live_return: float | None, daily_sigma: float | None
    ) -> float:
        """Take a print `days` after the last one; a session has at most one event.

        Args:
            days: Trading days since the last print, with their fraction.
            sessions: Sessions opened since the last print.
            live_return: Log return from the previous close to this print, if that is known.
            daily_sigma: Standard deviation of a day's return before today, if that is known.

        Returns:
            λ, per day.
        """
        if daily_sigma is None:  # no crash could be told from a calm day: it knows nothing yet
            return self._state.intensity
        mu = self._policy.baseline_per_day
        decayed = math.exp(-self._policy.beta_per_day * days)
        intensity = mu + (self._state.intensity - mu) * decayed
        counted = self._state.counted and not sessions
        if live_return is not None and not counted:
            counted = live_return < -self._policy.threshold_sigmas * daily_sigma
            intensity += self._policy.alpha_per_day * counted
        self._state = CrashIntensityState(intensity=intensity, counted=counted)
        return intensity

    def snapshot(self) -> CrashIntensityState:
        """State for the constructor."""
        return self._state


class HawkesFit(Struct, frozen=True, kw_only=True):
    """Rates per day that make the observed events most likely, and how likely (natural log)."""

    baseline_per_day: float
    alpha_per_day: float
    beta_per_day: float
    log_likelihood: float


def log_likelihood(
    event_days: Sequence[float], days: float, mu: float, alpha: float, beta: float
) -> float:
    """Natural log of the likelihood of events in [0, days] (Ozaki 1979).

    Args:
        event_days: Instants in trading days, increasing, shape `(n,)`.
        days: Length of the observation.
        mu: Baseline per day.
        alpha: Jump at an event, per day.
        beta: Decay per day.
    """
    total, excitation, before = -mu * days, 0.0, 0.0
    for index, instant in enumerate(event_days):
        excitation = (excitation + (index > 0)) * math.exp(-beta * (instant - before))
        total += math.log(mu + alpha * excitation)
        total -= alpha / beta * (1 - math.exp(-beta * (days - instant)))
        before = instant
    return total


def fit(event_days: Sequence[float], days: float, *, steps: int = 2_000) -> HawkesFit:
    """Fit by expectation-maximisation over who caused whom (Veen and Schoenberg 2008).

    Each step asks of every event how likely the baseline or an earlier event caused it, in one
    pass, and then takes the rates that suit those answers; the likelihood never falls. Stops
    when a step changes no rate by more than 1e-9 of itself.

    Args:
        event_days: Instants in trading days in [0, days], increasing, shape `(n,)`.
        days: Length of the observation.
        steps: At most that many.

    Raises:
        ValueError: Fewer than two events, or instants out of order or range.
    """
    ordered = all(a < b for a, b in pairwise(event_days))
    if len(event_days) < 2 or not ordered or not 0 <= event_days[0] <= event_days[-1] <= days:  # noqa: PLR2004 - no spacing
        raise ValueError("a fit needs two or more events, in order and within the observation")
    rate = len(event_days) / days
    rates = (rate / 2, rate, 2 * rate)
    for _ in range(steps):
        before, rates = rates, _improved(event_days, days, *rates)
        if all(abs(new - old) <= 1e-9 * old for new, old in zip(rates, before, strict=True)):
            break
    mu, alpha, beta = rates
    likelihood = log_likelihood(event_days, days, mu, alpha, beta)
    return HawkesFit(
        baseline_per_day=mu, alpha_per_day=alpha, beta_per_day=beta, log_likelihood=likelihood
    )


STABLE = 0.999
"""Largest share of crashes that may be caused by crashes: keeps α < β."""


def _improved(
    event_days: Sequence[float], days: float, mu: float, alpha: float, beta: float
) -> tuple[float, float, float]:
    """One step of `fit`."""
    excitation = lag = before = 0.0  # Σ e^(−β·Δ) over earlier events, and Σ Δ·e^(−β·Δ)
    baseline = caused = caused_lag = reach = reach_lag = 0.0
    for index, instant in enumerate(event_days):
        gap, left = instant - before, days - instant
        decay = math.exp(-beta * gap)
        excitation += index > 0
        lag = (lag + gap * excitation) * decay
        excitation *= decay
        intensity = mu + alpha * excitation
        baseline += mu / intensity
        caused += alpha * excitation / intensity
        caused_lag += alpha * lag / intensity
        reach += 1 - math.exp(-beta * left)
        reach_lag += left * math.exp(-beta * left)
        before = instant
    branching = min(caused / reach, STABLE)
    beta = caused / (caused_lag + branching * reach_lag)
    return baseline / days, branching * beta, beta
