"""Login, halt, reduce and rebalance as an operator does them in the browser."""

from page import story
from page.page_server import PASSWORD, TOKEN, PageServer
from playwright.sync_api import Page, expect


def log_in(tab: Page, password: str = PASSWORD) -> None:
    tab.locator("#login-operator").fill("ann")
    tab.locator("#login-password").fill(password)
    tab.keyboard.press("Enter")


def test_a_halt_needs_a_login_a_reason_and_its_scope_typed_in_full(
    server: PageServer, opened: Page
) -> None:
    opened.locator("#halt").click()
    log_in(opened, "wrong")
    expect(opened.locator("#login-problem")).to_have_text("refused: wrong operator or password")
    log_in(opened)
    expect(opened.locator("#action-title")).to_have_text("Halt")
    expect(opened.locator("#action-text")).to_contain_text("hedgestat resume")
    opened.locator("#action-scope").select_option("overlay")
    opened.locator("#action-reason").fill("drill")
    submit = opened.locator("#action-submit")
    for typed in ("", "all", "overla", "Overlay", "overlay "):
        opened.locator("#action-confirmation").fill(typed)
        expect(submit).to_be_disabled()
    opened.locator("#action-confirmation").fill("overlay")
    submit.click()
    expect(opened.locator("#action-result")).to_contain_text("waiting for it")
    request = {"scope": "overlay", "reason": "drill", "confirmation": "overlay"}
    assert server.actions == [("halt", request, TOKEN)]
    halted = story.health(
        trading=(story.trading("all", "active"), story.trading("overlay", "halted"))
    )
    server.send("health", story.json_of(halted))
    expect(opened.locator("#action-result")).to_contain_text("In force: the gateway says overlay")


def test_a_refusal_is_shown_and_nothing_is_said_to_be_done(
    server: PageServer, opened: Page
) -> None:
    opened.locator("#rebalance").click()
    log_in(opened)
    opened.locator("#action-reason").fill("index review")
    opened.locator("#action-confirmation").fill("all")
    opened.context.clear_cookies()
    opened.locator("#action-submit").click()
    expect(opened.locator("#action-problem")).to_contain_text("the token is not that of the")
    expect(opened.locator("#action-result")).to_be_empty()
    assert [name for name, _, _ in server.actions] == ["rebalance"]


def test_with_the_server_gone_the_page_says_that_nothing_was_done(
    server: PageServer, opened: Page
) -> None:
    opened.locator("#login").click()
    log_in(opened)
    expect(opened.locator("#login")).to_have_text("Log out ann")
    server.stop()
    opened.locator("#reduce").click()
    opened.locator("#action-reason").fill("drill")
    opened.locator("#action-confirmation").fill("all")
    opened.locator("#action-submit").click()
    expect(opened.locator("#action-problem")).to_contain_text("nothing was done")


def test_a_login_is_remembered_over_a_reload_and_ends_with_log_out(
    server: PageServer, opened: Page
) -> None:
    opened.locator("#login").click()
    log_in(opened)
    expect(opened.locator("#login")).to_have_text("Log out ann")
    opened.reload()
    expect(opened.locator("#login")).to_have_text("Log out ann")
    opened.locator("#login").click()
    expect(opened.locator("#login")).to_have_text("Log in")
    opened.reload()
    expect(opened.locator("#login")).to_have_text("Log in")
    assert server.actions == []
