"""Commands at the edge (spec section 9; promises E1): one test for each way to be refused."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest
from fakes.keys import make_keyring, write_keys
from fakes.messages import message
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from prometheus_client import CollectorRegistry

from services.ingest.commands import AHEAD_NS, CONTROLS, OLDEST_NS
from services.ingest.metrics import IngestMetrics
from services.ingest.step import IngestPolicy, IngestState, IngestStep, Taken
from shared.adapters.keyring import ROLES, Keyring, Role
from shared.domain.events import RebalanceRequested
from shared.domain.instants import SECOND
from shared.domain.policies import IntakePolicy, SymbolPolicy
from shared.domain.trading import TradingState, TradingStateSet
from shared.wire import codec, topics
from shared.wire.messages import (
    AckMessage,
    RebalanceMessage,
    RejectMessage,
    SealedMessage,
    TradingCommandMessage,
    TradingStateMessage,
)
from shared.wire.times import format_instant

NOON = 1_383_134_400 * SECOND  # 2013-10-30
LIVE = IngestPolicy(
    intake=IntakePolicy(symbols={"VIX": SymbolPolicy()}),
    books=frozenset(("overlay", "tail")),
    clock_from_feed=False,
    clock_interval_ns=10**18,  # no clock event stands between what is looked at here
)
REPLAY = structs.replace(LIVE, clock_from_feed=True)
KEYS = make_keyring()
STRANGER = make_keyring()

HALT = TradingCommandMessage(
    scope="all", state="halted", reason="drill", operator="ann", issued_at=NOON
)
RESUME = structs.replace(HALT, state="active")
REBALANCE = RebalanceMessage(scope="overlay", reason="review", operator="ann", issued_at=NOON)
STOPPED = TradingStateMessage(
    scope="overlay",
    state="halted",
    authority="gateway",
    operator="order_rate",
    reason="5 orders in a minute",
    since=format_instant(NOON),
)
SAID: dict[str, tuple[Role, SealedMessage]] = {
    topics.HALT: ("operator", HALT),
    topics.RESUME: ("operator", RESUME),
    topics.REBALANCE: ("operator", REBALANCE),
    topics.GATEWAY_STATE: ("gateway", STOPPED),
}


def fresh(policy: IngestPolicy = LIVE) -> IngestStep:
    step = IngestStep(policy, IngestState(), KEYS)
    step.receive([], NOON)  # the first clock event of a live one
    return step


def sealed(topic: str, said: SealedMessage | None = None, role: Role | None = None) -> bytes:
    """What its rightful sender says on a topic, or something else, or somebody else."""
    usual_role, usual = SAID[topic]
    return KEYS.seal(role or usual_role, topic, said or usual)


def receive(step: IngestStep, topic: str, payload: bytes, now_ns: int = NOON) -> Taken:
    return step.receive([message(topic, payload)], now_ns)


def taken(
    step: IngestStep, topic: str, payload: bytes, now_ns: int = NOON
) -> TradingStateSet | RebalanceRequested:
    """The one event that a command became."""
    outcome = receive(step, topic, payload, now_ns)
    assert outcome.rejects == []
    (event,) = outcome.items
    assert isinstance(event, TradingStateSet | RebalanceRequested)
    return event


def refusal(step: IngestStep, topic: str, payload: bytes, now_ns: int = NOON) -> RejectMessage:
    """Refuse a command: told with its bytes, and nothing else has changed."""
    before = step.snapshot()
    outcome = receive(step, topic, payload, now_ns)
    assert outcome.items == []
    assert step.snapshot() == before
    (letter,) = outcome.rejects
    assert (letter.topic, letter.payload, letter.truncated) == (topic, payload, False)
    return letter


# --- what is taken ---------------------------------------------------------------------------


def test_an_operator_asks_for_a_rebalance() -> None:
    assert taken(fresh(), topics.REBALANCE, sealed(topics.REBALANCE)) == RebalanceRequested(
        scope="overlay", operator="ann", reason="review", event_ns=NOON
    )


@pytest.mark.parametrize(
    ("topic", "state"),
    [(topics.HALT, "halted"), (topics.HALT, "reducing"), (topics.RESUME, "active")],
)
def test_an_operator_sets_a_trading_state(topic: str, state: str) -> None:
    said = msgspec.convert(msgspec.to_builtins(HALT) | {"state": state}, TradingCommandMessage)
    assert taken(fresh(), topic, sealed(topic, said)) == TradingStateSet(
        scope="all",
        state=TradingState(state),
        authority="operator",
        operator="ann",
        reason="drill",
        event_ns=NOON,
    )


@pytest.mark.parametrize("state", ["halted", "reducing"])
def test_the_auditor_halts(state: str) -> None:
    said = msgspec.convert(msgspec.to_builtins(HALT) | {"state": state}, TradingCommandMessage)
    event = taken(fresh(), topics.HALT, sealed(topics.HALT, said, "auditor"))
    assert isinstance(event, TradingStateSet)
    assert (event.authority, event.state) == ("auditor", TradingState(state))


@pytest.mark.parametrize("state", ["halted", "reducing"])
def test_the_desk_halts(state: str) -> None:
    said = msgspec.convert(msgspec.to_builtins(HALT) | {"state": state}, TradingCommandMessage)
    event = taken(fresh(), topics.HALT, sealed(topics.HALT, said, "desk"))
    assert isinstance(event, TradingStateSet)
    assert (event.authority, event.operator, event.state) == ("desk", "ann", TradingState(state))


def test_the_desk_asks_for_a_rebalance_in_the_name_of_who_is_logged_in() -> None:
    event = taken(fresh(), topics.REBALANCE, sealed(topics.REBALANCE, role="desk"))
    assert isinstance(event, RebalanceRequested)
    assert (event.operator, event.reason) == ("ann", "review")


@pytest.mark.parametrize("state", list(TradingState))
def test_the_gateway_tells_what_it_did(state: TradingState) -> None:
    said = msgspec.convert(msgspec.to_builtins(STOPPED) | {"state": state}, TradingStateMessage)
    assert taken(
        fresh(), topics.GATEWAY_STATE, sealed(topics.GATEWAY_STATE, said)
    ) == TradingStateSet(
        scope="overlay",
        state=state,
        authority="gateway",
        operator="order_rate",
        reason="5 orders in a minute",
        event_ns=NOON,
    )


def test_a_key_that_is_rotated_in_begins_its_own_series() -> None:
    """Two operators' consoles need not agree on the time to the nanosecond."""
    step = fresh()
    taken(step, topics.HALT, sealed(topics.HALT))
    by_auditor = structs.replace(HALT, issued_at=NOON - 1)
    taken(step, topics.HALT, sealed(topics.HALT, by_auditor, "auditor"))


def test_the_gateway_stops_two_books_in_one_instant() -> None:
    step = fresh()
    for scope in ("overlay", "tail", "all"):
        said = structs.replace(STOPPED, scope=scope)
        taken(step, topics.GATEWAY_STATE, sealed(topics.GATEWAY_STATE, said))


def test_what_the_gateway_did_is_taken_however_late_it_comes() -> None:
    payload = sealed(topics.GATEWAY_STATE)
    taken(fresh(), topics.GATEWAY_STATE, payload, NOON + 10 * OLDEST_NS)


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("topic", CONTROLS)
@pytest.mark.parametrize(
    "cut",
    [
        lambda payload: payload.partition(b"\n")[0],
        lambda payload: payload.partition(b"\n")[0] + b"\n",
        lambda payload: payload[:-1],
        lambda payload: payload[:-4],
        lambda _: b"",
        lambda _: b"halt!",
    ],
)
def test_what_is_not_signed(topic: str, cut: object) -> None:
    assert callable(cut)
    assert refusal(fresh(), topic, cut(sealed(topic))).reason == "unsigned"


@pytest.mark.parametrize("topic", CONTROLS)
def test_what_is_signed_by_a_stranger(topic: str) -> None:
    role, said = SAID[topic]
    assert refusal(fresh(), topic, STRANGER.seal(role, topic, said)).reason == "unknown_key"


ENTITLED: dict[str, tuple[Role, ...]] = {
    topics.HALT: ("operator", "desk", "auditor"),
    topics.RESUME: ("operator",),
    topics.REBALANCE: ("operator", "desk"),
    topics.GATEWAY_STATE: ("gateway",),
}


@pytest.mark.parametrize(
    ("topic", "role"),
    [(topic, role) for topic in CONTROLS for role in ROLES if role not in ENTITLED[topic]],
)
def test_what_is_signed_in_a_role_that_may_not_say_it(topic: str, role: Role) -> None:
    assert refusal(fresh(), topic, sealed(topic, role=role)).reason == "unknown_key"


@pytest.mark.parametrize("topic", CONTROLS)
def test_what_was_altered(topic: str) -> None:
    body, _, signature = sealed(topic).partition(b"\n")
    altered = body.replace(b'"all"', b'"tail"').replace(b'"overlay"', b'"tail"')
    assert altered != body
    assert refusal(fresh(), topic, altered + b"\n" + signature).reason == "bad_signature"


@pytest.mark.parametrize(
    ("meant", "sent"), [(a, b) for a in CONTROLS for b in CONTROLS if SAID[a][0] == SAID[b][0]]
)
def test_what_was_said_on_another_topic(meant: str, sent: str) -> None:
    if meant == sent:
        return
    reason = refusal(fresh(), sent, sealed(meant)).reason
    assert reason in {"bad_signature", "malformed"}  # a rebalance names no state


@pytest.mark.parametrize("topic", CONTROLS)
def test_what_is_meant_for_another_environment(topic: str, tmp_path: Path) -> None:
    """The same keys in both, which nobody should do."""
    role, said = SAID[topic]
    paper, live = (Keyring.load(write_keys(tmp_path), name) for name in ("paper", "live"))
    step = IngestStep(REPLAY, IngestState(), live)
    assert refusal(step, topic, paper.seal(role, topic, said)).reason == "wrong_environment"


@pytest.mark.parametrize("topic", CONTROLS)
def test_what_is_signed_and_is_no_such_message(topic: str) -> None:
    role = SAID[topic][0]
    ack = AckMessage(order_id="x", status="accepted", epoch=1)
    assert refusal(fresh(), topic, KEYS.seal(role, topic, ack)).reason == "malformed"


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        (topics.HALT, structs.replace(HALT, issued_at="soon")),
        (topics.HALT, structs.replace(HALT, operator="")),
        (topics.HALT, structs.replace(HALT, scope="all books")),
        (topics.REBALANCE, structs.replace(REBALANCE, issued_at=-1)),
        (topics.GATEWAY_STATE, structs.replace(STOPPED, since="soon")),
    ],
)
def test_what_is_signed_and_does_not_fit_its_schema(topic: str, said: SealedMessage) -> None:
    assert refusal(fresh(), topic, sealed(topic, said)).reason == "malformed"


@pytest.mark.parametrize("topic", CONTROLS)
def test_what_is_for_a_book_that_we_do_not_have(topic: str) -> None:
    said = msgspec.convert(
        msgspec.to_builtins(SAID[topic][1]) | {"scope": "other"}, type(SAID[topic][1])
    )
    letter = refusal(fresh(), topic, sealed(topic, said))
    assert (letter.reason, letter.detail) == ("unknown_book", "other")


def test_a_halt_that_would_lift() -> None:
    assert refusal(fresh(), topics.HALT, sealed(topics.HALT, RESUME)).reason == "wrong_state"
    for role in ENTITLED[topics.HALT]:
        payload = sealed(topics.HALT, RESUME, role)
        assert refusal(fresh(), topics.HALT, payload).reason == "wrong_state"


@pytest.mark.parametrize("state", ["halted", "reducing"])
def test_a_resume_that_would_stop(state: str) -> None:
    said = msgspec.convert(msgspec.to_builtins(HALT) | {"state": state}, TradingCommandMessage)
    assert refusal(fresh(), topics.RESUME, sealed(topics.RESUME, said)).reason == "wrong_state"


@pytest.mark.parametrize("authority", ["operator", "auditor"])
def test_a_gateway_that_speaks_for_somebody_else(authority: str) -> None:
    said = msgspec.convert(
        msgspec.to_builtins(STOPPED) | {"authority": authority}, TradingStateMessage
    )
    letter = refusal(fresh(), topics.GATEWAY_STATE, sealed(topics.GATEWAY_STATE, said))
    assert letter.reason == "wrong_state"


@pytest.mark.parametrize("policy", [LIVE, REPLAY])
@pytest.mark.parametrize("topic", CONTROLS)
def test_what_was_said_before(topic: str, policy: IngestPolicy) -> None:
    step = fresh(policy)
    payload = sealed(topic)
    taken(step, topic, payload)
    assert refusal(step, topic, payload).reason == "stale_command"


def test_what_was_said_before_a_restart() -> None:
    step = fresh()
    payload = sealed(topics.RESUME)
    taken(step, topics.RESUME, payload)
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(step.snapshot()), type=IngestState)
    again = IngestStep(LIVE, state, KEYS)
    assert refusal(again, topics.RESUME, payload).reason == "stale_command"


def test_what_was_said_before_something_later() -> None:
    """A resume that an attacker kept back until after the next halt."""
    step = fresh()
    kept = sealed(topics.RESUME)
    later = structs.replace(HALT, issued_at=NOON + 1)
    taken(step, topics.HALT, sealed(topics.HALT, later))
    assert refusal(step, topics.RESUME, kept).reason == "stale_command"


@pytest.mark.parametrize("topic", [topics.HALT, topics.RESUME, topics.REBALANCE])
def test_what_is_older_than_a_minute_by_the_wall_clock(topic: str) -> None:
    payload = sealed(topic)
    letter = refusal(fresh(), topic, payload, NOON + OLDEST_NS + 1)
    assert (letter.reason, letter.detail) == ("stale_command", "60.0 s old by our clock")
    taken(fresh(), topic, payload, NOON + OLDEST_NS)
    taken(fresh(REPLAY), topic, payload, NOON + 10 * OLDEST_NS)


@pytest.mark.parametrize("topic", [topics.HALT, topics.RESUME, topics.REBALANCE])
def test_what_is_of_the_future(topic: str) -> None:
    payload = sealed(topic)
    assert refusal(fresh(), topic, payload, NOON - AHEAD_NS - 1).reason == "stale_command"
    taken(fresh(), topic, payload, NOON - AHEAD_NS)


def test_a_refused_command_uses_nothing_up() -> None:
    """An older one of the same key is still news."""
    step = fresh()
    refusal(step, topics.HALT, sealed(topics.HALT, structs.replace(RESUME, issued_at=NOON + 5)))
    other = structs.replace(HALT, scope="other", issued_at=NOON + 5)
    refusal(step, topics.HALT, sealed(topics.HALT, other))
    taken(step, topics.HALT, sealed(topics.HALT))


# --- an attacker with all rights at the broker -----------------------------------------------


class Attacker:
    """Has every message that was ever sent, and keys of their own; not ours."""

    def __init__(self, overheard: Sequence[tuple[str, bytes]], random: Random) -> None:
        self._overheard = overheard
        self._random = random
        self._ways = (self._alter, self._replay, self._redirect, self._forge, self._graft)

    def attack(self) -> tuple[str, bytes]:
        """Think of the next message."""
        return self._random.choice(self._ways)()

    def _alter(self) -> tuple[str, bytes]:
        topic, payload = self._random.choice(self._overheard)
        at = self._random.randrange(len(payload))
        changed = bytes([payload[at] ^ (1 << self._random.randrange(8))])
        return topic, payload[:at] + changed + payload[at + 1 :]

    def _replay(self) -> tuple[str, bytes]:
        return self._random.choice(self._overheard)

    def _redirect(self) -> tuple[str, bytes]:
        topic, payload = self._random.choice(self._overheard)
        return self._random.choice([other for other in CONTROLS if other != topic]), payload

    def _forge(self) -> tuple[str, bytes]:
        topic = self._random.choice(CONTROLS)
        role, said = SAID[topic]
        return topic, STRANGER.seal(role, topic, said)

    def _graft(self) -> tuple[str, bytes]:
        """Write a later command under a known key's name, signed with one of their own."""
        topic = self._random.choice([topics.HALT, topics.RESUME])
        key_id = codec.decode(SealedMessage, sealed(topic).partition(b"\n")[0]).key_id
        later = structs.replace(RESUME, issued_at=NOON + 10**9 + self._random.randrange(10**9))
        known = codec.encode(structs.replace(later, environment="paper", key_id=key_id))
        _, _, signature = STRANGER.seal("operator", topic, later).partition(b"\n")
        return topic, known + b"\n" + signature


def overheard(step: IngestStep) -> list[tuple[str, bytes]]:
    """A day of good commands, all of them taken."""
    found = []
    for number in range(1, 41):
        topic = CONTROLS[number % len(CONTROLS)]
        role, said = SAID[topic]
        at = (
            {"since": format_instant(NOON + number)}
            if role == "gateway"
            else {"issued_at": NOON + number}
        )
        payload = KEYS.seal(role, topic, structs.replace(said, **at))
        taken(step, topic, payload)
        found.append((topic, payload))
    return found


@pytest.mark.parametrize("policy", [LIVE, REPLAY], ids=["live", "replay"])
def test_of_10000_forged_altered_and_replayed_commands_none_is_believed_and_each_is_counted(
    policy: IngestPolicy,
) -> None:
    step, count = fresh(policy), 10_000
    registry = CollectorRegistry()
    metrics = IngestMetrics(registry, frozenset())
    attacker = Attacker(overheard(step), Random(1))  # noqa: S311 - a seeded attacker
    before = step.snapshot()
    reasons: Counter[str] = Counter()
    for _ in range(count):
        outcome = receive(step, *attacker.attack())
        assert outcome.items == []
        metrics.taken(outcome, 0.0)
        reasons.update(letter.reason for letter in outcome.rejects)
    assert step.snapshot() == before
    assert reasons.total() == count
    expected = {"unsigned", "malformed", "unknown_key", "bad_signature", "stale_command"}
    assert expected <= set(reasons)
    assert min(reasons[reason] for reason in expected) > 100
    for reason, number in reasons.items():
        sample = registry.get_sample_value("hedge_commands_refused_total", {"reason": reason})
        assert sample == number


def test_commands_that_are_taken_are_counted_by_what_they_do() -> None:
    registry = CollectorRegistry()
    metrics = IngestMetrics(registry, frozenset())
    step = fresh()
    overhearing = [message(topic, sealed(topic)) for topic in (topics.HALT, topics.GATEWAY_STATE)]
    metrics.taken(step.receive(overhearing, NOON), 0.0)
    later = structs.replace(REBALANCE, issued_at=NOON + 1)
    metrics.taken(receive(step, topics.REBALANCE, sealed(topics.REBALANCE, later)), 0.0)
    counted = {
        kind: registry.get_sample_value("hedge_commands_total", {"kind": kind})
        for kind in ("halted", "rebalance", "active")
    }
    assert counted == {"halted": 2, "rebalance": 1, "active": None}


@given(st.binary(max_size=300), st.sampled_from(CONTROLS))
def test_no_bytes_whatever_are_a_command(payload: bytes, topic: str) -> None:
    assert refusal(fresh(), topic, payload).reason in {"unsigned", "malformed", "unknown_key"}
