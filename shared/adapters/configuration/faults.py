"""What is wrong with a configuration, where, and what to write instead."""

from collections.abc import Mapping

from msgspec import Struct

from shared.adapters.configuration.lines import KeyPath


class Fault(Struct, frozen=True):
    """One thing wrong.

    Attributes:
        line: From 1; 0 when it concerns no line of the file.
        key: As `books[0].sizing.floor`; empty when it concerns no key.
        problem: What is wrong.
        remedy: What to do about it.
    """

    line: int
    key: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        key = f"{self.key}: " if self.key else ""
        return f"{where}{key}{self.problem}; {self.remedy}"


class FaultyConfiguration(ValueError):  # noqa: N818 - reads as what happened, like KeyError
    """A configuration cannot be used.

    Attributes:
        faults: All of them, by line.
    """

    def __init__(self, path: str, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(f"{path}: {fault}" for fault in faults))
        self.faults = faults


class Faults:
    """Collects faults, and knows the line of a key."""

    def __init__(self, lines: Mapping[KeyPath, int]) -> None:
        self._lines = lines
        self._found: list[Fault] = []

    def add(self, path: KeyPath, problem: str, remedy: str) -> None:
        """Report `path`, at its own line or that of the nearest table around it; once."""
        around = (path[:length] for length in range(len(path), 0, -1))
        line = next((self._lines[place] for place in around if place in self._lines), 0)
        fault = Fault(line, key_of(path), problem, remedy)
        if fault not in self._found:
            self._found.append(fault)

    def found(self) -> tuple[Fault, ...]:
        """Every fault, in the order of the lines."""
        return tuple(sorted(self._found, key=lambda fault: fault.line))


def key_of(path: KeyPath) -> str:
    """The path as a person writes it.

    >>> key_of(("books", 0, "sizing", "floor"))
    'books[0].sizing.floor'
    """
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")
