"""Reads the stores: each log from where it begins, then as it grows, a few times a second.

Between two reads of a log lies a pause, so that what came meanwhile is read, and folded, together:
of a thousand snapshots a second the page needs four.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NoReturn

import msgspec
import structlog

from services.dashboard.chronicle import Chronicle
from services.dashboard.metrics import DashboardMetrics
from services.dashboard.page import Page
from shared.adapters.clock import Clock
from shared.adapters.store import Entry, Leader, Store, StoreTrouble
from shared.domain.orders import Order
from shared.runtime.backoff import delays_s
from shared.wire import keys

log = structlog.get_logger()

PAUSE_S: Final = 0.2
_LOOK_S: Final = 1.0
_AT_ONCE: Final = 100
_BLOCK_MS: Final = 1_000
_MOST_WAITING: Final = 1_000
STAGES: Final = ("ingest", "signals", "hedger", "exposure", "auditor")
_IN_ORDERS: Final = frozenset(("hedger",))
_INPUTS: Final = {
    "signals": keys.journal(),
    "hedger": keys.signal_log(),
    "exposure": keys.journal(),
}
"""What each stage reads, in the store of the market; the auditor rarely says how far it is."""
_decode_order: Final = msgspec.msgpack.Decoder(Order).decode

Fold = Callable[[Sequence[Entry]], None]


class Reader:
    """Fills the page from the stores.

    Args:
        page: What is filled.
        market: The store of journal, signals and exposure.
        orders: The store of decisions and outbox.
        clock: Times the folding.
        metrics: Told what it took.
        chronicle: Of the charts: what it knows comes before the logs.

    Attributes:
        caught_up: Set once every log has been read to its end, or cannot be read.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        page: Page,
        market: Store,
        orders: Store,
        clock: Clock,
        metrics: DashboardMetrics,
        chronicle: Chronicle,
    ) -> None:
        self._page = page
        self._chronicle = chronicle
        self._market = market
        self._orders = orders
        self._clock = clock
        self._metrics = metrics
        self._batch = -1
        self.caught_up = asyncio.Event()
        self._behind = {"signals", "decisions", "exposure", "hedger"}
        page.picture.services.troubles |= {
            "store.market": "not read yet",
            "store.orders": "not read yet",
        }

    async def run(self) -> NoReturn:
        """Read until cancelled."""
        picture = self._page.picture
        await self._recall()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                self._follow("signals", self._market, keys.signal_log(), self._take_log)
            )
            tasks.create_task(
                self._follow("decisions", self._orders, keys.decisions(), picture.take_decisions)
            )
            tasks.create_task(
                self._follow("exposure", self._market, keys.exposure_log(), picture.take_exposures)
            )
            tasks.create_task(self._look("store.orders", self._look_at_orders))
            tasks.create_task(self._look("store.market", self._look_at_market))
            tasks.create_task(self._chronicle.run())
        raise AssertionError("unreachable")

    async def _recall(self) -> None:
        delays = delays_s()
        while True:
            try:
                await self._chronicle.recall()
            except StoreTrouble as trouble:
                self._page.picture.services.troubles["store.market"] = str(trouble)
                self.caught_up.set()  # a page that says so is better than none
                await asyncio.sleep(next(delays))
            else:
                return

    def _take_log(self, entries: Sequence[Entry]) -> None:
        self._page.picture.take_log(entries)
        self._page.journalled()

    # --- logs --------------------------------------------------------------------------------

    async def _follow(self, source: str, store: Store, stream: str, fold: Fold) -> None:
        index, delays = 0, delays_s()
        while True:
            try:
                index = await self._begin(store, stream, index)
                while True:
                    patience_ms = _BLOCK_MS if self.caught_up.is_set() else None
                    entries = await store.read(
                        {stream: index}, count=_AT_ONCE, block_ms=patience_ms
                    )
                    if entries:
                        self._fold(source, fold, entries)
                        index = entries[-1].index
                        delays = delays_s()
                    if len(entries) < _AT_ONCE:
                        self._caught_up(source)
                    await asyncio.sleep(0 if len(entries) == _AT_ONCE else PAUSE_S)
            except StoreTrouble as trouble:
                self._caught_up(source)
                log.warning("page_waits", source=source, error=str(trouble))
                await asyncio.sleep(next(delays))

    def _caught_up(self, source: str) -> None:
        if source == "decisions":
            self._page.picture.recalled()
        self._behind.discard(source)
        if not self._behind:
            self.caught_up.set()

    async def _begin(self, store: Store, stream: str, index: int) -> int:
        """Return where to go on; a stream that has lost what we saw is read from its beginning."""
        extent = await store.extent(stream)
        return index if index <= extent.last else extent.first - 1

    def _fold(self, source: str, fold: Fold, entries: Sequence[Entry]) -> None:
        began_s = self._clock.monotonic_s()
        try:
            fold(entries)
        except msgspec.DecodeError as error:  # of another version, or damaged: show the rest
            log.error("page_cannot_read", source=source, error=str(error))  # noqa: TRY400 - its text suffices
        self._metrics.folded(source, len(entries), self._clock.monotonic_s() - began_s)

    # --- what is looked up -------------------------------------------------------------------

    async def _look(self, name: str, look: Callable[[], Awaitable[None]]) -> None:
        troubles = self._page.picture.services.troubles
        while True:
            try:
                await look()
                troubles[name] = ""
            except StoreTrouble as trouble:
                troubles[name] = str(trouble)
                self._caught_up("hedger")
            await asyncio.sleep(_LOOK_S)

    async def _look_at_orders(self) -> None:
        rows = await self._orders.read({keys.outbox(): 0}, count=_MOST_WAITING)
        self._page.wait_for([_decode_order(row.payload).order_id for row in rows])
        record = await self._orders.load("hedger")
        self._caught_up("hedger")
        if record.state is not None and record.batch != self._batch:
            self._batch = record.batch
            self._page.picture.take_hedger(record.state)

    async def _look_at_market(self) -> None:
        services = self._page.picture.services
        services.led({stage: await self._leader(stage) for stage in STAGES})
        ends = {each: (await self._market.extent(each)).last for each in {*_INPUTS.values()}}
        services.lag(
            {
                stage: ends[stream] - cursor
                for stage, stream in _INPUTS.items()
                if (cursor := await self._store_of(stage).reached(stage, stream))
            }
        )

    async def _leader(self, stage: str) -> Leader | None:
        return await self._store_of(stage).leader(stage)

    def _store_of(self, stage: str) -> Store:
        return self._orders if stage in _IN_ORDERS else self._market
