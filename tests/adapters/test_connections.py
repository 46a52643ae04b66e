import ssl
from pathlib import Path

import msgspec
import pytest

from shared.adapters.connections import MqttSettings, RedisSettings, redacted

CANARY = "canary"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"redis://ingest:{CANARY}@host:6379/0", "redis://ingest:***@host:6379/0"),
        (f"redis://:{CANARY}@host", "redis://:***@host"),
        (
            f"tried mqtt://a:{CANARY}@h1 and mqtts://b:{CANARY}@h2",
            "tried mqtt://a:***@h1 and mqtts://b:***@h2",
        ),
        ("mqtt://host:1883", "mqtt://host:1883"),
        ("2020-01-01T00:00:00 a@b", "2020-01-01T00:00:00 a@b"),
    ],
)
def test_only_the_password_of_a_url_is_hidden(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_settings_never_show_a_password(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(CANARY)
    settings = MqttSettings(
        url=f"mqtt://ingest:{CANARY}@host", password_file=str(tmp_path / "password")
    )
    assert CANARY not in f"{settings} {settings!r}"
    assert "ingest:***@host" in repr(settings)


def test_a_name_and_password_come_from_the_url_or_from_the_settings_and_a_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "password").write_text("p@ss\n")
    assert MqttSettings(url="mqtt://in%40gest:p%2Fw@host").credentials == ("in@gest", "p/w")
    assert MqttSettings(url="mqtt://host").credentials == (None, None)
    assert RedisSettings(
        url="redis://host", username="ingest", password_file=str(tmp_path / "password")
    ).credentials == ("ingest", "p@ss")


@pytest.mark.parametrize(
    ("url", "address", "secure"),
    [
        ("mqtt://broker", ("broker", 1883), False),
        ("mqtts://broker", ("broker", 8883), True),
        ("mqtt://[::1]:1884", ("::1", 1884), False),
    ],
)
def test_a_url_says_where_and_whether_encrypted(
    url: str,
    address: tuple[str, int],
    secure: bool,  # noqa: FBT001 - a table
) -> None:
    settings = MqttSettings(url=url)
    assert (settings.address, settings.secure) == (address, secure)


@pytest.mark.parametrize(
    "url", ["tcp://broker", "broker:1883", "mqtt://", "mqtt://broker:port", f"http://a:{CANARY}@h"]
)
def test_a_url_that_is_none_of_a_broker_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"mqtt|port") as refusal:
        MqttSettings(url=url)
    assert CANARY not in str(refusal.value)


def test_a_url_that_is_none_of_a_store_is_refused() -> None:
    with pytest.raises(ValueError, match="rediss"):
        RedisSettings(url="mqtt://host")


def test_settings_are_read_from_a_configuration() -> None:
    settings = msgspec.convert({"url": "mqtts://host", "ca_file": "ca.pem"}, MqttSettings)
    assert settings == MqttSettings(url="mqtts://host", ca_file="ca.pem")


def test_certificates_and_host_names_are_always_checked() -> None:
    context = MqttSettings(url="mqtts://host").tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
