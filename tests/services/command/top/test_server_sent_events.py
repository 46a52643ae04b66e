"""A stream of events is read the same however the network cuts it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.command.top import server_sent_events
from services.command.top.server_sent_events import EventReader, EventTooLong, ServerSentEvent

STREAM = (
    b": ping\n\nid: b-1\nevent: state\ndata: {}\n\n"
    b"event: market\r\ndata: 1\r\ndata:  2\r\n\r\n"
    b"retry: 5\rdata: three\r\rdata\n\nevent: nothing\n\nevent: unfinished\ndata: x"
)
EVENTS = [
    ServerSentEvent("state", b"{}"),
    ServerSentEvent("market", b"1\n 2"),
    ServerSentEvent("message", b"three"),
    ServerSentEvent("message", b""),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_however_it_is_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    reader = EventReader()
    pieces = [STREAM[begin:end] for begin, end in pairwise(places)]
    assert [event for piece in pieces for event in reader.feed(piece)] == EVENTS


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 30, b"data: 1234567890\n" * 3])
def test_an_event_without_end_is_given_up(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_sent_events, "_MOST_BYTES", 25)
    with pytest.raises(EventTooLong):
        list(EventReader().feed(piece))
