"""Why a server and we did not come together, in words that say what to do about it."""

import ssl
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from shared.adapters.connections import ConnectionSettings, redacted

_CERTIFICATES: Final = (
    ("has expired", "the server's certificate has expired: renew it there"),
    ("not yet valid", "the server's certificate is not valid yet: is a clock wrong?"),
    ("mismatch", "the server's certificate is for another host name"),
    ("doesn't match", "the server's certificate is for another host name"),
    ("self-signed", "the server's certificate is not signed by an authority in ca_file"),
    ("self signed", "the server's certificate is not signed by an authority in ca_file"),
    ("issuer", "the server's certificate is not signed by an authority in ca_file"),
    ("signature failure", "the server's certificate is not signed by an authority in ca_file"),
    ("revoked", "the server's certificate has been revoked"),
)
_HANDSHAKES: Final = (
    ("WRONG_VERSION_NUMBER", "the server does not speak TLS at this port"),
    ("RECORD_LAYER_FAILURE", "the server does not speak TLS at this port"),
    ("CERTIFICATE_REQUIRED", "the server asks for a certificate: client_certificate_file"),
    ("UNKNOWN_CA", "the server does not know the authority of our client certificate"),
    ("CERTIFICATE_EXPIRED", "our client certificate has expired"),
    ("PROTOCOL_VERSION", "the server speaks no TLS from 1.2 on"),
    ("UNSUPPORTED_PROTOCOL", "the server speaks no TLS from 1.2 on"),
)
_NOT_LET_IN: Final = (
    *("Not authorized", "Bad user name"),
    *("WRONGPASS", "NOAUTH", "invalid username", "Authentication required"),
)
_MISUNDERSTOOD: Final = ("reset by peer", "Timeout connecting", "Connection closed", "timed out")


def explained(error: BaseException, settings: ConnectionSettings) -> str:
    """What went wrong with a connection; the library's own words when we have none better."""
    said = redacted(str(error))
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _named(cause, said)
    if any(words in said for words in _NOT_LET_IN):
        return f"{said.rstrip('.')}: {_login(settings)} is not let in"
    if any(words in said for words in _MISUNDERSTOOD):
        question = (
            "does it speak TLS at this port?" if _is_secure(settings) else "does it want TLS?"
        )
        return f"{said} ({question})"
    return said


def _is_secure(settings: ConnectionSettings) -> bool:
    return urlsplit(settings.url).scheme in {"mqtts", "rediss"}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _named(error: ssl.SSLError, said: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        for words, meaning in _CERTIFICATES:
            if words in error.verify_message or words in str(error):
                return f"{meaning} ({error.verify_message.rstrip('.')})"
    for words, meaning in _HANDSHAKES:
        if words in str(error):
            return f"{meaning} ({words})"
    return said


def _login(settings: ConnectionSettings) -> str:
    parts = urlsplit(settings.url)
    username = settings.username or parts.username
    if not (username or settings.password_file or parts.password):
        return "nobody without a login"
    where = settings.password_file or "of the URL"
    return f"user {username or 'default'!r} with the password {where}"
