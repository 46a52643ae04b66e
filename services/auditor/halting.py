"""How the auditor stops trading: at the gateway's own door, and by a signed command on the bus.

Either is enough. The door works with broker and store dead; the command is journalled, so that the
hedger knows too, and works from another machine. Both are tried until both were taken.
"""

from pathlib import Path
from typing import Final

import structlog

from services.auditor.metrics import AuditorMetrics
from shared.adapters.bus import Bus, BusUnavailable, PublishRefused
from shared.adapters.clock import Clock
from shared.adapters.control_socket import GatewayRefused, GatewayUnreachable, halt_locally
from shared.adapters.keyring import Keyring
from shared.domain.trading import ALL
from shared.wire import topics
from shared.wire.messages import TradingCommandMessage
from shared.wire.times import format_instant

log = structlog.get_logger()

OPERATOR: Final = "auditor"


class Halting:
    """Orders a halt of everything, and sees that it is taken.

    Args:
        bus: For the command.
        keyring: Signs it as the auditor.
        socket: The gateway's door.
        clock: For the time of the command.
        metrics: What is counted.
    """

    def __init__(
        self, *, bus: Bus, keyring: Keyring, socket: Path, clock: Clock, metrics: AuditorMetrics
    ) -> None:
        self._bus = bus
        self._keyring = keyring
        self._socket = socket
        self._clock = clock
        self._metrics = metrics
        self._local: str | None = None
        self._command: str | None = None

    def order(self, reason: str) -> None:
        """Have trading stopped, for a reason."""
        self._local = self._command = reason

    async def press(self) -> None:
        """Do what was not taken yet."""
        if self._local is not None:
            await self._halt_locally(self._local)
        if self._command is not None:
            await self._command_halt(self._command)

    async def _halt_locally(self, reason: str) -> None:
        try:
            await halt_locally(self._socket, ALL, "halted", OPERATOR, reason)
        except (GatewayUnreachable, GatewayRefused) as error:
            log.warning("halt_not_taken", path="local", error=str(error))
            return
        self._local = None
        self._metrics.halted("local")

    async def _command_halt(self, reason: str) -> None:
        command = TradingCommandMessage(
            scope=ALL,
            state="halted",
            reason=reason,
            operator=OPERATOR,
            issued_at=format_instant(self._clock.now_ns()),
        )
        payload = self._keyring.seal("auditor", topics.HALT, command)
        try:
            await self._bus.publish(topics.HALT, payload)
        except (BusUnavailable, PublishRefused) as error:
            log.warning("halt_not_taken", path="bus", error=str(error))
            return
        self._command = None
        self._metrics.halted("bus")
