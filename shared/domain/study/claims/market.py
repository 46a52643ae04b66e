"""What the papers say of the market: how often VIX is where, and how it moves from day to day."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from shared.domain.hedging.rules import PRESETS, RuleSet
from shared.domain.market.statistics.transitions import TransitionCounter
from shared.domain.policies import RulePolicy
from shared.domain.study.claims.claim import Claim, Judged, computed, measured, untold
from shared.domain.study.intervals import ratio_of_sums
from shared.domain.study.paths import calendar_day
from shared.domain.study.resampling import BootstrapPolicy, Rows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Days = NDArray[np.datetime64]

HEDGES: Final = "Dynamic Vol Hedges"
SLACK: Final = timedelta(days=7)
"""A history that begins so long after a period still covers it: it may begin with holidays."""
LOW_BELOW: Final = 15.0
HIGH_ABOVE: Final = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Closes:
    """Closes of the market, one row a session of the exchange, oldest first; NaN where unknown.

    Attributes:
        day: The sessions, `datetime64[D]`, (n,).
        vix: VIX, vol points, (n,).
        index: The index, (n,).
    """

    day: Days
    vix: Floats
    index: Floats

    def between(self, first: date, last: date) -> "Closes":
        """Return the sessions from one day to another, both included."""
        inside = (self.day >= np.datetime64(first)) & (self.day <= np.datetime64(last))
        return Closes(day=self.day[inside], vix=self.vix[inside], index=self.index[inside])


def covers(day: Days, first: date, last: date) -> bool:
    """Whether sessions, in order, reach from one day to another."""
    if not len(day):
        return False
    begin, end = calendar_day(day[0]), calendar_day(day[-1])
    return begin <= first + SLACK and end >= last - SLACK


class ChainPolicy(Struct, frozen=True, kw_only=True):
    """What the live monitor calls a state, and how fast it forgets.

    Attributes:
        stress_above: VIX above this is stress, vol points.
        half_life_sessions: Of the live counter.
    """

    stress_above: float = HIGH_ABOVE
    half_life_sessions: float = 756.0


def market_claims(closes: Closes, policy: BootstrapPolicy, chain: ChainPolicy) -> list[Judged]:
    """Hold everything that is said of the market against its closes.

    Args:
        closes: Of the whole history.
        policy: How to resample.
        chain: Of the live monitor.
    """
    judged = [
        *_shares(closes, policy),
        *_persistence(closes, policy),
        *_transitions(closes, policy, chain),
        *_rule_shares(closes, policy),
    ]
    return [over(each, closes) for each in judged]


def over(judged: Judged, closes: Closes) -> Judged:
    """Say which sessions a claim was measured on."""
    known = closes.day[~np.isnan(closes.vix)]
    if not len(known):
        return judged
    first, last = calendar_day(known[0]), calendar_day(known[-1])
    return structs.replace(judged, sessions=len(known), first=first, last=last)


def mean_of_rows(rows: Rows) -> Floats:
    """Return the mean of column 0, (…,)."""
    return np.asarray(np.mean(rows[..., 0], axis=-1), dtype=np.float64)


def correlation_of_rows(rows: Rows) -> Floats:
    """Return Pearson's correlation of columns 0 and 1, (…,); NaN where one does not move."""
    centred = rows - np.mean(rows, axis=-2, keepdims=True)
    above = np.einsum("...n,...n->...", centred[..., 0], centred[..., 1])
    squares = np.einsum("...nk,...nk->...k", centred, centred)
    below = np.sqrt(squares[..., 0] * squares[..., 1])
    ratios = np.full(below.shape, np.nan)
    np.divide(above, below, out=ratios, where=below > 0)
    return ratios


def pairs(values: Floats) -> Floats:
    """Return each value beside the next session's, (m, 2); a missing session makes none."""
    known = ~np.isnan(values[:-1]) & ~np.isnan(values[1:])
    return np.column_stack([values[:-1], values[1:]])[known]


# --- where VIX is --------------------------------------------------------------------------------


def _shares(closes: Closes, policy: BootstrapPolicy) -> list[Judged]:
    vix = closes.vix[~np.isnan(closes.vix)]
    section = f"{HEDGES}, Strategies 3"
    ours = "specification, section 12"
    low, high = vix < LOW_BELOW, vix > HIGH_ABOVE
    return [
        _share("vix_below_15", section, "VIX is below 15 on 80% of days", 0.80, low, policy),
        _share("vix_15_to_25", section, "VIX is 15-25 on 15% of days", 0.15, ~(low | high), policy),
        _share("vix_above_25", section, "VIX is above 25 on 5% of days", 0.05, high, policy),
        _share("fact_below_15", ours, "1990-2025: below 15 on 32% of days", 0.32, low, policy),
        _share("fact_15_to_25", ours, "1990-2025: 15-25 on 50%", 0.50, ~(low | high), policy),
        _share("fact_above_25", ours, "1990-2025: above 25 on 17%", 0.17, high, policy),
    ]


def _share(  # noqa: PLR0913, PLR0917 - what a row is
    key: str, where: str, text: str, claimed: float, inside: Flags, policy: BootstrapPolicy
) -> Judged:
    claim = _claim(key, where, text, claimed)
    rows = inside.astype(np.float64)[:, None]
    days = f"{int(np.sum(inside)):,} of {len(inside):,} closes"
    if len(inside) and np.ptp(rows) == 0:
        return computed(claim, float(rows[0, 0]), f"{days}.")
    return measured(claim, rows, mean_of_rows, policy, f"{days}.")


def _rule_shares(closes: Closes, policy: BootstrapPolicy) -> list[Judged]:
    vix = closes.vix[~np.isnan(closes.vix)]
    multiples = rule_multiples(PRESETS["linear"], vix)
    cost, live = f"{HEDGES}, Why 3", "Where the live rule `linear` says so: "
    none, extra = multiples == 0, multiples > 1
    shares = (
        _share("not_hedged", cost, "not hedged during calm 60% of time", 0.6, none, policy),
        _share("extra_hedged", cost, "extra hedged during stress 10% of time", 0.1, extra, policy),
    )
    low, high = vix < LOW_BELOW, vix > HIGH_ABOVE
    return [
        *(structs.replace(each, sentence=live + each.sentence) for each in shares),
        _hedge_in("low", (0.2, 0.3), multiples[low], policy),
        _hedge_in("medium", (0.5, 0.7), multiples[~(low | high)], policy),
        _hedge_in("high", (1.0, 1.5), multiples[high], policy),
    ]


def _hedge_in(
    regime: str, claimed: tuple[float, float], multiples: Floats, policy: BootstrapPolicy
) -> Judged:
    low, high = claimed
    claim = Claim(
        key=f"linear_{regime}",
        where=f"{HEDGES}, Why 4",
        text=f"{regime} volatility: hedge {low:.0%}-{high:.0%} of full",
        low=low,
        high=high,
        unit="share",
    )
    sentence = f"Mean multiple of the live rule `linear` at {len(multiples):,} closes so high."
    return measured(claim, multiples[:, None], mean_of_rows, policy, sentence)


def rule_multiples(rule: RulePolicy, vix: Floats) -> Floats:
    """Return what a rule that reads VIX alone makes of each level, (n,)."""
    rules = RuleSet((rule,), "product", "claims")
    return np.array([_evaluated(rules, level) for level in vix.tolist()], dtype=np.float64)


def _evaluated(rules: RuleSet, level: float) -> float | None:
    return rules.evaluate(lambda _: level)


# --- how VIX moves -------------------------------------------------------------------------------


def _persistence(closes: Closes, policy: BootstrapPolicy) -> list[Judged]:
    section = f"{HEDGES}, Why 2"
    level = _claim("vix_autocorrelation", section, "vol today predicts vol tomorrow, ~0.7", 0.7)
    level = structs.replace(level, unit="ratio")
    moves = np.abs(np.diff(np.log(closes.index)))
    moved = structs.replace(level, key="move_autocorrelation", text="the same, of daily moves")
    return [
        measured(
            level,
            pairs(closes.vix),
            correlation_of_rows,
            policy,
            "Correlation of VIX's close with the next session's.",
        ),
        measured(
            moved,
            pairs(moves),
            correlation_of_rows,
            policy,
            "Correlation of the index's absolute daily log return with the next session's.",
        ),
    ]


def _transitions(closes: Closes, policy: BootstrapPolicy, chain: ChainPolicy) -> list[Judged]:
    section, above = f"{HEDGES}, Framework 6", chain.stress_above
    counter = _live_counter(closes, chain)
    both = pairs(closes.vix)
    stressed = both > above
    calm_rows = np.column_stack([~stressed[:, 0] & stressed[:, 1], ~stressed[:, 0]])
    high_rows = np.column_stack([stressed[:, 0] & ~stressed[:, 1], stressed[:, 0]])
    found = []
    for key, text, claimed, rows, exits in (
        ("p_low_high", "p_LH: from calm to stress", 0.05, calm_rows, counter.low),
        ("p_high_low", "p_HL: from stress to calm", 0.15, high_rows, counter.high),
    ):
        live = exits.probability
        told = "unknown" if live is None else f"{live:.4f}"
        left, stayed = np.sum(rows, axis=0)
        sentence = (
            f"{left:,} of {stayed:,} next sessions; stress is VIX above {above:g}. "
            f"The live counter, which forgets, ends at {told}."
        )
        claim = _claim(key, section, text, claimed)
        judged = measured(claim, rows.astype(np.float64), ratio_of_sums, policy, sentence)
        found.append(judged)
    return [*found, *_spells(closes, policy)]


def _live_counter(closes: Closes, chain: ChainPolicy) -> TransitionCounter:
    counter = TransitionCounter(chain.half_life_sessions)
    passed = 0
    for level in closes.vix.tolist():
        passed += 1
        if level == level:  # noqa: PLR0124 - NaN: no close, the session passes all the same
            counter.observe(stressed=level > chain.stress_above, sessions=passed)
            passed = 0
    return counter


def _spells(closes: Closes, policy: BootstrapPolicy) -> list[Judged]:
    where = "specification, section 12"
    both = pairs(closes.vix)
    jumps = int(np.sum((both[:, 0] < LOW_BELOW) & (both[:, 1] > HIGH_ABOVE)))
    never = Claim(
        key="no_jump_low_to_high",
        where=where,
        text="never a close below 15 and above 25 the next day",
        low=0,
        high=0,
        unit="count",
    )
    lengths = spell_lengths(closes.vix)
    short = _claim("one_day_spells", where, "239 of 749 regime spells lasted one day", 239 / 749)
    sentence = f"{int(np.sum(lengths == 1)):,} of {len(lengths):,} spells of <15, 15-25, >25."
    rows = (lengths == 1).astype(np.float64)[:, None]
    counted = f"{len(both):,} pairs of closes."
    return [
        computed(never, jumps, counted) if len(both) else untold(never, "no pair of closes"),
        measured(short, rows, mean_of_rows, policy, sentence),
    ]


def spell_lengths(vix: Floats) -> NDArray[np.int64]:
    """Return how many closes each regime lasted, first and last one included."""
    known = vix[~np.isnan(vix)]
    if not len(known):
        return np.zeros(0, dtype=np.int64)
    regime = (known >= LOW_BELOW).astype(np.int64) + (known > HIGH_ABOVE)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(regime)) + 1, [len(known)]])
    return np.diff(starts)


def _claim(key: str, where: str, text: str, claimed: float) -> Claim:
    return Claim(key=key, where=where, text=text, low=claimed, high=claimed, unit="share")
