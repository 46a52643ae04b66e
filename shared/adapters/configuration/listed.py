"""Legs in listed options: what the exchange says of them, once every instrument is known."""

from collections.abc import Callable, Sequence

from msgspec import structs

from shared.adapters.configuration.strategies import check_together
from shared.adapters.configuration.table import Table
from shared.domain.instruments.catalogue import UnknownInstrument
from shared.domain.instruments.instrument import Instrument
from shared.domain.policies import BookPolicy, LegPolicy
from shared.domain.strategy_policies import ListedLegPolicy, StrategyBookPolicy

Resolve = Callable[[str], Instrument]

_REMEDY = "write its OSI name: SPXW261218P05000000"


def complete_books(
    root: Table, books: Sequence[BookPolicy], resolve: Resolve
) -> tuple[BookPolicy, ...]:
    """Give every leg in a listed option its underlying and expiry, by the catalogue."""
    tables = {table.text("name", "-"): table for table in root.tables("books")}
    return tuple(
        _complete(tables[book.name], book, resolve) if book.name in tables else book
        for book in books
    )


def _complete(table: Table, book: BookPolicy, resolve: Resolve) -> BookPolicy:
    legs = tuple(
        _listed(table, leg, resolve) if isinstance(leg, ListedLegPolicy) else leg
        for leg in book.legs
    )
    if legs != book.legs:
        book = structs.replace(book, legs=legs)
    listed = [leg.symbol for leg in legs if isinstance(leg, ListedLegPolicy)]
    if len(set(listed)) < len(listed):
        table.fault("legs", "two of them trade one option", "take it out of one of them")
    if isinstance(book, StrategyBookPolicy) and _is_read(table, book):
        check_together(table, book)
    return book


def _is_read(table: Table, book: StrategyBookPolicy) -> bool:
    """Whether what the strategies and legs say was sound by itself: else it was told already."""
    kinds = [each.name for each in book.strategies]
    return (
        bool(kinds)
        and table.is_sound("strategy", "legs", "limits", *kinds)
        and all(leg.is_sound("symbol", "name") for leg in table.tables("legs"))
        and all(table.table(kind).is_sound("underlying", "leg", "bounds") for kind in kinds)
    )


def _listed(table: Table, leg: ListedLegPolicy, resolve: Resolve) -> LegPolicy:
    if not leg.symbol:
        return leg
    try:
        known = resolve(leg.symbol)
    except UnknownInstrument as unknown:
        if leg.ladder:  # of others the instruments' own check tells
            table.fault("legs", f"{leg.ladder}: {unknown}", _REMEDY)
        return leg
    if known.option is None or known.expiry_ns is None:
        table.fault("legs", f"{leg.symbol} of leg {leg.name} is no option", _REMEDY)
        return leg
    return structs.replace(leg, underlying=known.underlying, expiry_ns=known.expiry_ns)
