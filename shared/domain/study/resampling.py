"""How sure a figure is: intervals of statistics of daily rows, by block bootstrap.

Sessions are resampled in blocks, so that what hangs together in time stays together. Sources:

- circular blocks: D. Politis, J. Romano, "A circular block-resampling procedure for stationary
  data" (1992); stationary blocks, of geometric length: the same, "The stationary bootstrap",
  JASA 89 (1994).
- block length: D. Politis, H. White, "Automatic block-length selection for the dependent
  bootstrap", Econometric Reviews 23 (2004), as corrected by Patton, Politis, White (2009).
- intervals: B. Efron, "Better bootstrap confidence intervals", JASA 82 (1987): percentile, and
  bias-corrected and accelerated (BCa).

Random numbers are drawn in the order of the `arch` package, resample by resample: equal seeds
give equal resamples, however many are made at a time.
"""

from collections.abc import Callable, Iterator
from math import ceil, isfinite, log10, sqrt
from statistics import NormalDist
from typing import Final, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Rows = NDArray[np.float64]
Statistic = Callable[[Rows], NDArray[np.float64]]
"""From (resamples, sessions, columns) to (resamples,)."""

RUN: Final = 5
"""Autocorrelations in a row that must be insignificant: max(5, log₁₀ n) for n < 100,000."""

CHUNK_CELLS: Final = 1 << 19
"""Resampled cells held at a time: 4 MB, so that they stay in the processor's cache."""

NORMAL: Final = NormalDist()


class BootstrapPolicy(Struct, frozen=True, kw_only=True):
    """How to resample.

    Attributes:
        kind: Blocks of geometric length, or of one length, round the end to the start.
        block: Mean length in sessions, ≥ 1, cut to a third of them; `None`: by the rule of
            `automatic_block`.
        resamples: How many.
        seed: Of the random numbers.
        confidence: Of the interval, in (0, 1).
        interval: `percentile`, or bias-corrected and accelerated.
    """

    kind: Literal["stationary", "circular"] = "stationary"
    block: int | None = None
    resamples: int = 1000
    seed: int = 20_250_101
    confidence: float = 0.95
    interval: Literal["percentile", "bca"] = "bca"

    def __post_init__(self) -> None:
        if self.block is not None and self.block < 1:
            raise ValueError(f"a block has at least one session, not {self.block}")
        if self.resamples < 1:
            raise ValueError(f"at least one resample is needed, not {self.resamples}")
        if not 0 < self.confidence < 1:
            raise ValueError(f"a confidence lies between 0 and 1, not at {self.confidence}")


class Interval(Struct, frozen=True, kw_only=True):
    """A figure and how sure it is.

    Attributes:
        value: On the sessions as they were.
        low: Lower end.
        high: Upper end.
        confidence: Of the interval.
        deviation: Of the resampled figures: the standard error.
        block: Mean length of the blocks, in sessions.
        resamples: That had a figure …
        undefined: … and that had none (no crash among their sessions, say).
    """

    value: float
    low: float
    high: float
    confidence: float
    deviation: float
    block: int
    resamples: int
    undefined: int


def confidence_interval(rows: Rows, statistic: Statistic, policy: BootstrapPolicy) -> Interval:
    """Return a statistic of daily rows and its bootstrap interval.

    Args:
        rows: Sessions by columns, (n, k), oldest first.
        statistic: Of resampled rows, NaN where it is not defined.
        policy: How to resample.

    Raises:
        ValueError: Fewer than two sessions, or the statistic is not defined on them, or on none
            of the resamples.
    """
    if len(rows) < 2:  # noqa: PLR2004 - one session cannot be resampled
        raise ValueError("an interval needs at least two sessions")
    value = float(statistic(rows[None])[0])
    if not isfinite(value):
        raise ValueError("the statistic is not defined on these sessions")
    block = min(policy.block or automatic_block(rows, policy.kind), ceil(len(rows) / 3))
    figures = resampled(rows, statistic, policy, block)
    defined = figures[np.isfinite(figures)]
    tails = np.array([0.5 - policy.confidence / 2, 0.5 + policy.confidence / 2])
    if not len(defined):
        raise ValueError("the statistic is defined on none of the resamples")
    if policy.interval == "bca":
        tails = _bca_tails(tails, value, defined, jackknife(rows, statistic, block))
    low, high = np.quantile(defined, tails)
    return Interval(
        value=value,
        low=float(low),
        high=float(high),
        confidence=policy.confidence,
        deviation=float(np.std(defined)),
        block=block,
        resamples=len(defined),
        undefined=len(figures) - len(defined),
    )


def resampled(
    rows: Rows, statistic: Statistic, policy: BootstrapPolicy, block: int
) -> NDArray[np.float64]:
    """Return the statistic of every resample, (resamples,); arguments as above."""
    figures = np.empty(policy.resamples)
    at_a_time = max(1, CHUNK_CELLS // rows.size)
    done = 0
    for numbers in _chunks(len(rows), policy, block, at_a_time):
        figures[done : done + len(numbers)] = statistic(rows[numbers])
        done += len(numbers)
    return figures


def circular_numbers(starts: NDArray[np.int64], block: int, sessions: int) -> NDArray[np.int64]:
    """Return which sessions a circular resample takes, (…, sessions).

    Args:
        starts: First session of each block, (…, ⌈sessions / block⌉).
        block: Sessions a block.
        sessions: How many there are, and are taken.
    """
    numbers = (starts[..., None] + np.arange(block, dtype=np.int64)) % sessions
    flat: NDArray[np.int64] = numbers.reshape(*starts.shape[:-1], -1)
    return flat[..., :sessions]


def stationary_numbers(
    starts: NDArray[np.int64], uniforms: NDArray[np.float64], block: int
) -> NDArray[np.int64]:
    """Return which sessions a stationary resample takes, (…, sessions).

    Args:
        starts: Where a block that began here would begin, (…, sessions).
        uniforms: In [0, 1); a block begins where one is ≤ 1/`block`, (…, sessions).
        block: Mean sessions a block.
    """
    places = np.arange(starts.shape[-1])
    begins = uniforms <= 1.0 / block
    began = np.maximum.accumulate(np.where(begins, places, 0), axis=-1)
    taken = np.take_along_axis(starts, began, axis=-1) + places - began
    return np.asarray(taken % starts.shape[-1], dtype=np.int64)


def automatic_block(rows: Rows, kind: Literal["stationary", "circular"]) -> int:
    """Return the block length, in sessions, of the column that needs the longest.

    Politis and White's rule: b = (2Ĝ²/D̂)^(1/3) · n^(1/3), with Ĝ = Σ λ(k/M)·|k|·R̂(k) and D̂ =
    2·ĝ² (stationary) or 4/3·ĝ² (circular), ĝ = Σ λ(k/M)·R̂(k), a flat-top kernel λ, and M twice the
    lag after which autocorrelations stay under 2·√(log₁₀n / n). At most ⌈min(3√n, n/3)⌉.

    Args:
        rows: (n, k), n ≥ 2.
        kind: Of blocks.
    """
    longest = ceil(min(3.0 * sqrt(len(rows)), len(rows) / 3.0))
    lengths = [_automatic(column, kind) for column in rows.T if np.ptp(column)]
    return max(1, round(min(longest, max(lengths, default=1.0))))


def jackknife(rows: Rows, statistic: Statistic, block: int) -> NDArray[np.float64]:
    """Return the statistic with one block of `block` sessions left out at a time.

    One figure a block, (⌈n / block⌉,), less those on which it is not defined.
    """
    kept = []
    for start in range(0, len(rows), block):
        rest = np.concatenate([rows[:start], rows[start + block :]])
        kept.append(float(statistic(rest[None])[0]))
    return np.array([figure for figure in kept if isfinite(figure)])


def _chunks(
    sessions: int, policy: BootstrapPolicy, block: int, at_a_time: int
) -> Iterator[NDArray[np.int64]]:
    """Yield the sessions that resamples take, up to `at_a_time` rows at a time."""
    generator = np.random.default_rng(policy.seed)
    for start in range(0, policy.resamples, at_a_time):
        count = min(at_a_time, policy.resamples - start)
        if policy.kind == "circular":
            blocks = ceil(sessions / block)
            starts = np.array([generator.integers(0, sessions, blocks) for _ in range(count)])
            yield circular_numbers(starts, block, sessions)
        else:
            starts = np.empty((count, sessions), dtype=np.int64)
            uniforms = np.empty((count, sessions))
            for resample in range(count):
                starts[resample] = generator.integers(0, sessions, sessions)
                uniforms[resample] = generator.random(sessions)
            yield stationary_numbers(starts, uniforms, block)


def _bca_tails(
    tails: NDArray[np.float64],
    value: float,
    figures: NDArray[np.float64],
    left_out: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the tails, corrected for bias and for a deviation that changes with the figure.

    A bias that the resamples cannot show (all on one side) is taken as half a resample.
    """
    least = 0.5 / len(figures)
    bias = NORMAL.inv_cdf(float(np.clip(np.mean(figures < value), least, 1.0 - least)))
    apart = np.mean(left_out) - left_out
    spread = float(np.sum(apart**2)) ** 1.5
    acceleration = float(np.sum(apart**3)) / (6.0 * spread) if spread else 0.0
    shifted = [bias + NORMAL.inv_cdf(float(tail)) for tail in tails]
    return np.array([NORMAL.cdf(bias + z / (1.0 - acceleration * z)) for z in shifted])


def _automatic(column: NDArray[np.float64], kind: Literal["stationary", "circular"]) -> float:
    count = len(column)
    centred = column - np.mean(column)
    widest = min(ceil(sqrt(count)) + RUN, count - 1)
    covariance = np.array([centred[lag:] @ centred[: count - lag] for lag in range(widest + 1)])
    covariance /= count
    quiet = np.abs(covariance) < 2.0 * sqrt(log10(count) / count) * covariance[0]
    runs = (lag for lag in range(1, widest - RUN + 1) if quiet[lag : lag + RUN].all())
    width = min(2 * next(runs, widest), widest)
    lags = np.arange(1, width + 1)
    weighted = np.minimum(1.0, 2.0 * (1.0 - lags / width)) * covariance[1 : width + 1]
    slope, level = 2.0 * float(lags @ weighted), float(covariance[0] + 2.0 * np.sum(weighted))
    variance = (2.0 if kind == "stationary" else 4.0 / 3.0) * level**2
    return float((2.0 * slope**2 / variance * count) ** (1.0 / 3.0)) if variance else float("inf")
