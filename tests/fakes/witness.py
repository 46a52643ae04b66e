"""An independent client on the broker: mosquitto_sub, writing down what goes by."""

import json
from pathlib import Path
from typing import Any

from fakes.programs import Program

from shared.wire import topics

INGEST = topics.progress("ingest")


class Witness:
    """Sees every order, and how far ingest has come with the feed.

    Args:
        directory: For what it writes down.
        port: The broker's.
    """

    def __init__(self, directory: Path, port: int) -> None:
        address = ["-h", "127.0.0.1", "-p", str(port)]
        session = ["-V", "5", "-i", "witness", "-c", "-x", "3600", "-q", "1"]
        filters = ["-t", topics.ORDERS, "-t", INGEST]
        command = ["mosquitto_sub", *address, *session, *filters, "-F", "%t %p"]
        self.program = Program("witness", command, directory)
        self._log = directory / "witness.log"
        self._offset = 0
        self._reached = 0
        self._orders: list[dict[str, Any]] = []

    @property
    def reached(self) -> int:
        """The number of the feed's series up to which ingest has told it had journalled."""
        self._follow()
        return self._reached

    @property
    def orders(self) -> list[dict[str, Any]]:
        """Every order message, resent ones again, without epoch and key: who sent it."""
        self._follow()
        return self._orders

    def _follow(self) -> None:
        if not self._log.exists():
            return
        with self._log.open("rb") as log:
            log.seek(self._offset)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                self._take(line.decode())

    def _take(self, line: str) -> None:
        topic, _, payload = line.partition(" ")
        if topic == INGEST:
            self._reached = max(self._reached, json.loads(payload)["sequence"])
        elif topic.endswith("/orders"):
            order = json.loads(payload)
            assert order.pop("epoch") > 0
            assert order.pop("key_id")  # each installation has its own
            self._orders.append(order)
