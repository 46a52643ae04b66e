"""Which names are of options that may arrive: those of configured roots, so many at most."""

from collections.abc import Set as AbstractSet
from datetime import date
from typing import Final

from shared.domain.instants import DAY, HOUR
from shared.domain.instruments.osi import MalformedSymbol, OsiName, parse_osi

_EPOCH: Final = date(1970, 1, 1).toordinal()
_LAST_TIME_ZONE_NS: Final = 12 * HOUR


class OptionNames:
    """Looks at each name once.

    What it remembers lasts as long as the process: after a restart it counts anew, so that no state
    grows with the number of options that were ever quoted.

    Args:
        roots: Product codes that are welcome.
        most: Names that are remembered.
    """

    def __init__(self, roots: AbstractSet[str], most: int) -> None:
        self._roots = roots
        self._most = most
        self._last_ns: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        """Whether `name`, without blanks, is an option of one of the roots."""
        return name in self._last_ns or self._read(name) is not None

    def admit(self, name: str) -> bool:
        """Remember a name that is an option's; whether there is room for it."""
        option = self._read(name)
        if option is not None and name not in self._last_ns and len(self._last_ns) < self._most:
            self._last_ns[name] = _last_ns(option.expiry)
        return name in self._last_ns

    def last_ns(self, name: str) -> int:
        """After it there can be no tick of an admitted name; 0 for any other."""
        return self._last_ns.get(name, 0)

    def _read(self, name: str) -> OsiName | None:
        try:
            option = parse_osi(name)
        except MalformedSymbol:
            return None
        return option if option.root in self._roots and " " not in name else None


def _last_ns(expiry: date) -> int:
    """The end of a day wherever it ends last: the exchange's own hours count where one has them."""
    return (expiry.toordinal() - _EPOCH + 1) * DAY + _LAST_TIME_ZONE_NS
