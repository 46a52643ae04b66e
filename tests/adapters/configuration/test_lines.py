"""The locator against `tomllib`: every key of the document, at a line that holds it."""

import json
import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.configuration.lines import KeyPath, locate

DOCUMENT = '''# a comment with [brackets] and = signs
title = "a # that is no comment" # one that is

[calendar]
name = 'XNYS'
closed = [
  2018-12-05, # Bush
  2012-10-29,
]
early_closes = { 2018-07-03 = "13:00", "2018-11-23" = '13:00' }
note = """
[not_a_table]
x = 1 \\""" still inside """""
raw = \'\'\'
[[neither]] \'\'\'

[[books]]
name = "one"
[books.portfolio]
weights . SPX = 1.0
[[books.legs]]
name = "a"
[[books.legs]]
name = "b"

[[books]]
"odd \\u00e9 name" = 1
[[books.legs]]
points = [[1, 2], [{ x = 1 }, {}]]
[deep.er]
'''


def paths(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(inner, (*path, key))


def line_with(text: str) -> int:
    return next(n for n, line in enumerate(DOCUMENT.splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("path", "holds"),
    [
        (("title",), "title ="),
        (("calendar",), "[calendar]"),
        (("calendar", "closed", 1), "2012-10-29"),
        (("calendar", "early_closes", "2018-11-23"), "early_closes"),
        (("calendar", "note"), "note ="),
        (("calendar", "raw"), "raw ="),
        (("books",), "[[books]]"),
        (("books", 0, "portfolio"), "[books.portfolio]"),
        (("books", 0, "portfolio", "weights"), "weights . SPX"),
        (("books", 0, "portfolio", "weights", "SPX"), "weights . SPX"),
        (("books", 0, "legs", 1, "name"), '"b"'),
        (("books", 1, "odd é name"), "odd"),
        (("books", 1, "legs", 0, "points", 1, 0, "x"), "points ="),
        (("deep",), "[deep.er]"),
        (("deep", "er"), "[deep.er]"),
    ],
)
def test_a_key_is_found_where_it_stands(path: KeyPath, holds: str) -> None:
    assert locate(DOCUMENT)[path] == line_with(holds)


def test_every_key_is_found_and_nothing_else() -> None:
    assert set(locate(DOCUMENT)) == set(paths(tomllib.loads(DOCUMENT)))


def test_windows_line_ends_count_as_one() -> None:
    assert locate("[a]\r\nb = 1\r\n") == {("a",): 1, ("a", "b"): 2}


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing"])
def test_an_empty_document_has_no_keys(text: str) -> None:
    assert locate(text) == {}


def test_what_is_not_toml_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2"):
        locate("a = 1\n= 2")


# --- documents of every shape ----------------------------------------------------------------

NAMES = st.text("abc-_ .é\"#=[]'", min_size=1, max_size=4)
STRINGS = st.text("ab\n\"'#=[]{}\\,é", max_size=6)
SCALARS = st.integers() | st.booleans() | st.floats(allow_nan=False) | STRINGS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
FILLERS = st.sampled_from(["", "\n", "# a = 1\n", "\n  # [x]\n\n"])
TABLES = st.dictionaries(NAMES, VALUES, max_size=3)
ARRAYS = st.lists(TABLES, min_size=1, max_size=3)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[KeyPath, int]]:
    """A document with, for every key and table, the line it was written in."""
    text = ""
    lines: dict[KeyPath, int] = {}

    def write(content: str, *keys: KeyPath) -> None:
        nonlocal text
        text += draw(FILLERS)
        for key in keys:
            lines.setdefault(key, text.count("\n") + 1)
        text += content + draw(st.sampled_from(["\n", " # b = 2\n", "\t\n"]))

    for name, value in draw(TABLES).items():
        write(f"{quoted(name)} = {inline(value)}", (name,))
    names = draw(st.lists(NAMES, unique=True, max_size=3))
    for name in (name for name in names if (name,) not in lines):
        if draw(st.booleans()):
            write(f"[{quoted(name)}]", (name,))
            for key, value in draw(TABLES).items():
                write(f"{quoted(key)}= {inline(value)}", (name, key))
        else:
            for index, table in enumerate(draw(ARRAYS)):
                write(f"[[ {quoted(name)} ]]", (name,), (name, index))
                for key, value in table.items():
                    write(f"{quoted(key)} ={inline(value)}", (name, index, key))
    return text, lines


def quoted(name: str) -> str:
    return json.dumps(name)


def inline(value: object) -> str:
    match value:
        case dict():
            pairs = ", ".join(f"{quoted(key)} = {inline(inner)}" for key, inner in value.items())
            return f"{{ {pairs} }}"
        case list():
            return "[" + "".join(f"\n  {inline(inner)}, # c\n" for inner in value) + "]"
        case float():
            return repr(value) if "inf" in repr(value) else f"{value:.6e}"
        case _:
            return json.dumps(value)


@given(documents())
def test_lines_are_those_in_which_the_keys_were_written(
    written: tuple[str, dict[KeyPath, int]],
) -> None:
    text, lines = written
    located = locate(text)
    assert set(located) == set(paths(tomllib.loads(text)))
    assert {path: located[path] for path in lines} == lines
