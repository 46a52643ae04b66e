"""How fast the market of a campaign may go: as fast as orders are answered, and no faster.

A jump of VIX makes an order of every book that does not rest; a book rests for a minute after its
order was halted, has expired or was withheld, and a jump may go unheard. So what a jump makes is
not known but learnt, whenever nothing is answered for a while: then nothing more is on its way.
"""

from typing import Final

_MOST_OWED: Final = 3
"""Jumps not all of whose orders are answered, from which on the market holds still."""
_PATIENCE_S: Final = 0.5
"""Without an answer: what is owed by then is never answered, or comes at once some time later."""
_FEWEST_OF: Final = 4
"""Of so many books at least one is taken to order."""


class Owed:
    """Counts the orders that jumps of VIX should have made, and that nobody has answered yet.

    Args:
        books: How many order at a jump, at most.
    """

    def __init__(self, books: int) -> None:
        self._books = books
        self._of_a_jump = float(books)
        self._jumps = 0
        self._answered = 0
        self._most = 0
        self._news_s = 0.0
        self._ahead = _MOST_OWED
        self._is_too_much = False

    @property
    def is_too_much(self) -> bool:
        """Whether the market should hold still."""
        return self._is_too_much

    def count(self, jumps: int, answered: int, now_s: float) -> None:
        """Take the number of jumps and of answers so far; -1 answers: not known now."""
        if answered < 0:
            return
        if answered > self._most:
            self._most, self._news_s, self._ahead = answered, now_s, _MOST_OWED
        if now_s > self._news_s + _PATIENCE_S:
            self._settle(jumps, answered)
            self._news_s = now_s
        owed = (jumps - self._jumps) * self._of_a_jump - (answered - self._answered)
        self._is_too_much = owed > self._ahead * self._of_a_jump

    def _settle(self, jumps: int, answered: int) -> None:
        """Take it that nothing more comes, and learn how many orders a jump makes."""
        made = (answered - self._answered) / max(1, jumps - self._jumps)
        self._of_a_jump = min(max(made, self._books / _FEWEST_OF), self._books)
        self._jumps, self._answered = jumps, answered
        if not made:  # nobody is there: one jump more is enough, for all comes at once later
            self._ahead = 0
