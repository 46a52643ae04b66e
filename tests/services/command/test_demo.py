"""`hedgestat demo`: what it refuses, and what a short run prints and leaves."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from fakes.command import HEDGESTAT, environment, hedgestat
from fakes.eventually import eventually_sync
from fakes.servers import MosquittoServer, RedisServer, free_port

DAYS = ("--from", "2018-01-16", "--to", "2018-02-16")
ROWS = (
    "sessions",
    "ticks",
    "triggers fired",
    "whipsaws suppressed",
    "orders",
    "orders filled",
    "average multiplier",
    "maximum multiplier",
    "sessions at floor",
    "sessions at cap",
    "transaction cost",
    "net profit",
    "February 2018: portfolio loss",
    "February 2018: hedge gain",
    "February 2018: HER",
)


def demo(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    temporary = directory / "temporary"
    temporary.mkdir(exist_ok=True)
    variables = {"TMPDIR": str(temporary)}
    return hedgestat("demo", *options, directory=directory, variables=variables, within_s=100)


def refusal(directory: Path, *options: str, code: int) -> str:
    refused = demo(directory, *options)
    assert refused.returncode == code, refused.stderr
    assert "Traceback" not in refused.stderr
    return refused.stderr


def row(table: str, name: str) -> list[str]:
    """Figures of a row of the account."""
    found = re.search(rf"^\W*{re.escape(name)}\s+\W (.*)$", table, re.MULTILINE)
    assert found, f"no row {name!r} in {table}"
    return re.findall(r"-?[\d,.]+", found[1])


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis", appendfsync="always") as server:
        yield server


# --- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (("--rule", "nonsense"), "no preset 'nonsense'; there are conditional"),
        (("--rule", "delta"), "the portfolio's delta"),
        (("--rule", "correlation"), "needs a basket"),
        (("--rule", "vxth"), "needs the front VIX future"),
        (("--rule", "tail_budget"), "asks for other legs or sizing: a rule on the sleeve"),
        (("--history", "missing"), "missing: No such file or directory"),
        (("--from", "1950-01-01", "--to", "1950-02-01"), "no session of this history"),
    ],
)
def test_what_cannot_be_done_is_a_line_on_stderr(
    tmp_path: Path, options: tuple[str, ...], answer: str
) -> None:
    assert answer in refusal(tmp_path, *options, code=2)


def test_a_history_without_what_the_book_needs(tmp_path: Path) -> None:
    (tmp_path / "VIX.csv").write_text("date,close\n2018-01-02,9.77\n")
    said = refusal(tmp_path, "--history", "VIX.csv", code=2)
    assert "no history of SPX, which the configuration needs; there is VIX" in said


def test_a_broker_that_does_not_answer_is_told_within_seconds(tmp_path: Path) -> None:
    said = refusal(tmp_path, *DAYS, "--broker", f"mqtt://127.0.0.1:{free_port()}", code=1)
    assert "Connection refused" in said
    assert "-> start the broker" in said


@pytest.mark.server
def test_a_store_that_forgets_is_refused_as_it_would_be_live(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    said = refusal(tmp_path, *DAYS, "--redis", f"{redis_server.url}/0", code=1)
    assert "set appendonly yes, appendfsync always" in said


# --- runs ------------------------------------------------------------------------------------


@pytest.mark.server
def test_a_short_run_prints_orders_as_they_come_and_then_the_account(tmp_path: Path) -> None:
    ran = demo(tmp_path, *DAYS)
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr
    assert "replayed to 2018-02-16, 24 of 24 sessions" in ran.stderr
    news, _, table = ran.stdout.partition("Book overlay")
    assert re.search(r"^2018-02-05 21:00:00 ORDER    buy .* fast_vix", news, re.MULTILINE)
    assert not re.search(r"ORDER|FILL|TRIGGER|WHIPSAW", table)
    assert not re.search(r"-> (pending|cooldown|inactive)| NEW | INFO ", news)
    for name in ROWS:
        assert row(table, name)
    assert row(table, "sessions") == ["24"]
    assert row(table, "orders") == [str(len(re.findall(" ORDER ", news)))]
    assert row(table, "orders filled") == [str(len(re.findall(" FILL ", news)))]
    assert row(table, "whipsaws suppressed") == [str(len(re.findall(" WHIPSAW ", news)))]
    assert row(table, "triggers fired") == [str(len(re.findall("-> firing ", news)))]
    assert max(map(len, table.splitlines())) <= 80
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.server
def test_on_servers_of_ones_own_it_says_the_same_and_leaves_the_streams(
    tmp_path: Path, mosquitto_server: MosquittoServer, redis: RedisServer
) -> None:
    own = ("--broker", mosquitto_server.url, "--redis", f"{redis.url}/0")
    ran = demo(tmp_path, *DAYS, *own, "--verbose")
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"-> (pending|cooldown|inactive)", ran.stdout)
    embedded = demo(tmp_path, *DAYS)
    assert ran.stdout.partition("Book overlay")[2] == embedded.stdout.partition("Book overlay")[2]
    said = refusal(tmp_path, *DAYS, *own, code=1)
    assert "holds a journal already: name an empty database" in said


@pytest.mark.server
def test_it_serves_the_page_while_it_runs_and_stopped_it_says_what_stays_of_it(
    tmp_path: Path,
) -> None:
    out, temporary = tmp_path / "out", tmp_path / "temporary"
    temporary.mkdir()
    with out.open("w") as file:
        process = subprocess.Popen(
            [HEDGESTAT, "demo", "--from", "2018-01-02"],
            env=environment(TMPDIR=str(temporary)),
            stdout=file,
            stderr=file,
        )
    try:
        eventually_sync(lambda: "replayed to" in out.read_text(), within_s=60)
        page = re.search(r"page: (http://[0-9.:]+)/", out.read_text())
        assert page is not None
        with urlopen(f"{page[1]}/api/v1/state", timeout=30) as state:  # noqa: S310 - our own
            assert json.load(state)["clock"] == "feed"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
    finally:
        process.kill()
        process.wait()
    assert "Stopped before the end; nothing of it stays." in out.read_text()
    assert "Traceback" not in out.read_text()
    assert list(temporary.iterdir()) == []
