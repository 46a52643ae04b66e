"""The HTTP API over a real server: what it tells, what it refuses, and its document."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fakes.hedged_market import policy
from fakes.pictured_market import PicturedMarket
from fakes.served_page import ServedPage
from jsonschema import Draft202012Validator

from services.dashboard.openapi import document
from services.dashboard.queries import MOST_POINTS
from shared.domain.instants import MINUTE
from shared.domain.policies import BudgetPolicy
from shared.domain.signals_observed import Quality

PATHS = {
    "/api/v1/state": "StateView",
    "/api/v1/signals": "MarketView",
    "/api/v1/signals/history": "HistoryView",
    "/api/v1/books/overlay": "BookView",
    "/api/v1/books/overlay/history": "HistoryView",
    "/api/v1/alerts": "AlertView",
    "/api/v1/orders": "OrderView",
}


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[ServedPage]:
    market = PicturedMarket(policy(sizing={"budget": BudgetPolicy(annual=1e5)}))
    market.hedged()
    market.qualities["regime"] = Quality.STALE
    market.vix(22.0, after=MINUTE)
    async with ServedPage(tmp_path, market).serving() as served:
        yield served


def check(value: Any, schema: str) -> None:  # noqa: ANN401 - any JSON
    """Hold a value against a schema of the document."""
    found = document()
    wanted = {"$ref": f"#/components/schemas/{schema}", "components": found["components"]}
    for each in value if isinstance(value, list) else [value]:
        Draft202012Validator(wanted).validate(each)


@pytest.mark.parametrize(("path", "schema"), PATHS.items())
async def test_an_answer_is_what_the_document_says(
    page: ServedPage, path: str, schema: str
) -> None:
    answer = await page.get(path)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json
    check(answer.json, schema)


async def test_an_order_can_be_asked_for_by_its_id(page: ServedPage) -> None:
    (order,) = (await page.get("/api/v1/orders?book=overlay&limit=1")).json
    assert (await page.get(f"/api/v1/orders/{order['order_id']}")).json == order


async def test_history_is_as_long_and_as_fine_as_is_asked(page: ServedPage) -> None:
    whole = (await page.get("/api/v1/signals/history")).json["series"]["vix"]
    assert len(whole) == 3
    assert [value for _, value in whole] == [18.0, 18.0, 22.0]
    late = (await page.get("/api/v1/signals/history?hours=0.1")).json["series"]["vix"]
    assert [value for _, value in late] == [18.0, 18.0, 22.0]
    assert late[1:] == whole[1:]
    assert late[0][0] == pytest.approx(whole[2][0] - 360.0)
    assert len((await page.get("/api/v1/signals/history?points=2")).json["series"]["vix"]) <= 3


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/api/v1/signals/history?hours=0", 400, "out_of_bounds"),
        ("/api/v1/signals/history?hours=nan", 400, "out_of_bounds"),
        ("/api/v1/signals/history?hours=inf", 400, "out_of_bounds"),
        ("/api/v1/signals/history?hours=-3", 400, "out_of_bounds"),
        ("/api/v1/signals/history?hours=day", 400, "out_of_bounds"),
        ("/api/v1/signals/history?points=1", 400, "out_of_bounds"),
        (f"/api/v1/signals/history?points={MOST_POINTS + 1}", 400, "out_of_bounds"),
        ("/api/v1/signals/history?points=%C2%B2", 400, "out_of_bounds"),
        ("/api/v1/books/overlay/history?points=" + "9" * 5000, 400, "out_of_bounds"),
        ("/api/v1/signals/history?points=5&points=6", 400, "repeated_parameter"),
        ("/api/v1/state?verbose=1", 400, "unknown_parameter"),
        ("/api/v1/signals?x=1", 400, "unknown_parameter"),
        ("/api/v1/alerts?limit=0", 400, "out_of_bounds"),
        ("/api/v1/orders?limit=1001", 400, "out_of_bounds"),
        ("/api/v1/orders?limit=1.5", 400, "out_of_bounds"),
        ("/api/v1/orders?book=other", 404, "unknown_book"),
        ("/api/v1/orders/overlay-00000099-swap", 404, "unknown_order"),
        ("/api/v1/books/other", 404, "unknown_book"),
        ("/api/v1/books/%3Cscript%3E", 404, "unknown_book"),
        ("/api/v1/books/other/history", 404, "unknown_book"),
        ("/api/v1/stream?book=other", 404, "unknown_book"),
        ("/assets/nothing.js", 404, "not_found"),
        ("/assets/..%2Fapi.py", 404, "not_found"),
        ("/assets/.hidden", 404, "not_found"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_reason(
    page: ServedPage, path: str, status: int, error: str
) -> None:
    answer = await page.get(path)
    assert (answer.status, answer.json["error"]) == (status, error)
    assert answer.json["detail"]
    assert len(answer.body) < 400
    check(answer.json, "Problem")


async def test_the_document_stands_for_itself(page: ServedPage) -> None:
    found = (await page.get("/api/v1/openapi.json")).json
    assert found["openapi"] == "3.1.0"
    assert {path for path in found["paths"] if path.startswith("/api/v1/")} >= {
        "/api/v1/state",
        "/api/v1/stream",
        "/api/v1/actions/halt",
        "/api/v1/login",
    }
    references = set(json.dumps(found).split('"#/components/schemas/')[1:])
    assert {each.split('"')[0] for each in references} <= set(found["components"]["schemas"])


async def test_every_route_is_documented(page: ServedPage) -> None:
    found = (await page.get("/api/v1/openapi.json")).json["paths"]
    for path in PATHS:
        assert path.replace("/overlay", "/{book}") in found


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/assets/app.js", "text/javascript; charset=utf-8"),
        ("/assets/app.css", "text/css; charset=utf-8"),
        ("/assets/plotly.min.js", "text/javascript; charset=utf-8"),
    ],
)
async def test_files_have_their_types_and_are_sent_once(
    page: ServedPage, path: str, kind: str
) -> None:
    answer = await page.get(path)
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    again = await page.get(path, if_none_match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    small = await page.get(path, accept_encoding="gzip")
    assert small.headers["content-encoding"] == "gzip"
    assert gzip.decompress(small.body) == answer.body
