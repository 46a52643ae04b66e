"""Pictures of the page in every state that it must be readable in.

python tests/page/screenshots.py DIRECTORY
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from page import story
from page.browsing import chromium
from page.hostile import HOSTILE, hostile
from page.page_server import PageServer
from playwright.sync_api import Error, Page

LAPTOP: Final = (1440, 900)
PHONE: Final = (390, 844)


def _halted(server: PageServer) -> None:
    stopped = (
        story.trading("all", "halted", "the venue asked us to stop"),
        story.trading("tail", "reducing", "losses of the day"),
    )
    server.state["health"] = story.json_of(story.health(trading=stopped))
    server.state["books"] = [
        story.json_of(story.summary(name, state="halted")) for name in story.BOOKS
    ]


def _stale(server: PageServer) -> None:
    server.state["market"] = story.json_of(
        story.market(vix="stale", vix_smooth="stale", rv="frozen")
    )
    silent = story.health(
        data_age_s=432.0,
        ready=False,
        checks={"data": "nothing has been journalled for 12 s", "leases": ""},
    )
    server.state["health"] = story.json_of(silent)


def _hostile(server: PageServer) -> None:
    server.state = hostile(server.state)
    server.books = {name + HOSTILE: hostile(view) for name, view in server.books.items()}


def _many(server: PageServer) -> None:
    server.state = story.json_of(story.state(50))


def _empty(server: PageServer) -> None:
    server.state = story.json_of(story.state(1, orders=(), alerts=()))
    bare: dict[str, Any] = {"target": None, "triggers": (), "whipsaws": (), "withheld": ()}
    bare |= {"budget": None, "exposure": None, "scenarios": (), "signals": {}, "trading": None}
    server.books = {"overlay": story.json_of(story.book("overlay", **bare))}
    empty: dict[str, Any] = {"since": None, "until": None, "series": {}, "firings": []}
    server.histories = {"market": empty, "book": empty}
    server.state["market"] |= {"curve": [], "regime": None}


def _tell(error: Error) -> None:
    print(error)  # noqa: T201 - seen by who runs it


def _well(_: PageServer) -> None:
    """As it is."""


def _why(page: Page) -> None:
    page.locator(".order-button").nth(4).click()


def _nothing(_: Page) -> None:
    """Leave it."""


def _login(page: Page) -> None:
    page.locator("#halt").click()


Picture = tuple[
    str, Callable[[PageServer], None], tuple[int, int], str, bool, Callable[[Page], None]
]
PICTURES: Final[tuple[Picture, ...]] = (
    ("dark", _well, LAPTOP, "dark", False, _nothing),
    ("dark-whole", _well, LAPTOP, "dark", True, _why),
    ("light-whole", _well, LAPTOP, "light", True, _why),
    ("wide", _well, (1920, 1080), "dark", True, _nothing),
    ("small-laptop", _well, (1280, 720), "light", True, _nothing),
    ("phone", _well, PHONE, "dark", True, _why),
    ("phone-halted", _halted, PHONE, "light", False, _nothing),
    ("stale", _stale, LAPTOP, "dark", False, _nothing),
    ("halted", _halted, LAPTOP, "light", False, _nothing),
    ("hostile", _hostile, LAPTOP, "dark", True, _why),
    ("fifty", _many, LAPTOP, "dark", False, _nothing),
    ("empty", _empty, LAPTOP, "light", True, _nothing),
    ("login", _well, LAPTOP, "dark", False, _login),
)


def main(directory: Path, *wanted: str) -> None:
    """Make them, all or those that are named."""
    directory.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, prepare, (width, height), scheme, whole, act in PICTURES:
            if wanted and name not in wanted:
                continue
            with PageServer() as server:
                prepare(server)
                page = browser.new_page(
                    viewport={"width": width, "height": height},
                    color_scheme="light" if scheme == "light" else "dark",
                )
                page.on("console", lambda message: print(message.text))  # noqa: T201 - seen by who runs it
                page.on("pageerror", _tell)
                page.goto(server.url)
                page.locator(".tile").first.wait_for()
                page.locator("#theme").wait_for()
                if server.histories["market"]["series"]:
                    page.locator("#vix-chart").scroll_into_view_if_needed()
                    page.locator("#vix-chart .main-svg").first.wait_for()
                act(page)
                for _ in range(5 if whole else 1):  # charts are drawn once they are seen
                    page.wait_for_timeout(600)
                    page.evaluate("scrollBy(0, innerHeight * 0.9)" if whole else "0")
                page.wait_for_timeout(900)
                page.evaluate("scrollTo(0, 0)")
                page.wait_for_timeout(1100 if whole else 0)
                page.screenshot(path=directory / f"{name}.png", full_page=whole)
                page.close()
            print(directory / f"{name}.png")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
