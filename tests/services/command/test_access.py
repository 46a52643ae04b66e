"""`hedgestat logins`, `certificates` and `access`, as a person runs them."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.__main__ import app
from shared.adapters.access_lists import broker_list, store_list
from shared.adapters.certificates import issue, read_authority, write_certificate
from shared.adapters.clock import SystemClock
from shared.wire.access import NAMES


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200", "HEDGESTAT_LOGINS": None})


def test_logins_are_made_once_and_no_password_is_printed(tmp_path: Path) -> None:
    first = run("logins", "make", "-d", str(tmp_path))
    assert first.exit_code == 0
    assert ", ".join(NAMES) in first.output
    passwords = [(tmp_path / name / "redis").read_text().strip() for name in NAMES]
    assert passwords
    assert not [each for each in passwords if each in first.output]
    again = run("logins", "make", "-d", str(tmp_path))
    assert "Every identity has its login" in again.output


def test_a_rotation_says_what_to_do_next(tmp_path: Path) -> None:
    run("logins", "make", "-d", str(tmp_path))
    before = (tmp_path / "hedger/mqtt").read_text()
    rotated = run("logins", "rotate", "hedger", "-d", str(tmp_path))
    assert "restart the stores" in rotated.output
    assert before != (tmp_path / "hedger/mqtt").read_text()
    assert before.strip() not in rotated.output


def test_a_login_that_is_nobodys_is_refused(tmp_path: Path) -> None:
    refused = run("logins", "rotate", "nobody", "-d", str(tmp_path))
    assert refused.exit_code == 2
    assert "no identity 'nobody'" in refused.output


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    refused = run("logins", "make", "-d", str(tmp_path / "logins"))
    assert refused.exit_code == 2
    assert "Permission denied" in refused.output


def test_certificates_are_made_once_and_shown(tmp_path: Path) -> None:
    made = run("certificates", "make", "--name", "broker.example.com", "-d", str(tmp_path))
    assert made.exit_code == 0
    assert made.output.count("New: ") == 4
    shown = run("certificates", "show", "-d", str(tmp_path))
    assert shown.exit_code == 0
    assert "the authority" in shown.output
    assert "mosquitto, broker.example.com, localhost" in shown.output
    again = run("certificates", "make", "--name", "broker.example.com", "-d", str(tmp_path))
    assert "good for long enough" in again.output


def test_a_certificate_that_ends_soon_is_told_and_fails(tmp_path: Path) -> None:
    run("certificates", "make", "-d", str(tmp_path))
    now_ns = SystemClock().now_ns()
    ending, _ = issue(read_authority(tmp_path), ("mosquitto",), now_ns, 10)
    write_certificate(tmp_path / "mosquitto/server.pem", ending)
    shown = run("certificates", "show", "-d", str(tmp_path))
    assert shown.exit_code == 1
    assert "10 days  mosquitto  RENEW" in shown.output


def test_where_there_are_no_certificates_it_says_how_to_make_them(tmp_path: Path) -> None:
    shown = run("certificates", "show", "-d", str(tmp_path))
    assert shown.exit_code == 2
    assert "hedgestat certificates make" in shown.output


def test_access_lists_are_printed_as_they_stand_in_deploy() -> None:
    assert run("access", "broker").output == broker_list()
    assert run("access", "both").output == store_list("orders", "market")
    refused = run("access", "elsewhere")
    assert refused.exit_code == 2
    assert "broker, orders, market, both" in refused.output
