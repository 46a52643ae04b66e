from collections import Counter

from services.ingest.step import Taken
from services.ingest.trouble import MANY, QUIET_S, Trouble
from shared.wire.messages import RejectMessage


def rejected(reason: str, count: int = 1, topic: str = "hedge/v1/ticks/VIX") -> Taken:
    letter = RejectMessage(
        reason=reason,
        detail="",
        topic=topic,
        payload=b"",
        truncated=False,
        received_time="2026-11-20T15:00:00.000000000Z",
    )
    return Taken(rejects=[letter] * count)


def skipped(count: int, source: str = "cboe") -> Taken:
    return Taken(missing=Counter({source: count}))


def told(trouble: Trouble, taken: Taken, now_s: float) -> list[tuple[str, str]]:
    return [(each.what, each.where) for each in trouble.judge(taken, now_s, 7)]


def test_a_gap_is_told_once_until_its_source_has_skipped_nothing_for_a_minute() -> None:
    trouble = Trouble()
    (first,) = trouble.judge(skipped(3), 0.0, 7)
    assert (first.what, first.where, first.figures) == ("feed_gap", "cboe", {"skipped": 3.0})
    assert told(trouble, skipped(1), 30.0) == []
    assert told(trouble, skipped(1, ""), 31.0) == [("feed_gap", "unnamed")]
    assert told(trouble, Taken(), 30.0 + QUIET_S - 1) == []
    assert told(trouble, Taken(), 30.0 + QUIET_S) == [("feed_whole", "cboe")]
    assert told(trouble, Taken(), 31.0 + QUIET_S) == [("feed_whole", "unnamed")]
    assert told(trouble, skipped(1), 200.0) == [("feed_gap", "cboe")]


def test_nothing_skipped_is_no_gap() -> None:
    assert told(Trouble(), skipped(0), 0.0) == []


def test_some_refusals_are_nobodys_business_and_many_are_told_once() -> None:
    trouble = Trouble()
    assert told(trouble, rejected("malformed", MANY - 1), 0.0) == []
    assert told(trouble, rejected("malformed", MANY - 1), 11.0) == []
    assert told(trouble, rejected("malformed"), 12.0) == [("rejects_many", "malformed")]
    assert told(trouble, rejected("malformed", 500), 13.0) == []
    assert told(trouble, Taken(), 20.0) == []
    assert told(trouble, Taken(), 24.0) == []
    assert told(trouble, Taken(), 23.0 + QUIET_S) == [("rejects_few", "hedge/v1/rejects")]
    assert told(trouble, Taken(), 99.0 + QUIET_S) == []


def test_a_forgery_is_told_at_once_and_once_a_minute() -> None:
    trouble = Trouble()
    halt = "hedge/v1/control/halt"
    first = [("message_forged", f"bad_signature on {halt}")]
    assert told(trouble, rejected("bad_signature", 2, halt), 0.0) == first
    assert told(trouble, rejected("bad_signature", 1, halt), QUIET_S - 1) == []
    assert told(trouble, rejected("bad_signature", 1, halt), QUIET_S) == first
    assert told(trouble, rejected("late", 1, halt), QUIET_S) == []
