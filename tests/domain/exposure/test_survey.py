"""Positions without a value are found where they are, in every book."""

import numpy as np
import pytest
from fakes.exposures import CHAIN, EXPIRY, NOW, columns, level, monitor, quotes
from msgspec.structs import replace

from shared.domain.exposure.aggregate import Portfolio
from shared.domain.exposure.layout import ExposureBook
from shared.domain.exposure.observed import ExposureObserved
from shared.domain.exposure.survey import Places
from shared.domain.exposure.terms import Terms

NAMES = [each.symbol for each in CHAIN]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ([True, False, True, True, True], [[0], [], [2, 3], [4]]),
        ([False, True, False, False, True], [[1], [], [], [4]]),
        ([False] * 5, [[], [], [], []]),
    ],
)
def test_every_book_is_told_its_own(which: list[bool], expected: list[list[int]]) -> None:
    terms = Terms()
    terms.extend(CHAIN[:2])
    held = columns([("a", 0, 1.0), ("a", 1, 1.0), ("c", 0, 1.0), ("c", 1, 1.0), ("d", 1, 1.0)])
    places = Places(Portfolio(terms, held, NOW), np.array(which))
    assert [places.of(book).tolist() for book in "abcd"] == expected


def desk() -> dict[str, ExposureObserved]:
    """What is said of three books; the second holds nothing."""
    terms = CHAIN[3].option
    assert terms is not None
    delivering = replace(CHAIN[3], option=replace(terms, delivery="physical"), expiry_ns=EXPIRY - 1)
    near = replace(CHAIN[4], expiry_ns=EXPIRY - 1)
    known = {each.symbol: each for each in (*CHAIN, delivering, near)}
    opening = {"NOPE": 2.0, NAMES[3]: 3.0, NAMES[4]: 4.0, NAMES[5]: 5.0}
    books = [
        ExposureBook(name="a", opening=opening | {"NDX": 1.0}),
        ExposureBook(name="b"),
        ExposureBook(name="c", opening={NAMES[3]: -1.0, "NOR": 1.0, NAMES[5]: 1.0}),
    ]
    made = monitor(*books, known=known)
    made.receive_block(quotes(NOW, 100.0))
    made.settle()
    made.receive_block(level(EXPIRY - 1, 100.0))
    effects = made.advance_to(EXPIRY - 1)
    return {each.book: each for each in effects if isinstance(each, ExposureObserved)}


def reasons(told: ExposureObserved) -> list[tuple[str, str]]:
    return [(each.symbol, each.reason) for each in told.unmarked]


def test_unknown_first_then_delivered_then_unmarked_in_every_book() -> None:
    told = desk()
    delivered, forgotten = (NAMES[3], "delivered"), (NAMES[5], "forgotten")
    unknown = [("NDX", "unknown_root"), ("NOPE", "unknown_root")]
    assert reasons(told["a"]) == [*unknown, delivered, forgotten]
    assert [each.quantity for each in told["a"].unmarked] == [1.0, 2.0, 3.0, 5.0]
    assert reasons(told["b"]) == []
    assert reasons(told["c"]) == [("NOR", "unknown_root"), delivered, forgotten]


def test_what_has_expired_is_named_in_its_book_and_only_counted_where_delivered() -> None:
    told = desk()
    assert [told[book].expired for book in "abc"] == [(NAMES[3], NAMES[4]), (), (NAMES[3],)]
    assert [told[book].positions for book in "abc"] == [4, 0, 3]
