from collections.abc import Callable

import pytest
from msgspec import structs

from services.auditor.vigil import Sighting, StoresSeen, Vigil
from shared.adapters.store import Leader

STAGES = ("ingest", "signals", "hedger", "auditor")


class Seen:
    """What a watch sees, second by second; everything is well at first."""

    def __init__(self, *, is_live: bool = True) -> None:
        self.vigil = Vigil(is_live=is_live)
        self.now_s = 100.0
        self.leaders: dict[str, Leader | None] = {
            stage: Leader(f"{stage}-1", 1, "digest") for stage in STAGES
        }
        self.behind = {"signals": 0, "hedger": 0}
        self.reached = {"ingest": 5, "signals": 5, "hedger": 5}
        self.rests: set[str] = set()
        self.oldest_order = self.waiting = 0
        self.is_away = False
        self.free = 0.5

    def look(self) -> list[tuple[str, str]]:
        """What is told now."""
        for stage in self.reached.keys() - self.rests:
            self.reached[stage] += 1
        stores = StoresSeen(
            leaders=dict(self.leaders),
            behind=dict(self.behind),
            reached=dict(self.reached),
            oldest_order=self.oldest_order,
            waiting=self.waiting,
        )
        sighting = Sighting(now_ns=7, now_s=self.now_s, stores=stores, free=self.free)
        if self.is_away:
            sighting = structs.replace(sighting, stores=None)
        return [(each.what, each.where) for each in self.vigil.look(sighting)]

    def wait(self, seconds: float) -> list[tuple[str, str]]:
        """What is told within so many seconds, looked at once a second."""
        told = self.look()
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s += 1
            told += self.look()
        return told

    def status(self, state: str, service: str = "hedger", *, is_news: bool = True) -> None:
        is_online = state == "online"
        self.vigil.hear(service, is_online=is_online, is_news=is_news, now_s=self.now_s)


def test_nothing_is_told_while_all_is_well() -> None:
    assert Seen().wait(60) == []


def no_leader(seen: Seen) -> None:
    seen.leaders["hedger"] = None


def far_behind(seen: Seen) -> None:
    seen.behind["signals"] = 2_001


def journal_rests(seen: Seen) -> None:
    seen.rests = {"ingest", "signals", "hedger"}


def signals_rests(seen: Seen) -> None:
    seen.rests = {"signals", "hedger"}


def hedger_rests(seen: Seen) -> None:
    seen.rests = {"hedger"}


def store_away(seen: Seen) -> None:
    seen.is_away = True


def disk_fills(seen: Seen) -> None:
    seen.free = 0.09


def order_waits(seen: Seen) -> None:
    seen.oldest_order, seen.waiting = 3, 2


def service_offline(seen: Seen) -> None:
    seen.status("offline")


@pytest.mark.parametrize(
    ("breaks", "what", "over", "where"),
    [
        (no_leader, "nobody_leads", "leader_found", "hedger"),
        (far_behind, "stage_lagging", "stage_caught_up", "signals"),
        (journal_rests, "stage_standing", "stage_goes_on", "ingest"),
        (signals_rests, "stage_standing", "stage_goes_on", "signals"),
        (hedger_rests, "stage_standing", "stage_goes_on", "hedger"),
        (store_away, "store_unreachable", "store_reachable", "all"),
        (disk_fills, "disk_filling", "disk_freed", "gateway"),
        (order_waits, "order_unacknowledged", "orders_acknowledged", "outbox"),
        (service_offline, "service_silent", "service_back", "hedger"),
    ],
)
def test_what_is_wrong_is_told_once_and_once_when_it_is_over(
    breaks: Callable[[Seen], None], what: str, over: str, where: str
) -> None:
    seen = Seen()
    seen.wait(5)
    breaks(seen)
    assert seen.wait(30) == [(what, where)]
    well = Seen()
    seen.leaders, seen.behind, seen.rests = well.leaders, well.behind, well.rests
    seen.is_away, seen.free, seen.oldest_order = well.is_away, well.free, 0
    seen.status("online")
    assert seen.wait(30) == [(over, where)]


@pytest.mark.parametrize("breaks", [no_leader, far_behind, store_away, service_offline])
def test_what_is_over_at_once_is_not_told(breaks: Callable[[Seen], None]) -> None:
    seen = Seen()
    breaks(seen)
    assert seen.wait(1) == []


def test_whatever_is_wrong_is_told_within_five_seconds_but_an_order_that_waits() -> None:
    for breaks in (no_leader, far_behind, journal_rests, store_away, disk_fills, service_offline):
        seen = Seen()
        seen.wait(5)
        breaks(seen)
        assert len(seen.wait(5)) == 1, breaks


def test_a_new_leader_is_told() -> None:
    seen = Seen()
    seen.wait(2)
    seen.leaders["hedger"] = Leader("hedger-2", 2, "digest")
    assert seen.wait(9) == [("leader_changed", "hedger")]


def test_a_leader_that_comes_back_after_a_gap_is_found_and_told_as_new() -> None:
    seen = Seen()
    seen.wait(2)
    no_leader(seen)
    assert seen.wait(9) == [("nobody_leads", "hedger")]
    seen.leaders["hedger"] = Leader("hedger-2", 2, "digest")
    assert seen.wait(9) == [("leader_found", "hedger"), ("leader_changed", "hedger")]


def test_in_a_replay_everything_may_rest() -> None:
    seen = Seen(is_live=False)
    journal_rests(seen)
    assert seen.wait(60) == []


def test_an_order_that_is_answered_lets_the_next_one_wait_anew() -> None:
    seen = Seen()
    for number in range(1, 8):
        seen.oldest_order, seen.waiting = number, 1
        assert seen.wait(6) == []


def test_a_disk_that_is_all_but_full_pages() -> None:
    seen = Seen()
    disk_fills(seen)
    assert seen.wait(5) == [("disk_filling", "gateway")]
    seen.free = 0.01
    assert seen.wait(5) == [("disk_full", "gateway")]
    seen.free = 0.05
    assert seen.wait(5) == []
    seen.free = 0.5
    assert seen.wait(5) == [("disk_freed", "gateway")]


def test_a_status_of_an_earlier_run_is_given_time_to_change() -> None:
    seen = Seen()
    seen.status("offline", is_news=False)
    assert seen.wait(10) == []
    assert seen.wait(10) == [("service_silent", "hedger")]


def test_a_connection_that_comes_and_goes_is_told() -> None:
    seen = Seen()
    told = []
    for _ in range(6):
        seen.status("offline")
        told += seen.wait(0)
        seen.status("online")
        told += seen.wait(1)
    assert told == [("connection_unstable", "hedger")]
    assert seen.wait(70) == [("connection_stable", "hedger")]
