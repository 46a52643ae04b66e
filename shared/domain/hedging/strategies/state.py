"""What a strategy goes on from, and what every strategy can be asked."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from shared.domain.effects import StrategyTold
from shared.domain.hedging.bands.counterfactuals import BandAccount
from shared.domain.hedging.strategies.outlook import Outlook, Proposal
from shared.domain.hedging.strategies.scalping import ScalpingAccount


class StrategyState(Struct, frozen=True, kw_only=True):
    """Everything that one strategy remembers.

    Attributes:
        accounts: What each kind of band has done so far.
        due_ns: Trading time at which a timed band is due next; 0 before the first measurement.
        is_due: Whether it is due and was not decided on since.
        scalping: Gamma against theta.
        released: Options that have expired and that the hedging leg does not hedge any more.
        trouble: Why it was last said to be blind; empty while it sees.
    """

    accounts: tuple[BandAccount, ...] = ()
    due_ns: int = 0
    is_due: bool = False
    scalping: ScalpingAccount = ScalpingAccount()
    released: tuple[str, ...] = ()
    trouble: str = ""


class Strategy(Protocol):
    """One strategy of a book; it holds no position of its own."""

    state: StrategyState

    @property
    def name(self) -> str:
        """Unique in its book."""

    @property
    def stale_trading_ns(self) -> int:
        """No older measurement is acted on."""

    def measure(self, outlook: Outlook) -> None:
        """Take a new measurement, inside a session."""

    def propose(self, outlook: Outlook) -> Proposal:
        """Return what to do now.

        Raises:
            StrategyBlind: It cannot see.
        """

    def decided(self) -> None:
        """A decision was made on its proposal."""

    def taken_back(self) -> None:
        """Its decision failed: what was due is due again."""

    def told(self, figures: Mapping[str, float], note: str) -> StrategyTold:
        """Say what it saw and chose."""
