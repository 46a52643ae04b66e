"""Imported before the first fork: what every service imports, loads and compiles, done once.

A service that has just been forked must not lose its lease to the loading of compiled functions.
So here a few ticks go the whole way once, from the edge to orders.
"""

import gc
import tempfile
from pathlib import Path

import msgspec

import services.command.up
from services.command.journal import Replayer
from services.command.torture.configuration import CALM, SHAKEN, write_configuration
from services.ingest.step import IngestPolicy, IngestState, IngestStep
from shared.adapters.bus import Message
from shared.adapters.clock import SystemClock
from shared.adapters.code_version import code_version
from shared.adapters.keyring import Keyring
from shared.adapters.settings import Settings, load_settings
from shared.adapters.store import Entry
from shared.domain.events import ClockAdvanced
from shared.domain.instants import SECOND
from shared.runtime.site import Site
from shared.wire import keys, topics
from shared.wire.journal import JournalEntry, encode_entry

__all__ = ["rehearse", "services"]


class _Nobody:
    def acknowledge(self, message_id: int) -> None:
        """Nobody waits for it."""

    def resume_reading(self) -> None:
        """Nobody reads."""


def rehearse() -> int:
    """Take a few ticks all the way; returns how many decisions they made."""
    with tempfile.TemporaryDirectory(prefix="hedgestat-rehearsal-") as directory:
        settings = load_settings(write_configuration(Path(directory), books=1), {})
    replayer = Replayer(settings, Site(settings=settings).calendar())
    ingest = _ingest(settings)
    now_ns, decisions = SystemClock().now_ns(), 0
    for number, vix in enumerate((CALM, SHAKEN, CALM, SHAKEN)):
        at_ns = now_ns + number * SECOND
        taken = ingest.receive([_message(at_ns, vix)], at_ns)
        items = (*taken.items, ClockAdvanced(event_ns=at_ns))
        entry = encode_entry(JournalEntry(2 * number, at_ns, items))
        decisions += len(replayer.take([Entry(keys.journal(), number + 1, entry)]))
    return decisions


def _ingest(settings: Settings) -> IngestStep:
    policy = IngestPolicy(
        intake=settings.intake,
        books=frozenset(book.name for book in settings.books),
        clock_from_feed=False,
        clock_interval_ns=SECOND,
    )
    return IngestStep(policy, IngestState(), Keyring.generate(settings.trading.environment))


def _message(at_ns: int, vix: float) -> Message:
    ticks = [
        {"symbol": symbol, "event_time": at_ns, "price": price}
        for symbol, price in {"SPX": 2_700.0, "VIX": vix}.items()
    ]
    return Message(topics.TICKS, msgspec.json.encode(ticks), 0, False, None, 0, _Nobody())  # noqa: FBT003 - not retained


code_version()  # remembered as it is now: sources may change while a campaign lasts
rehearse()
gc.collect()
gc.freeze()  # else every fork copies all of it when its collector first looks
