"""A browser for each module of tests of the page, a server and a tab for each test.

Not for all of them: while its driver runs, no other event loop can.
"""

from collections.abc import Iterator

import pytest
from page.browsing import PLOTLY, chromium
from page.page_server import PageServer
from playwright.sync_api import Browser, Page, expect


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def server() -> Iterator[PageServer]:
    expect.set_options(timeout=15_000)  # the machine may have much else to do
    with PageServer() as started:
        yield started


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """Without charts, until a test says `tab.unroute(PLOTLY)`."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.route(PLOTLY, lambda route: route.abort())
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(f"a dialog: {dialog.message}"))
    yield page
    context.close()
    assert faults == []


@pytest.fixture(scope="module")
def shown(browser: Browser) -> Iterator[Page]:
    """The page for tests that only look, and leave it as they found it."""
    with PageServer() as server:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
        page = context.new_page()
        page.route(PLOTLY, lambda route: route.abort())
        page.goto(server.url)
        page.locator(".trigger").first.wait_for()
        yield page
        context.close()


@pytest.fixture
def opened(server: PageServer, tab: Page) -> Page:
    """The page on the fixture's server, with its first figures."""
    tab.goto(server.url)
    tab.locator(".tile").first.wait_for()
    tab.locator(".trigger").first.wait_for()
    return tab
