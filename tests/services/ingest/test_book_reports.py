"""What is said of one book is taken once, from whom it should be."""

from typing import Any

import msgspec
import pytest
from fakes.keys import make_keyring
from fakes.messages import message
from msgspec import structs

from services.ingest.book_reports import BookReports
from services.ingest.refusal import Refusal
from shared.adapters.bus import Message
from shared.adapters.keyring import Role
from shared.domain.events import ExposureMeasured, PositionsReported
from shared.domain.instants import SECOND
from shared.domain.intake import MAX_SOURCES
from shared.wire import topics
from shared.wire.codec import MalformedMessage
from shared.wire.messages import MeasurementMessage

NOON = 1_383_134_400 * SECOND  # 2013-10-30
KEYS = make_keyring()
POSITIONS = topics.positions("overlay")
MEASUREMENTS = topics.measurements("overlay")
MEASURED = MeasurementMessage(
    book="overlay",
    event_time="2013-10-30T12:00:00Z",
    sequence=3,
    portfolio_delta=50_000.0,
    put_delta=-0.25,
    greeks={"vega": -7.5, "delta.SPX": 12.0},
)


def positions(at_s: float = 0.0, source: str = "custodian", **held: float) -> dict[str, Any]:
    instant = NOON + round(at_s * SECOND)
    return {"event_time": instant, "source": source, "quantities": held}


def sealed(said: MeasurementMessage, role: Role = "monitor", topic: str = MEASUREMENTS) -> Message:
    return message(topic, KEYS.seal(role, topic, said))


def fresh() -> BookReports:
    return BookReports(KEYS, {"overlay"})


def reason(reports: BookReports, refused: Message) -> str:
    """Why a message is refused; nothing else comes of it."""
    before = (dict(reports.executions), dict(reports.reported), dict(reports.measured))
    with pytest.raises(Refusal) as refusal:
        reports.receive(refused)
    assert (reports.executions, reports.reported, reports.measured) == before
    return refusal.value.reason


def test_a_report_of_positions_is_taken_as_it_is() -> None:
    report = message(POSITIONS, positions(SPX=-2.0, VXZ13=0.0))
    assert fresh().receive(report) == PositionsReported(
        book="overlay", event_ns=NOON, quantities={"SPX": -2.0, "VXZ13": 0.0}, source="custodian"
    )


EXECUTION = message(
    topics.executions("overlay"),
    {
        "order_id": "overlay-00000001-put",
        "execution_id": "e1",
        "kind": "fill",
        "quantity": 1.0,
        "price": 2.0,
        "event_time": NOON,
    },
)


@pytest.mark.parametrize(
    "said", [message(POSITIONS, positions(SPX=1.0)), sealed(MEASURED), EXECUTION]
)
def test_what_is_of_the_future_is_refused_and_taken_when_its_time_has_come(said: Message) -> None:
    reports = fresh()
    before = (dict(reports.executions), dict(reports.reported), dict(reports.measured))
    with pytest.raises(Refusal, match=r"0\.000 s beyond") as refusal:
        reports.receive(said, NOON - 1)
    assert refusal.value.reason == "future"
    assert (reports.executions, reports.reported, reports.measured) == before
    assert reports.receive(said, NOON) is not None


def test_a_report_of_positions_that_is_not_newer_is_refused_by_its_source() -> None:
    reports = fresh()
    assert reports.receive(message(POSITIONS, positions(SPX=1.0)))
    assert reason(reports, message(POSITIONS, positions(SPX=2.0))) == "late"
    assert reason(reports, message(POSITIONS, positions(-1, SPX=2.0))) == "late"
    assert reports.receive(message(POSITIONS, positions(-1, "desk", SPX=2.0)))
    assert reports.receive(message(POSITIONS, positions(1, SPX=2.0)))


def test_the_sources_of_positions_are_bounded() -> None:
    reports = fresh()
    for number in range(MAX_SOURCES):
        assert reports.receive(message(POSITIONS, positions(source=f"s{number}")))
    assert reason(reports, message(POSITIONS, positions())) == "too_many_sources"
    assert reports.receive(message(POSITIONS, positions(1, "s0")))


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        {"event_time": NOON, "quantities": {"a b": 1.0}},
        {"event_time": NOON, "quantities": {"SPX": "1"}},
        {"event_time": NOON, "quantities": ["SPX"]},
        b'{"event_time": 1, "quantities": {"SPX": 1e999}}',
    ],
)
def test_positions_that_are_none_are_refused(content: object) -> None:
    with pytest.raises(MalformedMessage):
        fresh().receive(message(POSITIONS, content))


@pytest.mark.parametrize("topic", [topics.positions("other"), topics.measurements("other")])
def test_what_is_said_of_an_unknown_book_is_refused(topic: str) -> None:
    assert reason(fresh(), message(topic, positions())) == "unknown_book"


def test_a_measurement_is_taken_as_it_is() -> None:
    assert fresh().receive(sealed(MEASURED)) == ExposureMeasured(
        book="overlay",
        event_ns=NOON,
        portfolio_delta=50_000.0,
        put_delta=-0.25,
        greeks={"vega": -7.5, "delta.SPX": 12.0},
        sequence=3,
    )


def test_a_measurement_counts_when_its_number_is_above_the_last() -> None:
    reports = fresh()
    assert reports.receive(sealed(MEASURED))
    for sequence in (3, 2, 1):
        assert reports.receive(sealed(structs.replace(MEASURED, sequence=sequence))) is None
    assert reports.receive(sealed(structs.replace(MEASURED, sequence=5)))
    assert reports.measured == {"overlay": 5}


def test_a_measurement_that_nobody_signed_is_refused() -> None:
    assert reason(fresh(), message(MEASUREMENTS, msgspec.json.encode(MEASURED))) == "unsigned"
    assert reason(fresh(), sealed(MEASURED, "operator")) == "unknown_key"


def test_a_measurement_of_another_book_is_refused() -> None:
    assert reason(fresh(), sealed(structs.replace(MEASURED, book="other"))) == "malformed"
    elsewhere = sealed(MEASURED, topic=topics.measurements("other"))
    assert reason(fresh(), structs.replace(elsewhere, topic=MEASUREMENTS)) == "bad_signature"


def test_what_was_taken_is_known_after_a_restart() -> None:
    reports = fresh()
    reports.receive(sealed(MEASURED))
    reports.receive(message(POSITIONS, positions()))
    after = BookReports(KEYS, {"overlay"}, reports.executions, reports.reported, reports.measured)
    assert after.receive(sealed(MEASURED)) is None
    assert reason(after, message(POSITIONS, positions())) == "late"
