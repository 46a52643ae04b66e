"""What a connection tells an MQTT 5 broker: who we are at CONNECT, and about each message."""

from functools import lru_cache

import aiomqtt
import msgspec
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from shared.adapters.bus import Will
from shared.adapters.connections import MqttSettings


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker is told about us at CONNECT.

    Attributes:
        client_id: Our name; a second connection of the same name ends the first.
        clean_start: Forget what an earlier connection of that name left: subscriptions, messages.
        expiry_s: How long the broker keeps them for us while we are away.
        receive_maximum: How many unacknowledged QoS 1 messages it may send us.
        will: What it publishes when we vanish; we publish it ourselves when we leave.
    """

    client_id: str
    clean_start: bool
    expiry_s: int
    receive_maximum: int
    will: Will | None


@lru_cache(maxsize=64)
def publish_properties(content_type: str, expiry_s: int | None) -> Properties:
    """The properties of a PUBLISH, which paho takes as long to make as to send."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ContentType = content_type
    if expiry_s is not None:
        properties.MessageExpiryInterval = expiry_s
    return properties


def new_client(settings: MqttSettings, session: Session) -> aiomqtt.Client:
    """A client that has not connected yet: one for each attempt.

    Raises:
        OSError: A password or certificate file cannot be read.
    """
    host, port = settings.address
    username, password = settings.credentials
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = session.expiry_s
    properties.ReceiveMaximum = session.receive_maximum
    return aiomqtt.Client(
        host,
        port,
        username=username,
        password=password,
        identifier=settings.client_id(session.client_id),
        protocol=aiomqtt.ProtocolVersion.V5,
        will=_aiomqtt_will(session.will),
        tls_context=settings.tls_context() if settings.secure else None,
        timeout=settings.connect_timeout_s,
        keepalive=settings.keepalive_s,
        clean_start=session.clean_start,
        max_inflight_messages=0,  # paho's own limit off: `MqttConnection` keeps the broker's
        properties=properties,
    )


def _aiomqtt_will(will: Will | None) -> aiomqtt.Will | None:
    return None if will is None else aiomqtt.Will(will.topic, will.payload, will.qos, will.retain)
