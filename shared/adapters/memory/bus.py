"""A `Bus` connected to a broker in memory; it restores its connection as `MqttBus` does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, Self

from shared.adapters.bus import (
    Bus,
    BusEvent,
    BusUnavailable,
    Message,
    NotPublished,
    Publication,
    PublishRefused,
    QualityOfService,
    Subscription,
    Will,
)
from shared.adapters.inbox import Inbox
from shared.adapters.memory.broker import (
    NOT_AUTHORIZED,
    PACKET_TOO_LARGE,
    Connection,
    MemoryBroker,
    Published,
)
from shared.wire import seal

_TRY_AGAIN_S: Final = 0.01


def _ignore(_: BusEvent) -> None:
    """Do nothing about an event."""


class MemoryBus:
    """A `Bus` on a `MemoryBroker`; the arguments are `MqttBus`'s."""

    def __init__(  # noqa: PLR0913 - as MqttBus
        self,
        broker: MemoryBroker,
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
            raise RuntimeError("this bus can be entered again, but not while it is entered")
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
        if connection is None:
            raise RuntimeError(f"{self.client_id} is not connected")
        self._lose()
        self._broker.disconnect(connection, self.session_expiry_s)
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
        content_type: str | None = None,
        timeout: float = 2.0,  # noqa: ASYNC109 - the port's
    ) -> None:
        """Publish and, for QoS 1, wait until the broker has it; see `Bus.publish`."""
        connection = self._connection
        if connection is None or connection.closed.is_set():
            raise BusUnavailable("not connected")
        if qos:
            await _answer(connection, timeout)
            self._refuse(topic, payload)
        elif topic in self._broker.denied:
            return
        kind = content_type or seal.content_type(payload)
        expiry = self._broker.expiry(expiry_s)
        self._broker.publish(Published(topic, payload, qos, retain, kind, expiry))

    async def publish_all(
        self,
        publications: Sequence[Publication],
        *,
        timeout: float = 2.0,  # noqa: ASYNC109 - the port's
    ) -> list[NotPublished | None]:
        """Publish one after the other; see `Bus.publish_all`."""
        return await publish_each(self, publications, timeout)

    @property
    def starts_clean(self) -> bool:
        """Whether the next connection is to forget the session that the broker kept."""
        return self.clean_start and self.reconnects < 0

    async def next_batch(self, max_messages: int, linger_s: float = 0.0) -> list[Message]:
        """Wait for a message; see `Bus.next_batch`."""
        return await self.inbox.next_batch(max_messages, linger_s)

    async def messages(self) -> AsyncIterator[Message]:
        """Every message as it arrives."""
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
                await asyncio.sleep(_TRY_AGAIN_S)
                continue
            self._connection = connection = self._broker.connect(
                self.client_id, self.inbox, self.subscriptions, starts_clean=self.starts_clean
            )
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


async def publish_each(
    bus: Bus,
    publications: Sequence[Publication],
    timeout: float,  # noqa: ASYNC109 - the port's
) -> list[NotPublished | None]:
    """Publish one after the other; see `Bus.publish_all`."""
    outcomes: list[NotPublished | None] = []
    for each in publications:
        try:
            await bus.publish(each.topic, each.payload, retain=each.retain, timeout=timeout)
        except (BusUnavailable, PublishRefused) as failure:
            outcomes.append(failure)
        else:
            outcomes.append(None)
    return outcomes


async def _answer(connection: Connection, seconds: float) -> None:
    """Wait until the broker answers; raise when the connection breaks or it takes too long."""
    await asyncio.sleep(0)
    if not connection.answers.is_set():
        try:
            async with asyncio.timeout(seconds):
                await connection.answers.wait()
        except TimeoutError:
            raise BusUnavailable("no answer") from None
    if connection.closed.is_set():
        raise BusUnavailable("closed")
