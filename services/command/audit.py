"""`hedgestat audit verify`: whether the decision log is what was decided, to the last byte."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from services.command.endings import Failed, Refused, named_reasons
from services.command.printing import progress_bar
from shared.adapters.archive import ArchiveReader, read_segment, recall
from shared.adapters.bus import Subscription
from shared.adapters.head_record import HeadRecord, signed_head
from shared.adapters.keyring import Forged, KeyMissing, Keyring
from shared.adapters.mqtt import MqttBus
from shared.adapters.settings import Settings
from shared.adapters.store import Entry
from shared.runtime.logs import configure_logging
from shared.runtime.site import Site
from shared.wire import keys, topics
from shared.wire.access import READER
from shared.wire.codec import MalformedMessage
from shared.wire.decisions import BrokenChain, ChainHead, follow

_BROKER_S: Final = 2.0
STORE: Final = "store"


class VerifyOptions(Struct, frozen=True, kw_only=True):
    """What is to be verified, and against what.

    Attributes:
        files: Segments of an archive, or folders of them; none: the archive and the store.
        without_head: Be content when no signed head is known.
    """

    files: tuple[Path, ...] = ()
    without_head: bool = False


class Verifier:
    """Follows the chain.

    Args:
        told: Signed heads, hash by index.
        begins: Index before the first entry, when entries before it were dropped.

    Attributes:
        head: The last entry that follows from all before it.
        confirmed: How many signed heads it has met.
    """

    def __init__(self, told: Mapping[int, bytes], begins: int = 0) -> None:
        self.head = ChainHead(begins)
        self.confirmed = 0
        self._told = dict(told)
        self._begins = begins

    def take(self, entries: Iterable[Entry]) -> None:
        """Take the entries that follow.

        Raises:
            BrokenChain: They do not.
        """
        head, told = self.head, self._told
        for entry in entries:
            if entry.index != head.index + 1:
                raise BrokenChain(f"entries {head.index + 1} to {entry.index - 1} are missing")
            if head.index == self._begins > 0:
                head = ChainHead(head.index, entry.payload[:32])
                self._meet(head)
            head = follow(head, entry.payload)
            if head.index in told:
                self._meet(head)
        self.head = head

    def finish(self) -> None:
        """Check that the log holds the last signed head.

        Raises:
            BrokenChain: It ends before.
        """
        last = max(self._told, default=0)
        if last > self.head.index:
            raise BrokenChain(f"the log ends at {self.head.index}, and entry {last} was signed")

    def _meet(self, head: ChainHead) -> None:
        told = self._told.get(head.index)
        if told is None:
            return
        if told != head.hash:
            raise BrokenChain(f"entry {head.index} is not the one that was signed")
        self.confirmed += 1


def run_verify(settings: Settings, options: VerifyOptions, console: Console) -> None:
    """Verify the decision log, and say what was found.

    Raises:
        Refused: A file is no segment of a decision log, or there are no keys.
        Failed: The log is not what was decided, or nothing signed is known to hold it against.
    """
    configure_logging("error", stream=sys.stderr)
    site = Site(settings=settings, instance="-audit")
    try:
        keyring = site.keyring
    except KeyMissing as missing:
        raise Refused(str(missing)) from None
    with named_reasons():
        asyncio.run(_verify(site, keyring, options, console))


async def _verify(site: Site, keyring: Keyring, options: VerifyOptions, console: Console) -> None:
    told = await _told(site, keyring, console)
    if not told and not options.without_head:
        raise Failed(
            "no signed head of the decision log is known, so nobody could tell if it had been "
            "written anew: start the auditor, or verify what there is with --without-head"
        )
    try:
        verifier = await _follow(site, options, told, console)
    except BrokenChain as broken:
        raise Failed(f"the decision log was altered: {broken}") from None
    last, confirmed = verifier.head.index, verifier.confirmed
    console.print(
        f"[green]{last:,} decisions, each follows the one before.[/] Signed heads that they hold: "
        f"{confirmed}, the last at entry {max(told, default=0):,}; behind it "
        f"{last - max(told, default=0):,}, that nobody has signed yet.",
        highlight=False,
        soft_wrap=True,
    )


async def _follow(
    site: Site, options: VerifyOptions, told: Mapping[int, bytes], console: Console
) -> Verifier:
    with progress_bar(console, MofNCompleteColumn(), "decisions", TimeElapsedColumn()) as bar:
        task = bar.add_task("verifying", total=None)
        verifier: Verifier | None = None
        async for entries in _log(site, options.files, bar, task):
            verifier = verifier or Verifier(told, _begins(site, options, entries[0], console))
            await asyncio.to_thread(verifier.take, entries)
            bar.update(task, completed=verifier.head.index)
    verifier = verifier or Verifier(told)
    verifier.finish()
    return verifier


def _begins(site: Site, options: VerifyOptions, first: Entry, console: Console) -> int:
    """Return the index before the first entry: more than 0 only where old ones are dropped."""
    if first.index == 1 or options.files or site.settings.retention.archive is not None:
        return 0
    text = f'Entries 1 to {first.index - 1:,} were dropped: [retention] archive = "off".'
    console.print(f"[yellow]{escape(text)}[/]", highlight=False, soft_wrap=True)
    return first.index - 1


async def _log(
    site: Site, files: Sequence[Path], bar: Progress, task: object
) -> AsyncIterator[list[Entry]]:
    if files:
        for path in segments_of(files):
            yield await asyncio.to_thread(read_segment, path, keys.decisions())
        return
    directory = site.settings.retention.archive
    archive = None if directory is None else ArchiveReader(Path(directory), keys.decisions())
    async with site.orders() as store:
        bar.update(task, total=(await store.extent(keys.decisions())).last)  # type: ignore[arg-type] # rich's TaskID
        async for entries in recall(store, keys.decisions(), archive):
            yield entries


def segments_of(files: Sequence[Path]) -> list[Path]:
    """Return the Parquet files that were named, and those in folders, in order of their names.

    Raises:
        Refused: One is not there.
    """
    found: list[Path] = []
    for path in files:
        if not path.exists():
            raise Refused(f"{path} is not there")
        found += sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    return found


async def _told(site: Site, keyring: Keyring, console: Console) -> dict[int, bytes]:
    """Gather the signed heads: those that the auditor keeps, and the one on the broker."""
    record = HeadRecord(Path(site.settings.auditor.heads))
    payloads = await asyncio.to_thread(lambda: list(record.payloads()))
    retained = await _retained(site)
    told: dict[int, bytes] = {}
    retired = 0
    for payload in [*payloads, *([] if retained is None else [retained])]:
        try:
            head = signed_head(keyring, payload)
        except (Forged, MalformedMessage) as error:
            if isinstance(error, Forged) and error.reason == "unknown_key":
                retired += 1
                continue
            raise Failed(f"a head of the decision log is forged: {error}") from None
        if told.get(head.index, head.hash) != head.hash:
            raise Failed(f"two different entries {head.index} were signed")
        if head.index:
            told[head.index] = head.hash
    if retired:
        console.print(
            f"[yellow]Passed over {retired} head(s), signed with keys not trusted any more.[/]"
        )
    if retained is None:
        console.print("[yellow]The broker has no signed head, or does not answer.[/]")
    return told


async def _retained(site: Site) -> bytes | None:
    """Return the head that the broker keeps, if it answers with one."""
    try:
        async with (
            asyncio.timeout(_BROKER_S),
            MqttBus(
                site.settings.mqtt.of(READER),
                client_id="hedgestat-audit",
                subscriptions=[Subscription(topics.DECISION_HEAD, 1)],
                clean_start=True,
                session_expiry_s=0,
            ) as bus,
        ):
            async for message in bus.messages():
                message.ack()
                return message.payload
    except TimeoutError:
        return None
    return None
