"""One HTTP/1.1 GET on asyncio: h11 reads the protocol, which uvicorn brings along."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

import h11
import msgspec
from msgspec import Struct

from shared.wire.views import Problem

_CONNECT_S: Final = 3.0
_SILENCE_S: Final = 25.0
"""The stream says something every 10 s; when it does not, whoever was there is gone."""
_PIECE: Final = 65_536
_LONGEST_WHOLE: Final = 64_000_000
_OK: Final = 200
_PORTS: Final = {"http": 80, "https": 443}


class ServerAway(Exception):  # noqa: N818 - what happened
    """Nobody answers, or the answer broke off; the text says how."""


class ServerRefused(Exception):  # noqa: N818 - an answer
    """The server answered, and not with what was asked for."""


class Server(Struct, frozen=True):
    """Where the dashboard is.

    Attributes:
        url: As it was given, without a slash at the end.
        host: Of it.
        port: Of it.
        is_encrypted: Whether TLS is spoken; the system's authorities vouch for it.
        path: Before every path that is asked for: what a proxy put there.
    """

    url: str
    host: str
    port: int
    is_encrypted: bool
    path: str

    @classmethod
    def at(cls, url: str) -> "Server":
        """Read a URL.

        Raises:
            ValueError: It is none of http or https.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
            raise ValueError(f"{url!r} is no http:// or https:// address")
        return cls(
            url=url.rstrip("/"),
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            is_encrypted=parts.scheme == "https",
            path=parts.path.rstrip("/"),
        )

    async def fetch(self, path: str) -> bytes:
        """Ask for a path and return the whole answer.

        Raises:
            ServerAway: See there.
            ServerRefused: See there.
        """
        async with self.stream(path, "application/json") as pieces:
            return await _whole(pieces)

    @asynccontextmanager
    async def stream(
        self, path: str, accept: str = "text/event-stream"
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Ask for a path; the answer comes in pieces while the block runs.

        Raises:
            ServerAway: See there; also while pieces are read.
            ServerRefused: See there.
        """
        reader, writer = await self._connect()
        try:
            protocol = h11.Connection(h11.CLIENT)
            head = h11.Request(
                method="GET",
                target=f"{self.path}{path}",
                headers=[
                    ("host", _authority(self.host, self.port)),
                    ("accept", accept),
                    ("connection", "close"),
                ],
            )
            writer.write(protocol.send(head) + protocol.send(h11.EndOfMessage()))
            status, pieces = await _answer(protocol, reader)
            if status != _OK:
                raise ServerRefused(_refusal(status, await _whole(pieces)))
            yield pieces
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = ssl.create_default_context() if self.is_encrypted else None
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await asyncio.open_connection(self.host, self.port, ssl=context)
        except TimeoutError:
            raise ServerAway(f"no connection within {_CONNECT_S:g} s") from None
        except OSError as error:
            raise ServerAway(error.strerror or str(error)) from None


async def _answer(
    protocol: h11.Connection, reader: asyncio.StreamReader
) -> tuple[int, AsyncIterator[bytes]]:
    events = _events(protocol, reader)
    async for event in events:
        if isinstance(event, h11.Response):
            return event.status_code, _pieces(events)
    raise ServerAway("the connection ended before an answer")


async def _pieces(events: AsyncIterator[h11.Event]) -> AsyncIterator[bytes]:
    async for event in events:
        if isinstance(event, h11.Data):
            yield bytes(event.data)


async def _events(
    protocol: h11.Connection, reader: asyncio.StreamReader
) -> AsyncIterator[h11.Event]:
    """Yield what the server says until its answer is whole."""
    try:
        while True:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                async with asyncio.timeout(_SILENCE_S):
                    protocol.receive_data(await reader.read(_PIECE))
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                return
            elif not isinstance(event, type):
                yield event
    except TimeoutError:
        raise ServerAway(f"silent for {_SILENCE_S:g} s") from None
    except h11.RemoteProtocolError as error:
        raise ServerAway(f"the connection broke off: {error}") from None
    except OSError as error:
        raise ServerAway(error.strerror or str(error)) from None


async def _whole(pieces: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > _LONGEST_WHOLE:
            raise ServerRefused(f"an answer of more than {_LONGEST_WHOLE:,} bytes")
    return bytes(body)


def _refusal(status: int, body: bytes) -> str:
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except msgspec.DecodeError:
        return f"HTTP {status}: is this a hedgestat dashboard?"
    return f"{problem.error}: {problem.detail}"


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
