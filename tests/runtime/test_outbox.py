"""A row is sent until it is acknowledged, ever more rarely, and never after."""

from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.outbox import FIRST_PAUSE_S, LONGEST_PAUSE_S, Outbox, OutboxRow


def row(key: str) -> OutboxRow:
    return OutboxRow(key, f"orders/{key}", key.encode())


def keys(rows: list[OutboxRow]) -> list[str]:
    return [each.key for each in rows]


def holding(*names: str, since_s: float = 0.0) -> Outbox:
    outbox = Outbox()
    outbox.put(map(row, names), since_s)
    return outbox


def test_rows_are_due_at_once_in_the_order_they_were_put() -> None:
    assert holding("b", "a", "c").due(0.0) == [row("b"), row("a"), row("c")]


def test_a_row_that_is_not_acknowledged_is_due_again_after_ever_longer_pauses() -> None:
    outbox, now_s, pauses = holding("a"), 0.0, []
    for _ in range(9):
        assert keys(outbox.due(now_s)) == ["a"]
        deadline_s = outbox.next_deadline()
        assert deadline_s is not None
        assert outbox.due(deadline_s - 1e-6) == []
        pauses.append(deadline_s - now_s)
        now_s = deadline_s
    assert pauses == [0.5, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    assert (pauses[0], pauses[-1]) == (FIRST_PAUSE_S, LONGEST_PAUSE_S)


def test_an_acknowledged_row_is_never_due_again() -> None:
    outbox = holding("a", "b")
    outbox.due(0.0)
    assert outbox.acknowledge(["a", "never heard of", "a"]) == ["a"]
    assert keys(outbox.due(1000.0)) == ["b"]
    assert len(outbox) == 1


def test_a_row_put_again_keeps_its_pause_and_its_age() -> None:
    outbox = holding("a")
    outbox.due(0.0)
    outbox.put([row("a")], 0.1)
    assert outbox.due(0.2) == []
    assert outbox.oldest_s() == 0.0


def test_replacing_drops_what_is_not_in_the_store_and_leaves_the_rest_as_it_was() -> None:
    outbox = holding("a", "b")
    outbox.due(0.0)
    outbox.replace([row("b"), row("c")], 0.1)
    assert keys(outbox.due(0.1)) == ["c"]
    assert keys(outbox.due(10.0)) == ["b", "c"]


def test_the_oldest_row_tells_for_how_long_somebody_has_not_answered() -> None:
    outbox = holding("a", since_s=3.0)
    outbox.put([row("b")], 5.0)
    assert outbox.oldest_s() == 3.0
    outbox.acknowledge(["a"])
    assert outbox.oldest_s() == 5.0


def test_an_empty_outbox_has_no_deadline_and_no_age() -> None:
    outbox = holding("a")
    outbox.acknowledge(["a"])
    assert (len(outbox), outbox.next_deadline(), outbox.oldest_s()) == (0, None, None)


def test_no_more_than_may_be_on_their_way_are_due_until_some_are_acknowledged() -> None:
    outbox = Outbox(most_sent=2)
    outbox.put(map(row, "abcd"), 0.0)
    assert keys(outbox.due(0.0)) == ["a", "b"]
    assert keys(outbox.due(0.5)) == ["a", "b"]
    outbox.acknowledge(["b", "c"])
    assert keys(outbox.due(0.6)) == ["d"]
    outbox.replace(map(row, "de"), 0.7)
    assert keys(outbox.due(0.7)) == ["e"]
    assert len(outbox) == 2


def test_when_hurried_all_that_is_on_its_way_is_due_at_once_and_pauses_begin_anew() -> None:
    outbox = Outbox(most_sent=2)
    outbox.put(map(row, "abc"), 0.0)
    for now_s in (0.0, 0.5, 1.5):
        assert keys(outbox.due(now_s)) == ["a", "b"]
    outbox.hurry(1.6)
    assert keys(outbox.due(1.6)) == ["a", "b"]
    assert outbox.due(2.0) == []
    assert outbox.next_deadline() == 1.6 + FIRST_PAUSE_S
    outbox.acknowledge("a")
    assert keys(outbox.due(1.6 + FIRST_PAUSE_S)) == ["b", "c"]


NAMES = st.sampled_from(list("abcd"))
ACTIONS = st.one_of(
    st.tuples(st.just("put"), NAMES),
    st.tuples(st.just("acknowledge"), NAMES),
    st.tuples(st.just("hurry"), NAMES),
    st.tuples(st.just("pass"), st.floats(0.0, 40.0)),
)


@given(actions=st.lists(ACTIONS, max_size=40))
def test_a_row_is_due_within_the_longest_pause_exactly_until_it_is_acknowledged(
    actions: list[tuple[str, str | float]],
) -> None:
    outbox, now_s = Outbox(), 0.0
    waiting: dict[str, float] = {}  # last sending
    for action, value in actions:
        if action == "put":
            outbox.put([row(str(value))], now_s)
            waiting.setdefault(str(value), now_s)
        elif action == "acknowledge":
            assert outbox.acknowledge([str(value)]) == [value] * (value in waiting)
            waiting.pop(str(value), None)
        elif action == "hurry":
            outbox.hurry(now_s)
            assert outbox.next_deadline() == (now_s if waiting else None)
        else:
            now_s += float(value)
        for name in keys(outbox.due(now_s)):
            waiting[name] = now_s
        assert all(now_s - sent_s <= LONGEST_PAUSE_S for sent_s in waiting.values())
        assert len(outbox) == len(waiting)
        deadline_s = outbox.next_deadline()
        assert (deadline_s is None) == (not waiting)
        assert deadline_s is None or deadline_s > now_s
