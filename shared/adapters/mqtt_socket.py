"""The socket under an MQTT connection: no Nagle, no delayed ACK, and reads in large pieces.

paho reads a packet with three system calls, two of them for a single byte. It is given this object
in place of its socket: one system call fills a buffer and paho reads from that.
"""

import socket
import ssl
from typing import Final

_READ_SIZE: Final = 256 * 1024  # more than a TLS record: none is left half read, unseen by select
_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)  # Linux has it
_NOTHING_YET: Final = (
    BlockingIOError,
    InterruptedError,
    ssl.SSLWantReadError,
    ssl.SSLWantWriteError,
)


class ReadAheadSocket:
    """A non-blocking stream socket, plain or TLS, that reads only when `fill` is called.

    Args:
        connection: The connected socket; its small packets are sent at once from here on.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._buffer = b""
        self._position = 0
        self._failure: OSError | None = None
        self._ended = False

    def fill(self) -> None:
        """Read once what has arrived.

        Linux turns delayed ACKs on again as it sees fit: a broker that leaves Nagle's algorithm on
        (rumqttd does) then keeps small packets back for 40 ms, so they are turned off each time.
        """
        try:
            arrived = self._socket.recv(_READ_SIZE)
        except _NOTHING_YET:
            return
        except OSError as failure:
            self._failure = failure
            return
        self._ended = not arrived
        self._buffer = self._buffer[self._position :] + arrived
        self._position = 0
        if _QUICKACK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def pending(self) -> int:
        """How many bytes can be read; at least 1 when the end or an error can be."""
        unread = len(self._buffer) - self._position
        return unread or int(self._ended or self._failure is not None)

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes from the buffer; empty when the peer has closed.

        Raises:
            BlockingIOError: The buffer is empty: `fill` it first.
            OSError: The connection is broken.
        """
        piece = self._buffer[self._position : self._position + size]
        if piece or self._ended:
            self._position += len(piece)
            return piece
        raise self._failure or BlockingIOError

    def send(self, data: bytes | bytearray) -> int:
        """Write as socket.send does."""
        return self._socket.send(data)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def fileno(self) -> int:
        """The descriptor, -1 once closed."""
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - paho calls it as a socket's
        """As socket.setblocking."""
        self._socket.setblocking(flag)

    def getsockopt(self, level: int, option: int) -> int:
        """As socket.getsockopt."""
        return self._socket.getsockopt(level, option)
