"""The page on the real services, as a person at a desk sees them: a replay of early 2018."""

import time
from collections.abc import Iterator
from datetime import date
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from fakes.eventually import eventually_sync
from fakes.installation import DEMO, SERVICES, Installation
from fakes.pages import CHEAP, PASSWORD
from fakes.programs import Program
from fakes.recorded import write_history
from fakes.servers import free_port
from msgspec import Struct
from page.browsing import PLOTLY
from playwright.sync_api import Page, expect

from shared.adapters.operators import write_operators

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

SPEED: Final = "150000"
"""Event time per wall time: a session takes about half a second."""
LOADED_S: Final = 2.0
WATCH: Final = """() => {
  window.seen = [];
  const note = (one) => {
    const what = one.hasAttribute('data-fired') ? 'fired' : one.dataset.state;
    window.seen.push([one.dataset.trigger, what]);
  };
  new MutationObserver((all) => all.forEach((each) => note(each.target))).observe(
    document.getElementById('triggers'),
    {subtree: true, attributes: true, attributeFilter: ['data-state', 'data-fired']});
}"""


class Desk(Struct, frozen=True):
    """Everything that runs, with the page on a port that it keeps."""

    installation: Installation
    feed: Program
    url: str

    def page_answers(self) -> bool:
        """Whether the page is served."""
        try:
            with urlopen(self.url, timeout=5) as answer:  # noqa: S310 - its own page
                return bool(answer.status == 200)
        except (URLError, ConnectionError, TimeoutError):
            return False


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    directory = tmp_path_factory.mktemp("desk")
    history = write_history(directory / "history", date(2018, 1, 2), date(2018, 12, 31))
    write_operators(directory / "operators", {"ann": CHEAP})
    installation = Installation(directory, history, [*SERVICES, "dashboard"], DEMO)
    port, configuration = free_port(), directory / "hedgestat.toml"
    configuration.write_text(
        configuration.read_text().replace("dashboard = 0", f"dashboard = {port}")
    )
    feed = installation.another("feed", "replay", str(history), "--speed", SPEED)
    with installation:
        place = Desk(installation, feed, f"http://127.0.0.1:{port}/")
        try:
            eventually_sync(place.page_answers, within_s=60)
            yield place
        finally:
            feed.kill()
            print(feed.log[-2000:])  # noqa: T201 - shown when a test has failed


def loading_s(desk: Desk, tab: Page) -> float:
    """How long it takes until the book is shown."""
    started = time.perf_counter()
    tab.goto(desk.url)
    tab.locator(".trigger").first.wait_for()
    return time.perf_counter() - started


def market_time(tab: Page) -> str:
    return tab.locator("#clock").inner_text()


def test_it_loads_at_once_numbers_move_a_trigger_fires_and_an_order_says_why(
    desk: Desk, tab: Page
) -> None:
    tab.unroute(PLOTLY)
    loaded_s = min(loading_s(desk, tab) for _ in range(3))
    print(f"loaded in {loaded_s:.2f} s")  # noqa: T201 - a figure
    assert loaded_s < LOADED_S
    tab.evaluate(WATCH)
    desk.feed.start()
    expect(tab.locator("tr.order")).not_to_have_count(0, timeout=60_000)
    before = market_time(tab)
    expect(tab.locator("#clock")).not_to_have_text(before)
    expect(tab.locator('.tile[data-signal="vix"] .quality')).to_have_text("● good")
    seen = [tuple(each) for each in tab.evaluate("window.seen")]
    fired = {trigger for trigger, what in seen if what in {"fired", "firing"}}
    assert [
        trigger
        for trigger in fired
        if seen.index((trigger, "pending")) < max(seen.index((trigger, "fired")), 1)
    ], seen
    button = tab.locator(".order-button").last
    button.focus()
    tab.keyboard.press("Enter")
    expect(tab.locator(".why")).to_contain_text("so the target is")
    expect(tab.locator("tr.order").last.locator(".stage[data-last]")).to_have_text("● filled")
    expect(tab.locator("#vix-chart .scatterlayer .trace").first).to_be_attached()


def test_it_comes_back_without_a_reload_when_the_dashboard_is_killed_and_started(
    desk: Desk, tab: Page
) -> None:
    tab.goto(desk.url)
    tab.locator("tr.order").first.wait_for()
    tab.evaluate("window.still = 'the same page'")
    page = desk.installation.services["dashboard"]
    page.kill()
    expect(tab.locator('.banner[data-kind="lost"]')).to_contain_text("Last data ")
    page.start()
    expect(tab.locator('.banner[data-kind="lost"]')).to_have_count(0, timeout=40_000)
    expect(tab.locator("#connection")).to_have_text("● live")
    before = market_time(tab)
    expect(tab.locator("#clock")).not_to_have_text(before)
    expect(tab.locator("tr.order")).not_to_have_count(0)
    assert tab.evaluate("window.still") == "the same page"


def test_a_halt_from_the_page_is_in_force_when_the_gateway_says_so(desk: Desk, tab: Page) -> None:
    tab.goto(desk.url)
    tab.locator("#halt").click()
    tab.locator("#login-operator").fill("ann")
    tab.locator("#login-password").fill(PASSWORD)
    tab.keyboard.press("Enter")
    tab.locator("#action-reason").fill("the marks are <b>wrong</b>")
    tab.locator("#action-confirmation").fill("all")
    tab.locator("#action-submit").click()
    expect(tab.locator("#action-result")).to_contain_text("In force: the gateway says all")
    expect(tab.locator(".banner").first).to_contain_text("■ HALTED: all books")
    expect(tab.locator(".banner").first).to_contain_text("the marks are <b>wrong</b>")
    tab.reload()
    expect(tab.locator(".banner").first).to_contain_text("hedgestat resume all")


def test_it_says_so_when_the_feed_has_stopped(desk: Desk, tab: Page) -> None:
    tab.goto(desk.url)
    tab.locator(".tile").first.wait_for()
    desk.feed.kill()
    expect(tab.locator("#banners")).to_contain_text("Market data is stale", timeout=30_000)
    expect(tab.locator('.tile[data-signal="vix"]')).to_have_css("border-top-style", "dashed")
    before = tab.locator("#data-age").inner_text()
    expect(tab.locator("#data-age")).not_to_have_text(before)
