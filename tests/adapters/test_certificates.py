import subprocess
from pathlib import Path

import pytest

from shared.adapters.certificates import (
    AUTHORITY_DAYS,
    RENEWED_DAYS,
    SERVER_DAYS,
    CertificateFault,
    issue,
    list_certificates,
    make_certificates,
    new_authority,
    read_authority,
    write_certificate,
    write_private,
)
from shared.adapters.clock import SystemClock
from shared.domain.instants import DAY

NOW = SystemClock().now_ns()
SERVERS = ("mosquitto", "redis-orders")


def verified(directory: Path, server: str, *options: str) -> bool:
    """What OpenSSL makes of a certificate."""
    command = ["openssl", "verify", "-x509_strict", "-CAfile", f"{directory}/ca.pem", *options]
    certificate = str(directory / server / "server.pem")
    return subprocess.run([*command, certificate], check=False, capture_output=True).returncode == 0


def test_openssl_believes_what_was_made_for_its_hosts_and_for_no_others(tmp_path: Path) -> None:
    made = make_certificates(tmp_path, SERVERS, ("broker.example.com", "10.1.2.3"), NOW)
    assert [path.relative_to(tmp_path).as_posix() for path in made] == [
        "ca.pem",
        "mosquitto/server.pem",
        "redis-orders/server.pem",
    ]
    for name in ("mosquitto", "localhost", "broker.example.com"):
        assert verified(tmp_path, "mosquitto", "-verify_hostname", name)
    assert verified(tmp_path, "mosquitto", "-verify_ip", "10.1.2.3")
    assert not verified(tmp_path, "mosquitto", "-verify_hostname", "redis-orders")
    assert not verified(tmp_path, "mosquitto", "-verify_ip", "10.1.2.4")
    assert verified(tmp_path, "mosquitto", "-purpose", "sslserver")
    key = subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "mosquitto/server.key", "-pubout"],
        check=True,
        capture_output=True,
    )
    assert b"PUBLIC KEY" in key.stdout


def test_what_is_good_is_left_alone_and_what_ends_soon_is_made_anew(tmp_path: Path) -> None:
    make_certificates(tmp_path, SERVERS, (), NOW)
    before = (tmp_path / "mosquitto/server.pem").read_bytes()
    late = NOW + (SERVER_DAYS - RENEWED_DAYS) * DAY
    assert make_certificates(tmp_path, SERVERS, (), late) == []
    assert len(make_certificates(tmp_path, SERVERS, (), late + 2 * DAY)) == len(SERVERS)
    assert (tmp_path / "mosquitto/server.pem").read_bytes() != before


def test_a_certificate_is_made_anew_for_a_further_name_and_when_its_authority_is_another(
    tmp_path: Path,
) -> None:
    make_certificates(tmp_path, SERVERS, (), NOW)
    assert len(make_certificates(tmp_path, SERVERS, ("other",), NOW)) == len(SERVERS)
    authority = new_authority(NOW)
    write_certificate(tmp_path / "ca.pem", authority.certificate)
    write_private(tmp_path / "ca.key", authority.key)
    assert len(make_certificates(tmp_path, SERVERS, ("other",), NOW)) == len(SERVERS)
    (tmp_path / "mosquitto/server.key").unlink()
    assert len(make_certificates(tmp_path, SERVERS, ("other",), NOW)) == 1


def test_what_there_is_is_listed_with_its_end(tmp_path: Path) -> None:
    make_certificates(tmp_path, SERVERS, ("10.1.2.3",), NOW)
    authority, *servers = list_certificates(tmp_path)
    assert (authority.names, authority.days_left(NOW)) == ((), AUTHORITY_DAYS)
    assert [each.path.parent.name for each in servers] == list(SERVERS)
    assert {"mosquitto", "localhost", "10.1.2.3", "127.0.0.1"} <= set(servers[0].names)
    assert servers[0].days_left(NOW + (SERVER_DAYS + 1) * DAY) == -1


def test_private_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    make_certificates(tmp_path, SERVERS, (), NOW)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.key")} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.pem")} == {0o644}
    assert not list(tmp_path.rglob("*.new"))


def test_what_an_authority_has_not_signed_is_not_its(tmp_path: Path) -> None:
    make_certificates(tmp_path, SERVERS, (), NOW)
    forged, _ = issue(new_authority(NOW), ("mosquitto",), NOW)
    write_certificate(tmp_path / "mosquitto/server.pem", forged)
    assert not verified(tmp_path, "mosquitto")


def test_a_certificate_of_yesterday_has_ended(tmp_path: Path) -> None:
    make_certificates(tmp_path, SERVERS, (), NOW)
    ended, _ = issue(read_authority(tmp_path), ("mosquitto",), NOW, -1)
    write_certificate(tmp_path / "mosquitto/server.pem", ended)
    assert not verified(tmp_path, "mosquitto")


@pytest.mark.parametrize("name", ["ca.key", "ca.pem", "mosquitto/server.pem"])
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    make_certificates(tmp_path, SERVERS, (), NOW)
    (tmp_path / name).write_text("nonsense")
    with pytest.raises(CertificateFault, match=name):
        make_certificates(tmp_path, SERVERS, (), NOW)


def test_an_authority_without_its_key_signs_nothing(tmp_path: Path) -> None:
    make_certificates(tmp_path, SERVERS, (), NOW)
    (tmp_path / "ca.key").unlink()
    with pytest.raises(CertificateFault, match=r"ca\.key"):
        make_certificates(tmp_path, SERVERS, (), NOW)
