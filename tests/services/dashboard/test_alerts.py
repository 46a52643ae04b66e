import msgspec

from services.dashboard.alerts import AlertsPicture
from shared.wire.examples import EXAMPLES
from shared.wire.messages import AlertMessage

ALERT = next(message for message in EXAMPLES if isinstance(message, AlertMessage))


def test_an_alert_that_came_both_ways_is_shown_once() -> None:
    picture = AlertsPicture()
    assert picture.take(ALERT) is not None
    assert picture.take(ALERT) is None
    assert [each.alert for each in picture.newest(9)] == [ALERT]


def test_the_dead_mans_switch_is_not_shown() -> None:
    picture = AlertsPicture()
    assert picture.take(msgspec.structs.replace(ALERT, what="monitor_alive")) is None
    assert picture.newest(9) == []
