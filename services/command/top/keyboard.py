"""Keys of a terminal, one by one, without waiting for Enter."""

import asyncio
import os
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
_LONGEST: Final = 3


class KeyReader:
    """Turns what a terminal sends into names of keys: `up`, `down`, or the character."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[str]:
        """Yield the keys; a sequence that is not whole waits for its rest."""
        text = self._rest + piece
        self._rest = b""
        while text:
            if text[:1] != b"\x1b":
                yield chr(text[0])
                text = text[1:]
            elif text[:_LONGEST] in _NAMES:
                yield _NAMES[text[:_LONGEST]]
                text = text[_LONGEST:]
            elif text in {b"\x1b", b"\x1b[", b"\x1bO"}:
                self._rest = text
                return
            else:
                text = _after_sequence(text)


def _after_sequence(text: bytes) -> bytes:
    """Drop an escape sequence that is no key of ours."""
    end = 1
    if text[1:2] in {b"[", b"O"}:
        end = 2
        while end < len(text) and not 0x40 <= text[end] <= 0x7E:  # noqa: PLR2004 - ECMA-48's final bytes
            end += 1
    return text[end + 1 :]


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
