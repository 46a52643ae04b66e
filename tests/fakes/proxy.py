"""A wire that fails: a TCP proxy that loses replies, or connections, when told to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Proxy:
    """Passes bytes between clients and one server on loopback.

    Attributes:
        port: Where clients connect.
        lose_replies: While true, the server gets requests, and its next reply ends the connection
            instead of arriving.
        lost: How many replies were lost.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self.port = 0
        self.lose_replies = False
        self.lost = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either end closes it."""
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        try:
            async with asyncio.TaskGroup() as directions:
                directions.create_task(self._carry(reader, server_writer))
                directions.create_task(self._carry(server_reader, writer, replies=True))
        except* ConnectionError:
            pass

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, replies: bool = False
    ) -> None:
        try:
            while some := await reader.read(65536):
                if replies and self.lose_replies:
                    self.lost += 1
                    return
                writer.write(some)
                await writer.drain()
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def proxy_before(server_port: int) -> AsyncIterator[Proxy]:
    """Run a proxy before a server for as long as the block lasts."""
    proxy = Proxy(server_port)
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()
