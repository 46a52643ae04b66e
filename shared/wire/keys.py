"""Redis key names: what every process calls the same thing.

`hedge:v1:{stage}:name`. The stage (or stage-shard) is the hash tag, so everything one stage
commits lies in one slot and a Redis Cluster can hold the whole, sharded by stage.
"""

import re
from typing import Final

PREFIX: Final = "hedge:v1"

_STAGE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def stage_key(stage: str, name: str) -> str:
    """Return the key `name` of a stage.

    Args:
        stage: `[A-Za-z0-9._-]{1,64}`, for example `signals` or `hedger-spx`.
        name: The part after the hash tag.

    Raises:
        ValueError: The stage's name could be mistaken for something else in a key.
    """
    if not _STAGE.fullmatch(stage):
        raise ValueError(f"a stage is named with [A-Za-z0-9._-], 1 to 64 of them: {stage!r}")
    return f"{PREFIX}:{{{stage}}}:{name}"


def owns(stage: str, key: str) -> bool:
    """Tell whether a key carries the hash tag of a stage: it may write no other."""
    return key.startswith(stage_key(stage, ""))


def record(stage: str) -> str:
    """Return the hash that holds a stage's epoch, batch number, cursors, counts and state."""
    return stage_key(stage, "record")


def lease(stage: str) -> str:
    """Return the hash that holds who leads a stage; it is gone when nobody does."""
    return stage_key(stage, "lease")


def halt(stage: str = "hedger") -> str:
    """Return the key which, set to anything by anybody, lets no order be committed."""
    return stage_key(stage, "halt")


def journal(stage: str = "ingest") -> str:
    """Return the stream of everything a decision depends on."""
    return stage_key(stage, "journal")


def executions(stage: str = "ingest") -> str:
    """Return the bounded stream of the ids of execution reports, a list of those of each commit."""
    return stage_key(stage, "executions")


def signal_log(stage: str = "signals") -> str:
    """Return the stream of signal snapshots, executions and commands, in journal order."""
    return stage_key(stage, "log")


def decisions(stage: str = "hedger") -> str:
    """Return the stream of decisions, each with what led to it."""
    return stage_key(stage, "decisions")


def expected(stage: str = "auditor") -> str:
    """Return the stream of orders that the auditor expects in the gateway's record."""
    return stage_key(stage, "expected")


def announcements(stage: str) -> str:
    """Return the bounded stream of what is only told: late readers miss the oldest."""
    return stage_key(stage, "announcements")


def outbox(stage: str = "hedger") -> str:
    """Return the stream of rows that wait for an acknowledgement."""
    return stage_key(stage, "outbox")


def history(stage: str = "dashboard") -> str:
    """Return the bounded stream of what the page's charts show."""
    return stage_key(stage, "history")


def signals(stage: str = "signals") -> str:
    """Return the plain hash for people: name to `value unit event_time quality`."""
    return stage_key(stage, "signals")


def exposure_log(stage: str = "exposure") -> str:
    """Return the bounded stream of what every book's exposure was."""
    return stage_key(stage, "log")


def exposure(book: str, stage: str = "exposure") -> str:
    """Return the plain hash of a book's exposure: name to `value unit event_time quality`."""
    return stage_key(stage, f"exposure:{book}")
