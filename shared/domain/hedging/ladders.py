"""Rolls before expiry: of a ladder of listed options a book holds one rung at a time.

The rung to hold is the first that has `roll_days` left; when it has fewer, the next listed one
takes its place, and what is held of the old one is closed in the same decision. Nothing is closed
while the next has no price: worse than an option about to expire is none at all. The last rung of
a ladder is held to its end.
"""

from collections.abc import Callable, Sequence
from itertools import groupby

from shared.domain.instants import DAY
from shared.domain.policies import LegPolicy
from shared.domain.strategy_policies import ListedLegPolicy

IsPriced = Callable[[LegPolicy], bool]


class Ladders:
    """The ladders among a book's legs; a leg that is no rung is always held.

    Args:
        legs: The book's, in the policy's order.
        expected: Position and open orders of a leg, signed, in its unit.
    """

    def __init__(self, legs: Sequence[LegPolicy], expected: Callable[[str], float]) -> None:
        rungs = [leg for leg in legs if isinstance(leg, ListedLegPolicy) and leg.ladder]
        rungs.sort(key=lambda rung: (rung.ladder, rung.expiry_ns))
        self._ladders = [tuple(rungs) for _, rungs in groupby(rungs, lambda rung: rung.ladder)]
        self._legs = legs
        self._expected = expected

    def __bool__(self) -> bool:
        return bool(self._ladders)

    def held(self, now_ns: int, is_priced: IsPriced) -> tuple[LegPolicy, ...]:
        """Return the legs to hold now, in the policy's order."""
        if not self._ladders:
            return tuple(self._legs)
        resting = {
            rung.name
            for rungs in self._ladders
            for rung in rungs
            if rung is not self._rung(rungs, now_ns, is_priced)
        }
        return tuple(leg for leg in self._legs if leg.name not in resting)

    def rolling(self, now_ns: int, is_priced: IsPriced) -> dict[str, float]:
        """Return what is held of rungs that can be rolled now, by leg."""
        found = {}
        for rungs in self._ladders:
            current = self._rung(rungs, now_ns, is_priced)
            for rung in rungs:
                if rung is not current and (quantity := self._expected(rung.name)):
                    found[rung.name] = quantity
        return found

    def next_roll(self, now_ns: int) -> int | None:
        """Return the next instant at which a rung that is held has too few days left, in ns."""
        instants = [
            _rolls_ns(rung)
            for rungs in self._ladders
            for rung in rungs[:-1]
            if _rolls_ns(rung) > now_ns and self._expected(rung.name)
        ]
        return min(instants, default=None)

    def _rung(
        self, rungs: Sequence[ListedLegPolicy], now_ns: int, is_priced: IsPriced
    ) -> ListedLegPolicy:
        due = next((rung for rung in rungs if now_ns < _rolls_ns(rung)), rungs[-1])
        if is_priced(due):
            return due
        return next((rung for rung in rungs if self._expected(rung.name)), due)


def _rolls_ns(rung: ListedLegPolicy) -> int:
    """Return from when on a rung has too few days left."""
    return rung.expiry_ns - int(rung.roll_days * DAY)
