"""When the exposure stage may speak in a replay: after all others have settled a clock event.

The gateway's reports of a clock event and a measurement of it would else come into the journal in
the order of an accident, and no two runs were alike.
"""

from typing import Final

from shared.wire.codec import instant_ns
from shared.wire.messages import ProgressMessage

_OTHERS: Final = ("hedger", "gateway")


class Turn:
    """Hears how far the others are."""

    def __init__(self) -> None:
        self._settled_ns = dict.fromkeys(_OTHERS, 0)
        self._reports = dict.fromkeys(_OTHERS, 0)

    def receive(self, progress: ProgressMessage) -> None:
        """Take what a service says of itself.

        Raises:
            MalformedMessage: An instant is none.
        """
        if progress.service in self._settled_ns and progress.settled is not None:
            self._settled_ns[progress.service] = instant_ns(progress.settled)
            self._reports[progress.service] = progress.sequence

    def is_ours(self, clock_ns: int, measured: int) -> bool:
        """Whether nothing more comes of a clock event but what we say.

        Args:
            clock_ns: The event.
            measured: How many measurements the journal has.
        """
        if min(self._settled_ns.values()) < clock_ns:
            return False
        return self._reports["hedger"] >= self._reports["gateway"] + measured
