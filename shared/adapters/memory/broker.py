"""A message broker in memory, with the manners of an MQTT broker.

The contract suite that Mosquitto passes holds for it too. It knows no network: a `carry` function
may delay a delivery, lose it or make it twice. Time stands still until `pass_time`, or is somebody
else's clock.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Final

from msgspec import Struct, structs

from shared.adapters.bus import Message, QualityOfService, Subscription
from shared.adapters.inbox import Inbox

NOT_AUTHORIZED: Final = 0x87
PACKET_TOO_LARGE: Final = 0x95

Deliver = Callable[[], None]


class Published(Struct, frozen=True):
    """A message as the broker took it; `expires_s` is on the broker's clock."""

    topic: str
    payload: bytes
    qos: QualityOfService
    retain: bool
    content_type: str | None
    expires_s: float


@dataclass(eq=False)
class Session:
    """What the broker keeps for a client, connected or not."""

    subscriptions: dict[str, QualityOfService] = field(default_factory=dict)
    unacknowledged: dict[int, Published] = field(default_factory=dict)
    connection: "Connection | None" = None
    expires_s: float = float("inf")


@dataclass(eq=False)
class Connection:
    """One connection of a client: its acknowledgements count only while it is open.

    Attributes:
        session: Whose.
        inbox: Where messages arrive.
        closed: Set when it is over.
        answers: Set while the broker answers, and when it is over.
    """

    session: Session
    inbox: Inbox
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    def acknowledge(self, message_id: int) -> None:
        """Take an acknowledgement."""
        if not self.closed.is_set():
            self.session.unacknowledged.pop(message_id, None)

    def close(self) -> None:
        """End it."""
        self.closed.set()
        self.answers.set()


class MemoryBroker:
    """The broker.

    Args:
        denied: Topics nobody may publish to or subscribe to.
        largest_payload: In bytes; a larger one is refused.
        carry: Takes every delivery to a client and carries it out, now, later, twice or never.
        now_s: The broker's clock, in seconds; its own, moved by `pass_time`, when absent.
    """

    def __init__(
        self,
        *,
        denied: Sequence[str] = (),
        largest_payload: int = 1 << 20,
        carry: Callable[[Deliver], None] = lambda deliver: deliver(),
        now_s: Callable[[], float] | None = None,
    ) -> None:
        self.denied = frozenset(denied)
        self.largest_payload = largest_payload
        self.published: list[Published] = []
        self._carry = carry
        self._own_s = 0.0
        self._now_s = now_s or (lambda: self._own_s)
        self._sessions: dict[str, Session] = {}
        self._retained: dict[str, Published] = {}
        self._message_ids = count(1)
        self._is_answering = True
        self.is_up = asyncio.Event()
        self.is_up.set()

    def kill(self) -> None:
        """Kill -9: sessions and retained messages are gone, wills are not published."""
        self.is_up.clear()
        sessions, self._sessions = self._sessions, {}
        self._retained.clear()
        for session in sessions.values():
            if session.connection is not None:
                session.connection.close()

    def start(self) -> None:
        """Start again, after `kill`."""
        self.thaw()
        self.is_up.set()

    def freeze(self) -> None:
        """Answer nobody, as when stopped by SIGSTOP."""
        self._is_answering = False
        for connection in self._connections():
            connection.answers.clear()

    def thaw(self) -> None:
        """Answer again."""
        self._is_answering = True
        for connection in self._connections():
            connection.answers.set()

    def pass_time(self, seconds: float) -> None:
        """Move the broker's own clock."""
        self._own_s += seconds

    def unacknowledged(self, client_id: str) -> int:
        """How many messages a client would get again if it came back."""
        return len(self._sessions[client_id].unacknowledged)

    def connect(
        self,
        client_id: str,
        inbox: Inbox,
        subscriptions: Sequence[Subscription],
        *,
        starts_clean: bool,
    ) -> Connection:
        """Open a client's connection; one it had before is closed."""
        session = self._sessions.get(client_id)
        if session is None or starts_clean or session.expires_s <= self._now_s():
            session = self._sessions[client_id] = Session()
        elif session.connection is not None:
            session.connection.close()
        session.connection = connection = Connection(session, inbox)
        if self._is_answering:
            connection.answers.set()
        for message_id, message in list(session.unacknowledged.items()):
            self._hand_over(session, message_id, message)
        for subscription in subscriptions:
            session.subscriptions[subscription.topic] = subscription.qos
            for kept in self._retained.values():
                if matches(subscription.topic, kept.topic):
                    self._deliver(session, kept, subscription.qos)
        return connection

    def disconnect(self, connection: Connection, session_expiry_s: float) -> None:
        """End a connection; its session is kept that long."""
        connection.close()
        if connection.session.connection is connection:
            connection.session.connection = None
            connection.session.expires_s = self._now_s() + session_expiry_s

    def publish(self, message: Published) -> None:
        """Take a message and pass it to everybody who subscribed to its topic."""
        self.published.append(message)
        if message.retain:
            self._retained.pop(message.topic, None)
            if message.payload:
                self._retained[message.topic] = message
        news = structs.replace(message, retain=False) if message.retain else message
        for session in self._sessions.values():
            granted = [
                qos for topic, qos in session.subscriptions.items() if matches(topic, message.topic)
            ]
            if granted:
                self._deliver(session, news, max(granted))

    def expiry(self, expiry_s: int | None) -> float:
        """When a message that is taken now expires, on the broker's clock."""
        return float("inf") if expiry_s is None else self._now_s() + expiry_s

    def _connections(self) -> list[Connection]:
        sessions = self._sessions.values()
        return [session.connection for session in sessions if session.connection is not None]

    def _deliver(self, session: Session, message: Published, granted: QualityOfService) -> None:
        message_id = next(self._message_ids)
        if granted < message.qos:
            message = structs.replace(message, qos=granted)
        if message.qos:
            session.unacknowledged[message_id] = message
        self._hand_over(session, message_id, message)

    def _hand_over(self, session: Session, message_id: int, message: Published) -> None:
        connection = session.connection
        if connection is None:
            return
        if message.expires_s <= self._now_s():
            session.unacknowledged.pop(message_id, None)
            return
        arrived = Message(
            message.topic,
            message.payload,
            message.qos,
            message.retain,
            message.content_type,
            message_id,
            connection,
        )

        def deliver() -> None:
            if not connection.closed.is_set():
                connection.inbox.put(arrived)

        self._carry(deliver)


@lru_cache(maxsize=4096)
def matches(subscription: str, topic: str) -> bool:
    """Whether a topic filter, with `+` for a level and a final `#` for the rest, takes a topic."""
    if subscription == topic:
        return True
    wanted, levels = subscription.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted, levels = wanted[:-1], levels[: len(wanted) - 1]
    return len(wanted) == len(levels) and all(
        each in ("+", level) for each, level in zip(wanted, levels, strict=True)
    )
