"""Somebody who sees every message the broker takes, and when: evidence that no service could alter.

What the gateway has confirmed of a halt is held against what its record accepted since (A5).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from shared.adapters.keyring import Forged, Keyring
from shared.adapters.memory.broker import MemoryBroker, Published, matches
from shared.domain.instants import SECOND
from shared.domain.trading import ALL
from shared.wire import topics
from shared.wire.codec import MalformedMessage, instant_ns
from shared.wire.messages import TradingCommandMessage, TradingStateMessage

_LIFTED_BY_RESUME: Final = frozenset((("operator", "ann"), ("gateway", "epoch_regress")))
_ON_ITS_WAY_NS: Final = 20 * SECOND
"""So old may a `resume` be that lifts what the gateway has set by itself."""
_NEVER: Final = 2**63 - 1
AUDITOR: Final = "auditor"
"""As the auditor signs; the others who have its key in the simulation are people."""


class Halt(Struct, frozen=True):
    """A halt that the gateway has confirmed, until somebody asked to lift it.

    Attributes:
        scope: A book, or `all`.
        confirmed_ns: When the broker took the gateway's word.
        lifted_ns: When a later `resume` of this scope was sent, or an order only to reduce it,
            believed or not.
    """

    scope: str
    confirmed_ns: int
    lifted_ns: int

    def forbids(self, book: str, received_ns: int) -> bool:
        """Whether no order of a book may have been accepted at an instant."""
        return self.scope in {ALL, book} and self.confirmed_ns < received_ns < self.lifted_ns


class WitnessedBroker(MemoryBroker):
    """A broker that notes when it took what.

    Args:
        now_ns: The wall clock.
        options: As `MemoryBroker` takes them.
    """

    def __init__(self, now_ns: Callable[[], int], **options: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**options)
        self._wall_ns = now_ns
        self._states: list[tuple[int, Published]] = []
        self._resumes: list[tuple[int, Published]] = []
        self._commanded: list[tuple[int, Published]] = []

    def publish(self, message: Published) -> None:
        """Take a message; see `MemoryBroker.publish`."""
        if message.topic == topics.RESUME:
            self._resumes.append((self._wall_ns(), message))
        elif message.topic == topics.HALT:
            self._commanded.append((self._wall_ns(), message))
        elif matches(topics.TRADING, message.topic):
            self._states.append((self._wall_ns(), message))
        super().publish(message)

    def halts(self, keyring: Keyring) -> Iterator[Halt]:
        """Yield what operators had halted, or a store's loss of data, as the gateway told it."""
        resumes = list(self._opened(self._resumes, keyring))
        loosened = [
            (sent_ns, said)
            for sent_ns, said in self._opened(self._commanded, keyring)
            if said.state == "reducing"
        ]
        for confirmed_ns, message in self._states:
            told = keyring.open("gateway", message.topic, message.payload, TradingStateMessage)
            if told.state == "halted" and (told.authority, told.operator) in _LIFTED_BY_RESUME:
                ordered_ns = instant_ns(told.since) - _ON_ITS_WAY_NS * (told.authority == "gateway")
                its_own = [each for each in loosened if each[1].scope == told.scope]
                later = _later([*resumes, *its_own], told.scope, ordered_ns)
                yield Halt(told.scope, confirmed_ns, min(later, default=_NEVER))

    def findings(self, keyring: Keyring) -> Iterator[str]:
        """Yield what the auditor has stopped trading for: a kind and an order, in words."""
        for _, message in self._commanded:
            try:
                said = keyring.open(
                    "auditor", message.topic, message.payload, TradingCommandMessage
                )
            except (Forged, MalformedMessage):
                continue
            if said.operator == AUDITOR:
                yield said.reason

    @staticmethod
    def _opened(
        messages: Sequence[tuple[int, Published]], keyring: Keyring
    ) -> Iterator[tuple[int, TradingCommandMessage]]:
        for sent_ns, message in messages:
            try:
                yield (
                    sent_ns,
                    keyring.open("operator", message.topic, message.payload, TradingCommandMessage),
                )
            except (Forged, MalformedMessage):
                continue


def _later(
    resumes: Sequence[tuple[int, TradingCommandMessage]], scope: str, ordered_ns: int
) -> Iterator[int]:
    """Yield when commands for a scope were sent that were given after a halt was ordered."""
    for sent_ns, resume in resumes:
        if resume.scope in {ALL, scope} and instant_ns(resume.issued_at) > ordered_ns:
            yield sent_ns
