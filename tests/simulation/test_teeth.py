"""Deliberate bugs, one at a time: a campaign that does not find them is worth nothing (G3)."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest

from services.command.simulation.campaign import Simulator
from services.gateway.desk import Desk, SentOrder, Verdict
from services.hedger.relay import OrderRelay
from shared.adapters import record
from shared.adapters.record import OrderRecord
from shared.adapters.store import StoreTrouble
from shared.domain.gatekeeping.admission import Gatekeeper
from shared.domain.gatekeeping.exposure_book import ExposureBook
from shared.domain.gatekeeping.refusal import Refusal
from shared.runtime.delivery import Delivery
from shared.runtime.ledger import Ledger, StepOutput
from shared.runtime.outbox import OutboxRow
from shared.wire import keys
from shared.wire.messages import AckMessage

Patch = pytest.MonkeyPatch


def an_order_is_done_when_the_broker_has_it(patch: Patch) -> None:
    made = OrderRelay.__init__

    def make(self: OrderRelay, **parts: Any) -> None:  # noqa: ANN401 - passed on
        told = parts["on_sent"]

        def sent(row: OutboxRow, outcome: str) -> None:
            told(row, outcome)
            if outcome == "sent":
                answer = AckMessage(order_id=row.key, status="accepted", epoch=0)
                asyncio.get_running_loop().call_soon(self.receive, [answer])

        made(self, **{**parts, "on_sent": sent})

    patch.setattr(OrderRelay, "__init__", make)


def a_report_is_done_when_the_broker_has_it(patch: Patch) -> None:
    send = Delivery._send  # noqa: SLF001 - the bug is inside

    async def sent(self: Delivery, rows: Sequence[OutboxRow]) -> None:
        await send(self, rows)
        self.acknowledge([row.key for row in rows if row.topic.endswith("/executions")])

    patch.setattr(Delivery, "_send", sent)


def the_gateway_takes_an_id_again(patch: Patch) -> None:
    schema = record._SCHEMA.replace("order_id TEXT NOT NULL UNIQUE", "order_id TEXT NOT NULL")  # noqa: SLF001 - likewise
    patch.setattr(record, "_SCHEMA", schema)
    patch.setattr(OrderRecord, "known", lambda _, __: {})


def the_gateway_takes_any_epoch(patch: Patch) -> None:
    take = Desk.take

    async def taken(self: Desk, orders: Sequence[SentOrder]) -> list[Verdict]:
        high_water, self.epoch = self.epoch, min(self.epoch, *(sent.epoch for sent in orders), 1)
        try:
            return await take(self, orders)
        finally:
            self.epoch = max(self.epoch, high_water)

    patch.setattr(Desk, "take", taken)


def without_the_control(reason: str) -> Callable[[Patch], None]:
    def mutate(patch: Patch) -> None:
        stopped = Gatekeeper._stopped  # noqa: SLF001 - likewise

        def lets_pass(self: Gatekeeper, *arguments: Any) -> Refusal | None:  # noqa: ANN401 - passed on
            refusal = stopped(self, *arguments)
            return None if refusal is not None and refusal.reason == reason else refusal

        patch.setattr(Gatekeeper, "_stopped", lets_pass)

    return mutate


def the_outbox_is_written_after_the_cursor(patch: Patch) -> None:
    commit = Ledger.commit

    async def in_two(self: Ledger, output: StepOutput, **more: Any) -> int:  # noqa: ANN401 - passed on
        orders = output.entries.get(keys.outbox())
        if not orders:
            return await commit(self, output, **more)
        rest = {stream: rows for stream, rows in output.entries.items() if stream != keys.outbox()}
        await commit(self, StepOutput(rest, output.readable), **more)
        return await commit(self, StepOutput({keys.outbox(): orders}))

    patch.setattr(Ledger, "commit", in_two)


def an_answered_row_is_removed_at_most_once(patch: Patch) -> None:
    async def once(self: OrderRelay) -> None:
        while True:
            await self._some_answered.wait()
            self._some_answered.clear()
            indices, self._answered = self._answered, []
            with suppress(StoreTrouble):
                await self._store.settle(keys.outbox(), indices)

    patch.setattr(OrderRelay, "_remove_answered", once)


def open_orders_of_the_other_side_are_room(patch: Patch) -> None:
    patch.setattr(
        ExposureBook,
        "furthest",
        lambda self, measure, change, leg="": abs(self.size(measure, leg) + change),
    )


def the_size_of_one_order_is_no_matter(patch: Patch) -> None:
    patch.setattr(Gatekeeper, "_oversized", lambda *_: None)


BUGS: dict[Callable[[Patch], None], tuple[str, int]] = {
    an_order_is_done_when_the_broker_has_it: ("is lost", 40),
    a_report_is_done_when_the_broker_has_it: ("journal", 40),
    the_gateway_takes_an_id_again: ("was answered 2 times", 60),
    the_gateway_takes_any_epoch: ("came from epoch", 120),
    without_the_control("expired"): ("after its valid_until", 40),
    without_the_control("halted"): ("while its book was halted", 250),
    the_outbox_is_written_after_the_cursor: ("is lost", 60),
    an_answered_row_is_removed_at_most_once: ("in the outbox", 150),
    open_orders_of_the_other_side_are_room: ("holds a vega of", 150),
    the_size_of_one_order_is_no_matter: ("has a vega of", 120),
}
"""What a violation must say, and within how many seeds."""


SOON = 100
"""Seeds that every run of the tests can wait for."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("bug", "said", "seeds"),
    [
        pytest.param(bug, *bounds, marks=[pytest.mark.campaign] if bounds[1] > SOON else [])
        for bug, bounds in BUGS.items()
    ],
)
def test_a_deliberate_bug_is_found(
    bug: Callable[[Patch], None], said: str, seeds: int, simulator: Simulator, monkeypatch: Patch
) -> None:
    bug(monkeypatch)
    found = (simulator.run(seed).violations for seed in range(1, seeds + 1))
    assert any(said in violation for violations in found for violation in violations)
