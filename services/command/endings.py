"""How a command ends when it cannot do what was asked: one line a reason, and its exit code.

0: done. 1: something outside is not as it should be, or a service could not go on. 2: a mistake in
the command line, the configuration or the history. 130: interrupted before the end.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Final

from services.feed.pacing import JournalWentBack
from shared.adapters.archive import ArchiveUnavailable
from shared.adapters.bus import PublishRefused
from shared.adapters.embedded import EmbeddedServerFailed, EmbeddedServerMissing
from shared.adapters.record import RecordInUse, RecordOutdated
from shared.adapters.store import StoreTrouble
from shared.runtime.ledger import StageStopped

FOR_A_REASON: Final = (
    ArchiveUnavailable,
    EmbeddedServerFailed,
    EmbeddedServerMissing,
    JournalWentBack,
    OSError,
    PublishRefused,
    RecordInUse,
    RecordOutdated,
    StageStopped,
    StoreTrouble,
    sqlite3.DatabaseError,
)
"""What ends a command with words for its operator; anything else is a fault of ours."""


class Refused(Exception):  # noqa: N818 - an answer, not a fault of ours
    """What was asked for cannot be done; the text says why, and what can. Exit code 2."""


class Failed(Exception):  # noqa: N818 - likewise
    """Something outside is not as it should be: a text for each, and what to do. Exit code 1."""

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


@contextlib.contextmanager
def refusing(*kinds: type[Exception]) -> Iterator[None]:
    """Turn these, and trouble with a file, into `Refused`.

    Raises:
        Refused: See above.
    """
    try:
        yield
    except kinds as reason:
        raise Refused(str(reason)) from reason
    except OSError as error:
        raise Refused(f"{error.filename}: {error.strerror}") from error


@contextlib.contextmanager
def named_reasons() -> Iterator[None]:
    """Turn what ends the block for a reason into one `Failed` with all of them.

    Raises:
        Failed: See above.
    """
    reasons: list[str] = []
    try:
        yield
    except* FOR_A_REASON as stopped:
        reasons = [str(reason) or type(reason).__name__ for reason in leaves(stopped)]
    if reasons:
        raise Failed(*dict.fromkeys(reasons))


def leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Yield the exceptions of a group and of the groups in it."""
    for reason in group.exceptions:
        if isinstance(reason, BaseExceptionGroup):
            yield from leaves(reason)
        else:
            yield reason
