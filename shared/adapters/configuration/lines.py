"""Where every key of a TOML document stands: `tomllib` tells the values but not the lines.

Only for documents that `tomllib` accepts: the scanner knows where things end, not what is valid.
"""

import re
import tomllib
from bisect import bisect_right
from typing import Final

KeyPath = tuple[str | int, ...]
"""From the root to a value: names of tables and keys, indices into arrays."""

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY: Final = re.compile(r"""[ \t]*([A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*')[ \t]*(\.?)""")
_SCALAR: Final = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|"(?:\\.|[^"\\])*"|'''
    r"""'{3}.*?'{3,5}|'[^']*'|[^,\]}#\n]+""",
    re.DOTALL,
)


def locate(text: str) -> dict[KeyPath, int]:
    r"""Line, from 1, of every table, key and array element of a valid TOML document.

    A table that is only implied (`a` by `[a.b]`) stands where it is first implied; an array of
    tables where its first table does.

    >>> locate("[a]\nb = [1,\n 2]")
    {('a',): 1, ('a', 'b'): 2, ('a', 'b', 0): 2, ('a', 'b', 1): 3}
    """
    return _Scanner(text).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._tables_in: dict[KeyPath, int] = {}  # how many an array of tables has so far
        self._lines: dict[KeyPath, int] = {}

    def document(self) -> dict[KeyPath, int]:
        base: KeyPath = ()
        self._skip_blank()
        while self._at < len(self._text):
            if self._took("[["):
                base = self._header(new_element=True)
                self._at += 2
            elif self._took("["):
                base = self._header(new_element=False)
                self._at += 1
            else:
                self._pair(base)
            self._skip_blank()
        return self._lines

    def _header(self, *, new_element: bool) -> KeyPath:
        line = self._line()
        *parents, last = self._key()
        path = self._element((), line)
        for name in parents:
            path = self._element((*path, name), line)
        path = (*path, last)
        self._lines.setdefault(path, line)
        if new_element:
            self._tables_in[path] = self._tables_in.get(path, 0) + 1
        return self._element(path, line)

    def _element(self, path: KeyPath, line: int) -> KeyPath:
        """The path, or where it is an array of tables the path of its newest element."""
        if path:
            self._lines.setdefault(path, line)
        if path in self._tables_in:
            path = (*path, self._tables_in[path] - 1)
            self._lines.setdefault(path, line)
        return path

    def _pair(self, base: KeyPath) -> None:
        line = self._line()
        path = base
        for name in self._key():
            path = (*path, name)
            self._lines.setdefault(path, line)
        self._at += 1  # the equals sign
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip_blank()
        self._lines.setdefault(path, self._line())
        if self._took("["):
            self._array(path)
        elif self._took("{"):
            self._inline_table(path)
        else:
            self._at = self._match(_SCALAR).end()

    def _array(self, path: KeyPath) -> None:
        index = 0
        self._skip_blank()
        while not self._took("]"):
            self._value((*path, index))
            index += 1
            self._skip_blank()
            self._took(",")
            self._skip_blank()

    def _inline_table(self, path: KeyPath) -> None:
        self._skip_blank()
        while not self._took("}"):
            self._pair(path)
            self._skip_blank()
            self._took(",")
            self._skip_blank()

    def _key(self) -> list[str]:
        names = []
        dotted = True
        while dotted:
            match = self._match(_KEY)
            names.append(_unquoted(match[1]))
            dotted = bool(match[2])
            self._at = match.end()
        return names

    def _took(self, token: str) -> bool:
        found = self._text.startswith(token, self._at)
        self._at += len(token) * found
        return found

    def _skip_blank(self) -> None:
        self._at = self._match(_BLANK).end()

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"not TOML in line {self._line()}")
        return match

    def _line(self) -> int:
        return bisect_right(self._line_starts, self._at)


def _unquoted(name: str) -> str:
    if name[0] not in "\"'":
        return name
    unquoted: str = tomllib.loads(f"name = {name}")["name"]
    return unquoted
