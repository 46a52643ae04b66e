"""What each book holds at the outset: `[[books.positions]]`, and a file for thousands."""

import csv
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Final

from shared.adapters.configuration.table import Table
from shared.domain.instruments.catalogue import UnknownInstrument
from shared.domain.instruments.instrument import Instrument, Kind
from shared.domain.policies import IntakePolicy

POSITION_KEYS: Final = ("positions", "positions_file")
"""Of a book; they are read when every instrument is known."""

_COLUMNS: Final = ["symbol", "quantity"]
_MOST_FAULTS: Final = 10
_MEASURED: Final = ("underlying", "future", "option")
_REMEDY: Final = "write an OSI name, a future's, or declare it in [[instruments]]"

Resolve = Callable[[str], Instrument]


def read_positions(root: Table, directory: Path, resolve: Resolve) -> dict[str, dict[str, float]]:
    """Return the opening positions, by book and symbol, each in the order of symbols.

    Args:
        root: The document.
        directory: Where the document is: a file of positions is looked for from there.
        resolve: The catalogue's.
    """
    held: dict[str, dict[str, float]] = {}
    for book in root.tables("books"):
        positions = _from_tables(book, resolve)
        if book.has("positions_file"):
            _add_file(book, directory / book.text("positions_file"), resolve, positions)
        held[book.text("name", "-")] = dict(sorted(positions.items()))
    return dict(sorted(held.items()))


def _from_tables(book: Table, resolve: Resolve) -> dict[str, float]:
    positions: dict[str, float] = {}
    for table in book.tables("positions"):
        symbol = table.text("symbol")
        quantity = table.number("quantity")
        table.refuse_unknown_keys()
        if table.is_sound("symbol"):
            problem = _problem(symbol, resolve, positions)
            if problem:
                table.fault("symbol", problem, _REMEDY)
            positions[symbol] = quantity
    return positions


def _add_file(book: Table, path: Path, resolve: Resolve, positions: dict[str, float]) -> None:
    """Read `symbol,quantity` lines; every line that is wrong is told, up to ten."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        book.fault("positions_file", f"{path} cannot be read: {reason}", "name another file")
        return
    reader = csv.reader(text.splitlines())
    if next(reader, None) != _COLUMNS:
        book.fault("positions_file", f"{path} has another first line", "write symbol,quantity")
        return
    wrong = 0
    for row in reader:
        problem = _add_row(row, resolve, positions)
        if problem and wrong < _MOST_FAULTS:
            wrong += 1
            where = f"{path.name}, line {reader.line_num}: {problem}"
            book.fault("positions_file", where, "correct the line, or declare what it names")


def _add_row(row: list[str], resolve: Resolve, positions: dict[str, float]) -> str | None:
    if not row:
        return None
    if len(row) != len(_COLUMNS):
        return f"{len(row)} fields, not two"
    symbol, text = row[0].strip(), row[1]
    try:
        quantity = float(text)
    except ValueError:
        return f"{text[:40]!r} is no quantity"
    if not isfinite(quantity):
        return f"{text[:40]!r} is no quantity"
    problem = _problem(symbol, resolve, positions)
    positions[symbol] = quantity
    return problem


def _problem(symbol: str, resolve: Resolve, positions: Mapping[str, float]) -> str | None:
    if symbol in positions:
        return f"{symbol} stands there twice"
    try:
        known = resolve(symbol)
    except UnknownInstrument as unknown:
        return f"{unknown} ({unknown.reason})"
    return None if known.symbol == symbol else f"{symbol!r} is written {known.symbol!r} here"


def option_roots(
    root: Table,
    held: Mapping[str, Mapping[str, float]],
    legs: Mapping[str, Mapping[str, str]],
    resolve: Resolve,
) -> frozenset[str]:
    """Return the product codes whose options may arrive.

    Those of `[options] roots`, and those of all listed options that books hold or legs trade.
    """
    symbols = {symbol for positions in held.values() for symbol in positions}
    symbols |= {symbol for book in legs.values() for symbol in book.values()}
    return frozenset(root.table("options").texts("roots")) | frozenset(
        found.root
        for found in (_resolved(symbol, resolve) for symbol in sorted(symbols))
        if found is not None and found.kind is Kind.OPTION and found.root != found.symbol
    )


def check_levels(
    root: Table, held: Mapping[str, Mapping[str, float]], intake: IntakePolicy, resolve: Resolve
) -> None:
    """Report every spot level that a position is priced by and `[symbols]` does not declare."""
    needed: dict[str, str] = {}
    for positions in held.values():
        for symbol in positions:
            found = _resolved(symbol, resolve)
            if found is not None:
                needed.setdefault(found.underlying, symbol)
    for symbol, user in sorted(needed.items()):
        known = _resolved(symbol, resolve)
        if symbol not in intake.symbols and (known is None or known.kind is not Kind.FUTURE):
            problem = f"{symbol} prices a position in {user} but is not declared"
            root.fault("symbols", problem, f"write [symbols.{symbol}]")


def check_legs(root: Table, resolve: Resolve) -> None:
    """Report every leg of a strategy that trades nothing known: it would never be measured."""
    for book in root.tables("books"):
        for leg in book.tables("legs"):
            symbol = leg.text("symbol", "-")
            measured = leg.text("instrument", "-") in _MEASURED and leg.is_sound("symbol")
            if measured and (problem := _problem(symbol, resolve, {})):
                leg.fault("symbol", problem, _REMEDY)


def _resolved(symbol: str, resolve: Resolve) -> Instrument | None:
    try:
        return resolve(symbol)
    except UnknownInstrument:
        return None
