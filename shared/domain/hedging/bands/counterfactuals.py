"""What every band policy would have done, beside the one that is taken (spec 11).

Each kind has a hedge of its own that it trades at every measurement, at the costs that the band
policy states, without lots, limits or a venue: so they can be compared with each other.
"""

from collections.abc import Sequence
from typing import get_args

from msgspec import Struct, structs

from shared.domain.hedging.bands.band import Situation, band_of, edge_trade, is_timed
from shared.domain.hedging.bands.formulas import BandRefused
from shared.domain.strategy_policies import BandKind, BandPolicy


class BandAccount(Struct, frozen=True, kw_only=True):
    """One kind's own hedge and what it has cost.

    Attributes:
        kind: Which.
        hedge: Delta of its hedge, units of the underlying.
        half_width: Of its band at the last measurement; `None` while refused.
        trade: What it traded at the last measurement, units, signed.
        trades: How often it has traded.
        cost: Of all that, currency.
        due_ns: Trading time from which a timed kind adjusts next.
        refusal: Why it had no answer; empty while it has.
    """

    kind: BandKind
    hedge: float
    half_width: float | None = None
    trade: float = 0.0
    trades: int = 0
    cost: float = 0.0
    due_ns: int = 0
    refusal: str = ""


class Exposure(Struct, frozen=True, kw_only=True):
    """What all kinds look at, at one measurement.

    Attributes:
        situation: What their bands are made from.
        unhedged: Delta of the book without its hedge, units.
        target: Wanted net delta, units.
        trading_ns: Trading time now.
    """

    situation: Situation
    unhedged: float
    target: float
    trading_ns: int


def begin(policy: BandPolicy, hedge: float) -> tuple[BandAccount, ...]:
    """Open one account a kind, each with the hedge that is really held."""
    kinds: tuple[BandKind, ...] = get_args(BandKind)
    return tuple(
        BandAccount(kind=kind, hedge=hedge)
        for kind in kinds
        if kind != "fixed" or policy.half_width is not None
    )


def follow(
    accounts: Sequence[BandAccount], policy: BandPolicy, exposure: Exposure
) -> tuple[BandAccount, ...]:
    """Let every kind take a measurement."""
    return tuple(_follow(account, policy, exposure) for account in accounts)


def next_due(due_ns: int, interval_ns: int, trading_ns: int) -> int:
    """Return the next instant of a schedule after now; it keeps its grid, however late we look.

    Example:
        >>> next_due(100, 10, 127)
        130
    """
    return due_ns + interval_ns * ((trading_ns - due_ns) // interval_ns + 1)


def trading_cost(policy: BandPolicy, trade: float, level: float) -> float:
    """Return what a trade is taken to cost, currency."""
    return policy.proportional_cost * abs(trade) * level + policy.order_cost


def _follow(account: BandAccount, policy: BandPolicy, exposure: Exposure) -> BandAccount:
    timed, due_ns = is_timed(account.kind), account.due_ns
    if timed and due_ns == 0:
        due_ns = exposure.trading_ns  # the first measurement begins the grid
    try:
        band = band_of(account.kind, policy, exposure.situation)
    except BandRefused as reason:
        return structs.replace(account, half_width=None, trade=0.0, refusal=str(reason))
    idle = timed and exposure.trading_ns < due_ns
    net = exposure.unhedged + account.hedge
    trade = 0.0 if idle else edge_trade(net, exposure.target, band)
    cost = trading_cost(policy, trade, exposure.situation.level) if trade else 0.0
    if timed and not idle:
        due_ns = next_due(due_ns, policy.interval_trading_ns, exposure.trading_ns)
    return structs.replace(
        account,
        hedge=account.hedge + trade,
        half_width=band.half_width,
        trade=trade,
        trades=account.trades + bool(trade),
        cost=account.cost + cost,
        due_ns=due_ns,
        refusal="",
    )
