"""The writing half of a stage: one lease, and commits that follow one another."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from shared.adapters.store import Commit, StageRecord, StaleEpoch, Store

_NOTHING: Final[Mapping[str, int]] = {}
_NOTHING_SEEN: Final[Mapping[str, str]] = {}


class StageStopped(Exception):  # noqa: N818 - reads as what happened, like KeyError
    """The stage cannot go on by itself; its process ends with this message."""


class LeaseLost(StageStopped):
    """Another process runs this stage now, or may do so at any moment.

    Args:
        reason: In words.
        above: A next epoch must be higher than this.
    """

    def __init__(self, reason: str, *, above: int = 0) -> None:
        super().__init__(reason)
        self.above = above


class StoreRegressed(StageStopped):
    """The store has forgotten what it had confirmed: restored, wiped, or failed over."""


class StateUnreadable(StageStopped):
    """The stored state was written by another version.

    Args:
        stage: Whose.
        error: What cannot be read of it.
    """

    def __init__(self, stage: str, error: Exception) -> None:
        super().__init__(
            f"{stage}: its stored state was written by another version ({error}). Run that one, "
            "or start all stages over on an empty store."
        )


class StepOutput(Struct, frozen=True):
    """What a step has to say about a batch.

    Attributes:
        entries: New entries by output stream, in order; an outbox row is an entry of the outbox.
        readable: Fields to set in plain hashes, for people; by key.
    """

    entries: Mapping[str, Sequence[bytes]] = {}
    readable: Mapping[str, Mapping[str, str]] = {}

    def __bool__(self) -> bool:
        """Tell whether there is anything to commit."""
        return bool(self.readable) or any(self.entries.values())


class Ledger:
    """Numbers and makes the commits of one stage, under one lease.

    `open()` first, and again after every `StoreTrouble` of `commit()`: what happened to that commit
    is then known from the record.

    Args:
        store: Where the stage's record is.
        stage: Its name.
        epoch: Of the lease that it is run under; `None` for a stage that has no standby: the newest
            starter takes over, once, so that two never do so in turns.
        keep: Output streams that are only told, and roughly how many entries to keep of each.
    """

    def __init__(
        self,
        store: Store,
        stage: str,
        *,
        epoch: int | None = None,
        keep: Mapping[str, int] = _NOTHING,
    ) -> None:
        self._store = store
        self._stage = stage
        self._keep = keep
        self._epoch = epoch or 0
        self._confirmed = 0
        self._batch = 0
        self._emitted: dict[str, int] = {}

    async def open(self) -> StageRecord:
        """Load the record to go on from; without a lease, take over first.

        Raises:
            LeaseLost: Another process took the lease since.
            StoreRegressed: The record is older than what was confirmed.
            StoreTrouble: Try again later.
        """
        if self._epoch == 0:
            self._epoch = await self._store.take_lease(self._stage)
        record = await self._store.load(self._stage)
        self._check_epoch(record.epoch)
        if record.batch < self._confirmed:
            raise StoreRegressed(
                f"{self._stage}: batch {self._confirmed} was confirmed, the store has "
                f"{record.batch}. It lost data: restore it, or start all stages over."
            )
        self._confirmed = self._batch = record.batch
        self._emitted = dict(record.emitted)
        return record

    async def commit(
        self,
        output: StepOutput,
        *,
        cursors: Mapping[str, int] = _NOTHING,
        seen: Mapping[str, str] = _NOTHING_SEEN,
        state: bytes | None = None,
    ) -> int:
        """Commit what a step said, with the state it said it from.

        Args:
            output: Of the step.
            cursors: Index of the last entry seen of every input stream.
            seen: Fingerprints of these entries.
            state: The step's state, or `None` to leave the one stored.

        Returns:
            The number of the commit.

        Raises:
            LeaseLost: Another process took the lease.
            StoreRegressed: The store fell back to an older epoch.
            OutputMismatch: An output stream is not what its counter says.
            StoreTrouble: Whether it took effect is unknown: `open()` again.
        """
        for stream, payloads in output.entries.items():
            self._emitted[stream] = self._emitted.get(stream, 0) + len(payloads)
        self._batch += 1
        try:
            await self._store.commit(
                Commit(
                    stage=self._stage,
                    epoch=self._epoch,
                    batch=self._batch,
                    cursors=cursors,
                    seen=seen,
                    state=state,
                    emitted=self._emitted,
                    entries=output.entries,
                    keep=self._keep,
                    readable=output.readable,
                )
            )
        except StaleEpoch as stale:
            self._check_epoch(stale.stored)
            raise
        self._confirmed = self._batch
        return self._batch

    def _check_epoch(self, stored: int) -> None:
        if stored > self._epoch:
            raise LeaseLost(
                f"{self._stage}: another process runs this stage (its epoch {stored}, ours "
                f"{self._epoch})."
            )
        if stored < self._epoch:
            raise StoreRegressed(
                f"{self._stage}: the store has epoch {stored}, we hold {self._epoch}. It lost "
                "data: restore it, or start all stages over."
            )
