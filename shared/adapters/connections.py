"""Where the broker and the store are, and how to be let in.

A password comes from a file, or in the URL when that comes from the environment; a `repr` shows
neither, so that settings may be logged.
"""

import re
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

_CREDENTIALS: Final = re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]*@")


def redacted(text: str) -> str:
    """`text` with the password of every URL in it replaced by stars.

    >>> redacted("redis://ingest:secret@host:6379/0")
    'redis://ingest:***@host:6379/0'
    """
    return _CREDENTIALS.sub(r"\1:***@", text)


class ConnectionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the clients of broker and store have in common.

    Attributes:
        url: Scheme, host and port; may carry a user and a password.
        username: Goes before the one in the URL.
        password_file: Holds the password, surrounding white space ignored; goes before the URL's.
        ca_file: The authority that signed the server's certificate; the system's when absent.
        client_certificate_file: Our own certificate, where the server asks for one.
        client_key_file: Its private key, unless that is in the same file.
        connect_timeout_s: How long an attempt to connect may take.
    """

    url: str
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    client_certificate_file: str | None = None
    client_key_file: str | None = None
    connect_timeout_s: float = 5.0

    def __repr__(self) -> str:
        shown = (
            f"{field}={redacted(str(value))!r}"
            for field in self.__struct_fields__
            if (value := getattr(self, field)) is not None
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def credentials(self) -> tuple[str | None, str | None]:
        """Name and password, each None when there is none; the file is read anew each time.

        Raises:
            OSError: The password file cannot be read.
        """
        parts = urlsplit(self.url)
        username = self.username or (unquote(parts.username) if parts.username else None)
        if self.password_file is not None:
            return username, Path(self.password_file).read_text().strip()
        return username, unquote(parts.password) if parts.password else None

    def tls_context(self) -> ssl.SSLContext:
        """Certificates checked, host names too; the files are read anew each time.

        Raises:
            OSError: A file cannot be read, or does not hold what it should.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.client_certificate_file is not None:
            context.load_cert_chain(self.client_certificate_file, self.client_key_file)
        return context


class MqttSettings(ConnectionSettings, frozen=True, kw_only=True):
    """The broker: `mqtt://host:1883`, or `mqtts://host:8883` with TLS.

    Attributes:
        keepalive_s: A connection that has been silent for twice as long is given up.
        abandon_stuck_session: After a failed connect try the next without the old session. Only
            for rumqttd, which never answers a client again that left with more than 100 messages
            unacknowledged; elsewhere it loses messages for nothing.
    """

    url: str = "mqtt://127.0.0.1:1883"
    keepalive_s: int = 10
    abandon_stuck_session: bool = False

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError(f"not mqtt://host:port or mqtts://host:port: {redacted(self.url)!r}")
        self.address  # noqa: B018 - raises for a port that is none

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return str(parts.hostname), parts.port or (8883 if self.secure else 1883)


class RedisSettings(ConnectionSettings, frozen=True, kw_only=True):
    """The store: `redis://host:6379/0`, `rediss://` with TLS, `unix:///path`.

    Attributes:
        operation_timeout_s: How long a command may take before its outcome counts as unknown.
    """

    url: str = "redis://127.0.0.1:6379/0"
    operation_timeout_s: float = 5.0

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("redis", "rediss", "unix"):
            raise ValueError(f"not redis://, rediss:// or unix://: {redacted(self.url)!r}")
