from typing import Any

import pytest
from fakes.hedged_market import LIMITS, MONDAY, SWAP, HedgedMarket, policy, restarted
from msgspec import structs

from shared.domain.effects import TargetChanged
from shared.domain.events import ExposureMeasured
from shared.domain.hedging.book import measured_units
from shared.domain.hedging.ladders import Ladders
from shared.domain.hedging.rules import PRESETS
from shared.domain.instants import DAY, HOUR, MINUTE
from shared.domain.policies import LegPolicy
from shared.domain.strategy_policies import ListedLegPolicy


def rung(name: str, days: float, **more: Any) -> ListedLegPolicy:  # noqa: ANN401 - any of its fields
    fields: dict[str, Any] = {
        "instrument": "put",
        "symbol": name.upper(),
        "underlying": "SPX",
        "expiry_ns": MONDAY + int(days * DAY),
        "ladder": "puts",
        "roll_days": 100.0,
        "maturity_days": 180,
        "max_vega": 5000.0,
        "multiplier": 100.0,
        "vega_per_unit": 0.5,
    }
    return ListedLegPolicy(name=name, **(fields | more))


NEAR, NEXT, LAST = rung("near", 103), rung("next", 194), rung("last", 285)
LEGS = (SWAP, NEXT, NEAR, LAST)


def ladders(*, legs: tuple[LegPolicy, ...] = LEGS, **held: float) -> Ladders:
    return Ladders(legs, lambda leg: held.get(leg, 0.0))


def priced(*names: str) -> Any:  # noqa: ANN401 - a predicate
    return lambda leg: leg.name in names


ALL = priced("near", "next", "last", "swap")


@pytest.mark.parametrize(
    ("days", "current"),
    [(0.0, "near"), (2.9, "near"), (3.0, "next"), (93.9, "next"), (94.0, "last"), (400.0, "last")],
)
def test_the_first_rung_with_days_enough_is_held(days: float, current: str) -> None:
    held = ladders().held(MONDAY + int(days * DAY), ALL)
    assert {leg.name for leg in held} == {"swap", current}


def test_legs_that_are_no_rungs_are_always_held() -> None:
    alone = structs.replace(NEAR, ladder="")
    found = ladders(legs=(SWAP, alone))
    assert not found
    assert found.held(MONDAY + 500 * DAY, priced()) == (SWAP, alone)
    assert found.rolling(MONDAY, ALL) == {}
    assert found.next_roll(MONDAY) is None


def test_what_is_held_of_an_old_rung_rolls_when_the_next_has_a_price() -> None:
    found, later = ladders(near=4.0), MONDAY + 3 * DAY
    assert found
    assert found.rolling(MONDAY, ALL) == {}
    assert found.rolling(later, ALL) == {"near": 4.0}
    assert found.rolling(later, priced("near")) == {}
    assert {leg.name for leg in found.held(later, priced("near"))} == {"swap", "near"}


def test_with_nothing_held_the_next_is_waited_for() -> None:
    held = ladders().held(MONDAY + 3 * DAY, priced("near"))
    assert {leg.name for leg in held} == {"swap", "next"}


def test_the_next_roll_is_that_of_a_rung_that_is_held() -> None:
    assert ladders(near=4.0).next_roll(MONDAY) == MONDAY + 3 * DAY
    assert ladders(near=4.0).next_roll(MONDAY + 3 * DAY) is None
    assert ladders(next=4.0).next_roll(MONDAY) == MONDAY + 94 * DAY
    assert ladders(last=4.0).next_roll(MONDAY) is None


# --- in a book ---------------------------------------------------------------------------------


def market(*, legs: tuple[LegPolicy, ...] = (NEAR, NEXT, LAST), **more: Any) -> HedgedMarket:  # noqa: ANN401 - of the policy
    found = HedgedMarket(policy(legs=legs, limits=LIMITS, **more))
    marks = dict.fromkeys(("NEAR", "NEXT", "LAST"), 10.0)
    found.marks |= marks
    found.marked_at |= dict.fromkeys(marks, found.now)
    return found


def test_an_old_option_is_closed_and_the_next_opened_in_one_decision() -> None:
    hedged = market()
    hedged.vix(18.0)
    (order,) = hedged.orders
    assert (order.leg, order.side, order.quantity) == ("near", "buy", 12.0)  # 600 / 50
    hedged.fill()
    for day in (1, 2):
        hedged.vix(18.0, after=DAY)
        assert len(hedged.orders) == 1, day
    hedged.vix(18.0, after=DAY)
    (_, close, opened) = hedged.orders
    assert (close.leg, close.signed_quantity, close.decision) == ("near", -12.0, 2)
    assert (opened.leg, opened.signed_quantity, opened.decision) == ("next", 12.0, 2)
    assert (opened.trigger, opened.reason) == ("roll", "roll: near 12")
    target = hedged.of(TargetChanged)[-1]
    assert {leg.leg: leg.quantity for leg in target.legs} == {"near": 0, "next": 12, "last": 0}


def test_nothing_is_closed_before_the_next_has_a_price() -> None:
    hedged = market()
    hedged.vix(18.0)
    hedged.fill()
    del hedged.marks["NEXT"], hedged.marked_at["NEXT"]
    hedged.vix(18.0, after=3 * DAY)
    assert len(hedged.orders) == 1
    hedged.marks["NEXT"] = 11.0
    hedged.vix(18.0, after=MINUTE)
    assert [order.leg for order in hedged.orders] == ["near", "near", "next"]


def test_a_roll_in_the_middle_of_a_session_is_a_deadline() -> None:
    near = structs.replace(NEAR, expiry_ns=NEAR.expiry_ns + HOUR)
    hedged = market(legs=(near, NEXT))
    hedged.vix(18.0)
    hedged.fill()
    hedged.vix(18.0, after=3 * DAY)
    again = restarted(hedged.book, hedged.policy)
    while (deadline := again.next_deadline()) is not None and deadline < hedged.now + HOUR:
        again.advance_to(deadline)
    assert deadline == hedged.now + HOUR


def exposure(hedged: HedgedMarket, **greeks: float) -> ExposureMeasured:
    return ExposureMeasured(
        book="overlay",
        event_ns=hedged.now,
        portfolio_delta=50_000.0,
        put_delta=-0.25,
        greeks={name.replace("__", "."): value for name, value in greeks.items()},
    )


def test_a_measured_vega_supersedes_the_configured_one() -> None:
    hedged = market()
    hedged.send(exposure(hedged, unit_vega__NEAR=40.0, unit_vega__NEXT=float("nan")))
    hedged.vix(18.0)
    (order,) = hedged.orders
    assert (order.quantity, order.vega) == (15.0, 600.0)  # 600 / 40
    again = restarted(hedged.book, hedged.policy)
    assert again.snapshot().dealer == hedged.book.snapshot().dealer


def test_the_delta_rule_counts_contracts_of_the_rung_that_is_held() -> None:
    hedged = market(
        rules=(PRESETS["delta"],), sizing={"base_vega": 100_000.0, "cap": 5.0, "floor": 0.0}
    )
    legs = tuple(structs.replace(leg, max_vega=1e6) for leg in (NEAR, NEXT, LAST))
    limits = structs.replace(
        LIMITS, max_order_vega=1e6, max_position_vega=1e6, max_order_notional=1e9
    )
    hedged = HedgedMarket(structs.replace(hedged.policy, legs=legs, limits=limits))
    hedged.marks |= {"NEAR": 10.0}
    hedged.marked_at |= {"NEAR": hedged.now}
    hedged.send(exposure(hedged, unit_vega__NEAR=40.0))
    hedged.vix(18.0)
    ((order,),) = [hedged.orders]
    assert (order.leg, order.quantity) == ("near", 2000.0)  # spec 2: 50,000 / (0.25 × 100)


def test_the_delta_rule_needs_one_ladder_alone() -> None:
    with pytest.raises(ValueError, match="exactly one leg, a put"):
        market(rules=(PRESETS["delta"],), legs=(NEAR, structs.replace(NEXT, ladder="others")))


def test_an_option_is_measured_by_its_vega_and_a_call_on_vix_by_its_delta() -> None:
    call = rung("vixcall", 103, instrument="vix_call", underlying="VXZ26")
    greeks = {
        "unit_vega.NEAR": 250.0,
        "unit_vega.VIXCALL": 3.0,
        "unit_delta.VIXCALL": 41.0,
        "unit_delta.NEAR": -30.0,
        "unit_vega.NEXT": float("nan"),
    }
    measured = ExposureMeasured(
        book="overlay", event_ns=MONDAY, portfolio_delta=0.0, put_delta=0.0, greeks=greeks
    )
    assert measured_units((SWAP, NEAR, NEXT, call), measured) == {"near": 250.0, "vixcall": 41.0}
