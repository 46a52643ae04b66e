from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.trading import TradingState, TradingStates, TradingStateSet, is_resumption

Authority = Literal["operator", "gateway", "auditor", "desk"]
ACTIVE, REDUCING, HALTED = TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED
OPERATOR: Authority = "operator"
GATEWAY: Authority = "gateway"
AUDITOR: Authority = "auditor"
DESK: Authority = "desk"


def change(
    state: TradingState, scope: str = "all", authority: Authority = OPERATOR, event_ns: int = 1
) -> TradingStateSet:
    return TradingStateSet(
        scope=scope,
        state=state,
        authority=authority,
        operator="ann",
        reason="drill",
        event_ns=event_ns,
    )


def after(*changes: TradingStateSet) -> TradingStates:
    states = TradingStates()
    for each in changes:
        states = states.after(each)
    return states


def test_everything_may_trade_until_somebody_says_otherwise() -> None:
    assert after().of("overlay") is ACTIVE
    assert after().governing("overlay") is None


def test_an_order_for_all_concerns_every_book_and_one_for_a_book_only_that() -> None:
    assert after(change(HALTED)).of("overlay") is HALTED
    assert after(change(HALTED, "overlay")).of("overlay") is HALTED
    assert after(change(HALTED, "other")).of("overlay") is ACTIVE


def test_the_strictest_counts_and_of_equals_the_oldest() -> None:
    states = after(
        change(REDUCING), change(HALTED, authority=GATEWAY), change(HALTED, "overlay", event_ns=3)
    )
    assert states.governing("overlay") == change(HALTED, authority=GATEWAY)


def test_the_last_word_of_an_authority_on_a_scope_counts() -> None:
    assert after(change(HALTED), change(REDUCING)).of("overlay") is REDUCING
    assert after(change(HALTED), change(ACTIVE)).orders == {}


@pytest.mark.parametrize("authority", [GATEWAY, AUDITOR])
def test_gateway_and_auditor_lift_only_what_they_set_themselves(authority: Authority) -> None:
    others = [each for each in (OPERATOR, GATEWAY, AUDITOR) if each != authority]
    halted = [change(HALTED, authority=each) for each in others]
    states = after(
        *halted, change(HALTED, authority=authority), change(ACTIVE, authority=authority)
    )
    assert list(states.orders.values()) == halted


def test_the_desk_only_ever_makes_stricter_what_it_has_set() -> None:
    assert after(change(REDUCING, authority=DESK)).of("overlay") is REDUCING
    halted = after(change(REDUCING, authority=DESK), change(HALTED, authority=DESK))
    assert halted.of("overlay") is HALTED
    for state in (ACTIVE, REDUCING, HALTED):
        assert halted.after(change(state, authority=DESK, event_ns=9)) == halted
    assert after(change(ACTIVE, authority=DESK)) == TradingStates()
    assert after(change(HALTED), change(ACTIVE, authority=DESK)).of("overlay") is HALTED
    assert halted.after(change(ACTIVE)).of("overlay") is ACTIVE, "an operator lifts it"


def test_the_desk_may_stop_a_book_when_another_is_stopped_already() -> None:
    states = after(change(HALTED, "overlay", DESK), change(REDUCING, "other", DESK))
    assert (states.of("overlay"), states.of("other")) == (HALTED, REDUCING)


def test_an_operator_who_resumes_a_scope_lifts_everything_set_for_it_and_nothing_else() -> None:
    states = after(
        change(HALTED, "overlay"),
        change(HALTED, "overlay", GATEWAY),
        change(REDUCING, "overlay", AUDITOR),
        change(HALTED, "all", GATEWAY),
        change(ACTIVE, "overlay"),
    )
    assert list(states.orders.values()) == [change(HALTED, "all", GATEWAY)]


def test_an_operator_who_only_relaxes_lifts_nobody_elses_order() -> None:
    assert after(change(HALTED, authority=GATEWAY), change(REDUCING)).of("overlay") is HALTED


def test_only_an_operators_active_resumes() -> None:
    assert is_resumption(change(ACTIVE))
    assert not is_resumption(change(ACTIVE, authority=GATEWAY))
    assert not is_resumption(change(REDUCING))


@given(
    st.lists(
        st.builds(
            change,
            st.sampled_from(TradingState),
            st.sampled_from(["all", "overlay", "other"]),
            st.sampled_from([OPERATOR, GATEWAY, AUDITOR, DESK]),
        )
    )
)
def test_states_survive_being_stored_and_never_grow_beyond_one_an_authority_and_scope(
    changes: list[TradingStateSet],
) -> None:
    states = after(*changes)
    stored = msgspec.msgpack.encode(states)
    assert msgspec.msgpack.decode(stored, type=TradingStates) == states
    assert all(order.state is not ACTIVE for order in states.orders.values())
    assert len(states.orders) <= 12
