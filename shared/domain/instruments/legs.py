"""What the legs of a book trade, as instruments: so that what they hold has an exposure too."""

from collections.abc import Iterable

from shared.domain.instruments.instrument import Instrument, Kind, Model
from shared.domain.policies import BookPolicy, LegPolicy


def leg_symbol(leg: LegPolicy) -> str:
    """Return the symbol of what a leg trades.

    A variance swap has none in the market; the rest are named by the leg's own symbol.

    Example:
        >>> leg_symbol(LegPolicy(
        ...     name="x", instrument="variance_swap", symbol="VIX", maturity_days=90, max_vega=1.0
        ... ))
        'VARSWAP-90D-VIX'
    """
    if leg.instrument == "variance_swap":
        return f"VARSWAP-{leg.maturity_days}D-{leg.symbol}"[:32]
    return leg.symbol


def leg_symbols(books: Iterable[BookPolicy]) -> dict[str, dict[str, str]]:
    """Return the symbol of what each leg trades, by book and leg."""
    return {book.name: {leg.name: leg_symbol(leg) for leg in book.legs} for book in books}


def leg_instruments(books: Iterable[BookPolicy]) -> dict[str, Instrument]:
    """Return what legs trade and no exchange lists, by symbol.

    Variance swaps of constant maturity, priced by their volatility index, in vega notional (see
    `accounts.variance_swap`); and VIX futures by a rolling name, `VX1`, which have no expiry.
    """
    legs = [leg for book in books for leg in book.legs]
    swaps = {leg_symbol(leg): _swap(leg) for leg in legs if leg.instrument == "variance_swap"}
    futures = {leg.symbol: _future(leg) for leg in legs if leg.instrument == "vix_future"}
    return {**futures, **swaps}


def leg_underlyings(books: Iterable[BookPolicy]) -> frozenset[str]:
    """Return the symbols that legs trade as underlyings: stocks, unless something else is known."""
    legs = [leg for book in books for leg in book.legs]
    return frozenset(leg.symbol for leg in legs if leg.instrument == "underlying")


def _swap(leg: LegPolicy) -> Instrument:
    return Instrument(
        symbol=leg_symbol(leg),
        kind=Kind.VARIANCE_SWAP,
        root="VARSWAP",
        underlying=leg.symbol,
        model=Model.VARIANCE_SWAP,
        lot=leg.lot,
    )


def _future(leg: LegPolicy) -> Instrument:
    return Instrument(
        symbol=leg.symbol,
        kind=Kind.FUTURE,
        root=leg.symbol,
        underlying=leg.symbol,
        model=Model.LINEAR,
        multiplier=leg.multiplier,
        lot=leg.lot,
        tick_size=0.05,
    )
