"""A small certificate authority of our own, and what it signs: the servers' certificates.

One directory holds it all. `ca.pem` is for everyone who connects; `ca.key` for nobody but whoever
renews; `SERVER/server.pem` and `SERVER/server.key` for that server. What is there and good for
long enough is left alone, so that making can be a step of every start.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from shared.domain.instants import SECOND

Key = ec.EllipticCurvePrivateKey

AUTHORITY_DAYS: Final = 3_650
SERVER_DAYS: Final = 397
RENEWED_DAYS: Final = 30
"""A certificate that ends within so many days is made anew."""
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_SKEW: Final = timedelta(minutes=5)  # the clock of who reads it may be behind


class CertificateFault(Exception):  # noqa: N818 - reads as what happened, like KeyError
    """A certificate or key is not there, or cannot be read; the text says which."""


class Authority(Struct, frozen=True):
    """Who signs."""

    certificate: x509.Certificate
    key: Key


class CertificateShown(Struct, frozen=True, kw_only=True):
    """One certificate.

    Attributes:
        path: Where it is.
        names: Hosts that it is for; none: an authority's.
        ends: Until when it is good.
    """

    path: Path
    names: tuple[str, ...]
    ends: datetime

    def days_left(self, now_ns: int) -> int:
        """Whole days until it ends; negative once it has."""
        return (self.ends - _instant(now_ns)).days


def make_certificates(
    directory: Path, servers: Sequence[str], names: Sequence[str], now_ns: int
) -> list[Path]:
    """Make what is missing or ends soon: the authority, and a certificate for each server.

    Args:
        directory: See the module.
        servers: Each by the name that its clients use.
        names: Further host names and addresses, for all of them.
        now_ns: The time.

    Returns:
        The certificates that are new.

    Raises:
        CertificateFault: What is there cannot be read, or its authority has no key here.
    """
    made = []
    path = directory / "ca.pem"
    if not path.exists():
        authority = new_authority(now_ns)
        write_private(directory / "ca.key", authority.key)
        write_certificate(path, authority.certificate)
        made.append(path)
    authority = read_authority(directory)
    for server in servers:
        path = directory / server / "server.pem"
        wanted = tuple(dict.fromkeys((server, *names, *_HERE)))
        if not _is_good(path, authority, wanted, now_ns):
            certificate, key = issue(authority, wanted, now_ns)
            write_private(path.with_suffix(".key"), key)
            write_certificate(path, certificate)
            made.append(path)
    return made


def new_authority(
    now_ns: int, name: str = "hedgestat's authority", days: int = AUTHORITY_DAYS
) -> Authority:
    """Make an authority that signs itself, and nothing but servers and clients."""
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        key_cert_sign=True,
        crl_sign=True,
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder(name, name, key, now_ns, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
    )
    return Authority(builder.sign(key, hashes.SHA256()), key)


def issue(
    authority: Authority, names: Sequence[str], now_ns: int, days: int = SERVER_DAYS
) -> tuple[x509.Certificate, Key]:
    """Sign a certificate for host names and addresses, from now on for some days.

    Args:
        authority: Who signs.
        names: The first is its subject.
        now_ns: From when on.
        days: How long; not positive: it has ended already.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    uses = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        _builder(names[0], str(issuer), key, now_ns, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(list(map(_name, names))), critical=False)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(signer, critical=False)
    )
    return builder.sign(authority.key, hashes.SHA256()), key


def _builder(
    subject: str, issuer: str, key: Key, now_ns: int, days: int
) -> x509.CertificateBuilder:
    begins = _instant(now_ns) - _SKEW
    ends = _instant(now_ns) + timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(_common_name(subject))
        .issuer_name(_common_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(begins, ends - _SKEW))
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def list_certificates(directory: Path) -> list[CertificateShown]:
    """List the authority's certificate and the servers'.

    Raises:
        CertificateFault: One cannot be read.
    """
    paths = [directory / "ca.pem", *sorted(directory.glob("*/server.pem"))]
    return [_shown(path) for path in paths if path.exists()]


def read_authority(directory: Path) -> Authority:
    """Read who signs.

    Raises:
        CertificateFault: Its certificate or its key is not there, or cannot be read.
    """
    path = directory / "ca.key"
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise CertificateFault(f"{path}: the authority's key cannot be read: {error}") from error
    if not isinstance(key, Key):
        raise CertificateFault(f"{path}: not a key of ours")
    return Authority(_read(directory / "ca.pem"), key)


def _shown(path: Path) -> CertificateShown:
    certificate = _read(path)
    return CertificateShown(
        path=path, names=_names(certificate), ends=certificate.not_valid_after_utc
    )


def _is_good(path: Path, authority: Authority, names: tuple[str, ...], now_ns: int) -> bool:
    """Whether a certificate is there, by this authority, for these names, and for long enough."""
    if not (path.exists() and path.with_suffix(".key").exists()):
        return False
    certificate, shown = _read(path), _shown(path)
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except Exception:  # noqa: BLE001 - ValueError, TypeError, InvalidSignature: all mean that it is not
        return False
    return set(names) <= set(shown.names) and shown.days_left(now_ns) >= RENEWED_DAYS


def _read(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CertificateFault(f"{path}: no certificate can be read: {error}") from error


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (
        *found.get_values_for_type(x509.DNSName),
        *map(str, found.get_values_for_type(x509.IPAddress)),
    )


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _instant(now_ns: int) -> datetime:
    return datetime.fromtimestamp(now_ns // SECOND, tz=UTC)


def write_certificate(path: Path, certificate: x509.Certificate) -> None:
    """Write a certificate, for everyone; whole or not at all."""
    _write(path, certificate.public_bytes(Encoding.PEM), 0o644)


def write_private(path: Path, key: Key) -> None:
    """Write a private key, for its owner alone; whole or not at all."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(path, pem, 0o600)


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    beside.replace(path)
