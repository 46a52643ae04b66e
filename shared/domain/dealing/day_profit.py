"""What a book's hedge has lost in this session: marks and costs, for the loss limit (promises B6).

Convention (ours). A leg's day begins at its first mark of the session, with what is held then.
From there position × (mark - first mark) counts, and for each execution quantity × (mark - price),
which is its cost. A variance swap counts as linear in its level: near enough for a limit; what it
really earned is in `shared.domain.accounts`. A leg without a mark in this session counts as 0: its
own orders are blocked for want of a mark.
"""

from collections.abc import Callable, Mapping
from math import fsum

from msgspec import Struct, structs

from shared.domain.accounts.leg_profit import point_value
from shared.domain.hedging.session_clock import Moment
from shared.domain.policies import LegPolicy
from shared.domain.signals_observed import Mark


class LegDay(Struct, frozen=True, kw_only=True):
    """One leg's session so far, in the leg's unit.

    Attributes:
        session: Which.
        first: Its first mark.
        held: Signed position at that mark.
        traded: Signed sum of the executions since …
        paid: … and of quantity × price.
    """

    session: int
    first: float
    held: float
    traded: float = 0.0
    paid: float = 0.0


class DayProfit:
    """The loss of one book's hedge in a session.

    Args:
        legs: The book's.
        state: By leg, where to go on from.
    """

    def __init__(self, legs: Mapping[str, LegPolicy], state: Mapping[str, LegDay]) -> None:
        self._legs = legs
        self._days = dict(state)
        self._session = -1
        """The last session in which every leg had a mark; to look no further."""

    def snapshot(self) -> dict[str, LegDay]:
        """Return all that it goes on from."""
        return dict(self._days)

    def observe(
        self, marks: Mapping[str, Mark], moment: Moment, position: Callable[[str], float]
    ) -> None:
        """Begin the day of each leg that has its first mark of this session.

        Args:
            marks: By symbol.
            moment: Now, in a session.
            position: What is held of a leg.
        """
        if self._session == moment.session:
            return
        for name, leg in self._legs.items():
            mark = marks.get(leg.symbol)
            if self._is_begun(name, moment.session) or mark is None:
                continue
            middle = mark.middle
            if middle is not None and mark.event_ns >= moment.opened_ns:
                day = LegDay(session=moment.session, first=middle, held=position(name))
                self._days[name] = day
        if all(self._is_begun(name, moment.session) for name in self._legs):
            self._session = moment.session

    def trade(self, leg: str, quantity: float, price: float) -> None:
        """Count an execution: signed quantity, and the price in the leg's unit."""
        day = self._days.get(leg)
        if day is not None:
            self._days[leg] = structs.replace(
                day, traded=day.traded + quantity, paid=day.paid + quantity * price
            )

    def loss(self, marks: Mapping[str, Mark], session: int) -> float:
        """Return the session's loss at these marks, currency; negative for a gain."""
        return -fsum(
            self._profit(leg, marks.get(leg.symbol))
            for name, leg in self._legs.items()
            if self._is_begun(name, session)
        )

    def _profit(self, leg: LegPolicy, mark: Mark | None) -> float:
        day = self._days[leg.name]
        middle = None if mark is None else mark.middle
        now = day.first if middle is None else middle
        points = day.held * (now - day.first) + day.traded * now - day.paid
        return points * point_value(leg)

    def _is_begun(self, leg: str, session: int) -> bool:
        day = self._days.get(leg)
        return day is not None and day.session == session
