import ssl
from pathlib import Path

import msgspec
import pytest

from shared.adapters.connections import MqttSettings, RedisSettings, is_exposed, redacted

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
        (f"redis://u:{CANARY}/{CANARY}@{CANARY}@host/0", "redis://u:***@host/0"),
        (
            f"forgot the scheme's colon: mqtt//u:{CANARY}@host",
            "forgot the scheme's colon: mqtt//u:***@host",
        ),
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


def test_a_password_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "password"
    settings = RedisSettings(url="redis://host", password_file=str(path))
    with pytest.raises(OSError, match=r"password: No such file"):
        settings.credentials  # noqa: B018 - raises
    path.write_bytes(b"\xff\xfe" + CANARY.encode())
    with pytest.raises(OSError, match=r"password: it is not text") as refusal:
        settings.credentials  # noqa: B018 - raises
    assert CANARY not in str(refusal.value)


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
    "url",
    [
        *("tcp://broker", "broker:1883", "mqtt://", "mqtt://broker:port", f"http://a:{CANARY}@h"),
        *(
            f"mqtt://a:{CANARY}/1@h",
            f"mqtt://h:{CANARY}",
            f"mqtt//a:{CANARY}@h",
            f"mqtt://[{CANARY}",
        ),
        *(f"mqtt:///a:{CANARY}@h", f"//a:{CANARY}@h", f"a:{CANARY}@h"),
    ],
)
def test_a_url_that_is_none_of_a_broker_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"mqtt|port") as refusal:
        MqttSettings(url=url)
    assert CANARY not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    ["mqtt://host", f"redis://a:{CANARY}/1@h", f"redis://h:{CANARY}", f"rediss//a:{CANARY}@h"],
)
def test_a_url_that_is_none_of_a_store_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="rediss") as refusal:
        RedisSettings(url=url)
    assert CANARY not in str(refusal.value)


def test_each_service_has_its_own_login_where_there_are_logins() -> None:
    broker = MqttSettings(url="mqtts://host", logins="/run/logins")
    assert broker.of("hedger").username == "hedger"
    assert broker.of("hedger").password_file == "/run/logins/hedger/mqtt"  # noqa: S105 - a path
    assert broker.of("gateway-control") == broker.of("gateway")
    store = RedisSettings(url="rediss://host", logins="/run/logins").of("signals")
    assert store.password_file == "/run/logins/signals/redis"  # noqa: S105 - a path


@pytest.mark.parametrize(
    "settings",
    [
        MqttSettings(url="mqtts://host"),
        MqttSettings(url="mqtts://host", logins="/run/logins", username="all"),
        MqttSettings(url="mqtts://all:pw@host", logins="/run/logins"),
    ],
)
def test_who_has_one_login_for_all_keeps_it(settings: MqttSettings) -> None:
    assert settings.of("hedger") == settings


def test_a_client_id_is_one_that_only_who_has_the_password_can_make(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(CANARY)
    named = MqttSettings(username="ingest", password_file=str(tmp_path / "password"))
    made = named.client_id("hedgestat-ingest")
    assert made.startswith("hedgestat-ingest-")
    assert made == named.client_id("hedgestat-ingest")
    assert CANARY not in made
    (tmp_path / "password").write_text("another")
    assert named.client_id("hedgestat-ingest") != made
    assert MqttSettings().client_id("hedgestat-ingest") == "hedgestat-ingest"


@pytest.mark.parametrize(
    ("url", "is_so"),
    [
        *(("mqtt://broker", True), ("redis://10.0.0.1", True), ("redis://[fe80::1]", True)),
        *(
            ("mqtt://0.0.0.0", True),
            ("mqtt://localhost.evil.com", True),
            ("mqtt://127.0.0.1.nip.io", True),
        ),
        *(("mqtts://broker", False), ("rediss://10.0.0.1", False), ("unix:///run/redis", False)),
        *(("mqtt://127.0.0.1", False), ("redis://127.8.8.8", False), ("redis://[::1]", False)),
        *(("mqtt://localhost:1883", False), ("mqtt://LOCALHOST", False), ("mqtt://[", False)),
    ],
)
def test_what_crosses_a_network_in_clear_is_known(
    url: str,
    is_so: bool,  # noqa: FBT001 - a table
) -> None:
    assert is_exposed(url) is is_so


def test_settings_are_read_from_a_configuration() -> None:
    settings = msgspec.convert({"url": "mqtts://host", "ca_file": "ca.pem"}, MqttSettings)
    assert settings == MqttSettings(url="mqtts://host", ca_file="ca.pem")


def test_certificates_and_host_names_are_always_checked() -> None:
    context = MqttSettings(url="mqtts://host").tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
