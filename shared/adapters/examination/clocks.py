"""Does anybody keep this machine's clock right? The kernel knows."""

import ctypes
from collections.abc import Callable
from typing import Final

from shared.adapters.examination.findings import Finding, well, wrong

_NOT_SYNCHRONIZED: Final = 0x40
"""STA_UNSYNC of `adjtimex(2)`."""


class _Timex(ctypes.Structure):
    """The head of the kernel's `struct timex`; what follows is room for the rest of it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("most_error", ctypes.c_long),
        ("estimated_error", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def is_synchronized() -> bool | None:
    """Ask the kernel, and change nothing; `None` where it does not say, as on macOS."""
    library, answer = ctypes.CDLL(None), _Timex()
    if not hasattr(library, "adjtimex") or library.adjtimex(ctypes.byref(answer)) < 0:
        return None
    return not answer.status & _NOT_SYNCHRONIZED


def examine_clock(ask: Callable[[], bool | None] = is_synchronized) -> Finding:
    """Is the clock kept right? Event times are judged by it."""
    match ask():
        case None:
            return well("clock", "not told here: see that it is synchronized")
        case True:
            return well("clock", "the kernel says that it is synchronized")
        case False:
            seen = "the kernel says that nobody synchronizes it"
            return wrong("clock", seen, "run chrony or another NTP client on this machine")
