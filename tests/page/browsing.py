"""Debian's Chromium, as the tests and the screenshots start it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM: Final = "/usr/bin/chromium"
PLOTLY: Final = "**/plotly.min.js"
"""Megabytes of script that only charts need."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start it without a window; it ends with the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


_UNTIL_QUIET: Final = """async ([selector, quiet_ms, deadline_ms]) => {
  const started = performance.now();
  let last = started;
  const observer = new MutationObserver(() => { last = performance.now(); });
  for (const node of document.querySelectorAll(selector)) {
    observer.observe(node, {childList: true, characterData: true, attributes: true, subtree: true});
  }
  while (performance.now() - last < quiet_ms && performance.now() - started < deadline_ms) {
    await new Promise((then) => setTimeout(then, 50));
    await new Promise((then) => requestAnimationFrame(then));  // what is drawn waits for it, too
  }
  observer.disconnect();
  return performance.now() - last >= quiet_ms;
}"""


def until_quiet(page: Page, selector: str, *, quiet_s: float = 0.7, within_s: float = 30.0) -> None:
    """Wait until nothing of what the selector finds has changed for a while.

    A rendering is put off by up to half a second, and on a busy machine by as long as a frame
    takes: no fixed pause is long enough.

    Raises:
        AssertionError: It goes on changing.
    """
    is_quiet = page.evaluate(_UNTIL_QUIET, [selector, quiet_s * 1000, within_s * 1000])
    assert is_quiet, f"{selector} was never left alone for {quiet_s} s"
