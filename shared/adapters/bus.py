"""The port to the message bus: what a service may ask of it, in words no broker owns.

`MqttBus` is the real one, `tests/fakes/bus.py` the one in memory; one contract suite holds for
both. Delivery is at least once for QoS 1, at most once for QoS 0; QoS 2 is not offered, because
what it promises ends at the broker and breaks when a process is killed.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Literal, Protocol

import msgspec

QualityOfService = Literal[0, 1]


class Acknowledger(Protocol):
    """Where a message came from: the connection that wants to know when it is dealt with."""

    def acknowledge(self, message_id: int) -> None:
        """Tell the broker; nothing happens when the connection is gone, for it will redeliver."""


class Message(msgspec.Struct, frozen=True):
    """A message from the bus.

    Attributes:
        topic: Where it was published.
        payload: Its bytes.
        qos: 1 when the broker keeps it until `ack`.
        retain: It is the topic's last known value and not news.
        content_type: What the payload is, when the publisher said so (MQTT 5).
        message_id: The connection's number for it.
        source: The connection it came by.
    """

    topic: str
    payload: bytes
    qos: QualityOfService
    retain: bool
    content_type: str | None
    message_id: int
    source: Acknowledger

    def ack(self) -> None:
        """Say that it has been dealt with, after the commit; else it comes again."""
        if self.qos:
            self.source.acknowledge(self.message_id)


class Subscription(msgspec.Struct, frozen=True):
    """A topic filter, `+` for one level and a final `#` for all below, and how to deliver."""

    topic: str
    qos: QualityOfService = 1


class Publication(msgspec.Struct, frozen=True):
    """One of several messages to publish, each of QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


class Will(msgspec.Struct, frozen=True):
    """A message about ourselves: the last will, or the news that we are here."""

    topic: str
    payload: bytes
    qos: QualityOfService = 1
    retain: bool = True


class BusEvent(msgspec.Struct, frozen=True):
    """What happened to the connection, to be counted and logged.

    Attributes:
        name: Which of them.
        reason: The broker's or the system's words; empty when there is nothing to explain.
        topic: Of what was refused.
    """

    name: Literal[
        "connected",
        "connect_failed",
        "disconnected",
        "publish_refused",
        "subscription_refused",
        "malformed_topic",
    ]
    reason: str = ""
    topic: str = ""


OnBusEvent = Callable[[BusEvent], None]


class BusUnavailable(ConnectionError):  # noqa: N818 - reads as what happened, like KeyError
    """Nobody knows whether the broker has the message: not connected, cut off, or no answer."""


class Refused(RuntimeError):  # noqa: N818 - likewise
    """The broker has answered no, and would again.

    Attributes:
        topic: Of the message or subscription.
        reason_code: MQTT 5's, 128 or more.
    """

    def __init__(self, topic: str, reason_code: int, reason: str) -> None:
        super().__init__(f"{topic}: {reason} ({reason_code:#04x})")
        self.topic = topic
        self.reason_code = reason_code


class PublishRefused(Refused):
    """The broker does not take the message."""


class SubscriptionRefused(Refused):
    """The broker does not let us subscribe."""


NotPublished = BusUnavailable | PublishRefused


class Connected(Protocol):
    """The part of `asyncio.Event` that says whether the bus can be used now."""

    def is_set(self) -> bool:
        """Whether we are connected and subscribed."""

    async def wait(self) -> Literal[True]:
        """Return once we are."""


class Bus(Protocol):
    """A connection that restores itself; an async context manager."""

    @property
    def connected(self) -> Connected:
        """Set while connected and subscribed."""

    @property
    def reconnects(self) -> int:
        """How often the connection has been restored."""

    async def publish(  # noqa: PLR0913 - a message has as many parts
        self,
        topic: str,
        payload: bytes,
        *,
        qos: QualityOfService = 1,
        retain: bool = False,
        expiry_s: int | None = None,
        content_type: str | None = None,
        timeout: float = 2.0,  # noqa: ASYNC109 - the port's contract, kept with asyncio.timeout
    ) -> None:
        """Publish and, for QoS 1, wait until the broker has it.

        Args:
            topic: Where to.
            payload: The bytes.
            qos: 0 waits for nothing beyond room to write.
            retain: Keep it as the topic's last known value; empty payload forgets that.
            expiry_s: After so many seconds the broker need not deliver it any more.
            content_type: What the payload is; `None`: JSON, sealed or not.
            timeout: Seconds to wait for the broker's answer.

        Raises:
            BusUnavailable: Not connected, the connection broke, or no answer in time. The message
                may have been published all the same.
            PublishRefused: The broker does not take it.
        """

    async def publish_all(
        self,
        publications: Sequence[Publication],
        *,
        timeout: float = 2.0,  # noqa: ASYNC109 - see `publish`
    ) -> list[NotPublished | None]:
        """Publish messages of QoS 1, in order, and wait until the broker has every one.

        They leave together: far cheaper than one after the other.

        Args:
            publications: What is published.
            timeout: Seconds to wait for the broker's answers.

        Returns:
            What became of each: `None` when the broker has it, else what `publish` would raise.
        """

    async def next_batch(self, max_messages: int, linger_s: float = 0.0) -> list[Message]:
        """Wait for a message and return it with those that are there or come shortly after.

        Args:
            max_messages: At most so many.
            linger_s: How long to wait for more than the first, in seconds.

        Returns:
            At least one message, in the order of arrival.
        """

    def messages(self) -> AsyncIterator[Message]:
        """Every message as it arrives, across reconnects; never ends by itself."""
