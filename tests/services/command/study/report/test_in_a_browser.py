"""The report in Debian's Chromium: drawn, silent, alone, and harmless."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from services.command.study.report.contents import Contents
from services.command.study.report.document import document


class Visit:
    """What a page did when it was opened."""

    def __init__(self, browser: Browser, path: Path) -> None:
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        page = context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.as_uri())
        page.locator("body[data-drawn]").wait_for(timeout=60_000)
        self.drawn = int(page.locator("body").get_attribute("data-drawn") or 0)
        self.boxes: list[dict[str, Any]] = page.evaluate(
            "[...document.querySelectorAll('.chart')].map(c => ({"
            " id: c.id, lines: c.querySelectorAll('.scatterlayer .js-line, .barlayer path,"
            " .heatmaplayer image').length,"
            " place: c.getBoundingClientRect().height,"
            " svg: c.querySelector('.main-svg').getBoundingClientRect().height}))"
        )
        self.is_hacked = page.evaluate("window.hacked !== undefined")
        self.pages = page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n")
        context.close()


@pytest.fixture(scope="module")
def visit(browser: Browser, html: str, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html)
    return Visit(browser, path)


def test_every_chart_is_drawn_where_it_was_given_place(visit: Visit) -> None:
    assert visit.drawn == len(visit.boxes) >= 8
    for box in visit.boxes:
        assert box["lines"] > 0, box
        assert box["svg"] == pytest.approx(box["place"], abs=1), box


def test_it_says_nothing_on_the_console_and_fetches_nothing(visit: Visit) -> None:
    assert visit.complaints == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in visit.requests)
    assert len([url for url in visit.requests if url.startswith("file:")]) == 1


def test_it_prints(visit: Visit) -> None:
    assert 5 <= visit.pages <= 20


def test_hostile_texts_run_nothing(
    browser: Browser, hostile_contents: Contents, tmp_path: Path
) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(document(hostile_contents))
    visit = Visit(browser, path)
    assert visit.drawn >= 8
    assert visit.complaints == []
    assert not visit.is_hacked
