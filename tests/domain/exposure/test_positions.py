"""What a book holds, and what others think that it holds."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.effects import AlertRaised
from shared.domain.events import ExecutionKind, ExecutionReported, PositionsReported
from shared.domain.exposure.positions import (
    MOST_TOLD,
    REMEMBERED_FILLS,
    Positions,
    PositionsState,
)
from shared.domain.orders import order_id

OPENING = {"overlay": {"SPX": 10.0, "VXZ26": -4.0}}
LEGS = {"overlay": {"future": "VXZ26", "put": "SPXW261218P05000000"}}


def fresh() -> Positions:
    return Positions(OPENING, LEGS)


def fill(  # noqa: PLR0913 - any part of a report
    quantity: float,
    *,
    leg: str = "future",
    at: int = 1,
    id_: str = "",
    kind: ExecutionKind = ExecutionKind.FILL,
    book: str = "overlay",
) -> ExecutionReported:
    return ExecutionReported(
        book=book,
        order_id=order_id(book, at, leg),
        execution_id=id_ or f"{leg}-{at}",
        kind=kind,
        quantity=quantity,
        price=20.0,
        event_ns=at,
    )


def report(
    at: int = 100, source: str = "custodian", book: str = "overlay", **held: float
) -> PositionsReported:
    return PositionsReported(book=book, event_ns=at, quantities=held, source=source)


def told(alerts: tuple[AlertRaised, ...]) -> list[tuple[str, str, dict[str, float]]]:
    return [(each.what, each.where, each.figures) for each in alerts]


def test_a_book_opens_with_what_is_configured() -> None:
    positions = Positions({"overlay": {"SPX": 10.0, "RUT": 0.0}}, {"other": {}})
    assert positions.held == {"overlay": {"SPX": 10.0}, "other": {}}
    assert positions.version == 0


def test_a_fill_is_added_to_the_instrument_of_its_leg() -> None:
    positions = fresh()
    assert positions.receive(fill(3.0)) == ()
    assert positions.receive(fill(-2.0, leg="put", at=2, kind=ExecutionKind.PARTIAL)) == ()
    assert positions.held["overlay"] == {"SPX": 10.0, "VXZ26": -1.0, "SPXW261218P05000000": -2.0}
    assert positions.version == 2


def test_what_was_sold_out_is_no_position() -> None:
    positions = fresh()
    positions.receive(fill(4.0))
    assert positions.held["overlay"] == {"SPX": 10.0}


@pytest.mark.parametrize(
    "event", [fill(0.0, kind=ExecutionKind.CANCEL), fill(5.0, book="other"), report(book="other")]
)
def test_what_moves_nothing_of_ours_says_nothing(
    event: ExecutionReported | PositionsReported,
) -> None:
    positions = fresh()
    assert positions.receive(event) == ()
    assert (positions.held, positions.version) == (OPENING, 0)


def test_a_report_of_a_fill_counts_once() -> None:
    positions = fresh()
    for _ in range(2):
        positions.receive(fill(3.0, id_="x-1"))
    assert (positions.held["overlay"]["VXZ26"], positions.version) == (-1.0, 1)


def test_a_fill_of_a_leg_that_is_not_configured_is_told_and_not_guessed() -> None:
    positions = fresh()
    alerts = positions.receive(fill(3.0, leg="gone"))
    assert told(alerts) == [("fill_unplaced", "overlay-00000001-gone", {"quantity": 3.0})]
    assert (positions.held, positions.version) == (OPENING, 0)


# --- reconciliation ------------------------------------------------------------------------------


def test_a_report_that_agrees_says_nothing() -> None:
    positions = fresh()
    assert positions.receive(report(SPX=10.0, VXZ26=-4.0, RUT=0.0)) == ()
    assert positions.differences == {"overlay": {}}


def test_a_difference_is_told_with_its_figures_and_adopted_by_nobody() -> None:
    positions = fresh()
    alerts = positions.receive(report(SPX=10.0, VXZ26=-6.0, NDX=1.0))
    assert told(alerts) == [
        ("position_differs", "VXZ26", {"ours": -4.0, "theirs": -6.0, "difference": -2.0}),
        ("position_differs", "NDX", {"ours": 0.0, "theirs": 1.0, "difference": 1.0}),
    ]
    assert {each.severity for each in alerts} == {"critical"}
    assert positions.held == OPENING
    assert positions.differences == {"overlay": {"custodian": {"VXZ26": -2.0, "NDX": 1.0}}}


def test_what_a_report_leaves_out_is_not_held_there() -> None:
    alerts = fresh().receive(report(VXZ26=-4.0))
    figures = {"ours": 10.0, "theirs": 0.0, "difference": -10.0}
    assert told(alerts) == [("position_differs", "SPX", figures)]


def test_a_difference_is_told_again_only_when_it_changes() -> None:
    positions = fresh()
    positions.receive(report(1, SPX=11.0, VXZ26=-4.0))
    assert positions.receive(report(2, SPX=11.0, VXZ26=-4.0)) == ()
    (alert,) = positions.receive(report(3, SPX=12.0, VXZ26=-4.0))
    assert alert.figures["difference"] == 2.0


def test_each_source_has_differences_of_its_own() -> None:
    positions = fresh()
    positions.receive(report(1, SPX=11.0, VXZ26=-4.0))
    assert positions.receive(report(2, "desk", SPX=11.0, VXZ26=-4.0))
    assert positions.receive(report(3, "desk", SPX=10.0, VXZ26=-4.0))
    assert list(positions.differences["overlay"]) == ["custodian"]


def test_it_is_said_when_a_difference_is_gone() -> None:
    positions = fresh()
    positions.receive(report(1, SPX=11.0, VXZ26=-5.0))
    assert told(positions.receive(report(2, SPX=10.0, VXZ26=-5.0))) == [
        ("position_agrees", "SPX", {})
    ]
    assert told(positions.receive(report(3, SPX=10.0, VXZ26=-4.0))) == [
        ("positions_agree", "custodian", {"symbols": 1.0})
    ]


def test_rounding_is_no_difference() -> None:
    positions = Positions({"overlay": {"SPX": 0.3, "VXZ26": 1e6}}, {})
    assert positions.receive(report(SPX=0.1 + 0.2, VXZ26=1e6 + 1e-6)) == ()


def test_a_report_is_held_against_what_was_held_at_its_instant() -> None:
    positions = fresh()
    positions.receive(fill(3.0, at=10))
    positions.receive(fill(1.0, at=20))
    assert positions.receive(report(10, SPX=10.0, VXZ26=-1.0)) == ()
    assert positions.receive(report(9, SPX=10.0, VXZ26=-4.0)) == ()
    assert positions.receive(report(20, SPX=10.0)) == ()
    positions.receive(fill(2.0, leg="put", at=30))
    assert positions.receive(report(29, SPX=10.0)) == ()


def test_of_many_differences_the_largest_are_named_and_all_are_counted() -> None:
    theirs = {f"S{number}": float(number) for number in range(1, MOST_TOLD + 6)}
    positions = Positions({"overlay": {}}, {})
    *named, rest = positions.receive(
        PositionsReported(book="overlay", event_ns=1, quantities=theirs, source="custodian")
    )
    assert [each.figures["theirs"] for each in named] == sorted(theirs.values(), reverse=True)[:20]
    assert (rest.what, rest.where) == ("positions_differ", "custodian")
    assert rest.figures == {"symbols": MOST_TOLD + 5.0, "named": float(MOST_TOLD)}


# --- state ---------------------------------------------------------------------------------------


def test_a_changed_opening_position_is_how_an_operator_puts_ours_right() -> None:
    positions = fresh()
    positions.receive(fill(3.0, at=10))
    positions.receive(report(20, SPX=12.0, VXZ26=-1.0))
    changed = {"overlay": {"SPX": 12.0, "VXZ26": -4.0}}
    positions = Positions.resume(changed, LEGS, positions.snapshot())
    assert positions.held == {"overlay": {"SPX": 12.0, "VXZ26": -1.0}}
    assert [each.what for each in positions.receive(report(30, SPX=12.0, VXZ26=-1.0))] == [
        "positions_agree"
    ]


def test_the_fills_that_are_remembered_are_bounded() -> None:
    positions = fresh()
    for number in range(REMEMBERED_FILLS + 5):
        positions.receive(fill(1.0, at=number, id_=str(number)))
    assert len(positions.snapshot().books["overlay"].fills) == REMEMBERED_FILLS
    assert positions.held["overlay"]["VXZ26"] == REMEMBERED_FILLS + 1.0


fills = st.builds(
    fill,
    st.integers(-3, 3).map(float),
    leg=st.sampled_from(["future", "put", "gone"]),
    at=st.integers(1, 20),
)
reports = st.builds(
    report,
    st.integers(1, 20),
    st.sampled_from(["custodian", "desk"]),
    SPX=st.integers(9, 11).map(float),
    VXZ26=st.integers(-5, 0).map(float),
)


@settings(max_examples=50)
@given(st.lists(fills | reports, max_size=12), st.integers(0, 12))
def test_a_restart_changes_nothing(
    events: list[ExecutionReported | PositionsReported], cut: int
) -> None:
    whole, first = fresh(), fresh()
    heard = [whole.receive(event) for event in events]
    again = [first.receive(event) for event in events[:cut]]
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(first.snapshot()), type=PositionsState)
    second = Positions.resume(OPENING, LEGS, state)
    again += [second.receive(event) for event in events[cut:]]
    assert (again, second.held, second.snapshot()) == (heard, whole.held, whole.snapshot())
