"""RFC 3339 at the edges, integer nanoseconds inside: exact both ways, to the nanosecond."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from shared.domain.instants import SECOND

_FORM: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ]((?:[01]\d|2[0-3])(?::[0-5]\d){2})(?:\.(\d{1,9}))?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,  # else any script's digits
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parse_instant(text: str) -> int:
    """Read an RFC 3339 instant as ns since the epoch.

    Raises:
        ValueError: Not RFC 3339, no offset, more than nine decimals, or a leap second: the epoch
            does not count those.

    Example:
        >>> parse_instant("1970-01-01T00:00:01.5Z")
        1500000000
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"not an RFC 3339 instant with an offset: {text[:40]!r}")
    day, clock, fraction, offset = found.groups()
    whole = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if offset in 'Zz' else offset}")
    seconds = (whole - _EPOCH) // timedelta(seconds=1)
    return seconds * SECOND + int((fraction or "").ljust(9, "0"))


def format_instant(instant_ns: int) -> str:
    """Write ns since the epoch as RFC 3339 in UTC, without needless zeros.

    Example:
        >>> format_instant(1500000000)
        '1970-01-01T00:00:01.5Z'
    """
    seconds, fraction = divmod(instant_ns, SECOND)
    whole = _format_second(seconds)
    decimals = f"{fraction:09d}".rstrip("0")
    return f"{whole}.{decimals}Z" if decimals else f"{whole}Z"


@lru_cache(maxsize=256)
def _format_second(seconds: int) -> str:
    """Write whole seconds; what is told of one event, and of its orders, falls into few of them."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
