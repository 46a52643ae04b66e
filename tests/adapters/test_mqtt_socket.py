"""What paho writes while the socket is held leaves with one system call, and none of it is lost."""

import socket
from collections.abc import Iterator

import pytest

from shared.adapters.mqtt_socket import ReadAheadSocket


class Ends:
    """Our end of a connection, and the broker's."""

    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.raw = socket.create_connection(listener.getsockname())
        self.broker, _ = listener.accept()
        listener.close()
        self.raw.settimeout(0.0)
        self.broker.settimeout(5.0)
        self.ours = ReadAheadSocket(self.raw)

    def read(self, size: int) -> bytes:
        arrived = bytearray()
        while len(arrived) < size:
            arrived += self.broker.recv(size - len(arrived))
        return bytes(arrived)


@pytest.fixture
def ends() -> Iterator[Ends]:
    pair = Ends()
    yield pair
    pair.ours.close()
    pair.broker.close()


def test_what_is_written_while_held_leaves_at_the_flush_in_its_order(ends: Ends) -> None:
    ends.ours.hold()
    assert [ends.ours.send(piece) for piece in (b"one", b"two")] == [3, 3]
    ends.broker.settimeout(0.0)
    with pytest.raises(BlockingIOError):
        ends.broker.recv(1)
    ends.broker.settimeout(5.0)
    assert ends.ours.flush()
    assert ends.ours.send(b"three") == 5
    assert ends.read(11) == b"onetwothree"


def test_what_the_socket_does_not_take_is_kept_and_nothing_overtakes_it(ends: Ends) -> None:
    ends.raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    written = 0
    while True:
        ends.ours.hold()
        try:
            written += ends.ours.send(b"%07d " % written * 1000)
        except BlockingIOError:
            break
        ends.ours.flush()
    with pytest.raises(BlockingIOError):  # nor is it written now
        ends.ours.send(b"overtakes")
    arrived = bytearray()
    while not ends.ours.flush():
        arrived += ends.broker.recv(1 << 20)
    arrived += ends.read(written - len(arrived))
    assert bytes(arrived) == b"".join(b"%07d " % at * 1000 for at in range(0, written, 8000))


def test_a_good_bye_that_was_kept_is_written_when_the_socket_is_closed(ends: Ends) -> None:
    ends.ours.hold()
    ends.ours.send(b"bye")
    ends.ours.close()
    assert ends.read(3) == b"bye"
    assert ends.ours.fileno() == -1


def test_a_connection_that_broke_is_told_at_the_flush_and_not_at_the_close(ends: Ends) -> None:
    ends.raw.shutdown(socket.SHUT_WR)
    ends.ours.hold()
    ends.ours.send(b"lost")
    with pytest.raises(OSError, match="pipe"):
        ends.ours.flush()
    ends.ours.close()
