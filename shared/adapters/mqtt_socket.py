"""The socket under an MQTT connection: no Nagle, no delayed ACK, reads and writes in large pieces.

paho reads a packet with three system calls, two of them for a single byte, and writes each with one
of its own. It is given this object in place of its socket: one system call fills a buffer that paho
reads from, and one empties what paho wrote while the socket was held.
"""

import contextlib
import socket
import ssl
from typing import Final

_READ_SIZE: Final = 256 * 1024  # more than a TLS record: none is left half read, unseen by select
_HELD_SIZE: Final = 64 * 1024
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
        self._unsent = bytearray()
        self._is_held = False

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
        """Write as socket.send does; while held, to a buffer that is written when it is full.

        Raises:
            BlockingIOError: Nothing can be written now.
            OSError: The connection is broken.
        """
        is_full = len(self._unsent) >= _HELD_SIZE
        if self._unsent and (is_full or not self._is_held) and not self.flush():
            raise BlockingIOError
        if not self._is_held:
            return self._socket.send(data)
        self._unsent += data
        return len(data)

    def hold(self) -> None:
        """Keep what is written from now on until `flush`."""
        self._is_held = True

    def flush(self) -> bool:
        """Write what was kept; whether all of it could be written. Nothing is held any more.

        Raises:
            OSError: The connection is broken.
        """
        self._is_held = False
        while self._unsent:
            try:
                written = self._socket.send(self._unsent)
            except _NOTHING_YET:
                return False
            del self._unsent[:written]
        return True

    def close(self) -> None:
        """Close the socket; what was kept, a good-bye perhaps, is written if it can be at once."""
        with contextlib.suppress(OSError):
            self.flush()
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
