"""Tells the store how far the gateway has read the journal, so that no more of it is trimmed.

The gateway's own record is the authority, and this follows it by some seconds. That the store may
never know of more than the record has is a check: such a record was lost, or is an old copy.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from shared.adapters.store import Store, StoreTrouble
from shared.runtime.backoff import delays_s
from shared.runtime.ledger import Ledger, StageStopped, StepOutput
from shared.wire import keys

log = structlog.get_logger()

STAGE: Final = "gateway"
EVERY_S: Final = 2.0


class RecordWentBack(StageStopped):
    """The gateway's record has forgotten what it once had on its disk."""


class Bookmark:
    """Commits the position of one gateway.

    Args:
        store: Of the journal.
        position: Returns the index of the last entry that is on the record's disk.
        every_s: Between two commits.
    """

    def __init__(
        self, store: Store, position: Callable[[], int], *, every_s: float = EVERY_S
    ) -> None:
        self._ledger = Ledger(store, STAGE)
        self._position = position
        self._every_s = every_s

    async def run(self) -> None:
        """Tell until cancelled.

        Raises:
            RecordWentBack: The store knows of more than the record has.
            LeaseLost: Another gateway runs on this journal.
            StoreRegressed: The store lost what it had confirmed.
        """
        delays = delays_s()
        while True:
            try:
                told = await self._open()
                delays = delays_s()
                await self._follow(told)
            except StoreTrouble as trouble:
                log.warning("bookmark_waits", error=str(trouble))
                await asyncio.sleep(next(delays))

    async def _open(self) -> int:
        told = (await self._ledger.open()).cursors.get(keys.journal(), 0)
        position = self._position()
        if told > position:
            raise RecordWentBack(
                f"the gateway's record has read the journal to {position}, and once had it to "
                f"{told}: it was lost, or is an old copy, and an order might be taken twice. Put "
                f"the right one back; if no order can be open, delete {keys.record(STAGE)}."
            )
        return told

    async def _follow(self, told: int) -> None:
        while True:
            position = self._position()
            if position > told:
                await self._ledger.commit(
                    StepOutput(), cursors={keys.journal(): position}, state=b""
                )
                told = position
            await asyncio.sleep(self._every_s)
