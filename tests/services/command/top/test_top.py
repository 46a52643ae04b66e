"""`hedgestat top` as a person runs it: on a real terminal, in a pipe, with the server gone."""

import io
import json
import signal
import subprocess
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from fakes import views
from fakes.command import HEDGESTAT, environment, hedgestat
from fakes.dashboard import ScriptedDashboard
from fakes.servers import free_port
from fakes.terminal import ALTERNATE_SCREEN, SHOWN_CURSOR, USUAL_SCREEN, Terminal
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from services.command.endings import Failed, Refused
from services.command.top.command import TopOptions, page_of, run_top
from services.command.top.keyboard import KeyReader
from shared.adapters.configuration.services import HttpSettings

BOOKS = {name: views.book(name) for name in ("overlay", "tail_fund")}


def test_keys_resizing_loss_and_quitting_on_a_real_terminal() -> None:
    port = free_port()
    dashboard = ScriptedDashboard(views.state(), BOOKS, port)
    with Terminal(["top", "--url", dashboard.url]) as terminal:
        before = terminal.modes()
        terminal.await_text("NOT CONNECTED")
        with dashboard:
            terminal.await_text("> overlay")
            terminal.await_text("3 of 3 obs, 15m of 15m")
            for keys, shown in (
                ("n", "> tail_fund"),
                ("\x1b[A", "> overlay"),
                ("\x1bOB", "> tail_fund"),
                ("\x1b[5~p", "> overlay"),
                ("?", "the next book"),
                ("?", "> overlay"),
            ):
                terminal.press(keys)
                terminal.await_text(shown)
            terminal.resize(170, 40)
            terminal.await_text(" │ ─ Book overlay")
            terminal.resize(80, 24)
            terminal.await_text("BOOKS (2)")
            dashboard.state = views.state(books=(views.summary(binding="new_clamp"),))
            dashboard.say("books", dashboard.state.books)
            terminal.await_text("new_clamp")
            terminal.forget()
        terminal.await_text("OLD PICTURE")
        terminal.forget()
        with ScriptedDashboard(views.state(environment="live"), BOOKS, port):
            assert "OLD PICTURE" not in terminal.await_text(" LIVE ").rpartition(" LIVE ")[2]
        terminal.press("q")
        assert terminal.ended() == 0
        assert terminal.raw.startswith(ALTERNATE_SCREEN)
        assert terminal.raw.endswith(SHOWN_CURSOR + USUAL_SCREEN)
        assert terminal.modes() == before
        assert "Traceback" not in terminal.raw


@pytest.mark.parametrize("how", ["\x03", "SIGTERM", "SIGHUP"])
def test_however_it_ends_the_terminal_is_as_it_was(how: str) -> None:
    with (
        ScriptedDashboard(views.state(), BOOKS) as dashboard,
        Terminal(["top", "--url", dashboard.url]) as terminal,
    ):
        before = terminal.modes()
        terminal.await_text("> overlay")
        if how == "\x03":
            terminal.press(how)
        else:
            terminal.send(signal.Signals[how])
        assert terminal.ended() == 0
        assert USUAL_SCREEN in terminal.raw
        assert terminal.modes() == before
        assert "Traceback" not in terminal.raw


def test_hostile_texts_reach_no_real_terminal() -> None:
    hostile = "\x1b]0;owned\x07\x9b2J[red]"
    evil = views.state(orders=(views.order(1, why=hostile),))
    with (
        ScriptedDashboard(evil, BOOKS) as dashboard,
        Terminal(["top", "--url", dashboard.url], 120, 50) as terminal,
    ):
        terminal.await_text("]0;owned")
        terminal.press("q")
        terminal.ended()
        assert "\x1b]" not in terminal.raw
        assert "\x07" not in terminal.raw
        assert "\x9b" not in terminal.raw


def test_once_prints_all_of_it_plainly_into_a_pipe(tmp_path: Path) -> None:
    with ScriptedDashboard(views.state(), BOOKS) as dashboard:
        for words in (("top", "tail_fund", "--once"), ("top", "tail_fund")):
            told = hedgestat(*words, "--url", dashboard.url, directory=tmp_path)
            assert (told.returncode, told.stderr) == (0, "")
            assert "> tail_fund" in told.stdout
            assert "─ Book tail_fund" in told.stdout
            assert "below" not in told.stdout.replace("below 1", "")
            assert "\x1b" not in told.stdout


def test_json_is_the_picture_in_ascii(tmp_path: Path) -> None:
    evil = views.state(orders=(views.order(1, why="\x9b2J é"),))
    with ScriptedDashboard(evil, BOOKS) as dashboard:
        told = hedgestat("top", "--once", "--json", "--url", dashboard.url, directory=tmp_path)
    assert told.stdout.isascii()
    document = json.loads(told.stdout)
    assert document["book"] == msgspec.to_builtins(BOOKS["overlay"], order=None) | document["book"]
    assert document["state"]["orders"][0]["why"] == "\N{REPLACEMENT CHARACTER}2J é"


def test_json_goes_on_line_by_line() -> None:
    with ScriptedDashboard(views.state(), BOOKS) as dashboard:
        command = [HEDGESTAT, "top", "--json", "--interval", "0.1", "--url", dashboard.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["state"]["version"] == "0.1.0"
            dashboard.state = views.state(version="0.2.0")
            dashboard.say("state", dashboard.state)
            for line in process.stdout:
                if json.loads(line)["state"]["version"] == "0.2.0":
                    break
            process.terminate()
            assert process.wait(10) == 0


@pytest.mark.parametrize("as_json", [False, True])
def test_once_without_a_server_fails_with_a_line(as_json: bool) -> None:  # noqa: FBT001
    options = TopOptions(url=f"http://127.0.0.1:{free_port()}", once=True, as_json=as_json)
    with pytest.raises(Failed, match="does the dashboard run"):
        run_top(options, Console(file=io.StringIO()))


def test_a_book_that_there_is_not_is_refused() -> None:
    with ScriptedDashboard(views.state(), BOOKS) as dashboard:
        for options in (
            TopOptions(url=dashboard.url, book="none", once=True),
            TopOptions(url=dashboard.url, book="none", as_json=True),
        ):
            with pytest.raises(Refused, match="there are overlay, tail_fund"):
                run_top(options, Console(file=io.StringIO()))
    with pytest.raises(Refused, match="is no http"):
        run_top(TopOptions(url="redis://x"), Console(file=io.StringIO()))


KEYS = "q\x1b[A\x1bOBn\x1b[1;5Cx\x1b[200~?"


@given(st.lists(st.integers(0, len(KEYS)), max_size=8))
def test_keys_are_the_same_however_they_come(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(KEYS)]
    reader = KeyReader()
    keys: list[str] = []
    for begin, end in pairwise(places):
        keys += reader.feed(KEYS[begin:end].encode())
    assert keys == ["q", "up", "down", "n", "x", "?"]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:9000"),
        ("0.0.0.0", "http://127.0.0.1:9000"),  # noqa: S104 - nothing listens there
        ("10.0.0.7", "http://10.0.0.7:9000"),
        ("::1", "http://[::1]:9000"),
    ],
)
def test_the_page_is_where_the_configuration_has_it(host: str, url: str) -> None:
    assert page_of(HttpSettings(host=host, ports={"dashboard": 9000})) == url


def test_a_page_on_any_free_port_must_be_named() -> None:
    with pytest.raises(Refused, match="--url"):
        page_of(HttpSettings(ports={"dashboard": 0}))
