"""A message bus in memory: a broker with an MQTT broker's manners, and a `Bus` connected to it.

It passes the contract suite that Mosquitto passes, so a test may believe it. Time stands still
until `pass_time`; the broker dies, freezes and returns when told to.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Self

from shared.adapters.bus import (
    BusEvent,
    BusUnavailable,
    Message,
    PublishRefused,
    QualityOfService,
    Subscription,
    Will,
)
from shared.adapters.inbox import Inbox

NOT_AUTHORIZED = 0x87
PACKET_TOO_LARGE = 0x95


@dataclass(frozen=True)
class Published:
    topic: str
    payload: bytes
    qos: QualityOfService
    retain: bool
    content_type: str | None
    expires_s: float


@dataclass
class Session:
    """What the broker keeps for a client, connected or not."""

    subscriptions: dict[str, QualityOfService] = field(default_factory=dict)
    unacknowledged: dict[int, Published] = field(default_factory=dict)
    connection: "Connection | None" = None
    expires_s: float = float("inf")


@dataclass(eq=False)
class Connection:
    """One connection of a client: its acknowledgements count only while it is open."""

    session: Session
    inbox: Inbox
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def acknowledge(self, message_id: int) -> None:
        if not self.closed.is_set():
            self.session.unacknowledged.pop(message_id, None)


class FakeBroker:
    """The broker.

    Args:
        denied: Topics nobody may publish to or subscribe to.
        largest_payload: In bytes; a larger one is refused.
    """

    def __init__(self, *, denied: Sequence[str] = (), largest_payload: int = 1 << 20) -> None:
        self.denied = frozenset(denied)
        self.largest_payload = largest_payload
        self.published: list[Published] = []
        self._sessions: dict[str, Session] = {}
        self._retained: dict[str, Published] = {}
        self._message_ids = count(1)
        self._now_s = 0.0
        self.is_up = asyncio.Event()
        self.is_up.set()
        self.is_answering = asyncio.Event()
        self.is_answering.set()

    def kill(self) -> None:
        """Kill -9: sessions and retained messages are gone, wills are not published."""
        self.is_up.clear()
        sessions, self._sessions = self._sessions, {}
        self._retained.clear()
        for session in sessions.values():
            if session.connection is not None:
                session.connection.closed.set()

    def start(self) -> None:
        self.is_up.set()
        self.is_answering.set()

    def freeze(self) -> None:
        """Answer nobody, as when stopped by SIGSTOP."""
        self.is_answering.clear()

    def thaw(self) -> None:
        self.is_answering.set()

    def pass_time(self, seconds: float) -> None:
        self._now_s += seconds

    def unacknowledged(self, client_id: str) -> int:
        """How many messages a client would get again if it came back."""
        return len(self._sessions[client_id].unacknowledged)

    def connect(self, bus: "FakeBus") -> Connection:
        session = self._sessions.get(bus.client_id)
        if session is None or bus.starts_clean or session.expires_s <= self._now_s:
            session = self._sessions[bus.client_id] = Session()
        elif session.connection is not None:
            session.connection.closed.set()
        session.connection = connection = Connection(session, bus.inbox)
        for message_id, message in list(session.unacknowledged.items()):
            self._hand_over(session, message_id, message)
        for subscription in bus.subscriptions:
            session.subscriptions[subscription.topic] = subscription.qos
            for kept in self._retained.values():
                if matches(subscription.topic, kept.topic):
                    self._deliver(session, kept, subscription.qos)
        return connection

    def disconnect(self, bus: "FakeBus", connection: Connection) -> None:
        connection.closed.set()
        connection.session.connection = None
        connection.session.expires_s = self._now_s + bus.session_expiry_s

    def publish(self, message: Published) -> None:
        self.published.append(message)
        if message.retain:
            self._retained.pop(message.topic, None)
            if message.payload:
                self._retained[message.topic] = message
        news = Published(**{**vars(message), "retain": False})
        for session in self._sessions.values():
            granted = [
                qos for topic, qos in session.subscriptions.items() if matches(topic, message.topic)
            ]
            if granted:
                self._deliver(session, news, max(granted))

    def _deliver(self, session: Session, message: Published, granted: QualityOfService) -> None:
        message_id = next(self._message_ids)
        message = Published(**{**vars(message), "qos": min(message.qos, granted)})
        if message.qos:
            session.unacknowledged[message_id] = message
        self._hand_over(session, message_id, message)

    def _hand_over(self, session: Session, message_id: int, message: Published) -> None:
        if session.connection is None:
            return
        if message.expires_s <= self._now_s:
            session.unacknowledged.pop(message_id, None)
            return
        session.connection.inbox.put(
            Message(
                message.topic,
                message.payload,
                message.qos,
                message.retain,
                message.content_type,
                message_id,
                session.connection,
            )
        )

    def expiry(self, expiry_s: int | None) -> float:
        return float("inf") if expiry_s is None else self._now_s + expiry_s


def _ignore(_: BusEvent) -> None:
    pass


class FakeBus:
    """A `Bus` on a `FakeBroker`; the arguments are `MqttBus`'s."""

    def __init__(  # noqa: PLR0913 - as MqttBus
        self,
        broker: FakeBroker,
        *,
        client_id: str,
        subscriptions: Sequence[Subscription] = (),
        will: Will | None = None,
        birth: Will | None = None,
        clean_start: bool = False,
        session_expiry_s: int = 3_600,
        on_event: Callable[[BusEvent], None] = _ignore,
    ) -> None:
        self.client_id = client_id
        self.subscriptions = tuple(subscriptions)
        self.clean_start = clean_start
        self.session_expiry_s = session_expiry_s
        self.inbox = Inbox()
        self.connected = asyncio.Event()
        self.reconnects = -1
        self._broker = broker
        self._will = will
        self._birth = birth
        self._on_event = on_event
        self._connection: Connection | None = None
        self._tasks: asyncio.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        if self._tasks is not None:
            raise RuntimeError("a FakeBus can be entered again, but not while it is entered")
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._task = self._tasks.create_task(self._stay_connected())
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks, self._tasks = self._tasks, None
        self._task.cancel()
        if self._connection is not None:
            self.cut()
        if tasks is not None:
            await tasks.__aexit__(None, None, None)

    def cut(self) -> None:
        """Break the connection without a good-bye."""
        connection = self._connection
        assert connection is not None
        self._lose()
        self._broker.disconnect(self, connection)
        if self._will is not None:
            self._publish_own(self._will)

    async def publish(  # noqa: PLR0913 - the port's
        self,
        topic: str,
        payload: bytes,
        *,
        qos: QualityOfService = 1,
        retain: bool = False,
        expiry_s: int | None = None,
        content_type: str = "application/json",
        timeout: float = 2.0,  # noqa: ASYNC109 - the port's
    ) -> None:
        connection = self._connection
        if connection is None or connection.closed.is_set():
            raise BusUnavailable("not connected")
        if qos:
            await self._answer(connection, timeout)
            self._refuse(topic, payload)
        elif topic in self._broker.denied:
            return
        self._broker.publish(
            Published(topic, payload, qos, retain, content_type, self._broker.expiry(expiry_s))
        )

    @property
    def starts_clean(self) -> bool:
        return self.clean_start and self.reconnects < 0

    async def next_batch(self, max_messages: int, linger_s: float = 0.0) -> list[Message]:
        return await self.inbox.next_batch(max_messages, linger_s)

    async def messages(self) -> AsyncIterator[Message]:
        while True:
            yield (await self.next_batch(1))[0]

    async def _stay_connected(self) -> None:
        while True:
            await self._broker.is_up.wait()
            refused = [
                each.topic for each in self.subscriptions if each.topic in self._broker.denied
            ]
            if refused:
                self._on_event(BusEvent("subscription_refused", "Not authorized", refused[0]))
                await asyncio.sleep(0.01)
                continue
            self._connection = connection = self._broker.connect(self)
            self.reconnects += 1
            if self._birth is not None:
                self._publish_own(self._birth)
            self.connected.set()
            self._on_event(BusEvent("connected"))
            await connection.closed.wait()
            self._lose()
            self._on_event(BusEvent("disconnected", "closed"))

    def _lose(self) -> None:
        self._connection = None
        self.connected.clear()

    async def _answer(self, connection: Connection, seconds: float) -> None:
        """Wait until the broker answers; raise when the connection breaks or it takes too long."""
        deadline = asyncio.get_running_loop().time() + seconds
        await asyncio.sleep(0)
        while not self._broker.is_answering.is_set() or connection.closed.is_set():
            if connection.closed.is_set():
                raise BusUnavailable("closed")
            if asyncio.get_running_loop().time() > deadline:
                raise BusUnavailable("no answer")
            await asyncio.sleep(0.005)

    def _refuse(self, topic: str, payload: bytes) -> None:
        code = 0
        if topic in self._broker.denied:
            code = NOT_AUTHORIZED
        elif len(payload) > self._broker.largest_payload:
            code = PACKET_TOO_LARGE
        if code:
            refusal = PublishRefused(topic, code, "refused")
            self._on_event(BusEvent("publish_refused", str(refusal), topic))
            raise refusal

    def _publish_own(self, will: Will) -> None:
        message = Published(
            will.topic, will.payload, will.qos, will.retain, "application/json", float("inf")
        )
        self._broker.publish(message)


def matches(subscription: str, topic: str) -> bool:
    """Whether a topic filter, with `+` for a level and a final `#` for the rest, takes a topic."""
    wanted, levels = subscription.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted, levels = wanted[:-1], levels[: len(wanted) - 1]
    return len(wanted) == len(levels) and all(
        each in ("+", level) for each, level in zip(wanted, levels, strict=True)
    )
