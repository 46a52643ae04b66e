"""What stands between a browser and the page, over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.pages import Answer, Door, door

from services.dashboard.security import (
    HEADERS,
    LARGEST_BODY,
    LONGEST_S,
)

GETS = ("/", "/assets/app.js", "/api/v1/login", "/api/v1/stream", "/nowhere", "/fails", "/a/../b")
POSTS = (
    "/api/v1/login",
    "/api/v1/logout",
    "/api/v1/actions/halt",
    "/api/v1/actions/reduce",
    "/api/v1/actions/rebalance",
    "/api/v1/actions/resume",
    "/",
    "/nowhere",
)


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Door]:
    async with door(tmp_path) as place:
        yield place


def has_headers(answer: Answer) -> None:
    for name, text in HEADERS.items():
        assert answer.headers.get_all(name) == [text]
    assert answer.headers.get_all("server") is None
    assert answer.headers["access-control-allow-origin"] is None


@pytest.mark.parametrize("path", GETS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_every_answer_has_the_headers_whatever_was_asked(
    page: Door, path: str, method: str
) -> None:
    has_headers(await page.browser().ask(method, path))


@pytest.mark.parametrize("path", POSTS)
async def test_every_refusal_has_the_headers_and_is_a_problem_in_json(
    page: Door, path: str
) -> None:
    answer = await page.browser().ask("POST", path, {"a": "<script>"})
    has_headers(answer)
    assert answer.status in {400, 401, 404, 405}
    assert set(answer.json) == {"error", "detail"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


def test_the_policy_lets_no_script_but_our_files_and_no_frame() -> None:
    policy = dict(part.split(" ", 1) for part in HEADERS["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert "unsafe" not in HEADERS["content-security-policy"]
    assert "http" not in HEADERS["content-security-policy"], "no third party"


async def test_what_is_shown_is_not_kept_and_files_are_asked_for_again(page: Door) -> None:
    browser = page.browser()
    assert (await browser.ask("GET", "/")).headers["cache-control"] == "no-store"
    assert (await browser.ask("GET", "/assets/app.js")).headers["cache-control"] == "no-cache"


async def test_a_failure_tells_the_log_alone(page: Door) -> None:
    answer = await page.browser().ask("GET", "/fails")
    assert (answer.status, answer.error) == (500, "failed")
    assert b"secret" not in answer.body
    assert page.refused("failed") == 1


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8088",
        "localhost.",
        "127.0.0.1:8088",
        "10.1.2.3",
        "[::1]:8088",
        "hedges.example.com",
        "Hedges.Example.com:443",
    ],
)
async def test_a_name_of_ours_and_an_address_are_answered(page: Door, host: str) -> None:
    assert (await page.browser().ask("GET", "/", headers={"host": host})).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "localhost.evil.example.com",
        "127.0.0.1.evil.example.com",
        "hedges.example.com.evil.com",
        "evil.com/localhost",
        "evil@localhost",
        "localhost@evil.com",
        "2130706433",
        "[::1",
        "::1",
        "localhost?",
        "\t",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_name_that_somebody_points_at_us_is_not(page: Door, method: str, host: str) -> None:
    answer = await page.browser().ask(method, "/", headers={"host": host})
    assert answer.status == 400
    has_headers(answer)
    assert answer.error == "wrong_host"
    assert page.refused("wrong_host") == 1


# --- origins -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example.com"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "same-origin", "origin": "http://localhost"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_what_would_change_something_comes_from_our_own_pages(
    page: Door, method: str, headers: dict[str, str]
) -> None:
    answer = await page.browser().ask(method, "/api/v1/actions/halt", headers=headers)
    assert (answer.status, answer.error) == (403, "cross_origin")


async def test_our_own_page_and_a_program_are_let_through(page: Door) -> None:
    browser = page.browser()
    own = {"origin": f"http://127.0.0.1:{page.port}", "sec-fetch-site": "same-origin"}
    for headers in (own, {}):
        answer = await browser.ask("POST", "/api/v1/actions/halt", {}, headers)
        assert answer.error == "login_needed"


async def test_reading_is_refused_to_nobody_for_browsers_keep_it_from_others(page: Door) -> None:
    answer = await page.browser().ask("GET", "/", headers={"sec-fetch-site": "cross-site"})
    assert answer.status == 200
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


# --- sizes, rates, times -------------------------------------------------------------------------


@pytest.mark.parametrize("size", [LARGEST_BODY + 1, 10_000_000, 10**19])
async def test_a_body_that_is_said_to_be_large_is_not_waited_for(page: Door, size: int) -> None:
    headers = {"content-length": str(size), "content-type": "application/json"}
    answer = await page.browser().ask("POST", "/api/v1/login", None, headers)
    assert (answer.status, answer.error) == (413, "too_large")


async def test_a_body_that_turns_out_large_is_cut_off(page: Door) -> None:
    def send() -> bytes:
        with socket.create_connection(("127.0.0.1", page.port), timeout=5) as connection:
            connection.sendall(
                b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            for _ in range(9):
                connection.sendall(b"400\r\n" + b" " * 1024 + b"\r\n")
            return connection.recv(65_536)

    said = await asyncio.to_thread(send)
    assert said.startswith(b"HTTP/1.1 413")
    assert b"content-security-policy" in said
    assert page.refused("too_large") == 1


async def test_a_stranger_who_asks_too_often_waits(page: Door) -> None:
    browser = page.browser()
    answers = [await browser.ask("GET", "/") for _ in range(410)]
    assert [each.status for each in answers] == [200] * 400 + [429] * 10
    has_headers(answers[-1])
    assert answers[-1].headers["retry-after"] == "1"
    assert page.refused("too_many") == 10
    page.clock.advance(1.0)
    assert (await browser.ask("GET", "/")).status == 200


async def test_strangers_keep_nobody_who_is_logged_in_from_halting(page: Door) -> None:
    ann, stranger = page.browser(), page.browser()
    await ann.log_in()
    while (await stranger.ask("GET", "/")).status == 200:
        pass
    assert (await ann.act("halt")).status == 202
    stranger.cookie = ann.cookie[:-1]
    assert (await stranger.act("halt")).status == 429


async def test_what_takes_too_long_is_ended(page: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LONGEST_S < 20
    monkeypatch.setattr("services.dashboard.security.LONGEST_S", 0.05)
    answer = await page.browser().ask("GET", "/lasts")
    assert (answer.status, answer.error) == (503, "too_slow")


async def test_a_body_that_never_comes_is_not_waited_for_long(
    page: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.dashboard.security.LONGEST_S", 0.05)
    headers = {"content-length": "10", "content-type": "application/json"}
    answer = await page.browser().ask("POST", "/api/v1/login", None, headers)
    assert (answer.status, answer.error) == (503, "too_slow")


async def test_a_browser_that_goes_away_is_no_failure(page: Door) -> None:
    def leave() -> None:
        with socket.create_connection(("127.0.0.1", page.port), timeout=5) as connection:
            connection.sendall(
                b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
                b"Content-Type: application/json\r\n\r\n{"
            )

    await asyncio.to_thread(leave)
    assert (await page.browser().ask("GET", "/")).status == 200
    assert page.refused("failed") == 0


async def test_many_who_begin_a_request_and_never_end_it_keep_nobody_waiting(page: Door) -> None:
    begun = [socket.create_connection(("127.0.0.1", page.port), timeout=5) for _ in range(200)]
    try:
        for connection in begun:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        browser = page.browser()
        assert (await browser.log_in()).status == 200
        assert (await browser.act("halt")).status == 202
    finally:
        for connection in begun:
            connection.close()


@pytest.mark.parametrize("bytes_sent", [b"\x00" * 100, b"GET / HTTP/1.1\r\n\r\n", b"GET /\r\n\r\n"])
async def test_what_is_no_request_is_answered_by_nobody_of_ours(
    page: Door, bytes_sent: bytes
) -> None:
    def send() -> bytes:
        with socket.create_connection(("127.0.0.1", page.port), timeout=5) as connection:
            connection.sendall(bytes_sent)
            return connection.recv(4096)

    assert b" 400 " in await asyncio.to_thread(send)
    assert (await page.browser().ask("GET", "/")).status == 200


async def test_a_method_is_what_it_is_called_and_no_header_makes_it_another(page: Door) -> None:
    browser = page.browser()
    await browser.log_in()
    for trick in ({"x-http-method-override": "POST"}, {"x-method-override": "POST"}):
        answer = await browser.ask("GET", "/api/v1/actions/halt", headers=trick)
        assert (answer.status, answer.headers["allow"]) == (405, "POST")
    for method in ("PUT", "PATCH", "DELETE", "HEAD", "POSTX"):
        answer = await browser.ask(method, "/api/v1/actions/halt?_method=POST")
        assert answer.status == 405
    assert page.commands == []


async def test_texts_from_outside_are_json_and_never_a_page(page: Door) -> None:
    """A browser that is led to an answer shows text: no type is guessed, no script runs."""
    answer = await page.browser().ask("GET", "/")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    for path in ("/<script>alert(1)</script>", "/%3Cscript%3E", "/api/v1/%3Cimg%20src=x%3E"):
        answer = await page.browser().ask("GET", path.replace("<", "%3C"))
        assert (answer.status, answer.headers["content-type"]) == (404, "application/json")
        assert b"script" not in answer.body
