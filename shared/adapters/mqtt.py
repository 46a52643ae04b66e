"""The message bus over MQTT 5: a connection that comes back by itself.

At every connect, first and later, the bus subscribes, publishes its birth message and only then
counts as connected. QoS 1 messages that were not acknowledged come again after a reconnect, after
those that had already been taken: a consumer deduplicates. MQTT 3.1.1 is not spoken, because there
a refused publish is indistinguishable from an accepted one.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Final, Self

import msgspec

from shared.adapters.bus import (
    BusEvent,
    BusUnavailable,
    Message,
    NotPublished,
    OnBusEvent,
    Publication,
    PublishRefused,
    QualityOfService,
    Subscription,
    SubscriptionRefused,
    Will,
)
from shared.adapters.connections import MqttSettings
from shared.adapters.inbox import Inbox
from shared.adapters.mqtt_connection import MqttConnection
from shared.adapters.mqtt_session import Session, publish_properties
from shared.wire import seal

_FIRST_DELAY_S: Final = 0.05
_LONGEST_DELAY_S: Final = 1.0
_STABLE_AFTER_S: Final = 5.0


def _ignore(_: BusEvent) -> None:
    pass


class MqttBus:
    """A `Bus` over an MQTT 5 broker; an async context manager, reusable but not reentrant.

    Entering does not wait for the broker: await `connected.wait()` for that.

    Args:
        settings: The broker.
        client_id: Our name there, one for each process and replica.
        subscriptions: What to receive.
        will: What the broker publishes when we vanish, and we when we leave.
        birth: What is published at every connect.
        receive_maximum: How many unacknowledged QoS 1 messages the broker may send us.
        clean_start: Begin without what an earlier run of that name left at the broker.
        session_expiry_s: How long the broker keeps QoS 1 messages for us while we are away.
        max_waiting: From so many messages not yet taken on, nothing is read from the broker.
        on_event: Told of connects, disconnects and refusals; must not raise.
    """

    def __init__(  # noqa: PLR0913 - a session has as many parts
        self,
        settings: MqttSettings,
        *,
        client_id: str,
        subscriptions: Sequence[Subscription] = (),
        will: Will | None = None,
        birth: Will | None = None,
        receive_maximum: int = 1_000,
        clean_start: bool = False,
        session_expiry_s: int = 3_600,
        max_waiting: int = 50_000,
        on_event: OnBusEvent = _ignore,
    ) -> None:
        self._settings = settings
        self._session = Session(
            client_id=client_id,
            clean_start=clean_start,
            expiry_s=session_expiry_s,
            receive_maximum=receive_maximum,
            will=will,
        )
        self._subscriptions = tuple(subscriptions)
        self._birth = birth
        self._on_event = on_event
        self._inbox = Inbox(max_waiting)
        self._connection: MqttConnection | None = None
        self._connects = 0
        self._has_failed_to_connect = False
        self._tasks: asyncio.TaskGroup | None = None
        self.connected = asyncio.Event()

    @property
    def reconnects(self) -> int:
        """How often the connection has been restored."""
        return max(0, self._connects - 1)

    async def __aenter__(self) -> Self:
        if self._tasks is not None:
            raise RuntimeError("an MqttBus can be entered again, but not while it is entered")
        self._connects = 0
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._task = self._tasks.create_task(self._stay_connected(), name="mqtt-connection")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is None:
            return
        try:
            while not self._task.done():  # aiomqtt waits with wait_for, which can swallow a cancel
                self._task.cancel()
                await asyncio.wait([self._task], timeout=0.1)
        finally:
            if kind is asyncio.CancelledError:
                await tasks.__aexit__(kind, error, traceback)
            else:  # the error is the block's, not one of the group's
                await tasks.__aexit__(None, None, None)

    def leave_with(self, last_word: Will) -> None:
        """Publish this when we leave, in place of the will; lost with the connection."""
        if self._connection is not None:
            self._connection.last_word = last_word

    async def publish(  # noqa: PLR0913 - see `Bus.publish`
        self,
        topic: str,
        payload: bytes,
        *,
        qos: QualityOfService = 1,
        retain: bool = False,
        expiry_s: int | None = None,
        content_type: str | None = None,
        timeout: float = 2.0,  # noqa: ASYNC109 - see `Bus.publish`
    ) -> None:
        """See `Bus.publish`."""
        connection = self._connection
        if connection is None:
            raise BusUnavailable("not connected")
        properties = publish_properties(content_type or seal.content_type(payload), expiry_s)
        try:
            async with asyncio.timeout(timeout):
                await connection.publishing.publish(topic, payload, qos, retain, properties)
        except TimeoutError:
            raise BusUnavailable(f"no answer from the broker within {timeout} s") from None
        except PublishRefused as refusal:
            self._on_event(BusEvent("publish_refused", str(refusal), topic))
            raise

    async def publish_all(
        self,
        publications: Sequence[Publication],
        *,
        timeout: float = 2.0,  # noqa: ASYNC109 - see `Bus.publish`
    ) -> list[NotPublished | None]:
        """See `Bus.publish_all`."""
        connection = self._connection
        if connection is None:
            return [BusUnavailable("not connected")] * len(publications)
        silence = BusUnavailable(f"no answer from the broker within {timeout} s")
        outcomes: list[NotPublished | None] = [silence] * len(publications)
        properties = [
            publish_properties(seal.content_type(each.payload), None) for each in publications
        ]
        try:
            async with asyncio.timeout(timeout):
                await connection.publishing.publish_all(publications, properties, outcomes)
        except TimeoutError:
            pass  # those that are still silent
        for publication, outcome in zip(publications, outcomes, strict=True):
            if isinstance(outcome, PublishRefused):
                self._on_event(BusEvent("publish_refused", str(outcome), publication.topic))
        return outcomes

    async def next_batch(self, max_messages: int, linger_s: float = 0.0) -> list[Message]:
        """See `Bus.next_batch`."""
        batch = await self._inbox.next_batch(max_messages, linger_s)
        if self._connection is not None:
            self._connection.resume_reading()
        return batch

    async def messages(self) -> AsyncIterator[Message]:
        """See `Bus.messages`."""
        while True:
            yield (await self.next_batch(1))[0]

    async def _stay_connected(self) -> None:
        failures = 0
        while True:
            started = asyncio.get_running_loop().time()
            is_stable = False
            try:
                await self._connect_until_lost()
                is_stable = asyncio.get_running_loop().time() - started > _STABLE_AFTER_S
            except SubscriptionRefused as refusal:
                self._on_event(BusEvent("subscription_refused", str(refusal), refusal.topic))
            except OSError as failure:
                self._has_failed_to_connect = True
                self._on_event(BusEvent("connect_failed", str(failure)))
            failures = 0 if is_stable else failures + 1
            await asyncio.sleep(_delay_s(failures))

    async def _connect_until_lost(self) -> None:
        first = self._session.clean_start and not self._connects  # later on the session is ours
        stuck = self._settings.abandon_stuck_session and self._has_failed_to_connect
        session = msgspec.structs.replace(self._session, clean_start=first or stuck)
        connection = MqttConnection(
            self._settings, session, self._inbox, self.connected.clear, self._on_event
        )
        async with connection.open():
            await connection.subscribe(self._subscriptions)
            self._connection = connection
            try:
                await self._announce()
                self._connects += 1
                self._has_failed_to_connect = False
                self.connected.set()
                self._on_event(BusEvent("connected"))
                reason = await connection.lost()
                self._on_event(BusEvent("disconnected", reason))
            finally:
                self._connection = None

    async def _announce(self) -> None:
        birth = self._birth
        if birth is None:
            return
        with contextlib.suppress(PublishRefused):  # told of; the work matters more than its sign
            await self.publish(birth.topic, birth.payload, qos=birth.qos, retain=birth.retain)


def _delay_s(failures: int) -> float:
    """Exponential, and random so that clients of a restarted broker do not return in step."""
    longest = min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2.0**failures)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
