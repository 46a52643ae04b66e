"""Connections, keys, pages, archive."""

from pathlib import Path

import pytest
from fakes.configurations import SOUND, check_fault, load, only_fault


@pytest.mark.parametrize(
    ("section", "key", "problem", "remedy"),
    [
        ('[mqtt]\nurl = "mqtt://host"', "url", "to host in clear", "mqtts://"),
        ('[redis]\nmarket = "redis://10.0.0.7"', "market", "to 10.0.0.7 in clear", "rediss://"),
        ('[mqtt]\nurl = "mqtt://me:pw@localhost"', "url", "a password stands", "password_file"),
        ('[mqtt]\nurl = "mqtt://["', "url", "host or port", "mqtt://127"),
        ('[mqtt]\nurl = "http://host"', "url", "not mqtt://", "mqtt://127"),
        (
            '[redis]\norders = "redis://:pw@localhost"',
            "orders",
            "a password stands",
            "password_file",
        ),
        ('[redis]\nmarket = "sql://host"', "market", "not redis://", "redis://127"),
        ('[redis]\npassword = "pw"', "password", "a secret", "password_file"),
        ("[http]\nports = { feed = 8081 }", "feed", "taken by ingest", "another"),
        ("[http]\nport = 99999", "port", "out of range", "65535"),
        ('[http]\nhosts = ["http://a.b"]', "hosts", "is no name of a host", "hedges.example.com"),
        ('[http]\nhosts = ["a.b:8088"]', "hosts", "is no name of a host", "hedges.example.com"),
        ('[http]\nhosts = "a.b"', "hosts", "not a list", '["A", "B"]'),
        ("[http]\noperators_file = 3", "operators_file", "not a string", "quotes"),
        ('[auditor]\ngrace = "0 s"', "grace", "", ""),
        ("[auditor]\ngarce = 1", "garce", "unknown", "grace"),
        ('[trading]\nenvironment = "paper money"', "environment", "is no name", '"live"'),
        ('[trading]\nenvironment = ""', "environment", "", ""),
        (
            '[trading]\nenvironment = "live"\narms_itself = true',
            "arms_itself",
            "is for paper alone",
            "hedgestat resume",
        ),
        ("[trading]\nbypass = true", "bypass", "unknown", "arms_itself"),
        (f'[gateway]\nsocket = "/{"x" * 103}"', "socket", "too long for a unix", "at most 103"),
        (f'[gateway]\nrecord = "/{"x" * 100}/a"', "socket", "x/gateway.sock: too long", '"off"'),
        ('[keys]\nmonitor = "…"', "monitor", "unknown", "directory"),
        ("[retention]\nkeep_entries = 0", "keep_entries", "out of range", "1"),
        ("[retention]\nkeep_days = 2", "keep_days", "unknown", "keep_entries"),
    ],
)
def test_a_section_about_services_is_checked(
    tmp_path: Path, section: str, key: str, problem: str, remedy: str
) -> None:
    check_fault(only_fault(tmp_path, f"{SOUND}{section}\n"), key, problem, remedy)


def test_archive_is_a_directory_or_off(tmp_path: Path) -> None:
    assert load(tmp_path, SOUND).retention.archive is None
    assert load(tmp_path, SOUND + '[retention]\narchive = "off"\n').retention.archive is None
    assert load(tmp_path, SOUND + '[retention]\narchive = "var"\n').retention.archive == "var"


def test_how_much_stays_in_the_store_is_a_count(tmp_path: Path) -> None:
    assert load(tmp_path, SOUND).retention.keep_entries == 10_000
    retention = load(tmp_path, SOUND + "[retention]\nkeep_entries = 5\n").retention
    assert retention.keep_entries == 5


def test_orders_are_for_paper_and_the_gateway_starts_halted_unless_told_otherwise(
    tmp_path: Path,
) -> None:
    trading = load(tmp_path, SOUND).trading
    assert (trading.environment, trading.arms_itself) == ("paper", False)
    told = load(tmp_path, SOUND + '[trading]\nenvironment = "live-2"\n').trading
    assert (told.environment, told.arms_itself) == ("live-2", False)
    assert load(tmp_path, SOUND + "[trading]\narms_itself = true\n").trading.arms_itself


def test_the_page_answers_to_names_and_knows_who_may_log_in(tmp_path: Path) -> None:
    http = load(tmp_path, SOUND).http
    assert (http.hosts, http.operators_path) == ((), Path("operators"))
    text = SOUND + '[http]\nhosts = ["Hedges.Example.com"]\noperators_file = "/etc/operators"\n'
    http = load(tmp_path, text).http
    assert http.hosts == ("hedges.example.com",)
    assert http.operators_path == Path("/etc/operators")
    environment = {
        "HEDGESTAT_HTTP_HOSTS": "dashboard, Page.local,",
        "HEDGESTAT_OPERATORS_FILE": "/run/operators",
    }
    http = load(tmp_path, text, environment).http
    assert http.hosts == ("dashboard", "page.local")
    assert http.operators_path == Path("/run/operators")


def test_who_may_log_in_decides_nothing(tmp_path: Path) -> None:
    text = SOUND + '[http]\nhosts = ["a"]\noperators_file = "b"\n'
    assert load(tmp_path, text).digest == load(tmp_path, SOUND).digest


def test_the_environment_names_another_directory_of_keys(tmp_path: Path) -> None:
    assert load(tmp_path, SOUND).keys.directory == "keys"
    text = SOUND + '[keys]\ndirectory = "/etc/keys"\n'
    assert load(tmp_path, text).keys.directory == "/etc/keys"
    told = load(tmp_path, text, {"HEDGESTAT_KEYS": "/run/keys"})
    assert told.keys.directory == "/run/keys"
