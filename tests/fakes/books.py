"""A plain book: two legs, and limits that limit nothing."""

from typing import Final

from shared.domain.policies import BookPolicy, LegPolicy, LimitPolicy, RulePolicy, SizingPolicy

SWAP: Final = LegPolicy(
    name="swap", instrument="variance_swap", symbol="VIX", maturity_days=30, max_vega=1e6
)
FUTURE: Final = LegPolicy(
    name="future",
    instrument="vix_future",
    symbol="VX1",
    maturity_days=30,
    max_vega=1e6,
    multiplier=1000.0,
    weight=3.0,
)
LOOSE: Final = LimitPolicy(
    max_order_vega=1e6,
    max_order_notional=1e9,
    max_position_vega=1e6,
    max_orders_per_day=99,
    max_orders_per_minute=100,
    max_daily_turnover=1e9,
    max_daily_loss=1e9,
    max_price_deviation=0.5,
    max_repeats=100,
    repeat_ns=600_000_000_000,
    duplicate_ns=1,
)


def make_book(*legs: LegPolicy, base_vega: float = 1000.0) -> BookPolicy:
    return BookPolicy(
        name="overlay",
        rules=(RulePolicy(kind="linear"),),
        sizing=SizingPolicy(base_vega=base_vega),
        legs=legs,
        limits=LOOSE,
    )
