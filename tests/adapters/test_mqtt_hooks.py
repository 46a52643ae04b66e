"""The names inside aiomqtt and paho that the adapter stands on: loud when an upgrade moves one."""

import inspect
from importlib.metadata import version

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


async def test_aiomqtt_still_keeps_paho_and_its_disconnection_where_we_look() -> None:
    client = aiomqtt.Client("127.0.0.1", protocol=aiomqtt.ProtocolVersion.V5)

    assert isinstance(client._client, paho.Client)  # noqa: SLF001
    assert not client._disconnected.done()  # noqa: SLF001
    assert client._disconnected.get_loop().is_running()  # noqa: SLF001


def test_a_new_major_version_of_aiomqtt_is_another_library() -> None:
    major, minor, *_ = (int(part) for part in version("aiomqtt").split(".")[:2])
    assert (major, minor) >= (2, 5)
    assert major == 2


async def test_aiomqtt_hangs_its_own_callbacks_where_we_hang_ours() -> None:
    inner = aiomqtt.Client("127.0.0.1")._client  # noqa: SLF001

    for callback in (
        inner.on_connect,
        inner.on_message,
        inner.on_publish,
        inner.on_socket_open,
        inner.on_socket_register_write,
        inner.on_socket_unregister_write,
    ):
        assert callback is not None


def parameters(function: object) -> list[str]:
    assert callable(function)
    return list(inspect.signature(function).parameters)


def test_paho_acknowledges_by_hand() -> None:
    assert parameters(paho.Client.manual_ack_set) == ["self", "on"]
    assert parameters(paho.Client.ack) == ["self", "mid", "qos"]
    source = inspect.getsource(paho.Client._handle_publish)  # noqa: SLF001
    assert "if self._manual_ack:" in source


def test_paho_reads_from_the_socket_we_give_it_and_closes_it() -> None:
    assert "self._sock.recv(bufsize)" in inspect.getsource(paho.Client._sock_recv)  # noqa: SLF001
    assert "sock.close()" in inspect.getsource(paho.Client._sock_close)  # noqa: SLF001
    opening = inspect.getsource(paho.Client.reconnect)
    assert opening.index("self._sock = self._create_socket()") < opening.index(
        "self._call_socket_open(self._sock)"
    )


def test_paho_loops_where_we_turn_them() -> None:
    for name in ("loop_read", "loop_write", "want_write", "is_connected", "socket"):
        assert callable(getattr(paho.Client, name))
    assert isinstance(paho.Client.connect_timeout, property)


def test_paho_gives_the_reason_of_a_puback_to_on_publish() -> None:
    source = inspect.getsource(paho.Client._do_on_publish)  # noqa: SLF001
    assert "reason_code" in source


def test_a_property_that_was_not_sent_is_absent() -> None:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    assert getattr(properties, "ContentType", None) is None
