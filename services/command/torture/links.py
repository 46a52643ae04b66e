"""A wire that can be disturbed: between each service and each server there is a proxy of ours.

A *mood* of a link concerns all its connections, those that are there and those to come. `slow`
holds every piece back for a while, in order; `deaf` takes what is written to it and passes nothing
on in either direction, without a word (a partition without RST), and passes it on when it is over;
`forgetful` lets requests through, and loses the reply with its connection; `cut` ends connections.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, Literal

Mood = Literal["well", "slow", "deaf", "forgetful"]
_DELAY_S: Final = 0.1


class Link:
    """The way from one program to one server.

    Args:
        name: Of program and server.
        server_port: Where it leads to.

    Attributes:
        port: Where the program connects.
        lost: How many replies were lost.
    """

    def __init__(self, name: str, server_port: int) -> None:
        self.name = name
        self.server_port = server_port
        self.port = 0
        self.lost = 0
        self._mood: Mood = "well"
        self._pairs: set[_Pair] = set()
        self._listener: asyncio.Server | None = None

    @property
    def mood(self) -> Mood:
        """What it does to what passes."""
        return self._mood

    @mood.setter
    def mood(self, mood: Mood) -> None:
        self._mood = mood
        for pair in list(self._pairs):
            pair.flush()

    async def open(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: _End(_Pair(self)), "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Listen no more, and end every connection."""
        if self._listener is not None:
            self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End every connection."""
        for pair in list(self._pairs):
            pair.end()

    def added(self, pair: "_Pair") -> None:
        """Know of a connection."""
        self._pairs.add(pair)

    def removed(self, pair: "_Pair") -> None:
        """Forget a connection."""
        self._pairs.discard(pair)


class _Pair:
    """One connection: the program's end and the server's."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._near: asyncio.Transport | None = None
        self._far: asyncio.Transport | None = None
        self._kept: list[tuple[bool, bytes]] = []  # upwards?, bytes: in order of arrival
        self._late = 0
        self._connecting: asyncio.Task[tuple[asyncio.Transport, _End]] | None = None
        self._ended = False
        self._is_dead = False

    def made(self, transport: asyncio.Transport, end: "_End") -> None:
        """Take one end; the program's asks for the server's."""
        if self._ended:
            transport.abort()
            return
        if end.upwards:
            self._far = transport
            self.flush()
            return
        self._near = transport
        self.link.added(self)
        loop = asyncio.get_running_loop()
        call = loop.create_connection(
            lambda: _End(self, upwards=True), "127.0.0.1", self.link.server_port
        )
        self._connecting = asyncio.ensure_future(call)
        self._connecting.add_done_callback(self._connected)

    def _connected(self, call: "asyncio.Task[tuple[asyncio.Transport, _End]]") -> None:
        if call.cancelled() or call.exception() is not None:
            self.end()

    def passed(self, upwards: bool, some: bytes) -> None:  # noqa: FBT001 - from one place
        """Pass a piece on, or do to it what the mood says."""
        mood = self.link.mood
        if mood == "forgetful" and not upwards:
            self.link.lost += 1
            self.end()
            return
        if mood == "slow":
            self._late += 1
            loop = asyncio.get_running_loop()
            loop.call_later(_DELAY_S, self._release)
        elif mood != "deaf" and not self._kept and self._far is not None:
            self._write(upwards, some)
            return
        self._kept.append((upwards, some))

    def _release(self) -> None:
        self._late -= 1
        if self._kept and self._far is not None and self.link.mood != "deaf":
            self._write(*self._kept.pop(0))
        if not self._late:
            self.flush()

    def flush(self) -> None:
        """Pass on what was kept, if it may go; what died unheard ends now."""
        if self._is_dead and self.link.mood != "deaf":
            self.end()
        if self.link.mood in {"well", "forgetful"} and self._far is not None:
            kept, self._kept = self._kept, []
            for upwards, some in kept:
                self._write(upwards, some)

    def _write(self, upwards: bool, some: bytes) -> None:  # noqa: FBT001 - from two places
        to = self._far if upwards else self._near
        if to is not None and not to.is_closing():
            to.write(some)

    def end(self) -> None:
        """End both ends."""
        if self._ended:
            return
        self._ended = True
        self._kept.clear()
        self.link.removed(self)
        for transport in self._transports():
            with suppress(OSError):
                transport.abort()

    def gone(self) -> None:
        """One end is gone; the other learns of it, unless nothing passes."""
        self._is_dead = True
        if self.link.mood != "deaf":
            self.end()

    def _transports(self) -> Iterator[asyncio.Transport]:
        for transport in (self._near, self._far):
            if transport is not None:
                yield transport


class _End(asyncio.Protocol):
    def __init__(self, pair: _Pair, *, upwards: bool = False) -> None:
        self.upwards = upwards
        self._pair = pair

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP's are
        self._pair.made(transport, self)

    def data_received(self, data: bytes) -> None:
        self._pair.passed(not self.upwards, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        self._pair.gone()
