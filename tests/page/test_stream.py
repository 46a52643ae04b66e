"""What the stream changes on the page, how often, and what happens when it breaks."""

import time
from typing import Final

import msgspec
from page import story
from page.browsing import until_quiet
from page.orders import order
from page.page_server import PageServer
from playwright.sync_api import Page, expect

STEADY: Final = (
    "hedge", "sizing", "budget", "effectiveness", "triggers", "whipsaws", "orders", "profit",
    "greeks", "scenarios", "books", "alerts", "services",
)  # fmt: skip
"""What changes with an event and not with the clock, by id."""


def test_numbers_change_with_the_stream(server: PageServer, opened: Page) -> None:
    server.send("market", story.json_of(story.market(31.5)))
    server.send("books", [story.json_of(story.summary("tail", target_vega=77_000.0))])
    server.send("alerts", [story.json_of(story.alert(4, "critical", "vix_frozen"))])
    expect(opened.locator('.tile[data-signal="vix"] .value')).to_have_text("31.50")
    expect(opened.locator(".book-line", has_text="tail")).to_contain_text("77,000")
    expect(opened.locator(".alert").first).to_contain_text("vix frozen")
    expect(opened.locator(".alert")).to_have_count(4)


def test_a_trigger_goes_from_pending_to_firing(server: PageServer, opened: Page) -> None:
    trigger = opened.locator('.trigger[data-trigger="vix_move"]')
    expect(trigger).to_contain_text("◔ pending")
    fired = story.trigger("vix_move", "firing", observations=3, held_s=900.0, reason="held")
    view = story.book("overlay", triggers=(fired,))
    server.send("book", story.json_of(view))
    expect(trigger).to_contain_text("▲ FIRING")
    expect(trigger).to_contain_text("3 of 3 ticks · 15 of 15 min")


def test_a_trigger_whose_decision_ended_its_firing_is_still_seen_to_have_fired(
    server: PageServer, opened: Page
) -> None:
    decided = msgspec.structs.replace(story.target("overlay"), decision=8)
    rests = story.trigger("vix_move", "cooldown", reason="a decision was made")
    view = story.book("overlay", target=decided, triggers=(rests,))
    server.send("book", story.json_of(view))
    trigger = opened.locator('.trigger[data-trigger="vix_move"]')
    expect(trigger).to_contain_text("▲ FIRED just now")
    expect(opened.locator("#book-verdict")).to_contain_text("decision 8 by vix move")


def test_an_order_appears_and_goes_its_way(server: PageServer, opened: Page) -> None:
    decided = order(20, "decided")
    server.send("orders", [story.json_of(decided)])
    line = opened.locator("tr.order").first
    expect(line).to_have_attribute("data-order", decided.order_id)
    expect(line.locator(".stage[data-last]")).to_have_text("● decided")
    server.send("orders", [story.json_of(order(20, "filled"))])
    expect(line.locator(".stage[data-last]")).to_have_text("● filled")
    expect(line).to_contain_text("+4,100 @ 22.61")


def test_what_is_open_or_focused_stays_so_while_orders_come(
    server: PageServer, opened: Page
) -> None:
    button = opened.locator(".order-button").first
    button.click()
    server.send("orders", [story.json_of(order(20, "decided"))])
    expect(opened.locator("tr.order")).to_have_count(8)
    expect(opened.locator(".why-line")).to_have_count(1)
    assert opened.evaluate("document.activeElement.className") == "order-button"


def test_no_element_changes_more_than_ten_times_a_second(server: PageServer, opened: Page) -> None:
    opened.evaluate(
        """() => {
          window.changes = 0;
          const value = document.querySelector('.tile[data-signal="vix"] .value');
          new MutationObserver(() => window.changes += 1)
            .observe(value, {childList: true, characterData: true, subtree: true});
        }"""
    )
    started = time.perf_counter()
    for number in range(100):
        server.send("market", story.json_of(story.market(30.0 + number / 100)))
        time.sleep(0.01)
    expect(opened.locator('.tile[data-signal="vix"] .value')).to_have_text("30.99")
    elapsed_s = time.perf_counter() - started
    assert 1 <= opened.evaluate("window.changes") <= 10 * elapsed_s + 1


def test_elements_whose_text_is_the_same_are_left_alone(server: PageServer, opened: Page) -> None:
    panels = ", ".join(f"#{name}" for name in STEADY)
    for name in STEADY:
        expect(opened.locator(f"#{name}")).not_to_be_empty()
    until_quiet(opened, panels)
    opened.evaluate(
        """() => {
          window.changed = [];
          new MutationObserver((all) => window.changed.push(...all.map((one) =>
            (one.target.closest ? one.target : one.target.parentElement).closest('[id]')?.id)))
            .observe(document.body, {childList: true, characterData: true,
              subtree: true});
        }"""
    )
    server.send("state", server.state)
    server.send("book", server.books["overlay"])
    server.send("orders", [server.state["orders"][0]])
    server.send("alerts", [server.state["alerts"][0]])
    server.send("health", server.state["health"])
    server.send("market", story.json_of(story.market(31.0)))
    expect(opened.locator('.tile[data-signal="vix"] .value')).to_have_text("31.00")
    until_quiet(opened, panels)
    changed = set(opened.evaluate("window.changed"))
    assert "tiles" in changed  # so it was watched
    assert changed.isdisjoint(STEADY)


def test_a_lost_connection_is_loud_and_comes_back_without_a_reload(
    server: PageServer, opened: Page
) -> None:
    opened.evaluate("window.still = 'the same page'")
    server.stop()
    banner = opened.locator('.banner[data-kind="lost"]')
    expect(banner).to_contain_text("Connection lost")
    expect(banner).to_contain_text("Last data 20:31:")
    expect(opened).to_have_title("LOST · hedgestat")
    expect(opened.locator(".tile").first).to_have_css("border-top-style", "dashed")
    server.state = story.json_of(story.state(2, market=story.market(40.25)))
    server.start()
    expect(opened.locator("#connection")).to_have_text("● live")
    expect(opened.locator('.tile[data-signal="vix"] .value')).to_have_text("40.25")
    expect(opened.locator(".book-line")).to_have_count(2)
    expect(banner).to_have_count(0)
    assert opened.evaluate("window.still") == "the same page"


def test_a_clock_that_goes_on_without_prints_makes_the_data_no_younger(
    server: PageServer, tab: Page
) -> None:
    server.state["health"] = story.json_of(story.health(data_age_s=70.0))
    tab.goto(server.url)
    tab.locator(".trigger").first.wait_for()  # the stream of its book is open
    expect(tab.locator("#data-age")).to_contain_text("1 min")
    ticking = story.json_of(story.market()) | {"event_time": "2018-02-05T20:31:40Z"}
    server.send("market", ticking)
    expect(tab.locator("#clock")).to_have_text("2018-02-05 20:31:40")
    expect(tab.locator("#data-age")).to_contain_text("1 min")


def test_another_book_is_followed_at_once(server: PageServer, opened: Page) -> None:
    summary = msgspec.structs.replace(story.summary("tail"), current_vega=1_234.0)
    server.books["tail"] = story.json_of(story.book("tail", summary=summary))
    opened.locator(".book-line", has_text="tail").click()
    expect(opened.locator("#book-title")).to_have_text("Book tail")
    expect(opened.locator("#hedge")).to_contain_text("1,234")
    assert server.streams == 3  # the first has no book, for the page knows none yet
