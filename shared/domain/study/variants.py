"""Benchmarks and published programmes as variants of a book, for one table beside its own rule.

A variant is a policy like any other and goes through the same sizing chain, triggers, controls and
orders. Nothing here is live configuration: published rules know no limit price, and what holds full
notional is let through the book's limits, which were written for another hedge.
"""

from collections.abc import Sequence
from math import inf
from typing import Final, Literal, assert_never

from msgspec import UNSET, structs

from shared.domain.hedging.rules import PRESETS, parameters_of
from shared.domain.hedging.targets import check_programme
from shared.domain.policies import (
    BookPolicy,
    LegPolicy,
    LimitPolicy,
    NavSharePolicy,
    RulePolicy,
    SizingPolicy,
    TriggerPolicy,
)

VariantName = Literal["static", "none", "pput_like", "vxth", "veqtor_like", "tail_budget"]

MONTHLY_DAYS: Final = 36.0
"""From one expiry of monthly options to the next lie 28 or 35 days: the roll comes first, and where
nothing is rolled the schedule does not come long after."""

DAILY_DAYS: Final = 0.5
VXTH_SHARE: Final = 0.01
LEAST_PREMIUM: Final = 0.2
"""Points. A history begins in the middle of a month: the first contract to buy is the next."""
_COLLAR: Final = 0.99
"""An option's price may double or halve from one session to the next."""
_UNBOUND: Final = 1e12
"""Finite, as a cap must be."""


def variant_book(
    book: BookPolicy,
    name: VariantName,
    *,
    legs: Sequence[LegPolicy] = (),
    index_symbol: str = "SPX",
) -> BookPolicy:
    """Return `book` with another hedge.

    * `static`: multiplier 1 from the first day on, whatever it costs; no budget, no scaling.
    * `none`: holds nothing.
    * `pput_like`: after Cboe's PPUT: puts, 5% out of the money, on the full notional, re-struck
      monthly. The strikes are those of `legs`.
    * `vxth`: 1% of NAV in one-month calls on VIX by the hump of the rule, at each roll.
    * `veqtor_like`: a share of NAV in VIX futures by volatility and trend, reviewed daily.
    * `tail_budget`: options within a rolling budget of premium, harvested when they are dear.

    Args:
        book: Whose portfolio, costs and order handling stay.
        name: Of the variant.
        legs: Instead of the book's own: one leg, or the rungs of one ladder.
        index_symbol: Whose level the full notional is counted at.

    Raises:
        ValueError: The legs are not what the variant trades.
    """
    kept = structs.replace(book, legs=tuple(legs) or book.legs, composition="product")
    changed = _changed(kept, name, index_symbol)
    check_programme(changed)
    return changed


def _changed(book: BookPolicy, name: VariantName, index_symbol: str) -> BookPolicy:
    match name:
        case "static" | "none":
            return _constant(book, 1.0 if name == "static" else 0.0)
        case "pput_like":
            if {leg.instrument for leg in book.legs} != {"put"}:
                raise ValueError("pput_like holds puts")
            whole = NavSharePolicy(share=1.0, symbol=index_symbol)
            return _of_nav(book, _always(1.0), whole, MONTHLY_DAYS)
        case "vxth":
            return _of_nav(book, PRESETS[name], _premium(VXTH_SHARE), MONTHLY_DAYS)
        case "veqtor_like":
            normal = parameters_of(PRESETS[name])["normal"]
            return _of_nav(book, PRESETS[name], NavSharePolicy(share=normal), DAILY_DAYS)
        case "tail_budget":
            stake = parameters_of(PRESETS[name])["stake"]
            return _of_nav(book, PRESETS[name], _premium(stake), MONTHLY_DAYS)
        case _:
            assert_never(name)


def _premium(share: float) -> NavSharePolicy:
    return NavSharePolicy(share=share, least_level=LEAST_PREMIUM)


def _constant(book: BookPolicy, multiplier: float) -> BookPolicy:
    sizing = structs.replace(
        book.sizing,
        equity_share=1.0,
        scale_by_hedge_correlation=False,
        budget=None,
        floor=0.0,
        cap=max(book.sizing.cap, 1.0),
        split_by_term_structure=False,
        nav_share=UNSET,
    )
    triggers = _on_schedule(book.triggers, MONTHLY_DAYS)
    return structs.replace(book, rules=(_always(multiplier),), sizing=sizing, triggers=triggers)


def _of_nav(book: BookPolicy, rule: RulePolicy, share: NavSharePolicy, days: float) -> BookPolicy:
    sizing = SizingPolicy(
        base_vega=book.sizing.base_vega,
        floor=0.0,
        cap=_UNBOUND,
        min_trade_vega=book.sizing.min_trade_vega,
        nav_share=share,
    )
    legs = tuple(structs.replace(leg, max_vega=_UNBOUND) for leg in book.legs)
    return structs.replace(
        book,
        rules=(rule,),
        sizing=sizing,
        legs=legs,
        triggers=_on_schedule(book.triggers, days),
        order=structs.replace(book.order, collar=_COLLAR),
        limits=_unbound(book.limits),
    )


def _on_schedule(triggers: TriggerPolicy, days: float) -> TriggerPolicy:
    """Review on schedule alone: a programme's rule is not asked in between."""
    return structs.replace(
        triggers,
        vix_points=inf,
        vix_relative=inf,
        drawdown=inf,
        regime_change=False,
        greek_bands=(),
        schedule_days=days,
        fast=None,
    )


def _unbound(limits: LimitPolicy) -> LimitPolicy:
    """No limit of size, turnover, loss or price."""
    return structs.replace(
        limits,
        max_order_vega=_UNBOUND,
        max_order_notional=_UNBOUND,
        max_position_vega=_UNBOUND,
        max_daily_turnover=_UNBOUND,
        max_daily_loss=_UNBOUND,
        max_price_deviation=_UNBOUND,
    )


def _always(multiplier: float) -> RulePolicy:
    """A constant, as `conditional` with equal levels: known as soon as VIX is."""
    levels = dict.fromkeys(("low", "middle", "high"), multiplier)
    return RulePolicy(kind="conditional", parameters=levels)
