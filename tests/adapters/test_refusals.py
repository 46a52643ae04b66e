import ssl

import pytest

from shared.adapters.connections import MqttSettings, RedisSettings
from shared.adapters.refusals import explained

SECURE = MqttSettings(url="mqtts://broker")
PLAIN = RedisSettings(url="redis://127.0.0.1")


def unbelieved(message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] {message}")
    error.verify_message = message
    return error


def caused(error: BaseException) -> Exception:
    """As libraries raise it: their own exception, and what happened behind it."""
    outer = OSError("Error 1 connecting")
    outer.__cause__ = ConnectionError("again")
    outer.__cause__.__context__ = error
    return outer


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("certificate has expired", "has expired: renew it there"),
        ("certificate is not yet valid", "is a clock wrong?"),
        ("Hostname mismatch, certificate is not valid for 'h'.", "for another host name"),
        ("IP address mismatch, certificate is not valid for '::1'.", "for another host name"),
        ("self-signed certificate in certificate chain", "an authority in ca_file"),
        ("unable to get local issuer certificate", "an authority in ca_file"),
        ("certificate signature failure", "an authority in ca_file"),
        ("certificate revoked", "has been revoked"),
    ],
)
def test_why_a_certificate_is_not_believed_is_said_in_words(message: str, meaning: str) -> None:
    assert meaning in explained(caused(unbelieved(message)), SECURE)


def test_what_openssl_may_say_one_day_is_handed_on() -> None:
    said = explained(unbelieved("something new"), SECURE)
    assert "something new" in said


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("WRONG_VERSION_NUMBER", "does not speak TLS"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "client_certificate_file"),
        ("TLSV1_ALERT_UNKNOWN_CA", "authority of our client certificate"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "no TLS from 1.2 on"),
    ],
)
def test_a_handshake_that_fails_is_said_in_words(reason: str, meaning: str) -> None:
    assert meaning in explained(caused(ssl.SSLError(1, f"[SSL: {reason}] x")), SECURE)


def test_who_is_not_let_in_is_told_as_whom_and_with_which_file_it_tried() -> None:
    refusal = OSError("[code:135] Not authorized")
    named = MqttSettings(url="mqtts://h", username="hedger", password_file="/dev/null")  # noqa: S106 - a path
    assert "user 'hedger' with the password /dev/null is not let in" in explained(refusal, named)
    in_url = MqttSettings(url="mqtts://:secret@h")
    assert "user 'default' with the password of the URL" in explained(refusal, in_url)
    assert "nobody without a login is not let in" in explained(refusal, MqttSettings())
    assert "secret" not in explained(refusal, in_url)
    gone = MqttSettings(url="mqtts://h", username="hedger", password_file="/no/such")  # noqa: S106 - a path
    assert "/no/such is not let in" in explained(refusal, gone)


def test_a_silence_may_be_two_that_do_not_speak_the_same() -> None:
    reset = ConnectionResetError(104, "Connection reset by peer")
    assert "does it speak TLS at this port?" in explained(reset, SECURE)
    assert "does it want TLS?" in explained(reset, PLAIN)


def test_all_else_is_said_as_it_was_said_without_passwords() -> None:
    error = OSError("no route to redis://u:secret@h")
    assert explained(error, PLAIN) == "no route to redis://u:***@h"
