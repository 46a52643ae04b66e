"""A leg's symbol stands for another contract from here on: what that means for its accounts."""

from msgspec import Struct


class Rolled(Struct, frozen=True, kw_only=True):
    """One contract was given up for the next, at the market's levels of both.

    The symbol's level jumps by the difference of the two, and that jump is nobody's profit.

    Attributes:
        symbol: What the leg is called throughout, such as `VX1`.
        event_ns: When; a roll at a session's close comes right after it.
        given_up: Level of the contract held so far …
        taken_on: … and of the one held from here on, at the same instant.
        cost: Of selling one unit of the one and buying one of the other, in points of the price:
            both half spreads, slippage and fees by the contract.
    """

    symbol: str
    event_ns: int
    given_up: float
    taken_on: float
    cost: float = 0.0

    @property
    def jump(self) -> float:
        """By how much the symbol's level jumps."""
        return self.taken_on - self.given_up
