import pytest

from shared.domain.gatekeeping.commands import not_news, not_stricter
from shared.domain.instants import SECOND
from shared.domain.trading import Authority, TradingState, TradingStates, TradingStateSet

NOW = 1000 * SECOND


def change(state: str, authority: Authority = "auditor", scope: str = "all") -> TradingStateSet:
    return TradingStateSet(
        scope=scope,
        state=TradingState(state),
        authority=authority,
        operator="ann",
        reason="drill",
        event_ns=1,
    )


@pytest.mark.parametrize(
    ("issued_s", "last_s", "reason"),
    [
        (1000.0, 999.0, ""),
        (1000.0, 1000.0, "replayed"),
        (999.0, 1000.0, "replayed"),
        (940.0, 0.0, ""),
        (939.9, 0.0, "too_old"),
        (1002.0, 0.0, ""),
        (1002.1, 0.0, "from_the_future"),
    ],
)
def test_a_command_is_believed_once_and_while_it_is_young(
    issued_s: float, last_s: float, reason: str
) -> None:
    refusal = not_news(round(issued_s * SECOND), round(last_s * SECOND), NOW)
    assert ("" if refusal is None else refusal.reason) == reason


def test_in_a_replay_no_command_is_too_old_and_still_none_is_believed_twice() -> None:
    assert not_news(5, 4, None) is None
    assert not_news(4, 4, None) is not None


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ("active", "reducing", True),
        ("active", "halted", True),
        ("reducing", "halted", True),
        ("reducing", "reducing", False),
        ("halted", "reducing", False),
        ("halted", "active", False),
        ("active", "active", False),
    ],
)
def test_who_may_only_stop_may_not_loosen_what_he_had_set(
    before: str, after: str, *, allowed: bool
) -> None:
    states = TradingStates().after(change(before))
    assert (not_stricter(states, change(after)) is None) is allowed


def test_what_others_have_set_or_for_elsewhere_is_no_obstacle() -> None:
    states = TradingStates().after(change("halted", "operator")).after(change("halted", scope="a"))
    assert not_stricter(states, change("reducing")) is None
