import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.effects import (
    AlertRaised,
    Effect,
    LegTarget,
    OrderDecided,
    OrderWithheld,
    SizingStep,
    TargetChanged,
    TriggerChanged,
    WhipsawSuppressed,
)
from shared.domain.orders import Order
from shared.domain.signals_observed import Quality, Signal
from shared.wire.announcements import (
    alert_notice,
    announce,
    notice_of,
    order_from,
    order_message,
    signal_message,
)
from shared.wire.codec import MalformedMessage, decode, encode
from shared.wire.examples import EXAMPLES
from shared.wire.messages import (
    OrderMessage,
    SignalMessage,
    TargetMessage,
    TriggerMessage,
)
from shared.wire.notices import Notice
from shared.wire.times import format_instant

NOON = 1_517_832_000_000_000_001
NOON_TEXT = "2018-02-05T12:00:00.000000001Z"
finite = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(max_size=5)
instants = st.integers(0, 2**63 - 1)
orders = st.builds(
    Order,
    order_id=words,
    book=words,
    decision=st.integers(1, 2**40),
    leg=words,
    instrument=words,
    symbol=words,
    side=st.sampled_from(["buy", "sell"]),
    quantity=finite,
    target_quantity=finite,
    vega=finite,
    reference_price=finite,
    limit_price=finite,
    notional=finite,
    currency=words,
    event_ns=instants,
    journal_index=st.integers(0, 2**40),
    valid_until_ns=instants,
    trigger=words,
    reason=words,
    config_digest=words,
)
TARGET = TargetChanged(
    book="overlay",
    event_ns=NOON,
    decision=2,
    trigger="vix_move",
    multiplier=1.0,
    steps=(SizingStep(name="rule", multiplier=1.0, note="linear", binding=True),),
    target_vega=1000.0,
    current_vega=600.0,
    legs=(LegTarget(leg="a", symbol="VIX", vega=1.0, quantity=None, mark=None, weight=1.0),),
    quality=Quality.STALE,
    reference_vix=None,
    budget_used=0.5,
    at_floor=False,
    at_cap=True,
)
TRIGGER = TriggerChanged(
    book="overlay",
    event_ns=NOON,
    trigger="greek.delta",
    state="firing",
    previous="pending",
    since_ns=NOON - 1,
    observations=3,
    sessions=1,
    inputs={"delta": 0.5},
    reference=None,
    reason="outside its band",
)
WHIPSAW = WhipsawSuppressed(
    book="overlay",
    trigger="vix_move",
    since_ns=0,
    event_ns=NOON,
    observations=2,
    peak={"vix": 25.0},
)
WITHHELD = OrderWithheld(
    book="overlay", event_ns=NOON, decision=2, leg="a", control="mark", figures={"mark": 1.0}
)
ALERT = AlertRaised(
    book="overlay",
    event_ns=NOON,
    severity="critical",
    what="stale_signal",
    where="vix",
    figures={"age_s": 61.0},
    runbook="Look at the feed.",
)


@pytest.mark.parametrize(
    ("effect", "topic", "retain"),
    [
        (TARGET, "hedge/v1/books/overlay/target", True),
        (TRIGGER, "hedge/v1/books/overlay/triggers/greek.delta", True),
        (WHIPSAW, "hedge/v1/books/overlay/whipsaws", False),
        (WITHHELD, "hedge/v1/books/overlay/withheld", False),
        (ALERT, "hedge/v1/alerts/critical", False),
    ],
)
def test_an_effect_is_announced_with_all_its_fields(
    effect: Effect, topic: str, *, retain: bool
) -> None:
    announcement = announce(effect)
    assert announcement is not None
    assert (announcement.topic, announcement.retain) == (topic, retain)
    message = announcement.message
    assert decode(type(message), encode(message)) == message
    written = msgspec.to_builtins(message)
    assert written.pop("event_time") == NOON_TEXT
    since = written.pop("since", None)
    inside = msgspec.to_builtins(effect)
    assert since == (format_instant(inside["since_ns"]) if "since_ns" in inside else None)
    kept = {name: inside[name] for name in inside.keys() - {"type", "event_ns", "since_ns"}}
    assert written == kept


@pytest.mark.parametrize(
    ("effect", "field"), [(TRIGGER, "inputs"), (WHIPSAW, "peak"), (WITHHELD, "figures")]
)
def test_a_figure_that_json_cannot_say_is_left_out(effect: Effect, field: str) -> None:
    wild = {"limit": math.inf, "change": -math.inf, "ratio": math.nan, "vega": 400.0}
    announcement = announce(msgspec.structs.replace(effect, **{field: wild}))
    assert announcement is not None
    read = decode(type(announcement.message), encode(announcement.message))
    assert getattr(read, field) == {"vega": 400.0}


@pytest.mark.parametrize("effect", [TARGET, TRIGGER, WHIPSAW, WITHHELD, ALERT])
def test_a_notice_is_the_announcement_as_bytes(effect: Effect) -> None:
    announcement, notice = announce(effect), notice_of(effect)
    assert announcement is not None
    assert notice == Notice(announcement.topic, encode(announcement.message), announcement.retain)
    if isinstance(effect, AlertRaised):
        assert notice == alert_notice(effect)


def test_parts_of_a_target_keep_their_types() -> None:
    announcement = announce(TARGET)
    assert announcement is not None
    assert isinstance(announcement.message, TargetMessage)
    assert announcement.message.steps[0].note == "linear"
    assert announcement.message.legs[0].quantity is None
    assert announcement.message.quality == "stale"


def test_a_trigger_says_since_when() -> None:
    announcement = announce(TRIGGER)
    assert announcement is not None
    assert isinstance(announcement.message, TriggerMessage)
    assert announcement.message.since == "2018-02-05T12:00:00Z"


@given(orders, st.integers(0, 2**40))
def test_an_order_comes_back_from_the_wire_exactly(order: Order, epoch: int) -> None:
    message = decode(OrderMessage, encode(order_message(order, epoch=epoch, sequence=1)))
    assert order_from(message) == order
    assert message.epoch == epoch


@given(orders)
def test_an_order_goes_by_the_outbox_and_is_not_announced(order: Order) -> None:
    assert announce(OrderDecided(order=order)) is None
    assert notice_of(OrderDecided(order=order)) is None


@pytest.mark.parametrize("text", ["soon", "2018-02-05T12:00:00", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("field", ["event_time", "valid_until"])
def test_an_order_whose_time_is_none_is_malformed(field: str, text: str) -> None:
    good = next(example for example in EXAMPLES if isinstance(example, OrderMessage))
    with pytest.raises(MalformedMessage):
        order_from(msgspec.structs.replace(good, **{field: text}))


def test_a_signal_says_how_old_it_is() -> None:
    signal = Signal(
        value=18.0,
        unit="points",
        quality=Quality.GOOD,
        event_ns=NOON,
        observations=7,
        have=1,
        need=2,
    )
    assert signal_message("vix", signal) == SignalMessage(
        name="vix",
        value=18.0,
        unit="points",
        quality="good",
        event_time=NOON_TEXT,
        have=1,
        need=2,
    )


def test_a_signal_before_its_first_tick_has_no_time() -> None:
    signal = Signal(value=None, unit="state", quality=Quality.WARMING, state="low")
    message = signal_message("regime", signal)
    assert message.event_time is None
    assert message.state == "low"
    assert decode(SignalMessage, encode(message)) == message
