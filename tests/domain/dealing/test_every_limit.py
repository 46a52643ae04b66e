"""A hundred thousand orders around every limit: exactly those within all of them pass.

What is within is said a second time here, from the policy's own words, about plain numbers.
"""

from collections import Counter
from collections.abc import Callable
from math import inf, isclose, isfinite, nan, nextafter
from typing import Any, Final

import numpy as np
from fakes.hedged_market import FUTURE, LIMITS, SWAP
from fakes.orders import make_order
from msgspec import structs

from shared.domain.dealing.pretrade import ProposedOrder, check_order
from shared.domain.dealing.throttles import Repetition, SentOrder, Throttles, ThrottleState
from shared.domain.instants import HOUR, MINUTE

CASES: Final = 100_000
LIMIT: Final = structs.replace(
    LIMITS,
    max_order_vega=2000.0,
    max_order_notional=40_000.0,
    max_position_vega=3000.0,
    max_orders_per_day=8,
    max_orders_per_minute=4,
    max_daily_turnover=100_000.0,
    max_daily_loss=5_000.0,
    max_price_deviation=0.125,
    max_repeats=3,
    repeat_ns=10 * MINUTE,
    duplicate_ns=2 * MINUTE,
)
NOW: Final = HOUR
MADE: Final = make_order(1, event_ns=NOW)
LEGS: Final = {"swap": SWAP, "future": FUTURE}
BAD: Final = (nan, inf, -inf, 0.0, -1.0, 1e308, 5e-324)

Case = dict[str, Any]


def sound(random: np.random.Generator) -> Case:
    """An order that is well within every limit, and where its book stands."""
    leg = "swap" if random.random() < 0.5 else "future"
    unit = 1.0 if leg == "swap" else 1000.0
    quantity, mark = float(random.integers(1, 2)), float(random.integers(80, 160)) / 8
    quantity *= float(random.integers(8, 1600)) / 8 if leg == "swap" else 1.0
    side = "buy" if random.random() < 0.5 else "sell"
    return {
        "leg": leg,
        "side": side,
        "quantity": quantity,
        "vega": quantity * unit * (1 if side == "buy" else -1),
        "reference_price": mark,
        "limit_price": mark * (1 + (0.1 if side == "buy" else -0.1)),
        "notional": quantity * mark * unit,
        "mark": mark,
        "book_size": float(random.integers(-4000, 4000)) / 4,
        "furthest_size": float(random.integers(-4000, 3000)),
        "loss": float(random.integers(-4000, 4000)),
        "orders_today": int(random.integers(0, 3)),
        "turnover": float(random.integers(0, 50_000)),
        "minute": (),
        "recent": (),
        "repetition": None,
    }


def around(random: np.random.Generator, limit: float, step: float) -> float:
    """The limit, a unit in the last place or a step beside it, or no number at all."""
    sides = (limit, nextafter(limit, inf), nextafter(limit, -inf), limit + step, limit - step)
    return float(random.choice((*sides, *sides, *BAD)))


def resized(case: Case, quantity: float, mark: float) -> Case:
    unit = 1.0 if case["leg"] == "swap" else 1000.0
    sign = 1 if case["side"] == "buy" else -1
    return case | {
        "quantity": quantity,
        "mark": mark,
        "reference_price": mark,
        "limit_price": mark * (1 + sign * 0.1),
        "vega": sign * quantity * unit,
        "notional": quantity * mark * unit,
    }


# --- each brings a sound order to the edge of one limit -----------------------------------------


def near_order_vega(random: np.random.Generator, case: Case) -> Case:
    return resized(case | {"leg": "swap"}, around(random, 2000.0, 1.0), 10.0)


def near_order_notional(random: np.random.Generator, case: Case) -> Case:
    return resized(case | {"leg": "swap"}, 1600.0, around(random, 25.0, 0.125))


def near_price_deviation(random: np.random.Generator, case: Case) -> Case:
    edge = case["mark"] * (1 + 0.125 * random.choice((-1, 1)))
    return case | {"limit_price": around(random, edge, 0.25)}


def near_position_vega(random: np.random.Generator, case: Case) -> Case:
    return case | {"furthest_size": around(random, 3000.0, 1.0)}


def near_daily_loss(random: np.random.Generator, case: Case) -> Case:
    return case | {"loss": around(random, 5000.0, 1.0)}


def near_orders_per_day(random: np.random.Generator, case: Case) -> Case:
    return case | {"orders_today": int(random.integers(6, 10))}


def near_daily_turnover(random: np.random.Generator, case: Case) -> Case:
    return case | {"turnover": 100_000.0 - around(random, case["notional"], 1.0)}


def near_rate(random: np.random.Generator, case: Case) -> Case:
    ages = MINUTE - random.integers(-1, 3, size=int(random.integers(3, 7)))
    return case | {"minute": tuple(sorted(NOW - int(age) for age in ages))}


def near_repeat(random: np.random.Generator, case: Case) -> Case:
    age = 10 * MINUTE - int(random.integers(-1, 3))
    side = str(random.choice((case["side"], case["side"], "buy", "sell")))
    count = int(random.integers(2, 5))
    return case | {"repetition": Repetition(side, NOW - age, count)}  # type: ignore[arg-type] # one of two


def near_duplicate(random: np.random.Generator, case: Case) -> Case:
    age = 2 * MINUTE - int(random.integers(-1, 3))
    quantity = random.choice((case["quantity"], around(random, case["quantity"], 1.0)))
    before = SentOrder(NOW - age, case["leg"], case["side"], float(quantity))
    return case | {"recent": (before,)}


def near_agreement(random: np.random.Generator, case: Case) -> Case:
    name = str(random.choice(("vega", "notional", "quantity", "reference_price")))
    return case | {name: case[name] * float(random.choice((1 + 1e-8, -1.0, 1000.0, 1.0)))}


def near_figures(random: np.random.Generator, case: Case) -> Case:
    names = ("quantity", "vega", "reference_price", "limit_price", "notional", "mark")
    return case | {str(random.choice(names)): float(random.choice(BAD))}


EDGES: Final[dict[str, Callable[[np.random.Generator, Case], Case]]] = {
    "max_order_vega": near_order_vega,
    "max_order_notional": near_order_notional,
    "max_price_deviation": near_price_deviation,
    "max_position_vega": near_position_vega,
    "max_daily_loss": near_daily_loss,
    "max_orders_per_day": near_orders_per_day,
    "max_daily_turnover": near_daily_turnover,
    "rate": near_rate,
    "repeat": near_repeat,
    "duplicate": near_duplicate,
    "agreement": near_agreement,
    "figures": near_figures,
}


def is_within(case: Case) -> bool:
    """Whether no limit speaks against an order: each line is one of the policy's sentences."""
    unit = 1.0 if case["leg"] == "swap" else 1000.0
    sign = 1 if case["side"] == "buy" else -1
    stated = [case[name] for name in ("quantity", "reference_price", "limit_price", "notional")]
    if not all(isfinite(each) and each > 0 for each in (*stated, case["mark"])):
        return False
    if not (isfinite(case["vega"]) and isfinite(case["book_size"])):
        return False
    grows = abs(case["book_size"] + case["vega"]) > abs(case["book_size"])
    row = case["repetition"]
    repeats = row is not None and row.side == case["side"] and NOW - row.event_ns < 10 * MINUTE
    same = (case["leg"], case["side"], case["quantity"])
    return (
        isclose(case["vega"], sign * case["quantity"] * unit, rel_tol=1e-9)
        and isclose(
            case["notional"], case["quantity"] * case["reference_price"] * unit, rel_tol=1e-9
        )
        and abs(case["vega"]) <= 2000.0
        and case["notional"] <= 40_000.0
        and abs(case["limit_price"] - case["mark"]) / case["mark"] <= 0.125
        and case["furthest_size"] <= 3000.0
        and not (grows and not case["loss"] <= 5000.0)
        and case["orders_today"] < 8
        and case["turnover"] + case["notional"] <= 100_000.0
        and sum(NOW - sent_ns < MINUTE for sent_ns in case["minute"]) < 4
        and not (repeats and row.count >= 3)
        and not any(
            (each.leg, each.side, each.quantity) == same and NOW - each.event_ns < 2 * MINUTE
            for each in case["recent"]
        )
    )


def blocked_by(case: Case) -> str:
    """What the controls say; empty when they let it pass."""
    fields = ("leg", "side", "quantity", "vega", "reference_price", "limit_price", "notional")
    order = structs.replace(MADE, **{name: case[name] for name in fields})
    proposed = ProposedOrder(
        order=order,
        leg=LEGS[case["leg"]],
        mark=case["mark"],
        book_size=case["book_size"],
        furthest_size=case["furthest_size"],
        loss=case["loss"],
    )
    state = ThrottleState(
        session=0,
        orders_today=case["orders_today"],
        turnover=case["turnover"],
        minute=case["minute"],
        recent=case["recent"],
        repetitions={} if case["repetition"] is None else {case["leg"]: case["repetition"]},
    )
    block = check_order(LIMIT, proposed) or Throttles(LIMIT, state).admit(order, 0)
    return "" if block is None else block.control


def test_of_a_hundred_thousand_orders_around_the_limits_those_within_pass_and_no_other() -> None:
    random = np.random.default_rng(20260115)
    fired: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for kind in EDGES:
        for _ in range(CASES // len(EDGES) + 1):
            case = EDGES[kind](random, sound(random))
            control = blocked_by(case)
            assert is_within(case) is (control == ""), (kind, control, case)
            fired[control] += 1
            passed[kind] += control == ""
    assert fired.total() >= CASES
    assert set(fired) == {*EDGES, ""}
    assert min(fired.values()) > 500, "a control that hardly ever bit shows nothing"
    assert min(passed[kind] for kind in EDGES if kind != "figures") > 500
