"""Ticks of every shape that the wire carries."""

from typing import Final

from hypothesis import strategies as st

from shared.domain.events import Tick

finite: Final = st.floats(allow_nan=False, allow_infinity=False)
ticks = st.builds(
    Tick,
    symbol=st.sampled_from(["VIX", "SPX", "VX1"]),
    event_ns=st.integers(0, 2**63 - 1),
    price=st.none() | finite,
    bid=st.none() | finite,
    ask=st.none() | finite,
    bid_size=st.none() | finite,
    ask_size=st.none() | finite,
    source=st.sampled_from(["", "feed", "Feed-2"]),
    sequence=st.none() | st.integers(1, 2**63 - 1),
)
