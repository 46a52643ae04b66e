"""Debian's Chromium, as the tests and the screenshots start it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

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
