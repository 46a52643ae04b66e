"""Server-sent events out of a stream of bytes, as the WHATWG HTML standard, 9.2, reads them."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

_MOST_BYTES: Final = 16_000_000
"""Of one event: a server that never ends its own must not fill our memory."""


class ServerSentEvent(Struct, frozen=True):
    """One event: its name (`message` when it has none) and its data."""

    name: str
    data: bytes


class EventTooLong(ValueError):  # noqa: N818 - what happened
    """An event did not end within 16 MB."""


class EventReader:
    """Cuts a stream into events.

    Comments, ids and `retry` are read over: who comes back here asks for all of it anew.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""
        self._data: list[bytes] = []
        self._bytes = 0

    def feed(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """Yield the events that end in this piece.

        Raises:
            EventTooLong: One does not end.
        """
        lines, self._rest = _lines(self._rest + piece)
        for line in lines:
            event = self._take(line)
            if event is not None:
                yield event
        if self._bytes + len(self._rest) > _MOST_BYTES:
            raise EventTooLong(f"an event of more than {_MOST_BYTES:,} bytes")

    def _take(self, line: bytes) -> ServerSentEvent | None:
        if not line:
            return self._end()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value.decode(errors="replace")
        elif field == b"data":
            self._data.append(value)
            self._bytes += len(value)
        return None

    def _end(self) -> ServerSentEvent | None:
        name, data = self._name or "message", self._data
        self._name, self._data, self._bytes = "", [], 0
        return ServerSentEvent(name, b"\n".join(data)) if data else None


def _lines(text: bytes) -> tuple[list[bytes], bytes]:
    """Split what is complete from the rest; a line ends with CR, LF or both.

    A CR at the very end waits: an LF after it belongs to it.
    """
    held = b"\r" if text.endswith(b"\r") else b""
    *lines, rest = (
        text.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    )
    return lines, rest + held
