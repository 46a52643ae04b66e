"""Where the broker and the store are, and how to be let in.

A password comes from a file, or in the URL when that comes from the environment; a `repr` shows
neither, so that settings may be logged. Each service may have a login of its own: `of` says whose.
"""

import hashlib
import hmac
import re
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar, Final, Self
from urllib.parse import unquote, urlsplit

import msgspec

from shared.wire.access import identity_of

_CREDENTIALS: Final = re.compile(r"(?<=//)([^/@\s:]*):\S*@")
"""Up to the last @ before a space: a password that was not quoted may hold a slash and an @."""
_DATABASE: Final = re.compile(r"db=\d+")
"""The one thing that may follow a URL: others may be a password, or turn TLS off."""
_UNGUESSABLE: Final = 8
"""Bytes that stand for a password in a client id."""


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
        logins: Directory of the services' own passwords, `IDENTITY/mqtt` and `IDENTITY/redis`; of
            no consequence where a username is set.
        connect_timeout_s: How long an attempt to connect may take.
    """

    secret: ClassVar[str]
    """Name of the file of a login that holds the password for this kind of server."""

    url: str
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    client_certificate_file: str | None = None
    client_key_file: str | None = None
    logins: str | None = None
    connect_timeout_s: float = 5.0

    def of(self, service: str) -> Self:
        """Return the same with the login of a service, where each has its own."""
        if self.logins is None or self.username is not None or urlsplit(self.url).username:
            return self
        identity = identity_of(service)
        return msgspec.structs.replace(
            self, username=identity, password_file=str(Path(self.logins) / identity / self.secret)
        )

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
            return username, _read_secret(Path(self.password_file))
        return username, unquote(parts.password) if parts.password else None

    def tls_context(self) -> ssl.SSLContext:
        """Certificates checked, host names too; the files are read anew each time.

        Raises:
            OSError: A file cannot be read, or does not hold what it should.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.client_certificate_file is not None:
            context.load_cert_chain(self.client_certificate_file, self.client_key_file)
        return context


def _read_secret(path: Path) -> str:
    """Read a password; who may not, or finds none, is told where it should be.

    Raises:
        OSError: It cannot be read, or is no text.
    """
    try:
        return path.read_text().strip()
    except OSError as error:
        raise OSError(f"no password can be read from {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise OSError(f"no password can be read from {path}: it is not text") from None


def _check(url: str, schemes: tuple[str, ...], form: str) -> None:
    """See that a URL is one of ours, without showing any more of it than where it leads.

    Raises:
        ValueError: It is not; a port that is none may be half of a password, and is not shown.
    """
    try:
        parts = urlsplit(url)
        is_sound = parts.scheme in schemes and bool(parts.hostname or parts.scheme == "unix")
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        raise ValueError(f"not {form}: its host or port cannot be read") from None
    if parts.query and not _DATABASE.fullmatch(parts.query):
        raise ValueError(f"not {form}: what follows the ? belongs under [mqtt] or [redis]")
    if not is_sound:
        shown = f"{parts.scheme}://{parts.hostname or ''}" if parts.scheme else "it has no scheme"
        raise ValueError(f"not {form}: {shown}")


def is_exposed(url: str) -> bool:
    """Whether what goes to a server, passwords and orders, crosses a network in clear.

    >>> is_exposed("mqtt://broker:1883"), is_exposed("mqtts://broker"), is_exposed("redis://[::1]")
    (True, False, False)
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL at all: it is refused for that
        return False
    if parts.scheme not in ("mqtt", "redis") or parts.hostname in (None, "localhost"):
        return False
    try:
        return not ip_address(str(parts.hostname)).is_loopback
    except ValueError:
        return True


class MqttSettings(ConnectionSettings, frozen=True, kw_only=True):
    """The broker: `mqtt://host:1883`, or `mqtts://host:8883` with TLS.

    Attributes:
        keepalive_s: A connection that has been silent for twice as long is given up.
        abandon_stuck_session: After a failed connect try the next without the old session. Only
            for rumqttd, which never answers a client again that left with more than 100 messages
            unacknowledged; elsewhere it loses messages for nothing.
    """

    secret = "mqtt"  # noqa: S105 - a name of a file
    url: str = "mqtt://127.0.0.1:1883"
    keepalive_s: int = 10
    abandon_stuck_session: bool = False

    def __post_init__(self) -> None:
        _check(self.url, ("mqtt", "mqtts"), "mqtt://host:port or mqtts://host:port")

    def client_id(self, name: str) -> str:
        """Return a name's own form for who has our password: nobody else can guess, and take, it.

        A broker ends the older of two connections of one client id, whoever makes the newer.

        Raises:
            OSError: The password file cannot be read.
        """
        _, password = self.credentials
        if not password:
            return name
        digest = hmac.digest(password.encode(), name.encode(), hashlib.sha256)
        return f"{name}-{digest[:_UNGUESSABLE].hex()}"

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

    secret = "redis"  # noqa: S105 - a name of a file
    url: str = "redis://127.0.0.1:6379/0"
    operation_timeout_s: float = 5.0

    def __post_init__(self) -> None:
        _check(self.url, ("redis", "rediss", "unix"), "redis://, rediss:// or unix://")
