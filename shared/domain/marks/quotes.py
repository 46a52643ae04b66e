"""Which quotes are worth marking with, judged over whole columns (spec sections 5 and 9)."""

from enum import IntEnum

import numpy as np
from numba import njit
from numpy.typing import NDArray

from shared.domain.marks.policy import MarkPolicy


class QuoteQuality(IntEnum):
    """What a quote is worth; only `GOOD` marks. The first that applies, from `NONE` down."""

    NONE = 0
    """Never quoted."""
    CROSSED = 1
    """Its bid is above its ask."""
    ONE_SIDED = 2
    """No bid, a bid of 0, or no ask: a bound, not a price."""
    STALE = 3
    TOO_WIDE = 4
    GOOD = 5


def judge_quotes(  # noqa: PLR0913, PLR0917 - columns
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    quote_ns: NDArray[np.int64],
    tick_size: NDArray[np.float64],
    now_ns: int,
    policy: MarkPolicy,
) -> NDArray[np.uint8]:
    """Judge quotes as they stand at `now_ns`.

    Args:
        bid: Best bids, NaN where absent, shape `(n,)`.
        ask: Best asks, alike.
        quote_ns: When each was quoted; negative: never. Shape `(n,)`.
        tick_size: Smallest steps of the prices, shape `(n,)`.
        now_ns: The instant of the judgement.
        policy: The thresholds.

    Returns:
        A `QuoteQuality` each, shape `(n,)`.
    """
    quality = np.empty(len(bid), dtype=np.uint8)
    oldest_ns = now_ns - policy.stale_ns
    widths = (policy.max_spread, policy.max_spread_ticks)
    _judge(bid, ask, quote_ns, tick_size, oldest_ns, widths, quality)
    return quality


@njit(cache=True)
def _judge(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    quote_ns: NDArray[np.int64],
    tick_size: NDArray[np.float64],
    oldest_ns: int,
    widths: tuple[float, float],
    quality: NDArray[np.uint8],
) -> None:
    fraction, ticks = widths
    for i in range(len(bid)):
        allowed = max(fraction * (bid[i] + ask[i]) / 2, ticks * tick_size[i])
        if quote_ns[i] < 0:
            quality[i] = QuoteQuality.NONE
        elif bid[i] > ask[i]:
            quality[i] = QuoteQuality.CROSSED
        elif not (bid[i] > 0 and ask[i] > 0):  # NaN is not above 0
            quality[i] = QuoteQuality.ONE_SIDED
        elif quote_ns[i] < oldest_ns:
            quality[i] = QuoteQuality.STALE
        elif ask[i] - bid[i] > allowed * (1 + 1e-12):  # a width of exactly five ticks is good
            quality[i] = QuoteQuality.TOO_WIDE
        else:
            quality[i] = QuoteQuality.GOOD
