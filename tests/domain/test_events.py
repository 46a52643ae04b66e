"""Events of the journal."""

import msgspec
import pytest

from shared.domain.events import (
    ClockAdvanced,
    Event,
    ExecutionKind,
    ExecutionReported,
    ExposureMeasured,
    PositionsReported,
    RebalanceRequested,
    Tick,
)

EVENTS: list[Event] = [
    Tick(symbol="VIX", event_ns=1, price=18.0),
    ClockAdvanced(event_ns=2),
    ExecutionReported(
        book="fund",
        order_id="fund-00000001-swap",
        execution_id="1",
        kind=ExecutionKind.FILL,
        quantity=-2.0,
        price=18.5,
        event_ns=3,
    ),
    RebalanceRequested(scope="all", operator="ann", reason="review", event_ns=4),
    ExposureMeasured(book="fund", event_ns=5, portfolio_delta=50_000.0, put_delta=-0.25),
    PositionsReported(book="fund", event_ns=5, quantities={"SPX": 2.0}, source="custodian"),
]


def test_the_level_is_the_price_when_there_is_one() -> None:
    assert Tick(symbol="VIX", event_ns=1, price=18.0, bid=1.0, ask=2.0).level == 18.0


def test_the_level_of_a_quote_is_its_middle() -> None:
    quote = Tick(symbol="VIX", event_ns=1, bid=18.0, ask=19.0)
    assert (quote.has_level, quote.level) == (True, 18.5)


@pytest.mark.parametrize(("bid", "ask"), [(None, None), (18.0, None), (None, 19.0)])
def test_half_a_quote_has_no_level(bid: float | None, ask: float | None) -> None:
    half = Tick(symbol="VIX", event_ns=1, bid=bid, ask=ask)
    assert not half.has_level
    with pytest.raises(ValueError, match="VIX has neither"):
        _ = half.level


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_told_from_the_others_by_its_tag(event: Event) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=Event) == event


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_what_happened_cannot_be_changed(event: Event) -> None:
    with pytest.raises(AttributeError):
        event.event_ns = 0  # type: ignore[misc]
