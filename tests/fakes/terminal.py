"""A terminal with a person at it: a command on a real pty, its keys, its size, what it wrote."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from typing import Final, Self

from fakes.command import HEDGESTAT, environment

_STYLES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ALTERNATE_SCREEN: Final = "\x1b[?1049h"
USUAL_SCREEN: Final = "\x1b[?1049l"
SHOWN_CURSOR: Final = "\x1b[?25h"


class Terminal:
    """A context manager: what runs at its end is killed.

    Args:
        words: The command line after `hedgestat`.
        columns: Its width.
        rows: Its height.

    Attributes:
        raw: All that was written so far.
    """

    def __init__(self, words: Sequence[str], columns: int = 80, rows: int = 24) -> None:
        self.raw = ""
        self._words = words
        self._size = (rows, columns)
        self._seen = 0
        self._ours = -1
        self._theirs = -1
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._ours, self._theirs = pty.openpty()
        rows, columns = self._size
        self.resize(columns, rows)
        variables = environment(TERM="xterm-256color")
        variables.pop("COLUMNS")
        self._process = subprocess.Popen(
            [HEDGESTAT, *self._words],
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            env=variables,
            start_new_session=True,
            preexec_fn=self._take_terminal,  # noqa: PLW1509 - no threads here
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        os.close(self._ours)
        os.close(self._theirs)

    def _take_terminal(self) -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def press(self, keys: str) -> None:
        """Type; what is awaited from now on must be written afterwards."""
        self._seen = len(self.raw)
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Make it another size, as a window manager does."""
        self._seen = len(self.raw)
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def await_text(self, text: str, within_s: float = 15.0) -> str:
        """Read until a text was written, and return what was, without styles.

        Raises:
            AssertionError: It was not in time.
        """
        deadline = time.perf_counter() + within_s
        while text not in (plain := _STYLES.sub("", self.raw[self._seen :])):
            left_s = deadline - time.perf_counter()
            assert left_s > 0, f"no {text!r} within {within_s} s, but: {plain[-3_000:]}"
            self._read(left_s)
        return plain

    def forget(self) -> None:
        """Leave what was written out of what is awaited."""
        self._seen = len(self.raw)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def ended(self, within_s: float = 10.0) -> int:
        """Read on to its end, and return its code.

        Raises:
            AssertionError: It goes on.
        """
        assert self._process is not None
        deadline = time.perf_counter() + within_s
        while self._process.poll() is None:
            assert time.perf_counter() < deadline, f"it goes on: {self.raw[-2_000:]}"
            self._read(0.05)
        while self._read(0.0):
            pass
        return self._process.returncode

    def modes(self) -> list[object]:
        """The terminal's modes: echo, lines, special characters."""
        return termios.tcgetattr(self._ours)

    def _read(self, within_s: float) -> bool:
        if not select.select([self._ours], [], [], min(within_s, 0.1))[0]:
            return False
        self.raw += os.read(self._ours, 65_536).decode(errors="replace")
        return True
