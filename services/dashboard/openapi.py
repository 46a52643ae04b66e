"""The OpenAPI 3.1 document of the HTTP API, from the types that it speaks in."""

from importlib.metadata import version
from typing import Any, Final

import msgspec
from msgspec import Struct

from shared.wire.views import (
    ActionRequest,
    ActionView,
    AlertView,
    BookView,
    HistoryView,
    LoginRequest,
    LoginView,
    MarketView,
    OrderView,
    Problem,
    StateView,
)

_REFERENCE: Final = "#/components/schemas/{name}"
_HOURS: Final = "How far back, from the market's instant; left out: as far as is known."
_POINTS: Final = "Most points a series; neighbours become one by their lowest and highest."
_STREAM: Final = (
    "Server-sent events. `state` (StateView) comes first, on a new connection; then, at most four "
    "times a second, only what changed: `market` (MarketView), `books` (array of BookSummaryView), "
    "`book` (BookView of the chosen book), `orders` (array of OrderView), `alerts` (array of "
    "AlertView), `health` (HealthView). `id` is `{boot}-{number}`; given back as Last-Event-ID to "
    "the same boot it goes on there, else `state` comes again."
)


_TYPES: Final = (
    ActionRequest,
    ActionView,
    AlertView,
    BookView,
    HistoryView,
    LoginRequest,
    LoginView,
    MarketView,
    OrderView,
    Problem,
    StateView,
)


def document() -> dict[str, Any]:
    """Return the document."""
    _, schemas = msgspec.json.schema_components(_TYPES, ref_template=_REFERENCE)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "hedgestat",
            "version": version("hedgestat"),
            "description": "The live picture of the hedge monitor. Reading needs no login.",
        },
        "paths": _reads() | _actions() | _operations(),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "hedgestat_session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    }


def _reads() -> dict[str, Any]:
    book, order = _in_path("book"), _in_path("order_id")
    hours = _in_query("hours", {"type": "number", "exclusiveMinimum": 0, "maximum": 1e6}, _HOURS)
    points = _in_query(
        "points", {"type": "integer", "minimum": 2, "maximum": 5000, "default": 500}, _POINTS
    )
    limit = _in_query(
        "limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}, "Most of them."
    )
    of_book = _in_query("book", {"type": "string"}, "Of this book alone.")
    return {
        "/api/v1/state": _get("Everything that fits on one screen.", StateView),
        "/api/v1/signals": _get("The market: signals, curve, regime.", MarketView),
        "/api/v1/signals/history": _get("Signals over time.", HistoryView, hours, points),
        "/api/v1/books/{book}": _get("All of one book.", BookView, book),
        "/api/v1/books/{book}/history": _get(
            "One book over time.", HistoryView, book, hours, points
        ),
        "/api/v1/orders": _get("Orders, newest first.", [OrderView], of_book, limit),
        "/api/v1/orders/{order_id}": _get("One order, with its why.", OrderView, order),
        "/api/v1/alerts": _get("Alerts, newest first.", [AlertView], limit),
        "/api/v1/stream": {
            "get": {
                "summary": _STREAM,
                "parameters": [
                    _in_query("book", {"type": "string"}, "Whose whole view is wanted."),
                    {
                        "name": "Last-Event-ID",
                        "in": "header",
                        "schema": {"type": "string"},
                        "description": "The last id that was seen.",
                    },
                ],
                "responses": {
                    "200": {
                        "description": "Events.",
                        "content": {"text/event-stream": {"schema": {"type": "string"}}},
                    },
                    **_problems("400", "404", "429"),
                },
            }
        },
        "/api/v1/openapi.json": {
            "get": {"summary": "This document.", "responses": {"200": {"description": "OpenAPI."}}}
        },
    }


def _actions() -> dict[str, Any]:
    paths: dict[str, Any] = {
        "/api/v1/login": {
            "get": {
                "summary": "Who is logged in.",
                "responses": {"200": _content(LoginView), **_problems("401", "403")},
            },
            "post": {
                "summary": "Log in; the session is a cookie.",
                "requestBody": _body(LoginRequest),
                "responses": {"200": _content(LoginView), **_problems("400", "401", "403", "429")},
            },
        },
        "/api/v1/logout": {
            "post": {
                "summary": "Log out.",
                "security": [{"session": [], "csrf": []}],
                "responses": {"204": {"description": "Done."}, **_problems("401", "403")},
            }
        },
    }
    for action, what in (
        ("halt", "Stop trading in a scope, and cancel what is open."),
        ("reduce", "Let a scope only reduce."),
        ("rebalance", "Ask a scope to rebalance now."),
    ):
        paths[f"/api/v1/actions/{action}"] = {
            "post": {
                "summary": f"{what} `confirmation` repeats the scope. There is no resume here.",
                "security": [{"session": [], "csrf": []}],
                "requestBody": _body(ActionRequest),
                "responses": {
                    "202": _content(ActionView),
                    **_problems("400", "401", "403", "404", "422", "429", "503"),
                },
            }
        }
    return paths


def _operations() -> dict[str, Any]:
    return {
        path: {"get": {"summary": summary, "responses": responses}}
        for path, summary, responses in (
            ("/healthz", "Alive.", {"200": {"description": "Alive."}}),
            (
                "/readyz",
                "Fresh data, leases known, the gateway answers: every check with its reason.",
                {"200": {"description": "Ready."}, "503": {"description": "Not ready."}},
            ),
            ("/metrics", "For Prometheus.", {"200": {"description": "Metrics."}}),
        )
    }


def _get(summary: str, answer: Any, *parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - a type or a list of one
    return {
        "get": {
            "summary": summary,
            "parameters": list(parameters),
            "responses": {"200": _content(answer), **_problems("400", "404")},
        }
    }


def _content(answer: Any) -> dict[str, Any]:  # noqa: ANN401 - a type or a list of one
    schema = (
        {"type": "array", "items": _schema(answer[0])}
        if isinstance(answer, list)
        else _schema(answer)
    )
    return {"description": "As asked.", "content": {"application/json": {"schema": schema}}}


def _body(kind: type[Struct]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": _schema(kind)}}}


def _schema(kind: type[Struct]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(name=kind.__name__)}


def _problems(*statuses: str) -> dict[str, Any]:
    return {
        status: {
            "description": "Why not.",
            "content": {"application/json": {"schema": _schema(Problem)}},
        }
        for status in statuses
    }


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _in_query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}
