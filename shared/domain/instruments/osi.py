"""Names of listed options: OCC's Option Symbology Initiative (OSI, 2010), with and without blanks.

Twenty-one characters: the root padded to six with blanks, the expiry day as YYMMDD, C or P, and
the strike in thousandths in eight digits. On the wire, where a symbol has no blanks, the padding
is left out: the last fifteen characters are always the same fields, so no name can be read twice.
"""

import re
from datetime import date
from typing import Final

from msgspec import Struct

from shared.domain.instruments.instrument import Right

_NAME: Final = re.compile(r"([A-Z][A-Z0-9]{0,5})( *)([0-9]{6})([CP])([0-9]{8})")
_PADDED_ROOT: Final = 6
_THOUSANDTHS: Final = 1000
_LARGEST_STRIKE: Final = 99_999.999
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2099
_RIGHTS: Final[dict[str, Right]] = {"C": "call", "P": "put"}


class MalformedSymbol(ValueError):  # noqa: N818 - reads as what happened, like KeyError
    """A name that is none.

    Attributes:
        problem: Which part of it is wrong.
    """

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(f"{text[:40]!r}: {problem}")
        self.problem = problem


class OsiName(Struct, frozen=True, kw_only=True):
    """What an option's name says.

    Attributes:
        root: Product code, 1 to 6 of A-Z 0-9, a letter first: `SPXW`, `AAPL`, `EW3`.
        expiry: Day of expiry.
        right: Call or put.
        strike: In the underlying's unit, above 0, in whole thousandths.
    """

    root: str
    expiry: date
    right: Right
    strike: float


def parse_osi(text: str) -> OsiName:
    """Read an option's name.

    Args:
        text: With the blanks (`SPXW  261218P05000000`) or without (`SPXW261218P05000000`).

    Raises:
        MalformedSymbol: It is no such name.

    Example:
        >>> parse_osi("SPXW261218P05000000").strike
        5000.0
    """
    match = _NAME.fullmatch(text)
    if match is None:
        raise MalformedSymbol(
            text, "an option's name is a root, YYMMDD, C or P, and eight digits of strike"
        )
    root, blanks, day, right, thousandths = match.groups()
    if blanks and len(root) + len(blanks) != _PADDED_ROOT:
        raise MalformedSymbol(text, "a root is padded to six characters, or not at all")
    if not int(thousandths):
        raise MalformedSymbol(text, "a strike of 0")
    return OsiName(
        root=root,
        expiry=_day(text, day),
        right=_RIGHTS[right],
        strike=int(thousandths) / _THOUSANDTHS,
    )


def format_osi(name: OsiName, *, blanks: bool = False) -> str:
    """Write an option's name, without the blanks unless told: the inverse of `parse_osi`.

    Raises:
        MalformedSymbol: No such name can be written.

    Example:
        >>> format_osi(parse_osi("VIX261216C00020000"), blanks=True)
        'VIX   261216C00020000'
    """
    thousandths = round(name.strike * _THOUSANDTHS)
    exact = 0 < name.strike <= _LARGEST_STRIKE and thousandths / _THOUSANDTHS == name.strike
    if not exact:
        raise MalformedSymbol(
            name.root, f"a strike of {name.strike} cannot be written in thousandths"
        )
    if not _FIRST_YEAR <= name.expiry.year <= _LAST_YEAR:
        raise MalformedSymbol(name.root, f"{name.expiry}: two digits mean a year from 2000 to 2099")
    root = f"{name.root:<{_PADDED_ROOT}}" if blanks else name.root
    text = f"{root}{name.expiry:%y%m%d}{name.right[0].upper()}{thousandths:08d}"
    if _NAME.fullmatch(text) is None:
        raise MalformedSymbol(name.root, "a root is 1 to 6 of A-Z 0-9, a letter first")
    return text


def _day(text: str, digits: str) -> date:
    year, month, day = (int(digits[at : at + 2]) for at in (0, 2, 4))
    try:
        return date(_FIRST_YEAR + year, month, day)
    except ValueError:
        raise MalformedSymbol(text, f"there is no day {digits}") from None
