"""The gateway's own door: a unix socket of mode 0600, which works with broker and store dead.

One request a line, JSON; one answer a line. Whoever may open the socket is the gateway's user, who
may stop trading. To let it go on takes an operator's signature, here too.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from shared.adapters.record import RecordedOrder
from shared.domain.trading import TradingState, TradingStateSet

LONGEST_LINE: Final = 16 * 1024 * 1024
ORDERS_AT_ONCE: Final = 500
TIMEOUT_S: Final = 5.0


class StatusAsked(Struct, frozen=True, tag="status"):
    """How are things?"""


class OrdersAsked(Struct, frozen=True, tag="orders"):
    """What was answered after that number? At most `ORDERS_AT_ONCE`."""

    after: int


class HaltAsked(Struct, frozen=True, kw_only=True, tag="halt"):
    """Stop, or only reduce; unsigned, so it never loosens."""

    scope: str
    state: Literal["halted", "reducing"]
    operator: str
    reason: str


class CommandGiven(Struct, frozen=True, tag="command"):
    """A sealed command, as it would have gone to a topic of the broker."""

    topic: str
    payload: bytes


Request = StatusAsked | OrdersAsked | HaltAsked | CommandGiven


class GatewayStatus(Struct, frozen=True, kw_only=True, tag="gateway"):
    """How things are.

    Attributes:
        scopes: What each scope may do: `all`, and every book.
        orders: Who wants it so, the states that are not `active`.
        epoch: The highest that the gateway has heard of.
        answered: Orders ever answered.
        heard_s: Since the hedger was last heard, in seconds; `None`: not since the start.
        trouble: What fails its health check, by check.
    """

    scopes: dict[str, TradingState]
    orders: tuple[TradingStateSet, ...]
    epoch: int
    answered: int
    heard_s: float | None
    trouble: dict[str, str] = {}


class OrdersTold(Struct, frozen=True, tag="orders"):
    """Orders that were answered, oldest first; none: these are all."""

    orders: tuple[RecordedOrder, ...]


class NotDone(Struct, frozen=True, tag="not_done"):
    """What was asked is not done: why."""

    reason: str


Answer = GatewayStatus | OrdersTold | NotDone
Handler = Callable[[Request], Awaitable[Answer]]

_encode = msgspec.json.Encoder().encode
_decode_request: Callable[[bytes], Request] = msgspec.json.Decoder(Request).decode
_decode_answer: Callable[[bytes], Answer] = msgspec.json.Decoder(Answer).decode


class GatewayUnreachable(ConnectionError):  # noqa: N818 - reads as what happened, like KeyError
    """Nobody answers at the socket."""


class GatewayRefused(RuntimeError):  # noqa: N818 - likewise
    """The gateway answers that it does not do it; the text says why."""


# --- the gateway's side -----------------------------------------------------------------------


@asynccontextmanager
async def serve_control(path: Path, handler: Handler) -> AsyncIterator[None]:
    """Answer requests at a socket for as long as the block; its owner alone may open it.

    Raises:
        OSError: The socket cannot be made there; a path has at most 107 bytes.
    """
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is a coroutine
        conversations.add(task)
        try:
            await _converse(reader, writer, handler)
        finally:
            writer.close()
            conversations.discard(task)

    server = await asyncio.start_unix_server(converse, sock=_bind(path), limit=LONGEST_LINE)
    try:
        async with server:
            yield
    finally:
        _unlink(path)
        for task in conversations:
            task.cancel()
        if conversations:
            await asyncio.wait(conversations)


def _bind(path: Path) -> socket.socket:
    _unlink(path)  # of one that was killed: the record's lock says that there is no other
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        made.bind(str(path))
    except OSError:
        made.close()
        raise
    finally:
        os.umask(mask)
    return made


def _unlink(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler
) -> None:
    with suppress(ConnectionError, ValueError):  # hung up, or a line beyond all bounds
        while line := await reader.readline():
            writer.write(_encode(await _answer(line, handler)) + b"\n")
            await writer.drain()


async def _answer(line: bytes, handler: Handler) -> Answer:
    try:
        request = _decode_request(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return NotDone(f"not a request: {error}")
    return await handler(request)


# --- the other side ---------------------------------------------------------------------------


async def ask_gateway(path: Path, request: Request, *, timeout_s: float = TIMEOUT_S) -> Answer:
    """Ask one thing.

    Raises:
        GatewayUnreachable: No gateway runs there, it does not answer in time, or is not ours.
    """
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST_LINE)
            try:
                writer.write(_encode(request) + b"\n")
                return _decode_answer(await reader.readline())
            finally:
                writer.close()
    except TimeoutError:
        raise GatewayUnreachable(f"{path}: no answer in {timeout_s:g} s") from None
    except OSError as error:
        raise GatewayUnreachable(f"{path}: {error.strerror or error}") from error
    except msgspec.DecodeError as error:
        raise GatewayUnreachable(f"{path}: the answer was cut off: {error}") from error


async def gateway_orders(path: Path, after: int = 0) -> list[RecordedOrder]:
    """Return every order that was answered after that number, oldest first.

    Raises:
        GatewayUnreachable: See `ask_gateway`.
    """
    found: list[RecordedOrder] = []
    while True:
        answer = await ask_gateway(path, OrdersAsked(found[-1].number if found else after))
        if not (isinstance(answer, OrdersTold) and answer.orders):
            return found
        found.extend(answer.orders)


async def gateway_status(path: Path) -> GatewayStatus:
    """Return how things are at the gateway.

    Raises:
        GatewayUnreachable: See `ask_gateway`.
        GatewayRefused: It does not say.
    """
    return _status(await ask_gateway(path, StatusAsked()))


async def halt_locally(
    path: Path, scope: str, state: Literal["halted", "reducing"], operator: str, reason: str
) -> GatewayStatus:
    """Stop trading; the answer comes once it is on the gateway's disk.

    Raises:
        GatewayUnreachable: See `ask_gateway`.
        GatewayRefused: There is no such scope.
    """
    asked = HaltAsked(scope=scope, state=state, operator=operator, reason=reason)
    return _status(await ask_gateway(path, asked))


async def command_locally(path: Path, topic: str, payload: bytes) -> GatewayStatus:
    """Hand a sealed command over.

    Raises:
        GatewayUnreachable: See `ask_gateway`.
        GatewayRefused: It is not believed; the text says why.
    """
    return _status(await ask_gateway(path, CommandGiven(topic, payload)))


def _status(answer: Answer) -> GatewayStatus:
    if isinstance(answer, GatewayStatus):
        return answer
    raise GatewayRefused(answer.reason if isinstance(answer, NotDone) else "an unexpected answer")
