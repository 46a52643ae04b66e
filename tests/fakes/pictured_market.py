"""A hedged market whose logs are written as the stages write them, for the page to read."""

from collections.abc import Sequence

import msgspec
from fakes.hedged_market import CALENDAR, HedgedMarket

from services.dashboard.picture import Picture
from shared.adapters.store import Entry
from shared.domain.effects import Effect
from shared.domain.policies import PortfolioPolicy, SignalPolicy
from shared.domain.signals_observed import HedgerInput
from shared.wire import keys
from shared.wire.decisions import ChainHead, DecisionRecord, append
from shared.wire.journal import encode_log

SERVICES = ("ingest", "signals", "hedger", "gateway", "auditor")
SIGNALS = SignalPolicy(
    portfolios=(PortfolioPolicy(book="overlay", value=5e7, weights={"SPX": 1.0}),)
)


class PicturedMarket(HedgedMarket):
    """The market and its book, and what both leave in the store.

    Attributes:
        log: Entries of the signal log, one an event.
        decisions: Entries of the decision log.
    """

    def __init__(self, *arguments: object, **more: object) -> None:
        self.log: list[Entry] = []
        self.decisions: list[Entry] = []
        self._head = ChainHead()
        super().__init__(*arguments, **more)  # type: ignore[arg-type] # as the market takes them

    def send(self, event: HedgerInput) -> list[Effect]:
        self.write([event])
        effects = super().send(event)
        for effect in effects:
            payload, self._head = append(self._head, DecisionRecord(effect))
            self.decisions.append(Entry(keys.decisions(), self._head.index, payload))
        return effects

    def write(self, events: Sequence[HedgerInput]) -> None:
        """Append an entry to the signal log that the book does not see."""
        self.log.append(Entry(keys.signal_log(), len(self.log) + 1, encode_log(events)))

    def state(self) -> bytes:
        """The hedger's record."""
        return msgspec.msgpack.encode({"books": {"overlay": self.book.snapshot()}})

    def empty_picture(self) -> Picture:
        expiries = {"VX6": self.now + 180 * 86_400 * 10**9}
        return Picture((self.policy,), SIGNALS, CALENDAR, SERVICES, expiries.get)

    def picture(self) -> Picture:
        """The picture of everything that happened."""
        picture = self.empty_picture()
        picture.take_log(self.log)
        picture.take_decisions(self.decisions)
        picture.take_hedger(self.state())
        return picture
