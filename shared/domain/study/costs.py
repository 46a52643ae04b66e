"""What a deal costs, by instrument: always something, unless a study asks for nothing outright.

All of it is in the quotes: the venue sells at the ask and buys at the bid that stand here, so a
cost reaches orders, limits and accounts the way a market's own spread does.
"""

from typing import Final

from msgspec import Struct

from shared.domain.events import Tick

LEAST_BID: Final = 0.01
"""A bid is at least this part of the level: a quote without one is no quote."""


class InstrumentCosts(Struct, frozen=True, kw_only=True):
    """Costs of one instrument.

    Attributes:
        half_spread: Half of bid to ask, as a fraction of the level …
        half_spread_points: … but at least this, in points of the price: half a tick or so.
        slippage: Beyond the quote, as a fraction of the level.
        commission: Of one unit (contract), currency.
    """

    half_spread: float = 0.0
    half_spread_points: float = 0.0
    slippage: float = 0.0
    commission: float = 0.0

    @property
    def is_zero(self) -> bool:
        """Whether a deal costs nothing."""
        return not (self.half_spread or self.half_spread_points or self.slippage or self.commission)

    def points(self, level: float, point_value: float) -> float:
        """Return what one deal of one unit costs, in points of the price.

        Args:
            level: Of the market.
            point_value: Currency a point, of one unit.

        Example:
            >>> InstrumentCosts(half_spread=0.01, commission=2.5).points(20.0, 1000.0)
            0.2025
        """
        spread = max(self.half_spread * level, self.half_spread_points)
        return spread + self.slippage * level + self.commission / point_value


NO_COSTS: Final = InstrumentCosts()

USUAL_COSTS: Final = {
    "variance_swap": InstrumentCosts(half_spread=0.02),
    "vix_future": InstrumentCosts(half_spread_points=0.025, slippage=0.001, commission=2.0),
    "put": InstrumentCosts(half_spread=0.02, half_spread_points=0.05, commission=1.0),
    "vix_call": InstrumentCosts(half_spread=0.04, half_spread_points=0.025, commission=1.0),
}
"""By instrument. A dealt variance swap is quoted about half a vol point wide at 20; a VIX future a
tick of 0.05; an SPX put some 4% of its price, at least a tick of 0.10, and a VIX call twice that.
Round figures of ours for a desk that takes what is quoted, to be set to one's own."""


def quoted(
    symbol: str, event_ns: int, level: float, costs: InstrumentCosts, point_value: float
) -> Tick:
    """Return a print of `level` whose quotes carry the cost of a deal."""
    cost = costs.points(level, point_value)
    return Tick(
        symbol=symbol,
        event_ns=event_ns,
        price=level,
        bid=max(level - cost, LEAST_BID * level),
        ask=level + cost,
    )
