"""The published programmes of spec section 10 as rules, and what they remember.

Practice disagrees about direction: the rules of section 2 buy more protection as VIX rises, these
buy less of it when it is dear, or sell it into a spike. They are rules like any other: a
multiplier, then the sizing chain, triggers and orders. *Shares* are of the portfolio's value
(NAV), the hedge apart, as decimals; multiplier 1 stands for the share that `sizing.nav_share`
names. What a rule remembers is bounded: a stage (`conditions.References`) and a year of premiums.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from shared.domain.instants import DAY

BUDGET_DAYS: Final = 365

VEQTOR_WEIGHTS: Final = (0.025, 0.10, 0.15, 0.25, 0.40)
VEQTOR_VOLATILITIES: Final = (0.10, 0.20, 0.35, 0.45)


def vxth(  # noqa: PLR0913, PLR0917 - three thresholds and two levels are what the rule is
    front: float,
    none_below: float,
    less_above: float,
    none_above: float,
    middle: float,
    high: float,
) -> float:
    """Return the hump of Cboe's VIX Tail Hedge index: multiples of 1% of NAV in premium.

    By the 1-month VIX forward: below 15 none, to 30 all (1%), to 50 half (0.5%), above none: too
    quiet to need it, then too dear to buy it. 15 itself buys; 30 and 50 belong to the lower side.

    Args:
        front: Level of the 1-month future, vol points.
        none_below: 15 …
        less_above: … 30 …
        none_above: … and 50 of the published rule.
        middle: Multiplier between the first two …
        high: … and between the last two.
    """
    if front < none_below or front > none_above:
        return 0.0
    return high if front > less_above else middle


def veqtor_like(
    rv: float, trend: float, five_day_return: float, normal: float, stop: float
) -> float:
    """Return a weight by realized volatility, a step up or down by the trend of VIX, over `normal`.

    Weights 2.5/10/15/25/40% up to a realized volatility of 10/20/35/45% and above; a volatility
    on the border belongs to the lower weight. After a five-day fall of `stop` or more: cash. A
    *reconstruction* from the published facts, never the official index: its cells are not public
    here, it stops on its own return where this rule reads the market's, and its cash sells the
    equity too, which no hedge book holds.

    Args:
        rv: Realized volatility, decimal.
        trend: 1 up, −1 down, 0 neither.
        five_day_return: Of the index, decimal.
        normal: The weight that multiplier 1 stands for.
        stop: Decimal, ≥ 0.
    """
    if five_day_return <= -stop:
        return 0.0
    cell = bisect_left(VEQTOR_VOLATILITIES, rv) + round(trend)
    return VEQTOR_WEIGHTS[min(max(cell, 0), len(VEQTOR_WEIGHTS) - 1)] / normal


def tail_budget(  # noqa: PLR0913, PLR0917 - three inputs and the programme's five numbers
    vix: float,
    sleeve: float,
    spent: float,
    gate: float,
    annual: float,
    stake: float,
    harvest_above: float,
    harvest_to: float,
) -> float:
    """Return the sleeve to hold, as a multiple of `stake`.

    Harvest first: a sleeve above its line is sold down. Below the VIX gate it is topped up to the
    stake, as far as the rolling budget goes. Else what is held is held.

    Args:
        vix: Vol points.
        sleeve: What the options held are worth, share of NAV.
        spent: Premium of the last 365 days, share of NAV.
        gate: No entry at this VIX or above it.
        annual: Budget of 365 days, share of NAV.
        stake: Share of NAV that multiplier 1 stands for.
        harvest_above: Line of the sleeve …
        harvest_to: … and what is left of it, shares of NAV.
    """
    if sleeve > harvest_above:
        return harvest_to / stake
    if vix >= gate:
        return sleeve / stake
    room = max(0.0, annual - spent)
    return max(sleeve, min(stake, sleeve + room)) / stake


def stage_reached(level: float, stage: float, levels: Sequence[float], hysteresis: float) -> int:
    """Return how many of `levels` (rising) were passed in this spell; a level itself is not passed.

    A spell ends, and all levels are armed again, once `level` is below the first of them by the
    hysteresis, a fraction of it. Until then no stage is taken back: each sells once a spell.

    Args:
        level: Now.
        stage: At the last decision.
        levels: As many as there are stages.
        hysteresis: 0..1.
    """
    if level < levels[0] * (1 - hysteresis):
        return 0
    return max(round(stage), bisect_left(levels, level))


def monetise_stage(  # noqa: PLR0913, PLR0917 - the rule's own numbers
    level: float,
    stage: float,
    first: float,
    second: float,
    third: float,
    sell: float,  # noqa: ARG001 - of the rule, not of the stage
    hysteresis: float,
) -> int:
    """Return the stage by level of VIX, 0..3."""
    return stage_reached(level, stage, (first, second, third), hysteresis)


def sleeve_stage(  # noqa: PLR0913, PLR0917 - the rule's own numbers
    sleeve: float,
    stage: float,
    first: float,
    second: float,
    third: float,
    sell: float,
    hysteresis: float,
) -> int:
    """Return the stage by the size that the sleeve would have had nothing been sold, 0..3.

    The sleeve as it is would end the spell by the sale itself.
    """
    unsold = sleeve / (1 - sell * stage)
    return stage_reached(unsold, stage, (first, second, third), hysteresis)


def monetise(level: float, stage: float, **numbers: float) -> float:
    """Return what staged monetisation leaves: a part `sell` less for each stage reached."""
    return 1 - numbers["sell"] * monetise_stage(level, stage, **numbers)


def monetise_sleeve(sleeve: float, stage: float, **numbers: float) -> float:
    """Return the same, by the size of the sleeve."""
    return 1 - numbers["sell"] * sleeve_stage(sleeve, stage, **numbers)


def check_order(kind: str, names: Sequence[str], values: Sequence[float]) -> None:
    """Refuse numbers of a rule that do not rise.

    Raises:
        ValueError: Naming the first pair.
    """
    for (low, one), (high, other) in zip(
        zip(names, values, strict=True), zip(names[1:], values[1:], strict=True), strict=False
    ):
        if one >= other:
            raise ValueError(f"rule {kind} needs {low} below {high}")


class PremiumState(Struct, frozen=True, kw_only=True):
    """Premium paid less premium received, currency, by session, oldest first.

    Attributes:
        sessions: Number of the session …
        last_ns: … the instant of its last execution …
        net: … and what was paid.
        rolled: The session of the last roll, which counts until the next; −1 without any.
        unsettled: Of that roll, what no decision has approved yet.
    """

    sessions: tuple[int, ...] = ()
    last_ns: tuple[int, ...] = ()
    net: tuple[float, ...] = ()
    rolled: int = -1
    unsettled: float = 0.0


class PremiumLedger:
    """What options cost in the last 365 days, session by session.

    What was sold in the same session counts against what was bought: a roll costs the difference.
    A session that received more than it paid counts 0: a harvest refills no budget. Where a leg's
    symbol goes over to its next contract by itself, as in a study, all until the next such roll is
    one: what the book thereupon sells of it was never wanted.
    """

    def __init__(self, state: PremiumState) -> None:
        self._entries = list(zip(state.sessions, state.last_ns, state.net, strict=True))
        self._rolled = state.rolled
        self._unsettled = state.unsettled

    def pay(self, session: int, now: int, amount: float) -> None:
        """Book an execution: `amount` in currency, negative when sold; forget what is too old."""
        session = session if self._rolled < 0 else self._rolled
        if self._entries and self._entries[-1][0] == session:
            amount += self._entries.pop()[2]
        self._entries = [entry for entry in self._entries if _counts(entry[1], now)]
        self._entries.append((session, now, amount))

    def roll(self, session: int, now: int, amount: float) -> None:
        """Book the difference of two contracts, and begin what counts as one."""
        self._rolled, self._unsettled = session, amount
        self.pay(session, now, amount)

    def settle(self) -> None:
        """Let a decision stand: what it leaves of a roll is bought by it."""
        self._unsettled = 0.0

    def spent(self, now: int) -> float:
        """Return the premium of the 365 days up to `now`, currency, ≥ 0.

        Without what a roll has bought while no decision has been made on it.
        """
        counted = [net for _, at, net in self._entries if _counts(at, now)]
        if counted:
            counted[-1] -= self._unsettled
        return sum(max(0.0, net) for net in counted)

    def snapshot(self) -> PremiumState:
        """State for the constructor."""
        sessions, last_ns, net = zip(*self._entries, strict=True) if self._entries else ((), (), ())
        return PremiumState(
            sessions=sessions,
            last_ns=last_ns,
            net=net,
            rolled=self._rolled,
            unsettled=self._unsettled,
        )


def _counts(at: int, now: int) -> bool:
    return at > now - BUDGET_DAYS * DAY
