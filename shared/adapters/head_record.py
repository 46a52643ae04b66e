"""Signed heads of the decision log, kept where the hedger cannot write: what was cannot be unsaid.

A file of sealed payloads, each two lines, appended and synced one at a time. A last one that a
crash cut short is passed over.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from shared.adapters.keyring import Keyring
from shared.wire import topics
from shared.wire.decisions import ChainHead
from shared.wire.messages import DecisionHeadMessage


class HeadRecord:
    """The file. Blocking: call it from a thread.

    Args:
        path: Made when missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_whole = False

    def append(self, payload: bytes) -> None:
        """Write a sealed head down; when this returns it survives a power cut."""
        if not self._is_whole:
            self._drop_what_was_cut_short()
        with self._path.open("ab") as file:
            file.write(payload.rstrip(b"\n") + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _drop_what_was_cut_short(self) -> None:
        whole = sum(len(payload) + 1 for payload in self.payloads())
        if self._path.exists():
            os.truncate(self._path, whole)
        self._is_whole = True

    def payloads(self) -> Iterator[bytes]:
        """Yield the sealed heads, oldest first."""
        if not self._path.exists():
            return
        lines = self._path.read_bytes().split(b"\n")
        for body, signature in zip(lines[:-1:2], lines[1:-1:2], strict=False):
            yield body + b"\n" + signature


def signed_head(keyring: Keyring, payload: bytes) -> ChainHead:
    """Read a sealed head.

    Raises:
        Forged: The monitor has not signed it.
        MalformedMessage: It is no such message.
    """
    message = keyring.open("monitor", topics.DECISION_HEAD, payload, DecisionHeadMessage)
    return ChainHead(message.index, bytes.fromhex(message.hash))
