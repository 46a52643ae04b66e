"""Who cannot use a mouse, cannot see well, or has a small screen."""

from typing import Final

import pytest
from page.page_server import PageServer
from playwright.sync_api import Browser, Page, expect

REACHED: Final = (
    "skip", "halt", "reduce", "rebalance", "login", "theme", "book-line", "alerts", "range",
    "orders-scope", "order-button",
)  # fmt: skip
LEAST_CONTRAST: Final = 4.5
"""WCAG 2.2, 1.4.3: of text on what is behind it."""


def test_everything_is_reached_by_tab_and_seen_to_be(shown: Page) -> None:
    reached: list[str] = []
    for _ in range(60):
        shown.keyboard.press("Tab")
        found = shown.evaluate(
            """() => {
              const one = document.activeElement;
              const style = getComputedStyle(one);
              return [one.id || one.classList[0] || one.tagName,
                parseFloat(style.outlineWidth) >= 2 && style.outlineStyle === 'solid'];
            }"""
        )
        if found[0] == "BODY":
            break
        assert found[1], f"{found[0]} has the focus, and nobody sees it"
        reached.append(found[0])
    assert [name for name in REACHED if name not in reached] == []


def test_landmarks_and_headings_tell_what_is_where(shown: Page) -> None:
    for role in ("banner", "main", "navigation", "complementary", "contentinfo"):
        expect(shown.get_by_role(role)).to_have_count(1)
    for name in ("Market", "Book overlay", "Orders", "Alerts", "Services", "Books"):
        expect(shown.get_by_role("region", name=name).or_(
            shown.get_by_role("navigation", name=name)
        ).first).to_be_attached()  # fmt: skip
    unnamed = shown.evaluate(
        """() => [...document.querySelectorAll('button, input, select')]
          .filter((one) => !(one.innerText || one.ariaLabel || one.labels?.length))
          .map((one) => one.id)"""
    )
    assert unnamed == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_theme_follows_the_system_until_it_is_switched_and_is_remembered(
    server: PageServer, browser: Browser, scheme: str
) -> None:
    other = {"dark": "light", "light": "dark"}[scheme]
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type] # one of the two
    tab = context.new_page()
    tab.goto(server.url)
    root = tab.locator("html")
    expect(root).to_have_attribute("data-theme", scheme)
    tab.locator("#theme").click()
    expect(root).to_have_attribute("data-theme", other)
    tab.reload()
    expect(root).to_have_attribute("data-theme", other)
    context.close()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_texts_stand_out_from_what_is_behind_them(shown: Page, theme: str) -> None:
    poor = shown.evaluate(
        """(theme) => {
          const before = document.documentElement.dataset.theme;
          document.documentElement.dataset.theme = theme;
          const style = getComputedStyle(document.documentElement);
          const light = (name) => {
            const hex = style.getPropertyValue(`--${name}`).trim().slice(1);
            const parts = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
              .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
          };
          const contrast = (one, other) => {
            const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
            return (high + 0.05) / (low + 0.05);
          };
          const texts = ['text', 'muted', 'accent', 'good', 'warning', 'bad', 'faint'];
          const found = texts.flatMap((text) => ['panel', 'page', 'raised']
            .map((behind) => [text, behind, contrast(text, behind)]));
          document.documentElement.dataset.theme = before;
          return found;
        }""",
        theme,
    )
    found = {(text, behind): ratio for text, behind, ratio in poor}
    weak = {pair: ratio for pair, ratio in found.items() if ratio < LEAST_CONTRAST}
    assert {pair for pair in weak if pair[0] != "faint"} == set(), weak
    assert all(found["faint", behind] >= 3 for behind in ("panel", "page"))  # 1.4.11: of lines


def test_a_phone_shows_the_market_first_and_the_book_after_it(
    server: PageServer, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    tab = context.new_page()
    tab.goto(server.url)
    tab.locator(".trigger").first.wait_for()
    tops = tab.evaluate(
        """() => ['.market', '.books', '.book', '.orders', '.alerts', '.services']
          .map((one) => document.querySelector(one).getBoundingClientRect().top)"""
    )
    assert tops == sorted(tops)
    small = tab.evaluate(
        """() => [...document.querySelectorAll('button, select')]
          .filter((one) => one.offsetHeight > 0 && one.offsetHeight < 36).map((one) => one.id)"""
    )
    assert small == [], "too small for a thumb"
    context.close()
