"""Streams that grow with the market, each kept bounded by the service that writes it.

What every reader has passed is archived when an archive is configured, and dropped beyond the
number of entries to keep.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import structlog

from shared.adapters.archive import Archive, EventSpan
from shared.adapters.store import Store, StoreTrouble
from shared.domain.tick_block import TickBlock
from shared.runtime.retention import Retained, Retention, RetentionPolicy, run_retention
from shared.runtime.site import Site
from shared.wire.decisions import read_decision
from shared.wire.journal import decode_entry, decode_log

log = structlog.get_logger()

PAUSE_S: Final = 5.0


@contextlib.asynccontextmanager
async def kept_bounded(  # noqa: PLR0913 - a composition of parts
    site: Site,
    source: Store,
    stream: str,
    readers: Sequence[tuple[Store, str]],
    event_span: EventSpan,
    *,
    guests: Sequence[tuple[Store, str]] = (),
) -> AsyncIterator[None]:
    """Keep a stream bounded for as long as the block lasts.

    Args:
        site: Its settings say how many entries stay, and where the others go.
        source: The store that holds the stream.
        stream: Its key.
        readers: The stages that read it, each with the store of its record.
        event_span: Tells the event time within a payload.
        guests: Stages that read it too if they run at all.

    Raises:
        ArchiveUnavailable: There is an archive configured, and it cannot be written.
    """
    settings = site.settings.retention
    archive = None
    if settings.archive is not None:
        archive = Archive(Path(settings.archive), stream, event_span=event_span)
    policy = RetentionPolicy(keep_entries=settings.keep_entries)
    retention = Retention(source, stream, readers, archive, policy, guests=guests)

    def done(_: Retention, retained: Retained) -> None:
        site.retention.passed(stream, retained)

    def troubled(_: Retention, trouble: Exception) -> None:
        site.retention.failed(stream)
        level = log.warning if isinstance(trouble, StoreTrouble) else log.error
        level("retention_waits", stream=stream, error=str(trouble))

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(
            run_retention([retention], PAUSE_S, after_pass=done, on_trouble=troubled),
            name="retention",
        )
        yield
        running.cancel()


def journal_span(payload: bytes) -> tuple[int, int] | None:
    """First and last event time of a journal entry."""
    instants: list[int] = []
    for item in decode_entry(payload).items:
        if isinstance(item, TickBlock):
            instants += [int(item.event_ns.min()), int(item.event_ns.max())]
        else:
            instants.append(item.event_ns)
    return (min(instants), max(instants)) if instants else None


def log_span(payload: bytes) -> tuple[int, int] | None:
    """First and last event time of an entry of the signal log."""
    instants = [event.event_ns for event in decode_log(payload)]
    return (min(instants), max(instants)) if instants else None


def decision_span(payload: bytes) -> tuple[int, int]:
    """Event time of a decision, twice."""
    event_ns = read_decision(payload).effect.event_ns
    return event_ns, event_ns
