from pathlib import Path

import msgspec

from services.dashboard.alerts import KEPT_ALERTS, AlertsPicture
from shared.wire.codec import instant_ns
from shared.wire.examples import EXAMPLES
from shared.wire.messages import AlertMessage

ALERT = next(message for message in EXAMPLES if isinstance(message, AlertMessage))


def test_an_alert_that_came_both_ways_is_shown_once() -> None:
    picture = AlertsPicture()
    assert picture.take(ALERT) is not None
    assert picture.take(ALERT) is None
    assert [each.alert for each in picture.newest(9)] == [ALERT]


def test_an_alert_names_its_runbook_and_that_file_is_there() -> None:
    shown = AlertsPicture().take(ALERT)
    assert shown is not None
    assert shown.runbook_path == "deploy/runbooks/order-ended.md"
    assert (Path(__file__).parents[3] / shown.runbook_path).is_file()
    unknown = AlertsPicture().take(msgspec.structs.replace(ALERT, what="of_a_later_version"))
    assert unknown is not None
    assert unknown.runbook_path == ""


def test_the_dead_mans_switch_is_not_shown() -> None:
    picture = AlertsPicture()
    assert picture.take(msgspec.structs.replace(ALERT, what="monitor_alive")) is None
    assert picture.newest(9) == []


def alarm(second: int, what: str = "vix_frozen") -> AlertMessage:
    time = f"2018-02-05T20:31:{second:02}Z"
    return msgspec.structs.replace(ALERT, event_time=time, what=what)


def shown(picture: AlertsPicture) -> list[tuple[str, str]]:
    return [(each.alert.event_time[-3:-1], each.alert.what) for each in picture.newest(99)]


def test_what_was_heard_before_us_stands_among_what_the_log_tells_in_its_place() -> None:
    before = AlertsPicture()
    for each in (alarm(10), alarm(20, "hedger_silent"), alarm(30), alarm(40, "hedger_silent")):
        before.take(each)
    after = AlertsPicture()
    after.recall(before.kept())
    for each in (alarm(5), alarm(10), alarm(30)):  # of the log, which reaches back further
        after.recalled(instant_ns(each.event_time))
        after.take(each)
    after.recalled()
    assert shown(after) == [("05", "vix_frozen"), *reversed(shown(before))][::-1]
    assert [each.number for each in after.newest(99)] == [5, 4, 3, 2, 1]
    assert after.kept()[1:] == before.kept()


def test_what_is_kept_is_bounded_and_holds_what_was_not_shown_yet() -> None:
    picture = AlertsPicture()
    for number in range(3 * KEPT_ALERTS):
        picture.take(alarm(number % 60, f"alert {number}"))
    kept = picture.kept()
    assert [each.what for each in kept] == [
        f"alert {number}" for number in range(2 * KEPT_ALERTS, 3 * KEPT_ALERTS)
    ]
    again = AlertsPicture()
    again.recall(kept)
    assert len(again.kept()) == KEPT_ALERTS


def test_an_alert_without_an_instant_is_recalled_too() -> None:
    picture = AlertsPicture()
    picture.recall((alarm(5), msgspec.structs.replace(ALERT, event_time="yesterday")))
    assert len(picture.recalled()) == 2
