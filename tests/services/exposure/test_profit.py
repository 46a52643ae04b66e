"""A book's profit, from the journal to the hash, the message, Prometheus and the alerts."""

import msgspec
from fakes.exposures import CHAIN, NOW, monitor, quotes
from prometheus_client import CollectorRegistry

from services.exposure.metrics import ExposureMetrics
from services.exposure.step import ExposureStep
from shared.adapters.store import Entry
from shared.domain.events import ClockAdvanced, ExecutionKind, ExecutionReported
from shared.domain.exposure.attribution import PARTS
from shared.domain.exposure.engine import ExposureMonitor, ExposureState
from shared.domain.exposure.layout import ExposureBook
from shared.domain.exposure.observed import ExposureObserved
from shared.domain.exposure.policy import ExposurePolicy
from shared.domain.instants import SECOND
from shared.domain.tick_block import TickBlock
from shared.wire import keys
from shared.wire.codec import decode, encode
from shared.wire.exposures import exposure_message
from shared.wire.journal import JournalEntry, SingleEvent, encode_entry
from shared.wire.messages import AlertMessage, ExposureMessage
from shared.wire.notices import decode_notice

BOOK = ExposureBook(name="a", opening={CHAIN[5].symbol: 10.0}, legs={"stock": "SPX"})
FILL = ExecutionReported(
    book="a",
    order_id="a-00000001-stock",
    execution_id="x",
    kind=ExecutionKind.FILL,
    quantity=-500.0,
    price=100.5,
    event_ns=NOW + SECOND,
)


def make(state: ExposureState | None) -> ExposureMonitor:
    return monitor(BOOK, state=state)


def entries(*of_items: tuple[TickBlock | SingleEvent, ...]) -> list[Entry]:
    return [
        Entry(keys.journal(), index, encode_entry(JournalEntry(100 * index, 0, items)))
        for index, items in enumerate(of_items, 1)
    ]


JOURNAL = entries(
    (quotes(NOW, 100.0), ClockAdvanced(event_ns=NOW)),
    (quotes(NOW + SECOND, 101.0), FILL),
    (quotes(NOW + 2 * SECOND, 99.0), ClockAdvanced(event_ns=NOW + 2 * SECOND)),
)


def last() -> tuple[ExposureStep, ExposureObserved]:
    step = ExposureStep(make, None)
    step.receive(JOURNAL)
    return step, step.latest["a"]


def test_the_message_tells_every_part_and_their_sum_is_the_total() -> None:
    _, observed = last()
    message = decode(ExposureMessage, encode(exposure_message(observed)))
    assert message.profit is not None
    for account in (message.profit.session, message.profit.inception):
        assert tuple(account.parts) == PARTS
        assert account.total - sum(account.parts.values()) == account.unexplained
    assert message.profit.inception.parts["gamma"] > 0 > message.profit.inception.parts["theta"]
    assert message.profit.inception.parts["trades"] != 0


def test_the_hash_for_people_has_every_part() -> None:
    fields = ExposureStep(make, None).receive(JOURNAL).readable[keys.exposure("a")]
    for since in ("session", "inception"):
        for part in (*PARTS, "total", "unexplained"):
            assert fields[f"profit.{since}.{part}"].split()[1] == "currency"


def test_prometheus_has_a_bounded_gauge_of_every_part() -> None:
    registry = CollectorRegistry()
    metrics = ExposureMetrics(registry, None, 5)
    step, observed = last()
    metrics.follow(lambda: step.latest, lambda: 0, lambda: 0, lambda: 2)
    assert observed.profit is not None
    for since, account in (
        ("session", observed.profit.session),
        ("inception", observed.profit.inception),
    ):
        expected = {**account.parts, "total": account.total, "unexplained": account.unexplained}
        for part, value in expected.items():
            labels = {"book": "a", "since": since, "part": part}
            assert registry.get_sample_value("hedge_profit_dollars", labels) == value
    assert registry.get_sample_value("hedge_profit_waiting_positions", {"book": "a"}) == 0
    assert registry.get_sample_value("hedge_model_error_expiries") == 2


def test_however_the_journal_is_cut_and_resumed_the_profit_is_the_same() -> None:
    _, whole = last()
    for at in range(1, len(JOURNAL)):
        first = ExposureStep(make, None)
        first.receive(JOURNAL[:at])
        second = ExposureStep(make, first.snapshot())
        second.receive(JOURNAL[at:])
        assert second.latest["a"].profit == whole.profit
        assert msgspec.msgpack.encode(second.latest["a"]) == msgspec.msgpack.encode(whole)


def test_too_much_unexplained_is_announced_with_what_to_do() -> None:
    strict = ExposurePolicy(unexplained_share=1e-9, unexplained_least=0.0, unexplained_hold_ns=0)

    def made(state: ExposureState | None) -> ExposureMonitor:
        return monitor(BOOK, policy=strict, state=state)

    output = ExposureStep(made, None).receive(JOURNAL)
    notices = map(decode_notice, output.entries[keys.announcements("exposure")])
    alerts = [decode(AlertMessage, notice.payload) for notice in notices]
    (alert,) = [each for each in alerts if each.what == "profit_unexplained"]
    assert (alert.book, alert.severity) == ("a", "warning")
    assert {"unexplained", "limit", "total"} == alert.figures.keys()
    assert alert.runbook
