"""A lease that was given to us, and how long it may be relied on: no IO, no waiting.

Theory of operation. The store lends a stage to one holder at a time, under an epoch that only
rises; unless renewed the lease ends by the server's clock. The holder counts from the moment
*before* it asked, by its own monotonic clock, and gives up after 0.7 of that time: so it is out
before the server lets another in. Whoever is out sends and commits nothing more.

A process that was frozen may wake too late to know. What it then commits is refused by its epoch,
in the store's own script; what it then sends is refused by the gateway, to which every new leader
tells its epoch first. The lease makes two leaders rare; the epochs make them harmless.
"""

from typing import Final

from shared.adapters.clock import Clock
from shared.runtime.ledger import LeaseLost

RENEWED_AFTER: Final = 0.25
"""Of the time a lease is given for."""
GIVEN_UP_AFTER: Final = 0.7


class Lease:
    """A lease that was given to us. A protocol core: tell it (`confirm`), ask it, no IO.

    Args:
        epoch: What we lead under.
        ttl_s: How long the server gives it for, each time.
        asked_s: When we asked for it, by our monotonic clock.
    """

    def __init__(self, epoch: int, ttl_s: float, asked_s: float) -> None:
        self.epoch = epoch
        self._ttl_s = ttl_s
        self._asked_s = asked_s

    def confirm(self, asked_s: float) -> None:
        """Note that the server has renewed it, asked at this time."""
        self._asked_s = max(self._asked_s, asked_s)

    @property
    def renew_at_s(self) -> float:
        """When to ask again."""
        return self._asked_s + RENEWED_AFTER * self._ttl_s

    @property
    def ends_s(self) -> float:
        """When we are out, unless renewed."""
        return self._asked_s + GIVEN_UP_AFTER * self._ttl_s

    def is_valid(self, now_s: float) -> bool:
        """Whether we may act."""
        return now_s < self.ends_s


class Term:
    """What a stage knows of the lease it is run under.

    Args:
        lease: The lease.
        holder: In whose name.
        clock: By which it is judged.
    """

    def __init__(self, lease: Lease, holder: str, clock: Clock) -> None:
        self.epoch = lease.epoch
        self.holder = holder
        self._lease = lease
        self._clock = clock

    def check(self) -> None:
        """Go on only while we lead: to be asked just before something is sent.

        Raises:
            LeaseLost: The lease has run out; another may lead.
        """
        if not self._lease.is_valid(self._clock.monotonic_s()):
            raise LeaseLost(f"epoch {self.epoch} has run out")
