import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wire import topics

ONE_NAME: tuple[tuple[Callable[[str], str], str], ...] = (
    (topics.ticks, topics.TICKS_OF_A_SYMBOL),
    (topics.executions, topics.EXECUTIONS),
    (topics.positions, topics.POSITIONS),
    (topics.measurements, topics.MEASUREMENTS),
    (topics.orders, topics.ORDERS),
    (topics.acks, topics.ACKS),
    (topics.target, topics.TARGETS),
    (topics.exposure, topics.EXPOSURES),
    (topics.whipsaws, topics.WHIPSAWS),
    (topics.withheld, topics.WITHHELD),
    (topics.signal, topics.SIGNALS),
    (topics.alerts, topics.ALERTS),
    (topics.status, topics.STATUS),
    (topics.progress, topics.PROGRESS),
    (topics.epochs, topics.EPOCHS),
    (topics.epoch_answers, topics.EPOCH_ANSWERS),
    (topics.heartbeats, topics.HEARTBEATS),
    (topics.trading, topics.TRADING),
)
names = st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True)


@pytest.mark.parametrize(("topic", "subscription"), ONE_NAME)
def test_a_topic_is_found_by_its_subscription(
    topic: Callable[[str], str], subscription: str
) -> None:
    assert topic("a.b_c-1") == subscription.replace("+", "a.b_c-1")


def test_a_trigger_stands_under_its_book() -> None:
    assert topics.trigger("overlay", "greek.delta") == "hedge/v1/books/overlay/triggers/greek.delta"
    assert topics.trigger("x", "x").replace("x", "+") == topics.TRIGGERS


@given(names)
def test_a_topic_says_which_book_it_is_of(book: str) -> None:
    assert topics.book_of(topics.positions(book)) == book
    assert topics.book_of(topics.trigger(book, "vix_move")) == book


@given(names, names)
def test_a_name_never_adds_a_level(book: str, trigger: str) -> None:
    topic = topics.trigger(book, trigger)
    assert topic.count("/") == topics.TRIGGERS.count("/")
    assert topics.last_level(topic) == trigger


@pytest.mark.parametrize(
    "text",
    ["", "+", "#", "a/b", "a\0", "a b", "a\n", "\n", "$SYS", "ä", "A" * 65, "../x", "{tag}", "１"],  # noqa: RUF001 - a full-width digit, on purpose
)
def test_what_would_change_a_topic_is_refused(text: str) -> None:
    for topic, _ in ONE_NAME:
        with pytest.raises(ValueError, match="not a name"):
            topic(text)
    with pytest.raises(ValueError, match="not a name"):
        topics.trigger("book", text)
    with pytest.raises(ValueError, match="not a name"):
        topics.trigger(text, "trigger")


@given(st.text(max_size=70))
def test_any_text_is_a_safe_name_or_refused(text: str) -> None:
    try:
        name = topics.name(text)
    except ValueError:
        return
    assert name == text
    assert re.fullmatch(r"[\x21-\x7e]{1,64}", text)
    assert not set("+#/$") & set(text)
