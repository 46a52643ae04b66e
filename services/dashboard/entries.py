"""Entries of the signal log, read no further than the page needs: pure.

One entry holds many snapshots of every signal; the state needs the last of them, the charts one
now and then. So an entry is only taken apart, and a snapshot decoded when it is wanted.
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from shared.domain.events import ExecutionReported
from shared.domain.signals_observed import HedgerInput, SignalsObserved
from shared.domain.trading import TradingStateSet

_SNAPSHOT: Final = b"\xa4type\xa7signals"
_WANTED: Final = (b"\xa4type\xa9execution", b"\xa4type\xadtrading_state")


class _Instant(Struct, tag="signals"):
    event_ns: int


class Snapshot(Struct, frozen=True):
    """All signals after one event, not decoded yet."""

    event_ns: int
    content: Raw

    def decode(self) -> SignalsObserved:
        """Read it."""
        return _decode_snapshot(self.content)


class LogEntry(Struct, frozen=True):
    """What the page makes use of in an entry of the signal log."""

    snapshots: tuple[Snapshot, ...]
    events: tuple[ExecutionReported | TradingStateSet, ...]


_decode_parts = msgspec.msgpack.Decoder(list[Raw]).decode
_decode_instant = msgspec.msgpack.Decoder(_Instant).decode
_decode_snapshot = msgspec.msgpack.Decoder(SignalsObserved).decode
_decode_event = msgspec.msgpack.Decoder(HedgerInput).decode


def read_log(payload: bytes) -> LogEntry:
    """Take an entry of the signal log apart.

    Raises:
        msgspec.DecodeError: Not such an entry.
    """
    snapshots, events = [], []
    for part in _decode_parts(payload):
        beginning = bytes(memoryview(part)[1:24])
        if beginning.startswith(_SNAPSHOT):
            snapshots.append(Snapshot(_decode_instant(part).event_ns, part))
        elif beginning.startswith(_WANTED):
            event = _decode_event(part)
            if isinstance(event, ExecutionReported | TradingStateSet):
                events.append(event)
    return LogEntry(tuple(snapshots), tuple(events))
