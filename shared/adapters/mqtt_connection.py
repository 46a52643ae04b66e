"""One connection to an MQTT 5 broker, from CONNECT until it breaks; never used again after that.

aiomqtt connects, subscribes and ties paho to the event loop. Some habits of its version 2.5 do not
do here, and are replaced at paho's own callbacks:

- it acknowledges a message before anybody has dealt with it: paho is told to leave that to us;
- it drops the reason code of a PUBACK, so that a refused order looks published: `on_publish`;
- it lets a publish in flight wait for its time-out when the connection breaks: we fail it at once;
- it reads one packet per turn of the event loop, and starts a task for every message taken.

A connect that was cancelled leaves its lock held, so a connection is one `aiomqtt.Client` and every
attempt makes a new one. `tests/adapters/test_mqtt_hooks.py` fails when a name used here changes.

Longer than most: every place where paho or aiomqtt is overruled is here.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
from paho.mqtt.client import (
    MQTT_ERR_CONN_LOST,
    MQTT_ERR_SUCCESS,
    ConnectFlags,
    MQTTMessage,
    error_string,
)
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from shared.adapters.bus import (
    BusEvent,
    BusUnavailable,
    Message,
    OnBusEvent,
    Subscription,
    SubscriptionRefused,
)
from shared.adapters.connections import MqttSettings
from shared.adapters.inbox import Inbox
from shared.adapters.mqtt_publishing import LOWEST_ERROR, Publishing
from shared.adapters.mqtt_session import Session, new_client
from shared.adapters.mqtt_socket import ReadAheadSocket
from shared.adapters.refusals import explained


class MqttConnection:
    """A connection that has not been opened yet, is open, or is lost for good.

    Attributes:
        publishing: Its outgoing half.

    Args:
        settings: The broker.
        session: Who we are.
        inbox: Where messages go; while it is full nothing more is read from the broker.
        on_lost: Called once, the moment the connection breaks or is closed.
        on_event: Told of messages that cannot be taken.

    Raises:
        OSError: A password or certificate file cannot be read.
    """

    def __init__(
        self,
        settings: MqttSettings,
        session: Session,
        inbox: Inbox,
        on_lost: Callable[[], None],
        on_event: OnBusEvent,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._settings = settings
        self._session = session
        self.last_word = session.will
        """What is published when we leave."""
        self._inbox = inbox
        self._on_lost = on_lost
        self._on_event = on_event
        self._client = new_client(settings, session)
        self._paho: PahoClient = self._client._client  # noqa: SLF001 - the hooks are paho's
        self._socket: ReadAheadSocket | None = None
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._is_abandoned = False
        self._is_paused = False
        self._is_writer = False
        self.publishing = Publishing(self._paho, self._write)
        self._take_over()
        self._paho.connect_timeout = settings.connect_timeout_s

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Connect; on leaving say good-bye, or just close when the connection is lost.

        Raises:
            BusUnavailable: The broker cannot be reached or does not let us in.
        """
        try:
            async with self._client:
                try:
                    self._watch()
                    yield
                finally:
                    self._leave()
        except aiomqtt.MqttError as failure:
            raise BusUnavailable(explained(failure, self._settings)) from failure
        finally:
            self._abandon()

    async def lost(self) -> str:
        """Return why the connection broke, once it has."""
        return await asyncio.shield(self._lost)

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Subscribe to all of them with one packet: a broker that was restarted is busy enough.

        Raises:
            SubscriptionRefused: The broker does not allow it.
            BusUnavailable: The connection broke.
        """
        if not subscriptions:
            return
        wanted = [(each.topic, SubscribeOptions(qos=each.qos)) for each in subscriptions]
        reasons: Sequence[ReasonCode | int]
        try:
            reasons = await self._client.subscribe(wanted)
        except aiomqtt.MqttError as failure:
            raise BusUnavailable(str(failure)) from failure
        for subscription, reason in zip(subscriptions, reasons, strict=True):
            if isinstance(reason, ReasonCode) and reason.value >= LOWEST_ERROR:
                raise SubscriptionRefused(subscription.topic, reason.value, str(reason))

    def acknowledge(self, message_id: int) -> None:
        """See `Acknowledger`."""
        if not self._lost.done():
            self._paho.ack(message_id, 1)

    def resume_reading(self) -> None:
        """Read on when a full inbox had made us stop and is no longer full."""
        if self._is_paused and not self._inbox.is_full:
            self._is_paused = False
            if self._socket is not None and self._socket.fileno() >= 0:
                self._loop.add_reader(self._socket.fileno(), self._read)

    @property
    def socket(self) -> ReadAheadSocket | None:
        """The socket, once connected."""
        return self._socket

    # What paho calls

    def _take_over(self) -> None:
        paho = self._paho
        paho.disable_logger()  # a call for each packet; `BusEvent` tells what matters
        paho.manual_ack_set(on=True)
        paho.on_message = self._on_message
        paho.on_publish = self._on_publish
        self._aiomqtt_on_connect: Any = paho.on_connect
        self._aiomqtt_on_socket_open: Any = paho.on_socket_open
        self._aiomqtt_on_written: Any = paho.on_socket_unregister_write
        paho.on_connect = self._on_connect
        paho.on_socket_open = self._on_socket_open
        paho.on_socket_register_write = self._on_something_to_write
        paho.on_socket_unregister_write = self._on_written

    def _on_socket_open(self, paho: PahoClient, userdata: object, raw: Any) -> None:  # noqa: ANN401
        """Put our socket under paho; runs in the thread that connects, before CONNECT is sent."""
        if self._is_abandoned:  # cancelled meanwhile: this socket would outlive us
            raise ConnectionAbortedError
        opened = ReadAheadSocket(raw)
        self._socket = paho._sock = opened  # noqa: SLF001
        self._aiomqtt_on_socket_open(paho, userdata, opened)
        self._loop.call_soon_threadsafe(self._loop.add_reader, opened.fileno(), self._read)

    def _on_connect(
        self,
        paho: PahoClient,
        userdata: object,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self.publishing.limit(properties)
        self._aiomqtt_on_connect(paho, userdata, flags, reason, properties)

    def _on_message(self, _paho: PahoClient, _userdata: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError as malformed:  # no broker should; it would come again for ever
            self._on_event(BusEvent("malformed_topic", str(malformed)))
            if message.qos:
                self.acknowledge(message.mid)
            return
        self._inbox.put(
            Message(
                topic,
                bytes(message.payload),
                1 if message.qos else 0,
                message.retain,
                getattr(message.properties, "ContentType", None),
                message.mid,
                self,
            )
        )

    def _on_publish(
        self, _paho: PahoClient, _userdata: object, mid: int, reason: ReasonCode, _: Properties
    ) -> None:
        self.publishing.confirm(mid, reason)

    def _on_something_to_write(self, _paho: PahoClient, _userdata: object, _: object) -> None:
        if threading.get_ident() == self._thread:
            self._loop.call_soon(self._start_writing)
        else:  # CONNECT is sent by another thread
            self._loop.call_soon_threadsafe(self._start_writing)

    def _on_written(self, paho: PahoClient, userdata: object, opened: object) -> None:
        self.publishing.all_written()
        self._aiomqtt_on_written(paho, userdata, opened)

    # What the event loop calls

    def _read(self) -> None:
        opened = self._socket
        if opened is None:
            return
        opened.fill()
        try:
            while opened.pending() and self._paho.socket() is not None:
                self._paho.loop_read()
        except Exception as failure:  # noqa: BLE001 - whatever paho trips over ends the connection
            self._lose(f"{type(failure).__name__}: {failure}")
        if self._inbox.is_full and opened.fileno() >= 0:
            self._is_paused = True
            self._loop.remove_reader(opened.fileno())

    def _start_writing(self) -> None:
        opened = self._socket
        if opened is not None and opened.fileno() >= 0 and self._paho.want_write():
            self._loop.add_writer(opened.fileno(), self._write)

    def _write(self) -> None:
        """Write all that paho has, with one system call."""
        opened = self._socket
        if opened is None:
            return
        opened.hold()
        try:
            result = self._paho.loop_write()
            self._await_room(opened, needed=not opened.flush())
        except OSError:
            self._lose(error_string(MQTT_ERR_CONN_LOST))
        except Exception as failure:  # noqa: BLE001 - as in `_read`
            self._lose(f"{type(failure).__name__}: {failure}")
        else:
            if result != MQTT_ERR_SUCCESS:
                self._lose(error_string(result))

    def _await_room(self, opened: ReadAheadSocket, *, needed: bool) -> None:
        """Be called again when the socket takes more of what paho thinks is written."""
        if needed:
            self._loop.add_writer(opened.fileno(), self._write)
        elif self._is_writer and opened.fileno() >= 0 and not self._paho.want_write():
            self._loop.remove_writer(opened.fileno())
        self._is_writer = needed

    def _on_disconnected(self, disconnected: asyncio.Future[None]) -> None:
        self._lose(str(disconnected.exception() or "closed"))

    # The parts of a life

    def _watch(self) -> None:
        self._client._disconnected.add_done_callback(self._on_disconnected)  # noqa: SLF001
        if not self._paho.is_connected():
            raise BusUnavailable("the broker closed the connection at once")

    def _lose(self, reason: str) -> None:
        if self._lost.done():
            return
        self._lost.set_result(reason)
        self._on_lost()
        self.publishing.fail(reason)

    def _leave(self) -> None:
        """Send a last word and DISCONNECT without waiting: nothing here is cancelled half-way."""
        if self._paho.is_connected():
            word = self.last_word
            if word is not None:
                self._paho.publish(word.topic, word.payload, word.qos, word.retain)
            self._paho.disconnect()
            self._write()
        self._abandon()

    def _abandon(self) -> None:
        self._is_abandoned = True
        self._paho._sock_close()  # noqa: SLF001 - paho has no public name for it
        self._lose("closed")
