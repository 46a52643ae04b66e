"""Keys of a terminal, one by one, without waiting for Enter."""

import asyncio
import os
import re
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_PIECE: Final = 256
_NAMES: Final = {
    b"\x1b[A": "up",
    b"\x1bOA": "up",
    b"\x1b[B": "down",
    b"\x1bOB": "down",
}
# ECMA-48, 5.4: a control sequence; and what some terminals send for cursor keys, a shift.
_BEGUN: Final = re.compile(rb"\x1b(\[[0-?]*[ -/]*|O)?")
_KEY: Final = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO.|\x1b(\[[0-?]*[ -/]*|O)?\Z|.", re.DOTALL)


class KeyReader:
    """Turns what a terminal sends into names of keys: `up`, `down`, or the character."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[str]:
        """Yield the keys; a sequence that is not whole waits for its rest."""
        text = self._rest + piece
        self._rest = b""
        for found in _KEY.finditer(text):
            key = found.group()
            if found.end() == len(text) and _BEGUN.fullmatch(key):
                self._rest = key
            elif key in _NAMES:
                yield _NAMES[key]
            elif len(key) == 1:
                yield chr(key[0])


@contextmanager
def keys_of_terminal(on_key: Callable[[str], None], on_end: Callable[[], None]) -> Iterator[None]:
    """Call `on_key` for each key while the block runs, and `on_end` when the terminal is gone.

    Ctrl-C interrupts as ever. Ctrl-Z is off: it would leave the shell on the other screen.
    Nothing happens where standard input is no terminal.
    """
    descriptor = sys.stdin.fileno() if sys.stdin.isatty() else None
    if descriptor is None:
        yield
        return
    loop = asyncio.get_running_loop()
    before = termios.tcgetattr(descriptor)
    reader = KeyReader()

    def read() -> None:
        try:
            piece = os.read(descriptor, _PIECE)
        except OSError:
            piece = b""
        if not piece:
            loop.remove_reader(descriptor)
            on_end()
        for key in reader.feed(piece):
            on_key(key)

    tty.setcbreak(descriptor)
    _without_suspension(descriptor)
    loop.add_reader(descriptor, read)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


def _without_suspension(descriptor: int) -> None:
    mode = termios.tcgetattr(descriptor)
    mode[6][termios.VSUSP] = b"\0"
    termios.tcsetattr(descriptor, termios.TCSANOW, mode)
