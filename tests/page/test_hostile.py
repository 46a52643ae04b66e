"""Texts from outside stay texts: markup in every field makes no element and runs nothing."""

import re
from pathlib import Path
from typing import Final

from page import story
from page.browsing import PLOTLY, until_quiet
from page.hostile import HOSTILE, hostile
from page.instants import NOW_S
from page.orders import order
from page.page_server import PageServer
from playwright.sync_api import Page, expect

from services import dashboard
from services.dashboard.security import CONTENT_SECURITY_POLICY

ASSETS: Final = Path(dashboard.__file__).with_name("assets")
MARKUP: Final = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(")


def test_markup_in_every_text_stays_text(server: PageServer, tab: Page) -> None:
    server.state = hostile(server.state)
    name = server.state["books"][0]["book"]
    server.books[name] = hostile(story.json_of(story.book("overlay")))
    server.histories["book"]["firings"] = [[NOW_S - 900.0, "vix" + HOSTILE]]
    tab.unroute(PLOTLY)
    tab.goto(server.url)
    tab.locator(".trigger").first.wait_for()
    until_quiet(tab, ".orders-table")  # a click on what is being replaced is lost
    tab.locator(".order-button").first.click()
    expect(tab.locator(".why-line")).to_contain_text("<img src=x")
    tab.locator("#vix-title").scroll_into_view_if_needed()
    expect(tab.locator("#vix-chart .scatterlayer .trace")).to_have_count(3)
    for text in ("#book-title", "#triggers", "#alerts", "#services", "#greeks"):
        expect(tab.locator(text)).to_contain_text("<script>window.hacked=1</script>")
    tab.locator("#vix-chart").hover()
    tab.wait_for_timeout(500)
    assert tab.evaluate("window.hacked") is None
    made = tab.evaluate(
        """() => [...document.querySelectorAll('img, iframe, object, embed, script, a, svg')]
          .filter((one) => one.onload !== null || one.onerror !== null || one.tagName === 'IMG'
            || (one.tagName === 'SCRIPT' && !one.src.startsWith(location.origin + '/assets/'))
            || (one.tagName === 'A' && !one.classList.contains('skip') && one.href))
          .map((one) => one.outerHTML.slice(0, 200))"""
    )
    assert made == []


def test_hostile_events_after_the_load_stay_text_too(server: PageServer, opened: Page) -> None:
    server.send("orders", hostile([story.json_of(order(30))]))
    server.send("alerts", hostile([story.json_of(story.alert(9))]))
    server.send("health", hostile(story.json_of(
        story.health(checks={"data": "old"}, trading=(story.trading("all", "halted"),))
    )))  # fmt: skip
    expect(opened.locator(".banner").first).to_contain_text("<img src=x")
    expect(opened.locator(".alert").first).to_contain_text("<svg onload")
    expect(opened.locator("tr.order").first).to_contain_text("</title>")
    assert opened.evaluate("window.hacked") is None
    assert opened.evaluate("document.images.length") == 0


def test_the_page_holds_no_inline_script_or_style_and_names_no_other_origin() -> None:
    html = (ASSETS / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", html) == []
    for asset in ASSETS.iterdir():
        text = asset.read_text()
        assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) == [], asset.name
        assert MARKUP.findall(text) == [], asset.name


def test_the_page_lives_with_a_policy_that_allows_nothing_inline(
    server: PageServer, tab: Page
) -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    blocked: list[str] = []
    tab.on(
        "console",
        lambda message: blocked.append(message.text) if "Security Policy" in message.text else None,
    )
    tab.unroute(PLOTLY)
    tab.goto(server.url)
    expect(tab.locator("#vix-chart .scatterlayer .trace")).to_have_count(3)
    expect(tab.locator("#curve-chart .scatterlayer .trace")).to_have_count(1)
    # plotly.js brings the style of a map library that the page never draws with.
    assert len(blocked) <= 1, blocked
    assert (
        tab.locator("#vix-chart .main-svg").first.evaluate("one => getComputedStyle(one).position")
        == "absolute"
    ), "plotly's own rules are in force"
