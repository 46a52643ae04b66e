"""What the page says of the services, and when the monitor counts as ready."""

from typing import Any

import pytest
from msgspec import structs

from services.dashboard.services import LED, Pulse, ServicesPicture
from shared.adapters.store import Leader
from shared.wire.messages import StatusMessage, TradingStateMessage

WELL = Pulse(journalled_s=0.2, printed_s=3.0, heartbeat_s=0.5, is_open=True, is_live=True)


def status(service: str, state: Any = "online") -> StatusMessage:  # noqa: ANN401 - one of two
    return StatusMessage(service=service, state=state, version="1", config_digest="d")


def allowed(scope: str) -> TradingStateMessage:
    return TradingStateMessage(
        scope=scope, state="active", authority="gateway", operator="gateway", reason="", since=""
    )


def working() -> ServicesPicture:
    """Services of a monitor that does its work."""
    picture = ServicesPicture((*LED, "gateway"))
    picture.led({stage: Leader("here", 3, "digest") for stage in LED})
    for name in (*LED, "gateway"):
        picture.heard(status(name))
    picture.allowed(allowed("overlay"))
    picture.allowed(allowed("all"))
    return picture


def failing(picture: ServicesPicture, pulse: Pulse) -> set[str]:
    return {name for name, reason in picture.view(pulse).checks.items() if reason}


def test_a_monitor_that_does_its_work_is_ready() -> None:
    view = working().view(WELL)
    assert view.ready, view.checks
    assert [each.scope for each in view.trading] == ["all", "overlay"]
    assert view.data_age_s == 3.0
    assert [(each.service, each.holder, each.epoch) for each in view.services] == [
        ("ingest", "here", 3),
        ("signals", "here", 3),
        ("hedger", "here", 3),
        ("gateway", "", 0),
    ]


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"journalled_s": None}, "data"),
        ({"journalled_s": 11.0}, "data"),
        ({"printed_s": 91.0}, "data"),
        ({"printed_s": None}, "data"),
        ({"heartbeat_s": None}, "gateway.heartbeat"),
        ({"heartbeat_s": 6.0}, "gateway.heartbeat"),
        ({"unanswered_s": 11.0}, "gateway.orders"),
        ({"alive_s": 21.0}, "watch"),
    ],
)
def test_what_has_stopped_is_named(change: dict[str, Any], check: str) -> None:
    assert failing(working(), structs.replace(WELL, **change)) == {check}


@pytest.mark.parametrize("change", [{"is_open": False}, {"is_live": False}])
def test_nothing_need_print_while_the_market_is_closed_or_between_two_days_of_a_replay(
    change: dict[str, Any],
) -> None:
    assert not failing(working(), structs.replace(WELL, printed_s=3_600.0, **change))


def test_after_the_end_of_a_replay_nothing_is_stale_and_nothing_waits() -> None:
    picture = working()
    picture.lag({"signals": 7})
    quiet = structs.replace(WELL, journalled_s=600.0, is_live=False)
    picture.heard(status("feed", "offline"))  # killed
    assert failing(picture, quiet) == {"data"}
    assert not picture.view(quiet).replay_over
    picture.heard(structs.replace(status("feed", "offline"), note="finished"))
    view = picture.view(quiet)
    assert (view.ready, view.replay_over) == (True, True)
    assert [each.behind for each in view.services[:3]] == [None, None, None]
    assert view.services[-1].note == "finished"
    assert failing(picture, structs.replace(quiet, is_live=True)) == {"data"}  # another's feed
    picture.heard(status("feed"))  # and again
    assert not picture.view(quiet).replay_over


def test_a_stage_that_nobody_leads_is_named() -> None:
    picture = working()
    picture.led({"ingest": Leader("here", 3, "d"), "signals": None, "hedger": Leader("x", 1, "d")})
    assert failing(picture, WELL) == {"lease.signals"}
    assert picture.view(WELL).services[1].note == "nobody leads it"


def test_without_a_gateway_nothing_is_ready() -> None:
    picture = working()
    picture.heard(status("gateway", "offline"))
    assert failing(picture, WELL) == {"gateway"}
    nobody = ServicesPicture(("ingest",))
    assert failing(nobody, WELL) == {
        *(f"lease.{stage}" for stage in LED),
        "gateway",
        "gateway.trading",
    }
    assert nobody.view(WELL).services[0].state == "unknown"


def test_what_keeps_us_from_reading_is_named() -> None:
    picture = working()
    picture.troubles |= {"bus": "", "store.orders": "no answer"}
    assert failing(picture, WELL) == {"store.orders"}


def test_who_was_not_expected_is_shown_too_with_how_far_each_is_behind() -> None:
    picture = working()
    picture.heard(status("feed"))
    picture.lag({"signals": 7})
    shown = picture.view(WELL).services
    assert shown[-1].service == "feed"
    assert [each.behind for each in shown[:3]] == [None, 7, None]


def test_what_governs_all_governs_a_book_of_which_nothing_was_said() -> None:
    picture = working()
    assert picture.governing("overlay") == allowed("overlay")
    assert picture.governing("other") == allowed("all")


def test_a_closed_exchange_is_told_with_its_next_opening() -> None:
    opens = "2026-11-23T14:30:00Z"
    assert working().view(structs.replace(WELL, is_open=False, opens=opens)).opens == opens
    assert working().view(WELL).opens is None
