"""Which quotes are worth marking with."""

import numpy as np
import pytest

from shared.domain.instants import SECOND
from shared.domain.marks.policy import MarkPolicy
from shared.domain.marks.quotes import QuoteQuality, judge_quotes

NOW = 1_000 * SECOND
POLICY = MarkPolicy(stale_ns=10 * SECOND, max_spread=0.25, max_spread_ticks=5.0)
NAN = float("nan")


def judge(bid: float, ask: float, quote_ns: int = NOW, tick_size: float = 0.05) -> QuoteQuality:
    columns = (np.array([bid]), np.array([ask]), np.array([quote_ns]), np.array([tick_size]))
    return QuoteQuality(judge_quotes(*columns, NOW, POLICY)[0])


@pytest.mark.parametrize(
    ("bid", "ask", "quality"),
    [
        (NAN, NAN, QuoteQuality.ONE_SIDED),
        (NAN, 1.0, QuoteQuality.ONE_SIDED),
        (1.0, NAN, QuoteQuality.ONE_SIDED),
        (0.0, 0.05, QuoteQuality.ONE_SIDED),
        (1.05, 1.0, QuoteQuality.CROSSED),
        (10.0, 10.0, QuoteQuality.GOOD),
        (9.0, 11.0, QuoteQuality.GOOD),
        (8.7, 11.3, QuoteQuality.TOO_WIDE),
    ],
)
def test_a_quote_is_what_its_sides_say(bid: float, ask: float, quality: QuoteQuality) -> None:
    assert judge(bid, ask) is quality


def test_a_quote_of_a_few_ticks_is_good_however_cheap_the_option() -> None:
    assert judge(0.05, 0.30) is QuoteQuality.GOOD
    assert judge(0.05, 0.35) is QuoteQuality.TOO_WIDE


def test_a_quote_is_stale_the_nanosecond_after_its_limit() -> None:
    assert judge(9.9, 10.0, NOW - POLICY.stale_ns) is QuoteQuality.GOOD
    assert judge(9.9, 10.0, NOW - POLICY.stale_ns - 1) is QuoteQuality.STALE


def test_an_option_that_was_never_quoted_has_no_quality() -> None:
    assert judge(NAN, NAN, -1) is QuoteQuality.NONE


def test_every_row_is_judged_by_itself() -> None:
    quality = judge_quotes(
        np.array([1.0, 2.0, 0.0]),
        np.array([1.1, 1.9, 0.1]),
        np.full(3, NOW),
        np.full(3, 0.05),
        NOW,
        POLICY,
    )
    assert quality.tolist() == [QuoteQuality.GOOD, QuoteQuality.CROSSED, QuoteQuality.ONE_SIDED]
