"""redis-py's client, as every part of hedgestat that talks to a store uses it.

What was measured of redis-py 8 and decides this module: its default client repeats commands ten
times, also those that may have taken effect, so nothing is repeated here; under RESP3 an idle
connection that the server closed fails the next command, so RESP2 is spoken; a blocking pool can
deadlock, so the pool is plain; with a socket_timeout it sends through `asyncio.wait_for`, which
costs a task and three turns of the loop and can swallow a cancellation, so whoever sends a command
limits its time.
"""

from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import ConnectionPool, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider

from shared.adapters.connections import RedisSettings


def connect(settings: RedisSettings, most_connections: int) -> Redis:
    """A client that repeats nothing by itself; close it with `aclose`."""
    return Redis(connection_pool=_pool(settings, most_connections))


def _pool(settings: RedisSettings, most_connections: int) -> ConnectionPool:
    parts = urlsplit(settings.url)
    options: dict[str, Any] = {}
    if settings.credentials != (None, None):
        options["credential_provider"] = _Credentials(settings)
    pool = ConnectionPool.from_url(
        parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(),
        max_connections=most_connections,
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=None,
        socket_connect_timeout=settings.connect_timeout_s,
        **options,
    )
    if parts.scheme == "rediss":
        pool.connection_class = _TlsConnection
        pool.connection_kwargs["settings"] = settings
    return pool


class _Credentials(CredentialProvider):
    """Name and password, read anew at every connection: a rotated password file just works."""

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        username, password = self._settings.credentials
        return (username, password or "") if username else (password or "",)


class _TlsConnection(SSLConnection):
    """TLS as the broker's: the system's authorities don't count where `ca_file` names ours.

    The files are read anew at every connection: a renewed certificate just works.
    """

    def __init__(self, *, settings: RedisSettings, **options: Any) -> None:  # noqa: ANN401 - redis-py's
        super().__init__(**options)
        self.ssl_context.context = settings.tls_context()
