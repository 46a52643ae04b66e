"""The hedger decides once, tells what it decided, and says when it cannot be relied on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.clock import ManualClock
from fakes.eventually import eventually
from fakes.failures import only
from fakes.hedged_market import CALENDAR, HedgedMarket, policy
from fakes.interrupted import run_for_turns
from fakes.keys import make_keyring
from fakes.leases import lend, term
from fakes.orders import HEARD, Desk
from fakes.store import FakeStore, Fault
from msgspec import structs
from prometheus_client import CollectorRegistry

from services.hedger.answers import SERVICE, SUBSCRIPTIONS
from services.hedger.metrics import HedgerMetrics
from services.hedger.service import Hedger, HedgerPolicy
from shared.adapters.bus import Subscription
from shared.adapters.store import Commit, Extent, StoreUnavailable
from shared.domain.effects import Effect
from shared.domain.instants import MINUTE, SECOND
from shared.domain.signals_observed import HedgerInput, SignalsObserved
from shared.runtime import lag
from shared.runtime.health import Health
from shared.runtime.ledger import LeaseLost
from shared.wire import codec, keys, topics
from shared.wire.announcements import notice_of
from shared.wire.journal import encode_log
from shared.wire.messages import AckMessage, AlertMessage, ProgressMessage
from shared.wire.notices import Notice
from shared.wire.times import format_instant

KEYRING = make_keyring()
AWAY = Fault(StoreUnavailable("no answer from the store"), applied=False)


class RecordedMarket(HedgedMarket):
    """A market that remembers what it told its own book: what a hedger must decide alike."""

    def __init__(self) -> None:
        self.log: list[HedgerInput] = []
        super().__init__()

    def send(self, event: HedgerInput) -> list[Effect]:
        self.log.append(event)
        return super().send(event)


def a_month_with_three_orders() -> RecordedMarket:
    market = RecordedMarket()
    for level in (18.0, 23.0, 16.0):
        for _ in range(4):
            market.vix(level, after=20 * MINUTE)
        market.fill()
        market.clock(after=MINUTE)
    assert len(market.orders) == 3
    return market


class Pit:
    """A hedger between two stores and a broker, with a desk that takes its orders."""

    def __init__(self, broker: FakeBroker, bus: FakeBus, desk: Desk) -> None:
        self.broker = broker
        self.bus = bus
        self.desk = desk
        self.market = FakeStore()
        self.orders = FakeStore()
        self.clock = ManualClock()
        self.new_process()

    def new_process(self) -> None:
        self.health = Health()
        self.registry = CollectorRegistry()
        self.stop = asyncio.Event()
        self.hedger = Hedger(
            policy=HedgerPolicy(books=(policy(),), config_digest="digest"),
            calendar=CALENDAR,
            term=term(lend(self.orders, SERVICE), self.clock),
            keyring=KEYRING,
            bus=self.bus,
            orders=self.orders,
            market=self.market,
            clock=self.clock,
            metrics=HedgerMetrics(self.registry, None),
            health=self.health,
        )

    def observe(self, log: Sequence[HedgerInput]) -> None:
        for event in log:
            self.market.append(keys.signal_log(), encode_log([event]))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.hedger.run(self.stop))
            yield
            self.stop.set()

    @property
    def cursor(self) -> int:
        return self.orders.records[SERVICE].cursors.get(keys.signal_log(), 0)

    @property
    def outbox(self) -> list[int]:
        return list(self.orders.streams[keys.outbox()])

    def told(self, topic: str) -> list[bytes]:
        return [each.payload for each in self.broker.published if each.topic == topic]

    @property
    def alerts(self) -> list[tuple[str, str, str]]:
        found = [codec.decode(AlertMessage, each) for each in self.told(topics.alerts("critical"))]
        return [(alert.what, alert.where, alert.book) for alert in found]

    @property
    def settled(self) -> set[str | None]:
        found = self.told(topics.progress(SERVICE))
        return {codec.decode(ProgressMessage, each).settled for each in found}

    def why_not_ready(self, check: str) -> str:
        return self.health.report()[check].reason

    def counted(self, metric: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(metric, labels)


@asynccontextmanager
async def pit(*, denied: Sequence[str] = ()) -> AsyncIterator[Pit]:
    broker = FakeBroker(denied=denied)
    acks = [Subscription(topic) for topic in SUBSCRIPTIONS]
    heard = [Subscription(topic) for topic in HEARD]
    async with (
        FakeBus(broker, client_id="desk", subscriptions=heard) as there,
        FakeBus(broker, client_id=SERVICE, subscriptions=acks) as here,
        asyncio.TaskGroup() as tasks,
    ):
        await there.connected.wait()
        await here.connected.wait()
        desk = Desk(there, KEYRING)
        task = tasks.create_task(desk.run())
        yield Pit(broker, here, desk)
        task.cancel()


async def test_what_the_book_decides_arrives_as_orders() -> None:
    month = a_month_with_three_orders()
    async with pit() as hedger, hedger.running():
        hedger.observe(month.log)
        await eventually(lambda: len(hedger.desk.orders) == 3 and not hedger.outbox)
        assert list(hedger.desk.orders.values()) == month.orders


async def test_targets_and_triggers_are_told() -> None:
    month = a_month_with_three_orders()
    async with pit() as hedger, hedger.running():
        hedger.observe(month.log)
        decided = [notice_of(effect) for effect in month.effects]
        told = [each for each in decided if each is not None]
        heard = {each.topic for each in told}

        def published() -> list[Notice]:
            sent = [each for each in hedger.broker.published if each.topic in heard]
            return [Notice(each.topic, each.payload, each.retain) for each in sent]

        await eventually(lambda: len(published()) >= len(told))
        assert published() == told


async def test_a_clock_is_settled_when_its_orders_are_answered_and_not_before() -> None:
    market = RecordedMarket()
    market.vix(18.0)
    market.clock(after=MINUTE)
    async with pit() as hedger, hedger.running():
        hedger.desk.quiet = True
        hedger.observe(market.log)
        await eventually(lambda: hedger.desk.taken.total() == 1)
        assert hedger.settled == set()
        await hedger.desk.answer(market.orders[0].order_id, "accepted", 1)
        await eventually(lambda: hedger.settled == {format_instant(market.now)})


class Held(FakeStore):
    """A store that keeps the stage's commits waiting, and counts who looks how far a stream is."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.looks = 0

    async def commit(self, commit: Commit) -> None:
        if commit.stage == SERVICE:
            await self.gate.wait()
        await super().commit(commit)

    async def extent(self, stream: str) -> Extent:
        self.looks += 1
        return await super().extent(stream)


async def test_a_clock_is_not_settled_while_the_commit_of_its_orders_is_on_its_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lag, "EVERY_S", 0.01)
    market = RecordedMarket()
    market.vix(18.0)
    market.clock(after=MINUTE)
    async with pit() as hedger:
        store = hedger.market = hedger.orders = Held()
        hedger.new_process()
        hedger.observe(market.log)
        async with hedger.running():
            await eventually(lambda: store.looks >= 10)
            assert hedger.settled == set()
            store.gate.set()
            await eventually(lambda: hedger.settled == {format_instant(market.now)})
            assert len(hedger.desk.orders) == 1


async def test_a_restart_says_again_what_was_settled_though_nothing_new_comes() -> None:
    month = a_month_with_three_orders()
    async with pit() as hedger:
        async with hedger.running():
            hedger.observe(month.log)
            await eventually(lambda: hedger.cursor == len(month.log) and not hedger.outbox)
        hedger.broker.published.clear()
        hedger.new_process()
        async with hedger.running():
            await eventually(lambda: hedger.settled == {format_instant(month.now)})


async def test_a_refused_order_pages_somebody_once() -> None:
    market = RecordedMarket()
    market.vix(18.0)
    name = market.orders[0].order_id
    async with pit() as hedger, hedger.running():
        hedger.desk.status_of_new = "refused"
        hedger.observe(market.log)
        await eventually(lambda: hedger.alerts == [("order_refused", name, "overlay")])
        assert hedger.counted("hedge_orders_total", book="overlay", outcome="refused") == 1
        assert not hedger.outbox


async def test_an_order_the_broker_will_not_carry_pages_somebody_and_is_kept() -> None:
    market = RecordedMarket()
    market.vix(18.0)
    name = market.orders[0].order_id
    async with pit(denied=[topics.orders("overlay")]) as hedger, hedger.running():
        hedger.observe(market.log)
        await eventually(lambda: hedger.alerts == [("order_undeliverable", name, "overlay")])
        hedger.clock.advance(1.0)
        await eventually(
            lambda: (hedger.counted("hedge_order_sendings_total", outcome="refused") or 0) >= 2
        )
        assert hedger.alerts == [("order_undeliverable", name, "overlay")]
        assert hedger.outbox == [1]


async def test_a_superseded_hedger_decides_nothing_more_and_keeps_the_order() -> None:
    market = RecordedMarket()
    market.vix(18.0)
    async with pit() as hedger:
        hedger.desk.status_of_new = "superseded"
        hedger.observe(market.log)
        with pytest.raises(ExceptionGroup) as ended:
            await hedger.hedger.run(hedger.stop)
        lost = only(ended.value)
        assert isinstance(lost, LeaseLost)
        assert lost.above == 1
        assert hedger.outbox == [1]
        assert hedger.counted("hedge_orders_total", book="overlay", outcome="superseded") == 1


async def test_the_gateway_knows_the_epoch_before_the_first_order() -> None:
    month = a_month_with_three_orders()
    async with pit() as hedger:
        hedger.desk.silent = True
        hedger.observe(month.log)
        async with hedger.running():
            await eventually(lambda: hedger.cursor == len(month.log) and hedger.desk.told != [])
            reason = "the gateway has not accepted our epoch yet"
            assert hedger.why_not_ready("hedger.gateway") == reason
            assert not hedger.desk.taken
            hedger.desk.silent = False  # it is told again and again
            await eventually(lambda: len(hedger.desk.orders) == 3 and not hedger.outbox)
            assert hedger.why_not_ready("hedger.gateway") == ""
            assert {1} == {*hedger.desk.epochs} == {*hedger.desk.told} == {*hedger.desk.beats}


async def test_a_hedger_the_gateway_has_a_higher_epoch_than_sends_nothing() -> None:
    market = RecordedMarket()
    market.vix(18.0)
    async with pit() as hedger:
        hedger.desk.high_water = 7
        hedger.observe(market.log)
        with pytest.raises(ExceptionGroup) as ended:
            await hedger.hedger.run(hedger.stop)
        lost = only(ended.value)
        assert isinstance(lost, LeaseLost)
        assert lost.above == 7
        assert not hedger.desk.taken


async def test_while_the_halt_key_is_set_orders_are_kept_back_and_somebody_is_paged() -> None:
    market = RecordedMarket()
    market.vix(18.0)
    async with pit() as hedger:
        hedger.orders.halted.add(SERVICE)
        hedger.observe(market.log)
        async with hedger.running():
            await eventually(lambda: hedger.alerts == [("store_halted", SERVICE, "all")])
            reason = "hedge:v1:{hedger}:halt is set: no order is committed"
            await eventually(lambda: hedger.why_not_ready("hedger.stage") == reason)
            assert not hedger.outbox
            hedger.orders.halted.clear()
            await eventually(lambda: list(hedger.desk.orders.values()) == market.orders)
            await eventually(lambda: hedger.health.is_ready)
            assert len(hedger.alerts) == 1


async def test_answers_that_the_gateway_did_not_give_are_counted() -> None:
    async with pit() as hedger, hedger.running():
        forged = KEYRING.seal(
            "monitor", topics.acks("overlay"), AckMessage(order_id="x", status="accepted", epoch=1)
        )
        await hedger.bus.publish(topics.acks("overlay"), forged)
        await hedger.bus.publish(topics.epoch_answers(SERVICE), b"yes")
        for reason in ("unknown_key", "malformed"):
            await eventually(
                lambda: hedger.counted("hedge_answers_refused_total", reason=reason) == 1  # noqa: B023 - awaited here
            )


async def test_it_is_ready_when_its_record_is_loaded() -> None:
    async with pit() as hedger:
        assert hedger.why_not_ready("hedger.stage") == "its record is not loaded yet"
        async with hedger.running():
            await eventually(lambda: hedger.health.is_ready)


async def test_it_is_not_ready_while_the_market_is_open_and_nothing_prints() -> None:
    market = RecordedMarket()
    market.vix(18.0)
    (last,) = [each for each in market.log if isinstance(each, SignalsObserved)][-1:]
    later = structs.replace(last, event_ns=last.event_ns + 61 * SECOND, cause="clock")
    async with pit() as hedger:
        hedger.observe(market.log)
        async with hedger.running():
            await eventually(lambda: hedger.health.is_ready)
            hedger.observe([later])
            await eventually(lambda: "printed for 61 s" in hedger.why_not_ready("hedger.data"))
            assert not hedger.health.is_ready


async def test_while_a_store_is_away_it_says_so() -> None:
    async with pit() as hedger:
        hedger.orders.faults = iter([AWAY, AWAY, AWAY])
        async with hedger.running():
            await eventually(
                lambda: hedger.why_not_ready("hedger.stage") == "no answer from the store"
            )
            await eventually(lambda: hedger.health.is_ready)
            hedger.market.faults = iter([AWAY] * 4)
            hedger.market.append(keys.signal_log(), encode_log([]))
            await eventually(lambda: not hedger.health.is_ready)
            await eventually(lambda: hedger.health.is_ready)


async def test_an_order_unanswered_for_too_long_makes_it_unready() -> None:
    market = RecordedMarket()
    market.vix(18.0)
    async with pit() as hedger, hedger.running():
        hedger.desk.quiet = True
        hedger.observe(market.log)
        await eventually(lambda: hedger.desk.taken.total() == 1)
        hedger.clock.advance(10.0)
        assert hedger.why_not_ready("hedger.orders") == ""
        hedger.clock.advance(1.0)
        reason = "1 order(s) without the gateway's answer, the oldest for 11 s"
        assert hedger.why_not_ready("hedger.orders") == reason
        await hedger.desk.answer(market.orders[0].order_id, "accepted", 1)
        await eventually(lambda: hedger.why_not_ready("hedger.orders") == "")


async def test_stopping_waits_for_the_orders_on_their_way() -> None:
    market = RecordedMarket()
    market.vix(18.0)
    async with pit() as hedger, asyncio.TaskGroup() as tasks:
        hedger.desk.quiet = True
        hedger.observe(market.log)
        running = tasks.create_task(hedger.hedger.run(hedger.stop))
        await eventually(lambda: hedger.desk.taken.total() == 1)
        hedger.stop.set()
        hedger.market.append(keys.signal_log(), encode_log([]))  # it looks at `stop`
        await eventually(lambda: hedger.cursor == len(market.log) + 1)
        assert not running.done()
        await hedger.desk.answer(market.orders[0].order_id, "accepted", 1)
        await running
        assert not hedger.outbox


async def test_cut_off_at_any_await_it_decides_the_same_once() -> None:
    month = a_month_with_three_orders()
    for turns in (*range(30), *range(30, 150, 8)):
        async with pit() as hedger:
            hedger.observe(month.log)
            await run_for_turns(turns, hedger.hedger.run(hedger.stop))
            hedger.new_process()
            async with hedger.running():
                await eventually(lambda: hedger.cursor == len(month.log))
                await eventually(lambda: not hedger.outbox)
            taken = sorted(hedger.desk.orders.values(), key=lambda order: order.decision)
            assert taken == month.orders
