"""What the page shows of every state that the views can tell of."""

from typing import Any, Final

import msgspec
import pytest
from page import story
from page.browsing import PLOTLY, until_quiet
from page.hostile import hostile
from page.page_server import PageServer
from playwright.sync_api import Page, expect

WIDTHS: Final = (390, 768, 1100, 1280, 1440, 1920)
PANELS: Final = ("hedge", "sizing", "budget", "effectiveness", "profit", "greeks", "scenarios")


def test_the_market_is_shown_with_age_and_quality_of_every_number(shown: Page) -> None:
    tiles = {
        "vix": "24.87",
        "vix_smooth": "22.41",
        "rv": "13.8%",
        "term_ratio": "1.114",
        "correlation": "0.62",
        "drawdown": "−5.7%",
        "regime": "medium",
    }
    for signal, value in tiles.items():
        tile = shown.locator(f'.tile[data-signal="{signal}"]')
        expect(tile.locator(".value")).to_have_text(value)
        expect(tile.locator(".quality")).to_have_text("● good")
        expect(tile.locator(".age")).to_contain_text(" s")
    expect(shown.locator(".tile-more").last).to_contain_text("for 5 h ")
    expect(shown.locator("#curve-state")).to_have_text("backwardation")
    expect(shown.locator("#bands")).to_contain_text("rebalanced at 18.00")
    shown.locator(".signals summary").click()
    expect(shown.locator("#signals tr")).to_have_count(15)
    expect(shown.locator("#signals")).to_contain_text("◔ warming 112 of 252")


def test_charts_begin_with_history_and_name_their_units_and_the_time_zone(
    server: PageServer, tab: Page
) -> None:
    tab.unroute(PLOTLY)
    tab.goto(server.url)
    chart = tab.locator("#vix-chart")
    expect(chart.locator(".scatterlayer .trace")).to_have_count(3)
    expect(chart).to_contain_text("vol points")
    expect(chart).to_contain_text("UTC")
    expect(chart).to_contain_text("trigger ▲ 20.7")
    expect(chart).to_contain_text("2018-02-05")
    expect(tab.locator("#curve-chart")).to_contain_text("days to expiry")
    tab.locator("#history-title").scroll_into_view_if_needed()
    expect(tab.locator("#hedge-chart .ytick").first).to_have_text("0")


def test_a_book_is_shown_with_its_chain_and_the_clamp_that_binds(shown: Page) -> None:
    expect(shown.locator("#hedge")).to_contain_text("24,000")
    expect(shown.locator("#hedge")).to_contain_text("41,000")
    expect(shown.locator("#hedge")).to_contain_text("+17,000")
    assert shown.locator(".step-name").all_inner_texts() == [
        "rule",
        "persistence",
        "equity share",
        "budget",
        "floor and cap",
        "allocation",
        "legs",
    ]
    clamp = shown.locator('.step[data-binding="clamp"]')
    expect(clamp).to_have_count(1)
    expect(clamp).to_contain_text("the binding clamp")
    expect(clamp).to_contain_text("77,400.00 left, 137,562.00 projected")


def test_triggers_are_a_row_of_states_with_the_progress_of_their_persistence(shown: Page) -> None:
    pending = shown.locator('.trigger[data-trigger="vix_move"]')
    expect(pending).to_contain_text("◔ pending")
    expect(pending).to_contain_text("2 of 3 ticks · 9 of 15 min")
    assert shown.locator(".trigger-state").all_inner_texts()[:4] == [
        "▲ FIRING",
        "◔ pending",
        "◌ cooldown",
        "○ inactive",
    ]
    expect(shown.locator("#whipsaws")).to_contain_text("vix move broke after 41 ticks")
    expect(shown.locator("#whipsaws")).to_contain_text("max order vega held back spx_put_6m")


def test_money_and_exposure_are_shown_in_full(shown: Page) -> None:
    expect(shown.locator("#budget")).to_contain_text("it lasts 23 days; the year has 329 left")
    expect(shown.locator("#budget")).to_contain_text("carry by model")
    expect(shown.locator("#effectiveness")).to_contain_text("0.54")
    expect(shown.locator("#effectiveness")).to_contain_text("The demo’s account calls it HER")
    expect(shown.locator("#profit tbody tr")).to_have_count(11)
    expect(shown.locator("#profit")).to_contain_text("unexplained")
    expect(shown.locator("#greeks tbody tr")).to_have_count(5)
    expect(shown.locator("#greeks tfoot")).to_contain_text("87,584")
    expect(shown.locator("#greeks")).to_contain_text("⚠ 398 of 400")
    expect(shown.locator(".heat")).to_have_count(42)
    expect(shown.locator(".stress")).to_contain_text("1987-10-19")


def test_an_order_opens_by_a_key_and_says_why_it_was_sent(shown: Page) -> None:
    button = shown.locator(".order-button").nth(4)
    button.focus()
    shown.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(shown.locator(".why-line")).to_contain_text("Why: vix_move fired: smoothed VIX 22.41")
    expect(shown.locator(".why-line")).to_contain_text("acknowledgement: accepted (epoch 7)")
    expect(shown.locator(".why-line")).to_contain_text("filled +4,100 @ 22.61")
    expect(shown.locator(".why-line code")).to_have_text(
        "hedgestat why overlay-00000005-varswap_3m"
    )
    shown.keyboard.press("Enter")
    expect(shown.locator(".why-line")).to_have_count(0)


def test_alerts_and_services_are_in_sight_with_lag_and_lease(shown: Page) -> None:
    expect(shown.locator(".alert")).to_have_count(3)
    expect(shown.locator(".alert").first).to_contain_text("■ critical")
    expect(shown.locator(".alert").first).to_contain_text("age 421.5 s · limit 300 s")
    expect(shown.locator(".alert code").first).to_have_text("deploy/runbooks/signal-lost.md")
    expect(shown.locator(".service").nth(2)).to_contain_text("14 behind")
    expect(shown.locator(".service").nth(3)).to_contain_text("lease hedge-a-4713 · epoch 7")


def test_stale_numbers_are_said_in_words_signs_and_patterns(server: PageServer, tab: Page) -> None:
    server.state["market"] = story.json_of(story.market(vix="stale", rv="frozen"))
    tab.goto(server.url)
    tile = tab.locator('.tile[data-signal="vix"]')
    expect(tile.locator(".quality")).to_have_text("⚠ STALE")
    expect(tile.locator(".value")).to_have_css("text-decoration-line", "line-through")
    expect(tile).to_have_css("border-top-style", "dashed")
    expect(tab.locator('.tile[data-signal="rv"] .quality')).to_have_text("❄ FROZEN")
    expect(tab.locator('.tile[data-signal="correlation"] .value')).to_have_css(
        "text-decoration-line", "none"
    )
    expect(tab.locator("#banners")).to_contain_text("No rule acts on vix (stale), rv (frozen).")
    expect(tab).to_have_title("STALE · hedgestat")


def test_a_feed_that_has_gone_silent_makes_every_tile_stale(server: PageServer, tab: Page) -> None:
    silent = {"data": "nothing has been journalled for 12 s"}
    server.state["health"] = story.json_of(story.health(checks=silent, data_age_s=75.0))
    tab.goto(server.url)
    tab.locator(".tile").first.wait_for()
    expect(tab.locator("#banners")).to_contain_text("Market data is stale")
    expect(tab.locator("#banners")).to_contain_text("nothing has been journalled for 12 s.")
    expect(tab.locator("#banners")).to_contain_text("Last print 1 min")
    expect(tab.locator("#data-age")).to_have_attribute("data-level", "bad")
    expect(tab.locator('.tile[data-signal="vix"]')).to_have_css("border-top-style", "dashed")
    server.send("health", story.json_of(story.health()))
    expect(tab.locator("#banners")).not_to_contain_text("Market data is stale")
    expect(tab.locator("#data-age")).to_have_attribute("data-level", "good")


def test_after_a_replay_the_page_says_so_calmly(server: PageServer, tab: Page) -> None:
    over = story.json_of(story.health(replay_over=True, data_age_s=600.0))
    for service in over["services"]:
        service["behind"] = None
    feed = over["services"][0] | {"service": "feed", "state": "offline", "note": "finished"}
    server.state |= {"clock": "feed", "health": over | {"services": [*over["services"], feed]}}
    tab.goto(server.url)
    expect(tab.locator(".banner")).to_have_count(1)
    expect(tab.locator(".banner")).to_contain_text("✓ Replay finished")
    expect(tab.locator(".banner")).to_contain_text("clock stands at 2018-02-05 20:31:03 UTC")
    expect(tab.locator("#clock-label")).to_have_text("Replay finished at, UTC")
    expect(tab.locator("#data-age")).to_have_text("all of the replay")
    expect(tab.locator("#ready")).to_have_text("● ready")
    expect(tab.locator(".service").last).to_contain_text("✓ finished")
    expect(tab.locator("#services")).not_to_contain_text("behind")
    expect(tab.locator('.tile[data-signal="vix"]')).to_have_css("border-top-style", "solid")
    expect(tab).to_have_title("hedgestat")


def test_nothing_of_a_stale_tile_is_cut_off(server: PageServer, tab: Page) -> None:
    old = story.market(vix="stale", rv="frozen")
    old = msgspec.structs.replace(
        old,
        signals={
            name: msgspec.structs.replace(each, event_time="2018-02-02T14:31:00Z")
            for name, each in old.signals.items()
        },
    )
    server.state["market"] = story.json_of(old)
    tab.goto(server.url)
    expect(tab.locator('.tile[data-signal="rv"] .age')).to_contain_text("3 d ")
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 900})
        cut = tab.evaluate(
            """() => [...document.querySelectorAll('.tile')].filter((tile) => {
              const edge = tile.getBoundingClientRect().right;
              return [...tile.querySelectorAll('.meta span, .value')]
                .some((one) => one.getBoundingClientRect().right > edge);
            }).map((tile) => tile.dataset.signal)"""
        )
        assert cut == [], width


def test_a_halt_is_loud_and_says_how_it_ends_and_the_browser_cannot_end_it(
    server: PageServer, tab: Page
) -> None:
    stopped = (story.trading("all", "halted", "venue asked"), story.trading("tail", "reducing"))
    server.state["health"] = story.json_of(story.health(trading=stopped))
    tab.goto(server.url)
    banner = tab.locator(".banner").first
    expect(banner).to_contain_text("■ HALTED: all books")
    expect(banner).to_contain_text("venue asked (operator desk-2, since 2018-02-05 20:02:11 UTC)")
    expect(banner.locator("code")).to_contain_text("hedgestat resume all")
    expect(tab.locator(".banner").nth(1)).to_contain_text("▼ Reducing only: tail")
    expect(tab.locator("#trading")).to_have_text("■ HALTED")
    expect(tab).to_have_title("HALTED · hedgestat")
    assert [text for text in tab.locator("button").all_inner_texts() if "esume" in text] == []


def test_services_that_are_gone_and_checks_that_fail_are_named(
    server: PageServer, tab: Page
) -> None:
    health = story.json_of(story.health(ready=False, checks={"gateway": "no answer for 8 s"}))
    health["services"][4]["state"] = "offline"
    server.state["health"] = health
    tab.goto(server.url)
    expect(tab.locator("#ready")).to_have_text("⚠ not ready: 1")
    expect(tab.locator("#checks")).to_have_text("⚠ gateway: no answer for 8 s")
    expect(tab.locator(".service").nth(4)).to_contain_text("✕ OFFLINE")


def test_what_is_not_there_is_said_and_no_box_is_empty(server: PageServer, tab: Page) -> None:
    bare: dict[str, Any] = {"target": None, "triggers": (), "whipsaws": (), "withheld": ()}
    bare |= {"budget": None, "exposure": None, "scenarios": (), "signals": {}}
    bare["bands"] = story.book().bands.__class__(
        reference=None, lower=None, upper=None, fast_upper=None, fast_lower=None
    )
    server.state = story.json_of(story.state(1, orders=(), alerts=()))
    server.state["market"] |= {"curve": [], "regime": None, "event_time": None, "signals": {}}
    server.books = {"overlay": story.json_of(story.book("overlay", **bare))}
    empty: dict[str, Any] = {"since": None, "until": None, "series": {}, "firings": []}
    server.histories = {"market": empty, "book": empty}
    tab.goto(server.url)
    expect(tab.locator("#book-verdict")).to_have_text("Nothing was decided yet.")
    for panel in PANELS:
        expect(tab.locator(f"#{panel}")).not_to_be_empty()
    expect(tab.locator("[data-empty]")).to_have_count(6)
    told = tab.locator("[data-empty]").evaluate_all("all => all.map(one => one.dataset.empty)")
    assert sorted(told) == [
        "No curve: no VIX future is quoted",
        "No decision in this range of the history",
        "No history of VIX in this range",
        "No order was decided yet",
        "No trigger was heard of yet",
        "None since the monitor started",
    ]
    expect(tab.locator('.tile[data-signal="vix"] .quality')).to_have_text("○ not known")
    expect(tab.locator("#bands")).to_contain_text("no rebalance yet")


def test_one_of_fifty_books_is_found_by_typing_and_chosen_by_keys(
    server: PageServer, tab: Page
) -> None:
    server.state = story.json_of(story.state(50))
    tab.goto(server.url)
    expect(tab.locator(".book-line")).to_have_count(50)
    tab.locator("#books-filter").fill("book-3")
    expect(tab.locator(".book-line")).to_have_count(10)
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    expect(tab.locator("#book-title")).to_have_text("Book book-31")
    expect(tab.locator(".book-line[aria-current]")).to_contain_text("book-31")
    tab.reload()
    expect(tab.locator("#book-title")).to_have_text("Book book-31")


@pytest.mark.parametrize("texts", ["plain", "hostile"])
def test_nothing_is_wider_than_the_window_at_any_width(
    server: PageServer, tab: Page, texts: str
) -> None:
    if texts == "hostile":
        server.state = hostile(server.state)
    tab.goto(server.url)
    tab.locator(".order-button").first.wait_for()
    until_quiet(tab, ".orders-table")  # a click on what is being replaced is lost
    tab.locator(".order-button").first.click()
    tab.locator(".why-line").wait_for()
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 900})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, width
        wide = tab.evaluate(
            """() => [...document.querySelectorAll('.panel, .panel *, .top *')]
              .filter((one) => !one.closest('.scroll, .chart, .unseen') && one.offsetWidth > 0)
              .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
              .map((one) => `${one.tagName}.${one.className}`)"""
        )
        assert wide == [], width


def test_no_panel_lies_upon_another_at_any_width(shown: Page) -> None:
    for width in WIDTHS:
        shown.set_viewport_size({"width": width, "height": 900})
        over = shown.evaluate(
            """() => {
              const boxes = [...document.querySelectorAll('.content .panel, .tile')]
                .map((one) => [one.className, one.getBoundingClientRect()]);
              const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 &&
                a.top < b.bottom - 1 && b.top < a.bottom - 1;
              return boxes.flatMap(([name, box], index) => boxes.slice(index + 1)
                .filter(([, other]) => meet(box, other)).map(([other]) => `${name} ${other}`));
            }"""
        )
        assert over == [], width
