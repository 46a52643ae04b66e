"""The outgoing half of one MQTT connection: who waits for which PUBACK, and how many may.

The broker says at CONNECT how many QoS 1 messages it takes at a time; more, and it hangs up. A
message that nobody waits for any more keeps its place until its PUBACK comes, as the broker counts.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from paho.mqtt.client import MQTT_ERR_SUCCESS, error_string
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from shared.adapters.bus import (
    BusUnavailable,
    NotPublished,
    Publication,
    PublishRefused,
    QualityOfService,
)

LOWEST_ERROR: Final = 0x80
"""Reason codes from here on say no."""

_PACKET_TOO_LARGE: Final = 0x95
_MOST_IN_FLIGHT: Final = 65_535
_MOST_UNWRITTEN: Final = 1_000
_LARGEST_HEADER: Final = 1_024  # of a PUBLISH, its topic apart; ours takes some 40 bytes


class Publishing:
    """Messages on their way to the broker.

    Args:
        paho: The client that sends them.
        write: Writes to the socket what it can at once: waiting for the event loop to find the
            socket writable would let everything else that is ready go first.
    """

    def __init__(self, paho: PahoClient, write: Callable[[], None]) -> None:
        self._paho = paho
        self._write = write
        self._lost: str | None = None
        self._pending: dict[int, asyncio.Future[ReasonCode]] = {}
        self._places = asyncio.Semaphore(_MOST_IN_FLIGHT)
        self._largest_packet: int | None = None
        self._unwritten = 0
        self._written = asyncio.Event()
        self._until_pause = _MOST_UNWRITTEN

    def limit(self, properties: Properties | None) -> None:
        """Take the limits that a CONNACK names: MQTT 5, 3.2.2.3.3 and 3.2.2.3.6."""
        self._places = asyncio.Semaphore(getattr(properties, "ReceiveMaximum", _MOST_IN_FLIGHT))
        self._largest_packet = getattr(properties, "MaximumPacketSize", None)

    async def publish(
        self,
        topic: str,
        payload: bytes,
        qos: QualityOfService,
        retain: bool,  # noqa: FBT001 - `MqttBus.publish` names it
        properties: Properties,
    ) -> None:
        """See `Bus.publish`; without its time-out.

        Raises:
            BusUnavailable: The connection is lost.
            PublishRefused: The broker does not take it.
        """
        self._refuse_too_large(topic, payload)
        if qos == 0:
            await self._room_to_write()
            self._queue(topic, payload, 0, retain, properties)
            self._write()
            if self._lost is not None:
                raise BusUnavailable(self._lost)
            return
        await self._place()
        confirmation = self._queue_surely(Publication(topic, payload, retain), properties)
        self._write()
        _check(topic, await confirmation)

    async def publish_all(
        self,
        publications: Sequence[Publication],
        properties: Sequence[Properties],
        outcomes: list[NotPublished | None],
    ) -> None:
        """See `Bus.publish_all`; without its time-out.

        Args:
            publications: What is published.
            properties: Of each.
            outcomes: Of each, as if none were published; each is changed when more is known.
        """
        confirmations: dict[int, asyncio.Future[ReasonCode]] = {}
        try:
            for number, publication in enumerate(publications):
                try:
                    self._refuse_too_large(publication.topic, publication.payload)
                    if self._places.locked():  # those before must leave, to give theirs back
                        self._write()
                    await self._place()
                    confirmation = self._queue_surely(publication, properties[number])
                except (BusUnavailable, PublishRefused) as failure:
                    outcomes[number] = failure
                else:
                    confirmations[number] = confirmation
            self._write()
            for number, confirmation in confirmations.items():
                try:
                    _check(publications[number].topic, await confirmation)
                    outcomes[number] = None
                except (BusUnavailable, PublishRefused) as failure:
                    outcomes[number] = failure
        finally:
            for confirmation in confirmations.values():
                confirmation.cancel()  # nobody asks any more

    async def _place(self) -> None:
        """Wait until the broker takes one more."""
        await self._places.acquire()
        if self._lost is not None:
            self._places.release()  # wakes the next who waits for a place, to find out the same
            raise BusUnavailable(self._lost)

    def _queue_surely(
        self, publication: Publication, properties: Properties
    ) -> asyncio.Future[ReasonCode]:
        """Have a message of QoS 1 written next; returns what its PUBACK will say."""
        topic, payload, retain = publication.topic, publication.payload, publication.retain
        message_id = self._queue(topic, payload, 1, retain, properties)
        confirmation = asyncio.get_running_loop().create_future()
        self._pending[message_id] = confirmation
        return confirmation

    def confirm(self, message_id: int, reason: ReasonCode) -> None:
        """A PUBACK has come; or a QoS 0 message was written, which nobody waits for."""
        confirmation = self._pending.pop(message_id, None)
        if confirmation is not None:
            self._places.release()
            if not confirmation.done():
                confirmation.set_result(reason)

    def all_written(self) -> None:
        """Everything sent has reached the socket."""
        self._unwritten = 0
        self._written.set()

    def fail(self, reason: str) -> None:
        """The connection is lost: nobody shall wait for what will not come."""
        self._lost = reason
        for confirmation in self._pending.values():
            if not confirmation.done():
                confirmation.set_exception(BusUnavailable(reason))
        self._pending.clear()
        self._places.release()
        self._written.set()

    async def _room_to_write(self) -> None:
        """Wait while much is unwritten, and else for a turn of the loop now and then.

        What is written at once never waits: a loop of publishes would let nobody else go on.
        """
        self._until_pause -= 1
        if not self._until_pause:
            self._until_pause = _MOST_UNWRITTEN
            await asyncio.sleep(0)
        while self._unwritten >= _MOST_UNWRITTEN and self._lost is None:
            self._written.clear()
            await self._written.wait()

    def _queue(
        self,
        topic: str,
        payload: bytes,
        qos: QualityOfService,
        retain: bool,  # noqa: FBT001 - as `publish`
        properties: Properties,
    ) -> int:
        sent = self._paho.publish(topic, payload, qos, retain, properties)
        if sent.rc != MQTT_ERR_SUCCESS:
            raise BusUnavailable(error_string(sent.rc))
        self._unwritten += 1
        return sent.mid

    def _refuse_too_large(self, topic: str, payload: bytes) -> None:
        """Else the broker ends the connection, and again at every attempt to resend."""
        size = len(payload) + len(topic) + _LARGEST_HEADER
        if self._largest_packet is not None and size > self._largest_packet:
            raise PublishRefused(topic, _PACKET_TOO_LARGE, f"{size} bytes, too large a packet")


def _check(topic: str, reason: ReasonCode) -> None:
    if reason.value >= LOWEST_ERROR:
        raise PublishRefused(topic, reason.value, str(reason))
