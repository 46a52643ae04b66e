"""Logging in to the page: throttled, told apart by nobody, and never more than one at a time."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from fakes.eventually import eventually
from fakes.pages import CHEAP, PASSWORD, Door, door

from services.dashboard.login import MOST_WAITING
from services.dashboard.login_throttle import MOST_IN_ALL, MOST_OF_A_NAME, WINDOW_S
from shared.adapters.operators import PasswordHash

WRONG = "wrong horse battery"


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Door]:
    async with door(tmp_path, operators=("ann", "bob")) as place:
        yield place


@pytest.fixture
def cheap_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that nobody has cost nothing, either."""
    monkeypatch.setattr(PasswordHash, "of_nobody", lambda: PasswordHash.of("no", CHEAP.cost))


@pytest.fixture
def log() -> Iterator[list[structlog.typing.EventDict]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def logins(page: Door, outcome: str) -> float:
    return page.count("hedge_page_logins_total", outcome=outcome)


@pytest.mark.usefixtures("cheap_nobody")
async def test_who_exists_is_told_to_nobody(page: Door) -> None:
    browser = page.browser()
    answers = [await browser.log_in(name, WRONG) for name in ("ann", "eve", "x" * 64, "..")]
    assert {each.status for each in answers} == {401}
    assert len({each.body for each in answers}) == 1
    assert len({tuple(each.headers.items())[2:] for each in answers}) == 1
    for _ in range(MOST_OF_A_NAME):
        await browser.log_in("ann", WRONG)
        await browser.log_in("eve", WRONG)
    blocked = [await browser.log_in(name, WRONG) for name in ("ann", "eve")]
    assert {each.status for each in blocked} == {429}
    assert len({each.body for each in blocked}) == 1


async def test_a_name_that_nobody_has_costs_as_much_as_one_that_somebody_has(
    page: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[tuple[int, int, int]] = []
    known = PasswordHash.is_of

    def is_of(kept: PasswordHash, password: str) -> bool:
        hashed.append(kept.cost)
        return known(kept, password)

    monkeypatch.setattr(PasswordHash, "is_of", is_of)
    page.let_in("ann", password=PasswordHash.of(PASSWORD))
    for name in ("ann", "eve"):
        await page.browser().log_in(name, WRONG)
    assert len(hashed) == 2
    assert hashed[0] == hashed[1]


async def test_after_five_wrong_guesses_the_right_password_waits_too(
    page: Door, log: list[structlog.typing.EventDict]
) -> None:
    browser = page.browser()
    for _ in range(MOST_OF_A_NAME):
        assert (await browser.log_in("ann", WRONG)).status == 401
    answer = await browser.log_in("ann")
    assert (answer.status, answer.error) == (429, "throttled")
    assert 0 < int(answer.headers["retry-after"]) <= WINDOW_S + 1
    assert (logins(page, "wrong"), logins(page, "throttled")) == (5, 1)
    errors = [
        (each["event"], each["client"], each["operator"])
        for each in log
        if each["log_level"] == "error"
    ]
    assert errors == [("logins_throttled", "127.0.0.1", "ann")]
    assert [(each.what, each.where) for each in page.rung] == [("logins_failing", "ann")]
    assert (await browser.log_in("bob")).status == 200, "others are let in"
    page.clock.advance(WINDOW_S)
    assert (await browser.log_in("ann")).status == 200


async def test_a_person_is_told_once_a_minute(page: Door) -> None:
    browser = page.browser()
    for _ in range(MOST_OF_A_NAME + 5):
        await browser.log_in("ann", WRONG)
    assert len(page.rung) == 1
    page.clock.advance(61)
    await browser.log_in("ann", WRONG)
    assert len(page.rung) == 2


@pytest.mark.usefixtures("cheap_nobody")
async def test_in_all_only_so_many_guesses_are_let_happen(page: Door) -> None:
    browser = page.browser()
    for number in range(MOST_IN_ALL):
        assert (await browser.log_in(f"name{number}", WRONG)).status == 401
    assert (await browser.log_in("bob")).status == 429
    assert page.rung[0].where == "bob"


@pytest.mark.usefixtures("cheap_nobody")
async def test_whoever_is_logged_in_is_not_kept_from_acting_by_a_guesser(page: Door) -> None:
    ann, guesser = page.browser(), page.browser()
    await ann.log_in()
    for number in range(MOST_IN_ALL + 1):
        await guesser.log_in(f"name{number}", WRONG)
    assert (await ann.act("halt")).status == 202


async def test_a_slip_is_forgiven_when_the_right_password_follows(page: Door) -> None:
    browser = page.browser()
    for _ in range(3):
        for _ in range(MOST_OF_A_NAME - 1):
            assert (await browser.log_in("ann", WRONG)).status == 401
        assert (await browser.log_in("ann")).status == 200


async def test_passwords_are_checked_one_at_a_time_and_few_wait(
    page: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most, goes_on = 0, 0, threading.Event()

    def is_of(_: PasswordHash, __: str) -> bool:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        goes_on.wait(10)
        at_once -= 1
        return False

    monkeypatch.setattr(PasswordHash, "is_of", is_of)
    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(page.browser().log_in(f"name{number}", WRONG)) for number in range(12)
        ]
        await eventually(lambda: sum(each.done() for each in asked) == 12 - MOST_WAITING)
        goes_on.set()
    statuses = sorted(each.result().status for each in asked)
    assert statuses == [401] * MOST_WAITING + [429] * (12 - MOST_WAITING)
    assert most == 1


async def test_neither_a_password_nor_what_is_typed_for_a_name_is_logged(
    page: Door, log: list[structlog.typing.EventDict]
) -> None:
    browser = page.browser()
    await browser.log_in()
    await browser.log_in("ann", WRONG)
    await browser.log_in(PASSWORD, WRONG)
    await browser.ask("POST", "/api/v1/login", b'{"operator":"ann","password":"' + b"p" * 300)
    await browser.ask("POST", "/api/v1/login", {"operator": "ann", "password": ["p" * 300]})
    await browser.act("halt", reason="drill")
    written = str(log)
    assert "operator_logged_in" in written
    for secret in (PASSWORD, WRONG, "ppp", browser.cookie.partition("=")[2], browser.token):
        assert secret not in written


async def test_a_login_tells_who_and_that_it_ended(
    page: Door, log: list[structlog.typing.EventDict]
) -> None:
    browser = page.browser()
    await browser.log_in()
    assert page.count("hedge_page_sessions") == 1
    await browser.act("halt", reason="drill")
    await browser.ask("POST", "/api/v1/logout", {})
    told = [(each["event"], each["operator"]) for each in log if "operator" in each]
    assert told == [
        ("operator_logged_in", "ann"),
        ("action_sent", "ann"),
        ("operator_logged_out", "ann"),
    ]
    assert page.count("hedge_page_sessions") == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"operator":"","password":"x"}',
        b'{"operator":"ann","password":""}',
        b'{"operator":"ann","password":"x","admin":true}',
        b'{"operator":{"$ne":null},"password":{"$ne":null}}',
    ],
)
async def test_what_is_no_login_is_refused(page: Door, body: bytes) -> None:
    answer = await page.browser().ask("POST", "/api/v1/login", body)
    assert (answer.status, answer.error) == (400, "malformed")
    assert answer.headers["set-cookie"] is None
