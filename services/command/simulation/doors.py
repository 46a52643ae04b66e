"""Unix sockets of the simulated machine: what is written arrives a little later, in order.

Only what asyncio's streams need. A door belongs to the process that opened it: who knocks at the
door of one that was killed finds nobody, who was talking to it is hung up on, and one that is
frozen says nothing until it is thawed.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from random import Random
from typing import Any, Final, Protocol

ProtocolFactory = Callable[[], asyncio.BaseProtocol]

_SLOWEST_S: Final = 0.001


class Owner(Protocol):
    """Whoever has one end of a conversation."""

    is_alive: bool


class Doors:
    """All doors of one machine.

    Args:
        loop: Whose time.
        random: What delays are drawn from.
    """

    def __init__(self, loop: asyncio.BaseEventLoop, random: Random) -> None:
        self._loop = loop
        self._random = random
        self._open: dict[str, Door] = {}

    def serve(self, made: ProtocolFactory, bound: socket.socket, owner: Owner | None) -> "Door":
        """Open a door where a socket is bound."""
        path = bound.getsockname()
        self._open[path] = door = Door(made, bound, owner, copy_context())
        return door

    def knock(
        self, made: ProtocolFactory, path: str, owner: Owner | None
    ) -> tuple["End", asyncio.BaseProtocol]:
        """Begin a conversation.

        Raises:
            ConnectionRefusedError: Nobody is there.
        """
        door = self._open.get(path)
        if door is None or not door.is_open:
            raise ConnectionRefusedError(f"nobody answers at {path}")
        near = End(self._loop, self._random, owner, copy_context())
        far = End(self._loop, self._random, door.owner, door.context.copy())
        near.peer, far.peer = far, near
        near.begin(made())
        far.tell(lambda: far.begin(door.made()))
        return near, near.protocol


class Door(asyncio.AbstractServer):
    """One door; what `create_unix_server` returns."""

    def __init__(
        self, made: ProtocolFactory, bound: socket.socket, owner: Owner | None, context: Context
    ) -> None:
        self.made = made
        self.owner = owner
        self.context = context
        self._bound = bound

    @property
    def is_open(self) -> bool:
        """Whether somebody is behind it."""
        is_there = self.owner is None or self.owner.is_alive
        return is_there and self._bound.fileno() >= 0

    def close(self) -> None:
        """Open no more."""
        self._bound.close()

    async def wait_closed(self) -> None:
        """Nothing is waited for."""

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop that runs."""
        return asyncio.get_running_loop()

    def is_serving(self) -> bool:
        """Whether it opens."""
        return self.is_open

    async def start_serving(self) -> None:
        """It serves from the beginning."""

    async def serve_forever(self) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()


class End(asyncio.Transport):
    """One end of a conversation."""

    peer: "End"
    protocol: asyncio.BaseProtocol

    def __init__(
        self, loop: asyncio.BaseEventLoop, random: Random, owner: Owner | None, context: Context
    ) -> None:
        super().__init__()
        self._loop = loop
        self._random = random
        self._owner = owner
        self._context = context
        self._news: deque[Callable[[], Any]] = deque()
        self._told_s = 0.0
        self._is_closing = False

    def begin(self, protocol: asyncio.BaseProtocol) -> None:
        """Tell the protocol that it is connected."""
        self.protocol = protocol
        protocol.connection_made(self)

    def tell(self, news: Callable[[], Any]) -> None:
        """Have something happen at this end a little later, after all that was told before."""
        soon_s = self._loop.time() + self._random.uniform(0, _SLOWEST_S)
        self._told_s = max(self._told_s, soon_s)
        self._news.append(news)
        self._loop.call_at(self._told_s, self._hear, context=self._context)

    def _hear(self) -> None:
        """Have the next thing happen; who is dead hears nothing, and is found to be."""
        news = self._news.popleft()
        if self._owner is None or self._owner.is_alive:
            news()
        elif not self._is_closing:
            self._is_closing = True
            self.peer.tell(self.peer.lose)

    def lose(self) -> None:
        """Be hung up on."""
        if not self._is_closing:
            self._is_closing = True
            self.protocol.connection_lost(None)

    # --- what asyncio asks for ------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send; nothing arrives that a killed process still writes."""
        if self._is_closing or not (self._owner is None or self._owner.is_alive):
            return
        peer, some = self.peer, bytes(data)
        peer.tell(lambda: peer.take(some))

    def take(self, some: bytes) -> None:
        """Receive."""
        if not self._is_closing and isinstance(self.protocol, asyncio.Protocol):
            self.protocol.data_received(some)

    def close(self) -> None:
        """Hang up."""
        if not self._is_closing:
            self._is_closing = True
            self.tell(lambda: self.protocol.connection_lost(None))
            self.peer.tell(self.peer.lose)

    def is_closing(self) -> bool:
        """Whether it is over."""
        return self._is_closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401, ARG002 - asyncio's
        """Know nothing more."""
        return default
