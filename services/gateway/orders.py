"""Orders as they come in: whose they are, whether they wait, what they are answered.

An order waits, unanswered, until the gateway has read of the market what it was decided on: else a
jump that made the order would look like a price beyond all bounds. What is not believed (a wrong
seal, another's topic) is counted and gets no answer: whoever sent it is not our hedger.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

import structlog
from msgspec import Struct

from services.gateway.desk import Desk, SentOrder, Verdict
from services.gateway.metrics import GatewayMetrics
from shared.adapters.bus import Bus, Message, Publication
from shared.adapters.keyring import Forged, Keyring
from shared.domain.events import ExecutionReported
from shared.domain.orders import Order
from shared.wire import topics
from shared.wire.announcements import order_from
from shared.wire.codec import MalformedMessage
from shared.wire.messages import AckMessage, OrderMessage

log = structlog.get_logger()

_LOOK_S: Final = 0.25
_OPENED_AT_ONCE: Final = 16
ANSWERED_AT_ONCE: Final = 32
_ORDER_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,160}")
"""As `OrderId` on the wire: of another kind nothing could be reported."""


class _Waiting(Struct):
    message: Message
    order: Order
    epoch: int
    sequence: int
    is_new: bool = False
    """Whether its id is known to be new: then it stays so until it is answered."""


class OrderIntake:
    """Takes orders off the bus, and answers those that wait together.

    So few at a time that a command, which comes between two groups, need not wait long.

    Args:
        bus: Subscribed to orders.
        keyring: Believes the monitor, signs as the gateway.
        desk: Decides.
        metrics: What is counted.
        on_life: Told of an order that the hedger can have sent just now.
        on_wait: Told that an order waits for the journal to be read.
        on_refused: Told, before the hedger is, of the reports that refusals made.
        on_forged: Told that somebody sends what is not the hedger's, and why it is not.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        bus: Bus,
        keyring: Keyring,
        desk: Desk,
        metrics: GatewayMetrics,
        on_life: Callable[[], Awaitable[None]],
        on_wait: Callable[[], None],
        on_refused: Callable[[Sequence[ExecutionReported]], Awaitable[None]],
        on_forged: Callable[[str, str], None],
    ) -> None:
        self._bus = bus
        self._keyring = keyring
        self._desk = desk
        self._metrics = metrics
        self._on_life = on_life
        self._on_wait = on_wait
        self._on_refused = on_refused
        self._on_forged = on_forged
        self._waiting: dict[str, _Waiting] = {}
        self._news = asyncio.Event()

    def look_again(self) -> None:
        """The market has moved: judge what waited for that."""
        if self._waiting:
            self._news.set()

    async def run(self) -> None:
        """Take orders until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(), name="listen")
            tasks.create_task(self._answer(tasks), name="answer")

    async def _listen(self) -> None:
        while True:
            for message in await self._bus.next_batch(_OPENED_AT_ONCE):
                self._receive(message)
            await asyncio.sleep(0)  # a flood of orders shall not stand before a command

    def _receive(self, message: Message) -> None:
        try:
            waiting = self._open(message)
        except (MalformedMessage, Forged) as error:
            reason = error.reason if isinstance(error, Forged) else "malformed"
            self._disbelieve(message, reason, str(error))
            return
        former = self._waiting.pop(waiting.order.order_id, None)
        if former is not None:  # sent again before it was answered
            former.message.ack()
            self._metrics.order_taken("repeated")
        self._waiting[waiting.order.order_id] = waiting
        if self._must_wait(waiting):  # what it was decided on is read meanwhile
            self._on_wait()
        self._news.set()

    def _open(self, message: Message) -> _Waiting:
        if message.retain:  # what a new subscriber is told is no order
            raise Forged("retained", "a topic's last value: old news")
        wire = self._keyring.open("monitor", message.topic, message.payload, OrderMessage)
        order = order_from(wire)
        if _ORDER_ID.fullmatch(order.order_id) is None:
            raise MalformedMessage(f"{order.order_id[:160]!r} cannot be an order's id")
        if order.book not in self._desk.books or message.topic != topics.orders(order.book):
            raise Forged("wrong_book", f"an order of {order.book[:64]!r} on {message.topic}")
        return _Waiting(message, order, wire.epoch, wire.sequence)

    def _disbelieve(self, message: Message, reason: str, detail: str) -> None:
        log.error("order_disbelieved", topic=message.topic, reason=reason, detail=detail)
        self._metrics.order_refused(reason)
        self._on_forged(reason, message.topic)
        message.ack()

    async def _answer(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()
            while group := self._next_group():
                answers = await self._answer_group(group)
                # the next orders do not wait until the broker has these
                tasks.create_task(self._tell(answers))

    def _next_group(self) -> list[_Waiting]:
        """Return the next orders, of those that need not wait; at most so many."""
        rows = sorted(self._waiting.values(), key=lambda row: (row.order.event_ns, row.sequence))
        group: list[_Waiting] = []
        for row in rows:
            if self._must_wait(row):
                self._on_wait()
                continue
            group.append(row)
            if len(group) == ANSWERED_AT_ONCE:
                break
        return group

    def _must_wait(self, row: _Waiting) -> bool:
        """Whether an order must wait; that its id is new is looked up once."""
        row.is_new = self._desk.must_wait(row.order, is_new=row.is_new)
        return row.is_new

    async def _answer_group(self, group: Sequence[_Waiting]) -> list[tuple[str, AckMessage]]:
        """Answer orders; returns topics and answers."""
        for row in group:
            del self._waiting[row.order.order_id]
        if any(row.epoch >= self._desk.epoch for row in group):
            await self._on_life()
        verdicts = await self._desk.take(
            [SentOrder(row.order, row.epoch, row.message.payload) for row in group]
        )
        reports = [verdict.report for verdict in verdicts if verdict.report is not None]
        if reports:
            await self._on_refused(reports)
        return [
            (topics.acks(row.order.book), self._answered(row, verdict))
            for row, verdict in zip(group, verdicts, strict=True)
        ]

    def _answered(self, row: _Waiting, verdict: Verdict) -> AckMessage:
        row.message.ack()
        status = _status(verdict)
        self._metrics.order_taken(status)
        if verdict.label not in {"accepted", "known"}:
            self._metrics.order_refused(verdict.label)
        name = row.order.order_id
        log.info("order_taken", order_id=name, status=status, reason=verdict.reason)
        return AckMessage(order_id=name, status=status, reason=verdict.reason, epoch=row.epoch)

    async def _tell(self, answers: Sequence[tuple[str, AckMessage]]) -> None:
        """Tell answers, once there is a connection: what the broker kept for us comes before."""
        await self._bus.connected.wait()
        sealed = [
            Publication(topic, self._keyring.seal("gateway", topic, answer))
            for topic, answer in answers
        ]
        outcomes = await self._bus.publish_all(sealed)
        for (_, answer), failure in zip(answers, outcomes, strict=True):
            if failure is not None:  # the hedger sends it again, and is told
                log.warning("answer_lost", order_id=answer.order_id, error=str(failure))


def _status(verdict: Verdict) -> Literal["accepted", "duplicate", "refused", "superseded"]:
    if verdict.status is None:
        return "superseded"
    if verdict.status == "accepted" and not verdict.is_new:
        return "duplicate"
    return verdict.status
