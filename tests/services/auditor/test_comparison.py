"""Forged, missing and altered rows are found once each; what is on its way is not missing."""

from fakes.orders import make_order
from msgspec import structs

from services.auditor.comparison import Comparison, Finding, NotAsSigned
from services.auditor.fold import expected_of
from shared.adapters.record import RecordedOrder
from shared.domain.orders import Order

GRACE_S = 5.0


def row(order: Order, number: int = 1) -> RecordedOrder:
    return RecordedOrder(
        number=number,
        order_id=order.order_id,
        epoch=1,
        received_ns=0,
        status="accepted",
        reason="",
        payload=repr(order).encode(),
    )


class Audit:
    """A comparison of a record that tests write, with what they expect."""

    def __init__(self) -> None:
        self.record: dict[int, Order | None] = {}
        self.journalled = 10
        self.folded = 10
        self.now_s = 100.0
        self.comparison = Comparison(self._read, GRACE_S)

    def expect(self, *decisions: int) -> None:
        for decision in decisions:
            self.comparison.expect(expected_of(make_order(decision)))

    def write(self, *decisions: int) -> None:
        self.record |= {decision: make_order(decision) for decision in decisions}

    def sweep(self) -> list[Finding]:
        """Read the whole record; a row without content is not as it was signed."""
        self.comparison.begin_sweep(self.now_s)
        found: list[Finding] = []
        for number, order in self.record.items():
            made = row(order or make_order(number), number)
            found += self.comparison.see(made, self.journalled)
        found += self.comparison.judge(self.folded)
        self.now_s += 1.0
        return [*found, *self.comparison.end_sweep()]

    def _read(self, made: RecordedOrder) -> Order:
        order = self.record[made.number]
        if order is None:
            raise NotAsSigned("bad_signature")
        return order


def kinds(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.kind, finding.order_id[-8:]) for finding in findings]


def name(decision: int) -> str:
    return make_order(decision).order_id[-8:]


def test_a_record_that_is_as_it_should_be_gives_no_finding() -> None:
    audit = Audit()
    audit.expect(1, 2, 3)
    audit.write(1, 2, 3)
    assert [audit.sweep() for _ in range(3)] == [[], [], []]
    assert (audit.comparison.expected, audit.comparison.rows) == (3, 3)


def test_a_row_that_no_journal_explains_is_forged() -> None:
    audit = Audit()
    audit.expect(1)
    audit.write(1, 2)
    assert kinds(audit.sweep()) == [("forged", name(2))]
    assert audit.sweep() == []


def test_a_row_is_not_forged_before_all_that_may_explain_it_is_folded() -> None:
    audit = Audit()
    audit.write(1)
    audit.folded = 9
    assert audit.sweep() == []
    audit.journalled = 20  # the journal goes on; the row was read when it ended at 10
    audit.folded = 10
    assert kinds(audit.sweep()) == [("forged", name(1))]


def test_a_row_that_is_folded_later_is_as_it_should_be() -> None:
    audit = Audit()
    audit.write(1)
    audit.folded = 9
    assert audit.sweep() == []
    audit.expect(1)
    audit.folded = 10
    assert audit.sweep() == []


def test_a_row_with_another_content_is_altered() -> None:
    audit = Audit()
    audit.expect(1, 2)
    audit.write(1)
    audit.record[2] = structs.replace(make_order(2), quantity=7.0)
    assert kinds(audit.sweep()) == [("altered", name(2))]
    assert audit.sweep() == []


def test_a_row_that_changes_after_it_was_judged_is_altered() -> None:
    audit = Audit()
    audit.expect(1)
    audit.write(1)
    assert audit.sweep() == []
    audit.record[1] = structs.replace(make_order(1), limit_price=1.0)
    assert kinds(audit.sweep()) == [("altered", name(1))]


def test_a_row_that_was_not_signed_so_is_altered_once() -> None:
    audit = Audit()
    audit.expect(1)
    audit.record[1] = None
    assert kinds(audit.sweep()) == [("altered", name(1))]
    assert audit.sweep() == []


def test_an_order_on_its_way_is_not_missing_however_long_it_takes() -> None:
    audit = Audit()
    audit.expect(1)
    assert [audit.sweep() for _ in range(30)] == [[]] * 30


def test_an_order_that_is_called_delivered_is_missing_after_the_grace_and_a_sweep() -> None:
    audit = Audit()
    audit.expect(1)
    audit.comparison.claim(make_order(1).event_ns - 1, audit.now_s)
    assert [audit.sweep() for _ in range(10)] == [[]] * 10
    audit.comparison.claim(make_order(1).event_ns, audit.now_s)
    assert [audit.sweep() for _ in range(5)] == [[]] * 5
    assert kinds(audit.sweep()) == [("missing", name(1))]
    assert audit.sweep() == []


def test_an_order_that_arrives_within_the_grace_is_not_missing() -> None:
    audit = Audit()
    audit.expect(1)
    audit.comparison.claim(make_order(1).event_ns, audit.now_s)
    assert audit.sweep() == []
    audit.write(1)
    assert [audit.sweep() for _ in range(10)] == [[]] * 10


def test_an_order_that_was_in_the_record_and_is_not_any_more_is_missing_at_once() -> None:
    audit = Audit()
    audit.expect(1, 2)
    audit.write(1, 2)
    assert audit.sweep() == []
    del audit.record[1]
    assert kinds(audit.sweep()) == [("missing", name(1))]
    assert audit.sweep() == []
