"""What `hedgestat torture` is asked for."""

import pytest

from services.command.endings import Refused
from services.command.torture.command import named_scenarios
from services.command.torture.scenarios import SCENARIOS


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("all", tuple(SCENARIOS)),
        ("none", ()),
        ("takeover, flushall", ("takeover", "flushall")),
    ],
)
def test_scenarios_are_named(text: str, names: tuple[str, ...]) -> None:
    assert named_scenarios(text) == names


def test_a_scenario_that_there_is_not_is_refused_by_its_name() -> None:
    with pytest.raises(Refused, match="--scenarios earthquake: there are takeover"):
        named_scenarios("takeover,earthquake")
