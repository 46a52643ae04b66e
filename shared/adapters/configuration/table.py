"""One table of the configuration, read key by key: a fault is noted and reading goes on.

A reader returns the default where it notes a fault, so that every other fault is found too;
`is_sound` tells a later check whether the numbers it compares were really given.

Longer than most: a method for each kind of value that a configuration has.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import partial
from math import inf, isfinite
from typing import Final, TypeVar

from msgspec import Struct

from shared.adapters.configuration.faults import Faults, key_of
from shared.adapters.configuration.lines import KeyPath
from shared.adapters.configuration.units import (
    WrongUnit,
    duration,
    fraction,
    hold,
    ticks,
    trading_duration,
)
from shared.domain.instants import DAY, SECOND
from shared.domain.policies import Hold

Value = TypeVar("Value")
Word = TypeVar("Word", bound=str)


class Range(Struct, frozen=True):
    """Where a number may lie, both ends included.

    Attributes:
        low: Least.
        high: Greatest.
        open_low: Whether `low` itself is left out.
    """

    low: float = -inf
    high: float = inf
    open_low: bool = False

    def __contains__(self, number: float) -> bool:
        return self.low <= number <= self.high and not (self.open_low and number == self.low)

    def __str__(self) -> str:
        if self.high == inf:
            return f"more than {self.low:g}" if self.open_low else f"at least {self.low:g}"
        start = f"above {self.low:g} and at most" if self.open_low else f"from {self.low:g} to"
        return f"{start} {self.high:g}"

    @property
    def as_percentages(self) -> str:
        """The same as `str`, in percent."""
        return f"{Range(self.low * 100, self.high * 100, self.open_low)}%".replace(" to", "% to")


ANY: Final = Range()
NOT_NEGATIVE: Final = Range(0)
POSITIVE: Final = Range(0, open_low=True)
COUNT: Final = Range(1, 1_000_000)
SHARE: Final = Range(0, 1)
LEVEL: Final = Range(0, 250)
"""Vol points of an index. One between 0 and 1 was never seen; a decimal always lies there."""


class Table:
    """A table of the document, with the path to it."""

    def __init__(
        self, values: Mapping[str, object], path: KeyPath, faults: Faults, session_ns: int
    ) -> None:
        self.path = path
        self._values = values
        self._faults = faults
        self._session_ns = session_ns
        self._asked: set[str] = set()
        self._unsound: set[str] = set()
        self._children: dict[KeyPath, Table] = {}

    def fault(self, key: str, problem: str, remedy: str) -> None:
        """Report a key of this table; an empty key reports the table itself."""
        self._unsound.add(key)
        self._faults.add((*self.path, key) if key else self.path, problem, remedy)

    def has(self, key: str) -> bool:
        """Whether the file gives the key."""
        self._asked.add(key)
        return key in self._values

    def keys(self) -> tuple[str, ...]:
        """Every key the file gives, for tables whose keys are names."""
        self._asked.update(self._values)
        return tuple(self._values)

    def is_sound(self, *keys: str) -> bool:
        """Whether no fault was noted for any of these keys."""
        return not self._unsound.intersection(keys)

    def is_given(self, key: str) -> bool:
        """Whether the file gives the key, and without a fault."""
        return key in self._values and self.is_sound(key)

    def is_list(self, key: str) -> bool:
        """Whether the file gives a list."""
        return isinstance(self._values.get(key), list)

    @property
    def session_ns(self) -> int:
        """Length of an ordinary session."""
        return self._session_ns

    def leave(self, *keys: str) -> None:
        """Leave keys to a reader that comes later: they are known."""
        self._asked.update(keys)

    def require(self, *keys: str) -> None:
        """Report each of these keys that is absent."""
        for key in keys:
            if not self.has(key):
                self._absent(key, None, None)

    def refuse_unknown_keys(self) -> None:
        """Report every key that no reader asked for. Call it last."""
        for key in self._values:
            if key not in self._asked:
                near = get_close_matches(key, self._asked, n=1)
                known = ", ".join(sorted(self._asked))
                self.fault(
                    key,
                    f"unknown key {key!r}",
                    f"did you mean {near[0]!r}?" if near else f"known here are {known}",
                )

    # --- values ------------------------------------------------------------------------------

    def text(self, key: str, default: str | None = None) -> str:
        """A string; without a default it must be there and not be empty."""
        value = self._of_type(key, str, "a string", 'write it in quotes: "…"')
        if value is None:
            return self._absent(key, default, "")
        if not value and not default:
            self.fault(key, "is empty", "write something in the quotes")
        return value

    def optional_text(self, key: str) -> str | None:
        """A string, or `None` when the key is absent."""
        return self.text(key, "-") if self.has(key) else None

    def choice(self, key: str, choices: Sequence[Word], default: Word) -> Word:
        """One of a few words."""
        value = self.text(key, default)
        for word in choices:
            if word == value:
                return word
        near = get_close_matches(value, choices, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "choose another"
        self.fault(key, f"{value!r} is not one of {', '.join(choices)}", hint)
        return default

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings, empty when absent."""
        values: list[object] = self._of_type(key, list, "a list", 'write ["A", "B"]') or []
        texts = tuple(value for value in values if isinstance(value, str))
        if len(texts) < len(values):
            self.fault(key, "not every element is a string", 'write ["A", "B"]')
        return texts

    def value(self, key: str) -> object:
        """Whatever the file gives, or `None`: whoever asks judges it."""
        self._asked.add(key)
        return self._values.get(key)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._of_type(key, bool, "true or false", "write true or false without quotes")
        return default if value is None else value

    def number(self, key: str, default: float | None = None, within: Range = ANY) -> float:
        """A number; without a default it must be there."""
        value = self._number(key, "write a number without quotes")
        if value is None:
            return self._absent(key, default, 1.0)
        return self._checked(key, value, within, f"write a number {within}")

    def optional_number(self, key: str, within: Range = ANY) -> float | None:
        """A number, or `None` when the key is absent."""
        return self.number(key, 1.0, within) if self.has(key) else None

    def count(self, key: str, default: int | None = None, within: Range = COUNT) -> int:
        """A whole number, from 1 unless told otherwise."""
        value = self.number(key, default, within)
        if value != int(value):
            self.fault(key, f"{value:g} is not a whole number", f"write {round(value)}")
        return int(value)

    def fraction(self, key: str, default: float, within: Range = SHARE) -> float:
        """A fraction of one: `0.15`, or `"15%"`."""
        text = self._values.get(key)
        if isinstance(text, str):
            value = self._quantity(key, fraction)
        else:
            value = self._number(key, 'write "15%" or 0.15')
        if value is None:
            return default
        remedy = f"as a fraction it lies {within.as_percentages}"
        if isinstance(text, int | float) and value / 100 in within:
            remedy = f'write "{value:g}%" or {value / 100:g}; {remedy}'
        return self._checked(key, value, within, remedy)

    def level(self, key: str, default: float) -> float:
        """A volatility level in vol points."""
        value = self._number(key, "write vol points: 18 means 18%")
        if value is None:
            return default
        if 0 < value < 1:
            remedy = f"write vol points: {value * 100:g}"
            self.fault(key, f"{value:g} looks like a decimal", remedy)
            return value
        return self._checked(key, value, LEVEL, f"write vol points {LEVEL}: 18 means 18%")

    def instant(self, key: str) -> int:
        """An instant with its zone, in ns since the epoch; it must be there."""
        value = self._of_type(key, datetime, "an instant", "write 2026-12-16T09:30:00-05:00")
        if value is not None and value.tzinfo is None:
            self.fault(key, "has no time zone", "write 2026-12-16T09:30:00-05:00")
            return 0
        return self._absent(key, 0, 0) if value is None else int(value.timestamp()) * SECOND

    def dates(self, key: str) -> tuple[date, ...]:
        """A list of days, empty when absent."""
        values: list[object] = self._of_type(key, list, "a list", "write [2026-12-24]") or []
        days = tuple(value for value in values if type(value) is date)
        if len(days) < len(values):
            self.fault(key, "not every element is a date", "write [2026-12-24] without quotes")
        return days

    def time(self, key: str) -> time:
        """A time of day, as "13:00"; it must be there."""
        text = self.text(key)
        try:
            return time.fromisoformat(text)
        except ValueError:
            if self.is_sound(key):
                self.fault(key, f"{text!r} is not a time of day", 'write "13:00"')
            return time.min

    # --- durations ---------------------------------------------------------------------------

    def duration(self, key: str, default_ns: int, *, positive: bool = False) -> int:
        """Nanoseconds on the wall clock."""
        return self._duration(key, duration, default_ns, positive=positive)

    def trading(self, key: str, default_ns: int, *, positive: bool = False) -> int:
        """Nanoseconds of trading time."""
        read = partial(trading_duration, session_ns=self._session_ns)
        return self._duration(key, read, default_ns, positive=positive)

    def days(self, key: str, default: float) -> float:
        """Calendar days."""
        return self._duration(key, duration, int(default * DAY), positive=True) / DAY

    def hold(self, key: str, default: Hold) -> Hold:
        """Persistence."""
        return self._quantity(key, hold) or default

    def ticks(self, key: str, default: int) -> int:
        """A number of observations, as "3 ticks"."""
        return self._quantity(key, ticks) or default

    # --- tables ------------------------------------------------------------------------------

    def table(self, key: str) -> "Table":
        """A table within this one, empty when absent."""
        values = self._of_type(key, dict, "a table", f"write [{key_of((*self.path, key))}]")
        return self._within(values or {}, key)

    def tables(self, key: str) -> "list[Table]":
        """An array of tables within this one, empty when absent."""
        header = f"write [[{key_of((*self.path, key))}]] above each of them"
        values: list[object] = self._of_type(key, list, "a list of tables", header) or []
        tables: list[dict[str, object]] = [value for value in values if isinstance(value, dict)]
        if len(tables) < len(values):
            self.fault(key, "is not a list of tables", header)
            return []
        return [self._within(value, key, index) for index, value in enumerate(tables)]

    def _within(self, values: Mapping[str, object], *path: str | int) -> "Table":
        if path not in self._children:
            place = (*self.path, *path)
            self._children[path] = Table(values, place, self._faults, self._session_ns)
        return self._children[path]

    # --- faults of one value -----------------------------------------------------------------

    def _of_type(self, key: str, kind: type[Value], name: str, remedy: str) -> Value | None:
        self._asked.add(key)
        value = self._values.get(key)
        if value is None or isinstance(value, kind):
            return value
        self.fault(key, f"is {_kind_of(value)}, not {name}", remedy)
        return None

    def _number(self, key: str, remedy: str) -> float | None:
        self._asked.add(key)
        value = self._values.get(key)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
            return float(value)
        self.fault(key, f"is {_kind_of(value)}, not a number", remedy)
        return None

    def _absent(self, key: str, default: Value | None, placeholder: Value) -> Value:
        if default is not None:
            return default
        if self.is_sound(key):
            self.fault(key, "is missing", f"{key} has no default: write it here")
        return placeholder

    def _checked(self, key: str, value: float, within: Range, remedy: str) -> float:
        if value not in within:
            self.fault(key, f"{value:g} is out of range", remedy)
        return value

    def _duration(
        self, key: str, read: Callable[[str], int], default_ns: int, *, positive: bool
    ) -> int:
        value = self._quantity(key, read)
        if positive and value == 0:
            self.fault(key, "must last some time", 'write "15 min" or the like')
        return default_ns if value is None else value

    def _quantity(self, key: str, read: Callable[[str], Value]) -> Value | None:
        self._asked.add(key)
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            value = str(value)  # a bare number has no unit: let the grammar say so
        try:
            return read(value)
        except WrongUnit as reason:
            self.fault(key, str(reason), reason.remedy)
            return None


def _kind_of(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the string {value!r}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"a {type(value).__name__}"
