"""The judge of a campaign has eyes: each thing that must never be is named when it is there."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from fakes.orders import make_order
from msgspec import structs

from services.command.torture.judgement import (
    STRANGE,
    Answer,
    Fold,
    Halt,
    Record,
    judge,
    judge_alone,
)
from services.command.torture.sweep import of_the_unknown
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.orders import Order

FIRST, SECOND = make_order(1), make_order(2)


def answer(order: Order, **fields: Any) -> Answer:  # noqa: ANN401 - any of its fields
    content = msgspec.msgpack.encode(order)
    return structs.replace(Answer(order.order_id, 1, 20, "accepted", "", content), **fields)


def report(order: Order, **fields: Any) -> ExecutionReported:  # noqa: ANN401 - likewise
    return structs.replace(
        ExecutionReported(
            book=order.book,
            order_id=order.order_id,
            execution_id=f"{order.order_id}-1",
            kind=ExecutionKind.FILL,
            quantity=order.quantity,
            price=22.0,
            event_ns=30,
            reason="",
        ),
        **fields,
    )


def judged(
    answers: list[Answer], reports: list[ExecutionReported], *decided: Order, untold: str = ""
) -> list[str]:
    fold = Fold(
        {order.order_id: order for order in decided},
        Counter(each.execution_id for each in reports),
        (),
    )
    halts = [Halt(scope="overlay", from_ns=50, to_ns=60)]
    return judge(Record(answers, reports, [untold] if untold else []), fold, halts)


def test_a_sound_run_is_sound() -> None:
    answers = [answer(FIRST), answer(SECOND, epoch=2)]
    assert judged(answers, [report(FIRST), report(SECOND)], FIRST, SECOND) == []


@pytest.mark.parametrize(
    ("answers", "reports", "said"),
    [
        ([answer(FIRST)], [report(FIRST)], "is lost"),
        ([answer(FIRST), answer(SECOND)], [report(FIRST)], "came to 0 ends"),
        ([answer(FIRST), answer(SECOND), answer(make_order(3))], [], "was never decided"),
        ([answer(FIRST), answer(FIRST)], [], "was answered 2 times"),
        ([answer(structs.replace(FIRST, quantity=1.0))], [], "is not what was decided"),
        ([answer(FIRST, epoch=2), answer(SECOND)], [], "came from epoch 1, after 2"),
        ([answer(FIRST, received_ns=2 * 10**18)], [], "was accepted after its valid_until"),
        ([answer(FIRST, received_ns=55)], [], "was accepted while overlay was halted"),
        ([answer(FIRST)], [report(FIRST), report(FIRST, execution_id="b")], "came to 2 ends"),
        ([answer(FIRST)], [report(FIRST, quantity=401.0)], "traded more than it said"),
        ([], [report(FIRST)], "ended and was never answered"),
        ([answer(make_order(STRANGE))], [], "is the stranger's, and was accepted"),
    ],
)
def test_what_must_never_be_is_named(
    answers: list[Answer], reports: list[ExecutionReported], said: str
) -> None:
    assert any(said in violation for violation in judged(answers, reports, FIRST, SECOND))


def test_a_report_that_the_journal_does_not_have_is_named() -> None:
    answers = [answer(FIRST)]
    assert judged(answers, [report(FIRST)], FIRST, untold="x") == [
        "report x is not known to be journalled"
    ]


def test_a_strangers_order_that_no_control_need_refuse_may_be_accepted() -> None:
    plausible = make_order(STRANGE)
    record = Record([answer(plausible)], [report(plausible)], [])
    fold = Fold({}, Counter([f"{plausible.order_id}-1"]), ())
    assert judge(record, fold, (), {plausible.order_id}) == []
    assert judge(record, fold, ()) != []


def test_without_a_journal_ids_and_admission_are_judged_all_the_same() -> None:
    late = answer(FIRST, received_ns=2 * 10**18)
    assert judge_alone(Record([answer(FIRST), answer(SECOND)], [], [])) == []
    assert len(judge_alone(Record([late, answer(SECOND), answer(SECOND)], [], []))) == 2


def waits(count: int, **late_s: float) -> dict[str, float]:
    return {**{f"order-{number}": 0.5 for number in range(count)}, **late_s}


@pytest.mark.parametrize(
    ("waits_s", "named"),
    [
        (waits(0), 0),
        (waits(50), 0),
        (waits(50, late=10.1), 1),
        (waits(300, late=11.0), 0),
        (waits(300, late=61.0), 1),
        (waits(300, a=11.0, b=12.0, c=13.0, d=14.0), 4),
    ],
)
def test_an_order_unknown_ten_seconds_after_the_last_fault_is_named_from_one_in_a_hundred_on(
    waits_s: dict[str, float], named: int
) -> None:
    found = of_the_unknown(waits_s)
    assert len(found) == named
    assert all(" was unknown 1" in text or " was unknown 6" in text for text in found)
