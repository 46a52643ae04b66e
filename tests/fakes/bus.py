"""The bus in memory under the names that tests use; `shared.adapters.memory` is where it lives."""

from shared.adapters.memory.broker import (
    NOT_AUTHORIZED,
    PACKET_TOO_LARGE,
    matches,
)
from shared.adapters.memory.broker import MemoryBroker as FakeBroker
from shared.adapters.memory.bus import MemoryBus as FakeBus

__all__ = ["NOT_AUTHORIZED", "PACKET_TOO_LARGE", "FakeBroker", "FakeBus", "matches"]
