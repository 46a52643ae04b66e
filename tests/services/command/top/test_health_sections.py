"""What is wrong is said first; a closed exchange too: a try at a weekend else seems to do nothing.

It is no fault of the monitor, but it is why nothing trades.
"""

from typing import Literal

import pytest
from fakes import views
from msgspec.structs import replace

from services.command.top.health_sections import warnings
from services.command.top.picture import Picture


@pytest.mark.parametrize(
    ("clock", "opens", "is_said"),
    [
        ("wall", "2026-11-23T14:30:00Z", True),
        ("wall", None, False),
        ("feed", "2026-11-23T14:30:00Z", False),  # the days of a replay pass in moments
    ],
)
def test_a_closed_exchange_is_said_on_the_wall_clock(
    clock: Literal["wall", "feed"],
    opens: str | None,
    is_said: bool,  # noqa: FBT001 - what is expected
) -> None:
    state = views.state()
    state = replace(state, clock=clock, health=replace(state.health, opens=opens))
    said = " ".join(line.plain for line in warnings(Picture(state=state), 0))
    assert ("Exchange closed: nothing trades until 2026-11-23 14:30:00 UTC" in said) == is_said
