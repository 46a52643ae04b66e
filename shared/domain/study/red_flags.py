"""What makes a good result suspicious (spec 8): named, with the figures that raised it."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from shared.domain.study.performance import Performance

HIGHEST_SHARPE: Final = 1.5
HIGHEST_WIN_RATE: Final = 0.8
MOST_INPUTS: Final = 3
LEFT_OUTSIDE: Final = 0.5
"""Out of sample at least this share of the in-sample Sharpe ratio must be left …"""
SMALLEST_GAP: Final = 0.1
"""… unless the two differ by less than this: ratios around 0 have no meaningful share."""


class RedFlag(Struct, frozen=True, kw_only=True):
    """One reason not to believe a result.

    Attributes:
        name: `sharpe`, `win_rate`, `one_crisis`, `out_of_sample` or `inputs`.
        figures: By name, what was held against what.
        sentence: For a reader.
    """

    name: str
    figures: dict[str, float]
    sentence: str


def red_flags(
    performance: Performance,
    *,
    inputs: int,
    in_sample_sharpe: float | None = None,
    out_of_sample_sharpe: float | None = None,
) -> tuple[RedFlag, ...]:
    """Return every reason not to believe a variant's result, in the specification's order.

    Args:
        performance: Of the variant.
        inputs: How many inputs its rules use.
        in_sample_sharpe: Of the sessions that it was chosen on; `None` without a split.
        out_of_sample_sharpe: Of the sessions that it was judged on; likewise.
    """
    return (
        *_too_good(performance),
        *_wins_too_often(performance),
        *_one_crisis(performance),
        *_worse_outside(in_sample_sharpe, out_of_sample_sharpe),
        *_too_many_inputs(inputs),
    )


def _too_good(performance: Performance) -> Iterator[RedFlag]:
    sharpe = performance.hedge.path.sharpe
    if sharpe is not None and sharpe > HIGHEST_SHARPE:
        yield RedFlag(
            name="sharpe",
            figures={"sharpe": sharpe, "highest": HIGHEST_SHARPE},
            sentence=f"A Sharpe ratio of {sharpe:.2f} is above {HIGHEST_SHARPE}: "
            "too good to be true, as a rule.",
        )


def _wins_too_often(performance: Performance) -> Iterator[RedFlag]:
    rates = {"sessions": performance.win_rate, "months": performance.monthly_win_rate}
    for period, rate in rates.items():
        if rate is not None and rate > HIGHEST_WIN_RATE:
            yield RedFlag(
                name="win_rate",
                figures={"win_rate": rate, "highest": HIGHEST_WIN_RATE},
                sentence=f"The hedge wins in {rate:.0%} of {period}, more than "
                f"{HIGHEST_WIN_RATE:.0%}: insurance does not, what sells it does.",
            )


def _one_crisis(performance: Performance) -> Iterator[RedFlag]:
    profit = performance.hedge.net_profit
    best = max(performance.crashes, key=lambda crash: crash.result.dynamic_gain, default=None)
    if best is None or profit <= 0 or profit > best.result.dynamic_gain:
        return
    gain = best.result.dynamic_gain
    yield RedFlag(
        name="one_crisis",
        figures={"net_profit": profit, "gain": gain, "without": profit - gain},
        sentence=f"All profit comes from one crisis, {best.name}: {gain:,.0f} of {profit:,.0f}; "
        f"without it the hedge made {profit - gain:,.0f}.",
    )


def _worse_outside(inside: float | None, outside: float | None) -> Iterator[RedFlag]:
    if inside is None or outside is None or inside - outside < SMALLEST_GAP:
        return
    if inside > 0 and outside < LEFT_OUTSIDE * inside:
        yield RedFlag(
            name="out_of_sample",
            figures={"in_sample": inside, "out_of_sample": outside},
            sentence=f"The Sharpe ratio is {inside:.2f} on the sessions that the rule was chosen "
            f"on and {outside:.2f} on the others: fitted to the past.",
        )


def _too_many_inputs(inputs: int) -> Iterator[RedFlag]:
    if inputs > MOST_INPUTS:
        yield RedFlag(
            name="inputs",
            figures={"inputs": float(inputs), "most": float(MOST_INPUTS)},
            sentence=f"The rule has {inputs} inputs, more than {MOST_INPUTS}: "
            "enough to fit any past.",
        )
