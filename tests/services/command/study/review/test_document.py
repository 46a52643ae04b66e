"""The review as a page: whole, alone, harmless, drawn."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fakes.read_page import Page
from fakes.recorded_run import RecordedRun
from msgspec import structs
from page.browsing import chromium
from page.hostile import HOSTILE
from playwright.sync_api import Browser

from services.command.study.report.wording import money
from services.command.study.review.document import Origin, review_document
from services.command.study.review.month import BookMonth, Month, book_month
from services.command.study.review.reading import read_journal
from shared.domain.effects import WhipsawSuppressed

AUTUMN = date(2015, 7, 1), date(2015, 12, 31)
AUGUST = Month.of(2015, 8)
ORIGIN = Origin(
    title="Hedge review 2015-08",
    command="hedgestat study review --month 2015-08",
    code_version="0.1.0+aaaa",
    decided_by=("0.1.0+aaaa",),
    config_digest="c0ffee",
    remarks=(),
)
WHIPSAW = WhipsawSuppressed(
    book="overlay",
    trigger="vix_move",
    since_ns=1_438_609_800_000_000_000,
    event_ns=1_438_613_400_000_000_000,
    observations=1_234,
    peak={"vix": 25.4, "reference_vix": 20.0},
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def hostile(month: BookMonth) -> BookMonth:
    return structs.replace(
        month,
        book=structs.replace(month.book, name=HOSTILE, currency=HOSTILE),
        orders=tuple(
            structs.replace(each, reason=HOSTILE, order_id=HOSTILE) for each in month.orders
        ),
        targets=tuple(structs.replace(each, trigger=HOSTILE) for each in month.targets),
        whipsaws=(structs.replace(WHIPSAW, trigger=HOSTILE, peak={HOSTILE: 1.0}),),
        firings={HOSTILE: 1},
    )


def test_it_tells_decisions_orders_fills_whipsaws_and_money(books: list[BookMonth]) -> None:
    months = [structs.replace(each, whipsaws=(WHIPSAW,)) for each in books]
    page = Page(review_document(AUGUST, months, ORIGIN))
    assert page.open == []
    for month in months:
        assert f"Book {month.book.name}" in page.text
        for order in month.orders:
            assert any(order.order_id in row for row in page.rows)
    assert any("1,234" in row and "vix 25.4, reference_vix 20" in row for row in page.rows)
    row = page.row("Hedge profit USD")
    profit, static = books[0].total("profit"), books[0].total("static_profit")
    assert row == [money(profit), money(static), "0"]
    filled = [each for each in books[0].executions if each.price is not None and each.quantity]
    assert filled
    assert ORIGIN.command in page.text
    assert "decided by 0.1.0" not in page.text


def test_remarks_and_other_code_are_said(books: list[BookMonth]) -> None:
    origin = structs.replace(ORIGIN, remarks=("a remark",), decided_by=("0.0.9",))
    page = Page(review_document(AUGUST, books, origin))
    assert "a remark" in page.text
    assert "decided by 0.0.9" in page.text


def test_a_month_of_nothing_says_so(run: RecordedRun, journal: Path) -> None:
    found = read_journal(run.settings, run.calendar, journal)
    january = Month.of(2017, 1)
    books = [book_month(past, january, run.calendar, "SPX") for past in found.pasts]
    page = Page(review_document(january, books, ORIGIN))
    assert page.text.count("No session of this month") == 2
    assert page.text.count("No order was sent in this month.") == 2


def test_in_a_browser_it_is_drawn_alone_and_markup_is_only_text(
    browser: Browser, books: list[BookMonth], tmp_path: Path
) -> None:
    path = tmp_path / "review.html"
    origin = structs.replace(ORIGIN, title=HOSTILE, command=HOSTILE, remarks=(HOSTILE,))
    path.write_text(review_document(AUGUST, [hostile(each) for each in books], origin))
    tab = browser.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(path.as_uri())
    tab.locator("body[data-drawn='8']").wait_for(timeout=60_000)
    assert complaints == []
    assert not tab.evaluate("window.hacked !== undefined")
    assert len([url for url in requests if not url.startswith(("data:", "blob:"))]) == 1
    tab.close()
