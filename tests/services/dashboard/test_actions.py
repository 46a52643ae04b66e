"""What somebody who is logged in may do from the page, and how nobody else may, over real HTTP."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fakes.keys import make_keyring
from fakes.pages import JSON, Answer, Browser, Door, door

from services.dashboard.login_sessions import IDLE_S
from services.dashboard.login_sessions import LONGEST_S as LONGEST_SESSION_S
from shared.adapters.keyring import Forged
from shared.wire import topics
from shared.wire.codec import instant_ns
from shared.wire.messages import RebalanceMessage, TradingCommandMessage

ACTIONS = ("halt", "reduce", "rebalance")
HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}"


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Door]:
    async with door(tmp_path, operators=("ann", "bob")) as place:
        yield place


@pytest.fixture
async def ann(page: Door) -> Browser:
    browser = page.browser()
    assert (await browser.log_in()).status == 200
    return browser


def said(page: Door) -> list[TradingCommandMessage]:
    return [
        page.keyring.open("desk", topic, payload, TradingCommandMessage)
        for topic, payload in page.commands
    ]


# --- what is done --------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "state"), [("halt", "halted"), ("reduce", "reducing")])
@pytest.mark.parametrize("scope", ["overlay", "all"])
async def test_a_halt_is_signed_with_the_desks_key_in_the_name_of_who_is_logged_in(
    page: Door, ann: Browser, action: str, state: str, scope: str
) -> None:
    answer = await ann.act(action, scope=scope, confirmation=scope, reason="wrong marks")
    assert answer.status == 202
    [(topic, _)] = page.commands
    [command] = said(page)
    assert topic == topics.HALT
    assert (command.scope, command.state, command.operator, command.reason) == (
        scope,
        state,
        "ann",
        "wrong marks",
    )
    assert instant_ns(command.issued_at) == page.clock.now_ns()
    assert answer.json == {
        "action": action,
        "scope": scope,
        "operator": "ann",
        "issued_at": "2023-11-14T22:13:20Z",
    }
    assert page.count("hedge_page_actions_total", action=action, outcome="sent") == 1


async def test_a_rebalance_is_signed_with_the_desks_key(page: Door, ann: Browser) -> None:
    assert (await ann.act("rebalance")).status == 202
    [(topic, payload)] = page.commands
    assert topic == topics.REBALANCE
    message = page.keyring.open("desk", topic, payload, RebalanceMessage)
    assert (message.scope, message.operator, message.reason) == ("overlay", "ann", "drill")
    with pytest.raises(Forged):
        page.keyring.open("operator", topic, payload, RebalanceMessage)


async def test_each_command_of_the_desk_is_later_than_the_one_before(
    page: Door, ann: Browser
) -> None:
    """Of one key's words only later ones are believed: two in one instant would be one."""
    async with asyncio.TaskGroup() as tasks:
        for _ in range(5):
            tasks.create_task(ann.act("halt"))
    issued = [instant_ns(each.issued_at) for each in said(page)]
    assert issued == sorted(set(issued))
    assert len(issued) == 5


async def test_a_hostile_reason_is_text_in_the_signed_message(page: Door, ann: Browser) -> None:
    answer = await ann.act("halt", reason=HOSTILE)
    assert answer.status == 202
    assert said(page)[0].reason == HOSTILE


@pytest.mark.parametrize("scope", [HOSTILE, "a b", "", "overlay\n", "../all", "x" * 65])
async def test_a_hostile_scope_is_refused_as_json(page: Door, ann: Browser, scope: str) -> None:
    answer = await ann.act("halt", scope=scope, confirmation=scope)
    assert (answer.status, answer.error) == (400, "malformed")
    assert answer.headers["content-type"] == "application/json"
    assert page.commands == []


async def test_there_is_no_resume(page: Door, ann: Browser) -> None:
    for action in ("resume", "active", "arm", "halt/../resume", "HALT", "%68alt%2fx"):
        assert (await ann.act(action)).status in {404, 405}
    extra = await ann.act("halt", state="active")
    assert (extra.status, extra.error) == (400, "malformed")
    assert page.commands == []


# --- what must be there --------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
async def test_without_a_login_there_is_no_action(page: Door, action: str) -> None:
    answer = await page.browser().act(action)
    assert (answer.status, answer.error) == (401, "login_needed")
    assert page.count("hedge_page_actions_total", action=action, outcome="login_needed") == 1
    assert page.commands == []


@pytest.mark.parametrize("action", ACTIONS)
async def test_without_the_sessions_own_token_there_is_none(
    page: Door, ann: Browser, action: str
) -> None:
    bob = page.browser()
    await bob.log_in("bob")
    for token in ("", "x", ann.token[:-1], ann.token + "x", bob.token, "\xff" * 43, ann.cookie):
        answer = await ann.act(action, headers={"x-csrf-token": token})
        assert (answer.status, answer.error) == (403, "csrf")
    assert page.refused("csrf") == 7
    assert page.commands == []


async def test_a_token_stands_in_its_header_alone(page: Door, ann: Browser) -> None:
    path = f"/api/v1/actions/halt?x-csrf-token={ann.token}&csrf_token={ann.token}"
    body = {"scope": "all", "reason": "x", "confirmation": "all"}
    answer = await ann.ask("POST", path, body, {"x-csrf-token": ""})
    assert answer.error == "csrf"
    answer = await ann.ask("POST", path, body | {"csrf_token": ann.token}, {"x-csrf-token": ""})
    assert answer.error == "csrf"
    assert page.commands == []


@pytest.mark.parametrize("typed", ["", "Overlay", "overlay ", "overla", "all", "overlay\u200b"])
async def test_without_the_scope_typed_again_there_is_none(
    page: Door, ann: Browser, typed: str
) -> None:
    answer = await ann.act("halt", confirmation=typed)
    assert (answer.status, answer.error) == (422, "confirmation")
    assert page.commands == []


async def test_an_unknown_scope_is_refused_though_typed_twice(page: Door, ann: Browser) -> None:
    answer = await ann.act("halt", scope="nobody", confirmation="nobody")
    assert (answer.status, answer.error) == (404, "unknown_scope")
    assert answer.json["detail"] == "There is no nobody; there are all, overlay."
    assert page.commands == []


@pytest.mark.parametrize("reason", ["   ", "a\nb", "a\x1b[2J", "\u202egnp.exe", "a\u0000b"])
async def test_a_reason_is_a_line_that_can_be_read(page: Door, ann: Browser, reason: str) -> None:
    answer = await ann.act("halt", reason=reason)
    assert (answer.status, answer.error) == (422, "reason")
    assert page.commands == []


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "text/plain; application/json",
        "application/xml",
    ],
)
async def test_what_a_form_can_send_is_not_taken(
    page: Door, ann: Browser, content_type: str
) -> None:
    answer = await ann.act("halt", headers={"content-type": content_type})
    assert (answer.status, answer.error) == (415, "not_json")
    assert page.commands == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"{}",
        b'{"scope":"overlay","reason":"x"}',
        b'{"scope":["overlay"],"reason":"x","confirmation":["overlay"]}',
        b'{"scope":"overlay","reason":"","confirmation":"overlay"}',
        b'{"scope":"overlay","reason":"x","confirmation":"overlay","__proto__":{}}',
        b'{"scope":"overlay","reason":"\xff","confirmation":"overlay"}',
        b'{"scope":"overlay","reason":"\\ud800","confirmation":"overlay"}',
        b"[" * 8_000,
        b'{"scope":"overlay","reason":"' + b"x" * 501 + b'","confirmation":"overlay"}',
    ],
)
async def test_what_is_no_action_is_refused(page: Door, ann: Browser, body: bytes) -> None:
    answer = await ann.ask("POST", "/api/v1/actions/halt", body)
    assert (answer.status, answer.error) == (400, "malformed")
    assert page.commands == []


async def test_rebalances_cost_money_and_are_counted_while_a_halt_is_never_one_too_many(
    page: Door, ann: Browser
) -> None:
    answers = [(await ann.act("rebalance")).status for _ in range(7)]
    assert answers == [202] * 5 + [429] * 2
    assert [(await ann.act("halt")).status for _ in range(20)] == [202] * 20
    page.clock.advance(10.0)
    assert (await ann.act("rebalance")).status == 202


async def test_an_action_that_the_broker_has_not_taken_is_no_action(
    page: Door, ann: Browser
) -> None:
    page.broker.kill()
    answer = await ann.act("halt")
    assert (answer.status, answer.error) == (503, "broker_away")
    assert "hedgestat halt --local" in answer.json["detail"]
    assert page.count("hedge_page_actions_total", action="halt", outcome="sent") == 0


# --- sessions ------------------------------------------------------------------------------------


async def test_a_session_that_was_not_used_for_half_an_hour_is_over(
    page: Door, ann: Browser
) -> None:
    page.clock.advance(IDLE_S - 1)
    assert (await ann.act("halt")).status == 202
    page.clock.advance(IDLE_S)
    assert (await ann.act("halt")).error == "login_needed"
    assert len(page.commands) == 1


async def test_a_session_is_over_after_twelve_hours_however_it_is_used(
    page: Door, ann: Browser
) -> None:
    for _ in range(round(LONGEST_SESSION_S / 1_200) - 1):
        page.clock.advance(1_200)
        assert (await ann.ask("GET", "/api/v1/login")).status == 200
    page.clock.advance(1_200)
    assert (await ann.act("halt")).error == "login_needed"


async def test_whoever_logs_out_is_out(page: Door, ann: Browser) -> None:
    answer = await ann.ask("POST", "/api/v1/logout", {}, {"x-csrf-token": ""})
    assert answer.error == "csrf", "nobody is logged out by another site"
    answer = await ann.ask("POST", "/api/v1/logout", {})
    assert answer.status == 204
    assert 'hedgestat_session=""' in answer.headers["set-cookie"]
    assert (await ann.act("halt")).error == "login_needed"
    assert page.commands == []


async def test_a_cookie_that_was_there_before_is_not_the_one_after(page: Door) -> None:
    """Session fixation: whoever could set a cookie before does not know the session after."""
    browser = page.browser()
    browser.cookie = fixed = "hedgestat_session=chosen-by-somebody-else"
    await browser.log_in()
    assert browser.cookie != fixed
    first, token = browser.cookie, browser.token
    await browser.log_in()
    assert browser.cookie != first
    browser.cookie, browser.token = first, token
    assert (await browser.act("halt")).error == "login_needed", "a new login ends the old session"
    browser.cookie = fixed
    assert (await browser.act("halt")).error == "login_needed"


async def test_whoever_is_removed_is_out_with_the_next_thing_they_do(
    page: Door, ann: Browser
) -> None:
    page.let_in("bob")
    assert (await ann.act("halt")).error == "login_needed"
    assert page.commands == []


async def test_the_cookie_is_for_http_and_this_site_alone(page: Door) -> None:
    answer = await page.browser().log_in()
    name, *parts = answer.headers["set-cookie"].split("; ")
    assert name.startswith("hedgestat_session=")
    assert len(name.partition("=")[2]) == 43
    assert {part.lower() for part in parts} == {"httponly", "samesite=strict", "path=/"}
    assert answer.json["operator"] == "ann"
    assert answer.json["csrf_token"] not in name


async def test_by_tls_the_cookie_is_secure_and_of_this_host(page: Door) -> None:
    browser = page.browser()
    browser.headers = {"x-forwarded-proto": "https", "host": "hedges.example.com"}
    answer = await browser.log_in()
    assert answer.headers["set-cookie"].startswith("__Host-hedgestat_session=")
    assert "; Secure" in answer.headers["set-cookie"]
    assert (await browser.act("halt")).status == 202
    browser.headers = {}
    assert (await browser.act("halt")).error == "login_needed"


async def test_a_password_does_not_cross_a_network_unencrypted(page: Door) -> None:
    browser = page.browser()
    for host in ("hedges.example.com", "10.0.0.1:8088"):
        browser.headers = {"host": host}
        answer = await browser.log_in()
        assert (answer.status, answer.error) == (403, "not_private")
        assert answer.headers["set-cookie"] is None


async def test_who_is_logged_in_is_told_with_the_token(page: Door, ann: Browser) -> None:
    answer = await ann.ask("GET", "/api/v1/login")
    assert answer.json == {"operator": "ann", "csrf_token": ann.token}
    assert (await page.browser().ask("GET", "/api/v1/login")).error == "login_needed"


# --- read only -----------------------------------------------------------------------------------


async def test_without_an_operators_file_the_page_only_shows_and_says_why(tmp_path: Path) -> None:
    async with door(tmp_path, operators=()) as page:
        browser = page.browser()
        for answer in (
            await browser.ask("GET", "/api/v1/login"),
            await browser.log_in(),
            await browser.act("halt"),
        ):
            assert (answer.status, answer.error) == (403, "read_only")
            assert "`hedgestat operators add NAME`" in answer.json["detail"]
        page.let_in("ann")
        assert (await browser.log_in()).status == 200, "without a restart"


async def test_without_the_desks_key_the_page_only_shows_and_says_why(tmp_path: Path) -> None:
    whole = make_keyring()
    public = {role: keys for role, keys in whole._trusted.items()}  # noqa: SLF001, C416 - its own
    keyring = type(whole)("paper", {}, public)
    async with door(tmp_path, keyring=keyring) as page:
        answer = await page.browser().log_in()
        assert (answer.status, answer.error) == (403, "read_only")
        assert "`hedgestat keys new desk`" in answer.json["detail"]


async def test_a_file_that_others_can_read_lets_nobody_in(page: Door, ann: Browser) -> None:
    page.settings.http.operators_path.chmod(0o640)
    for answer in (await page.browser().log_in(), await ann.act("halt")):
        assert (answer.status, answer.error) == (403, "read_only")
        assert "chmod 600" in answer.json["detail"]
    assert page.commands == []


# --- a thousand ----------------------------------------------------------------------------------


class Forger:
    """Knows everything but ann's cookie together with her token, and is logged in as nobody."""

    def __init__(self, ann: Browser, bob: Browser) -> None:
        self._dice = random.Random(7)  # noqa: S311 - a seed
        self._ann, self._bob = ann, bob
        self.made: Counter[str] = Counter()

    async def forge(self) -> Answer:
        name = self._dice.choice(list(_FORGERIES))
        self.made[name] += 1
        action = self._dice.choice(ACTIONS)
        browser = Browser(self._ann.port, self._ann.cookie, self._ann.token)
        return await _FORGERIES[name](self, browser, action)

    async def _no_cookie(self, browser: Browser, action: str) -> Answer:
        return await browser.act(action, {"cookie": ""})

    async def _guessed_cookie(self, browser: Browser, action: str) -> Answer:
        guess = f"hedgestat_session={self._dice.getrandbits(256):x}"
        return await browser.act(action, {"cookie": guess})

    async def _no_token(self, browser: Browser, action: str) -> Answer:
        return await browser.act(action, {"x-csrf-token": ""})

    async def _guessed_token(self, browser: Browser, action: str) -> Answer:
        return await browser.act(action, {"x-csrf-token": f"{self._dice.getrandbits(256):x}"})

    async def _anothers_token(self, browser: Browser, action: str) -> Answer:
        return await browser.act(action, {"x-csrf-token": self._bob.token})

    async def _cookie_as_token(self, browser: Browser, action: str) -> Answer:
        return await browser.act(action, {"x-csrf-token": browser.cookie.partition("=")[2]})

    async def _another_site(self, browser: Browser, action: str) -> Answer:
        return await browser.act(action, {"origin": "https://evil.example.com"})

    async def _another_port(self, browser: Browser, action: str) -> Answer:
        return await browser.act(action, {"sec-fetch-site": "same-site"})

    async def _rebound_name(self, browser: Browser, action: str) -> Answer:
        return await browser.act(action, {"host": "rebound.example.com"})

    async def _form(self, browser: Browser, action: str) -> Answer:
        body = b'{"scope":"all","reason":"x","confirmation":"all","z":"="}'
        plain = {"content-type": "text/plain"}
        return await browser.ask("POST", f"/api/v1/actions/{action}", body, plain)

    async def _unconfirmed(self, browser: Browser, action: str) -> Answer:
        return await browser.act(action, confirmation=self._dice.choice(["", "all", "OVERLAY"]))

    async def _resume(self, browser: Browser, _: str) -> Answer:
        return await browser.act("resume")

    async def _other_method(self, browser: Browser, action: str) -> Answer:
        method = self._dice.choice(["GET", "PUT", "PATCH", "DELETE"])
        body = json.dumps({"scope": "all", "reason": "x", "confirmation": "all"}).encode()
        return await browser.ask(method, f"/api/v1/actions/{action}", body, JSON)

    async def _oversized(self, browser: Browser, action: str) -> Answer:
        return await browser.act(action, reason="x" * 9_000)


_FORGERIES: dict[str, Callable[..., "asyncio.Future[Answer]"]] = {
    name.removeprefix("_"): method
    for name, method in vars(Forger).items()
    if name.startswith("_") and not name.startswith("__")
}


async def test_of_a_thousand_forged_requests_none_acts_and_each_is_counted(
    page: Door, ann: Browser
) -> None:
    bob = page.browser()
    await bob.log_in("bob")
    forger, answers = Forger(ann, bob), Counter[int]()
    for _ in range(1_000):
        answers[(await forger.forge()).status] += 1
        page.clock.advance(0.1)  # not so often that a rate would refuse it instead
    assert page.commands == []
    assert set(forger.made) == set(_FORGERIES)
    assert set(answers) == {400, 401, 403, 404, 405, 413, 415, 422}
    assert total(page, "hedge_page_requests_refused_total") == 1_000
    assert page.refused("too_many") == 0
    assert (await ann.act("halt")).status == 202, "she herself may"


def total(page: Door, metric: str) -> float:
    return sum(
        sample.value
        for family in page.registry.collect()
        for sample in family.samples
        if sample.name == metric
    )
