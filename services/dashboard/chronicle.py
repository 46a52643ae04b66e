"""Keeps in the store what a page that begins anew could not know: charts, and what the bus told.

The signal log holds minutes of a busy market, and people ask for days; the gateway's answers and
the alerts of other services are told on the bus, once. Every few seconds, and within one when
something was heard, one of the pages that are served writes down the buckets that have settled and
the newest of what it heard; the others, and the next one, read them. Nothing is decided on them,
and what cannot be written is only missing from a page.
"""

import asyncio
from typing import Final

import msgspec
import structlog

from services.dashboard.history import Settled
from services.dashboard.picture import Picture, PictureState
from shared.adapters.store import Commit, Store, StoreTrouble
from shared.wire import keys

log = structlog.get_logger()

STAGE: Final = "dashboard"
EVERY_S: Final = 15.0
HEARD_S: Final = 1.0
"""If something was heard that nobody else would tell."""
_TTL_MS: Final = 60_000
"""Of the right to write: another takes over a minute after we are gone."""
_AT_ONCE: Final = 100
_MOST_ENTRIES: Final = 11_520
"""Two days, if something settles every 15 s …"""
_MOST_BYTES: Final = 64_000_000
"""… and less when there are many series."""
_ROW_BYTES: Final = 56

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Settled).decode
_decode_state: Final = msgspec.msgpack.Decoder(PictureState).decode


class Chronicle:
    """Writes a history down, and reads it back.

    Args:
        picture: What is kept.
        store: Of the market.
        holder: Our name, which no other process has.
    """

    def __init__(self, picture: Picture, store: Store, holder: str) -> None:
        self._picture = picture
        self._store = store
        self._holder = holder
        self._epoch: int | None = None
        self._heard = 0

    async def recall(self) -> None:
        """Read back all that is kept.

        Raises:
            StoreTrouble: The store does not answer.
        """
        stream = keys.history()
        index = (await self._store.extent(stream)).first - 1
        while entries := await self._store.read({stream: index}, count=_AT_ONCE):
            for entry in entries:
                try:
                    self._picture.history.restore(_decode(entry.payload))
                except msgspec.DecodeError as error:  # of another version
                    log.warning("history_unreadable", index=entry.index, error=str(error))
            index = entries[-1].index
            await asyncio.sleep(0)
        self._restore((await self._store.load(STAGE)).state)

    def _restore(self, state: bytes | None) -> None:
        if state is None:
            return
        try:
            self._picture.restore(_decode_state(state))
        except msgspec.DecodeError as error:
            log.warning("history_unreadable", error=str(error))

    async def run(self) -> None:
        """Write until cancelled; then let another."""
        try:
            while True:
                await self._pause()
                await self._try_to_write()
        finally:
            if self._epoch is not None:
                await self._try_to_write()
            if self._epoch is not None:
                await self._release(self._epoch)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(EVERY_S):
                await asyncio.sleep(HEARD_S)
                while self._picture.heard == self._heard:  # noqa: ASYNC110 - once a second
                    await asyncio.sleep(HEARD_S)
        except TimeoutError:
            return

    async def _try_to_write(self) -> None:
        try:
            await self.write()
        except StoreTrouble as trouble:
            self._epoch = None
            log.warning("history_not_written", error=str(trouble))

    async def write(self) -> None:
        """Write down what has settled and what was heard, if nobody else does.

        Raises:
            StoreTrouble: The store does not answer, or another writes.
        """
        heard, state = self._picture.heard, self._picture.snapshot()
        settled = self._picture.history.settled()
        is_news = bool(settled) or heard != self._heard
        self._heard = heard
        if not await self._may_write() or not is_news:
            return
        assert self._epoch is not None  # noqa: S101 - so we may
        record, stream = await self._store.load(STAGE), keys.history()
        entries = [_encode(settled)] if settled else []
        await self._store.commit(
            Commit(
                stage=STAGE,
                epoch=self._epoch,
                batch=record.batch + 1,
                state=_encode(state),
                emitted={stream: record.emitted.get(stream, 0) + len(entries)},
                entries={stream: entries} if entries else {},
                keep={stream: self._kept()},
            )
        )

    async def _may_write(self) -> bool:
        if self._epoch is None:
            self._epoch = await self._store.acquire(STAGE, self._holder, _TTL_MS)
        elif not await self._store.renew(STAGE, self._epoch, _TTL_MS):
            self._epoch = None
        return self._epoch is not None

    def _kept(self) -> int:
        largest = _ROW_BYTES * max(1, self._picture.history.series)
        return min(_MOST_ENTRIES, _MOST_BYTES // largest)

    async def _release(self, epoch: int) -> None:
        try:
            await self._store.release(STAGE, epoch)
        except StoreTrouble as trouble:
            log.warning("history_not_released", error=str(trouble))
