"""What can be held beyond the known: `[[roots]]`, `[[instruments]]`, and `[options] roots`."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, get_args

from msgspec import UNSET, Struct

from shared.adapters.calendars import known_calendars
from shared.adapters.configuration.table import POSITIVE, Range, Table
from shared.domain.instruments.instrument import (
    Instrument,
    Kind,
    Model,
    Option,
    Right,
    VarianceTerms,
)
from shared.domain.instruments.roots import (
    KNOWN_ROOTS,
    MONTH_CODES,
    NEW_YORK,
    QUARTERS,
    Delivery,
    FutureRoot,
    OptionRoot,
    Roots,
    Settlement,
    SpotRoot,
    Style,
)

_SYMBOL: Final = re.compile(r"[A-Z0-9._-]{1,32}")
_ROOT: Final = re.compile(r"[A-Z][A-Z0-9]{0,5}")
_LEVEL: Final = Range(0, 250, open_low=True)
_SPOTS: Final = (Kind.INDEX, Kind.STOCK, Kind.FUND)
_KINDS: Final = tuple(Kind)


class InstrumentSettings(Struct, frozen=True, kw_only=True):
    """What a configuration adds to the instruments that are known anyway.

    Attributes:
        roots: Product codes.
        stocks: Names of stocks, each with American options on it.
        declared: Instruments one by one, by symbol.
    """

    roots: tuple[SpotRoot | FutureRoot | OptionRoot, ...] = ()
    stocks: tuple[str, ...] = ()
    declared: dict[str, Instrument] = {}

    @property
    def all_roots(self) -> Roots:
        """The known product codes and these."""
        return KNOWN_ROOTS.extended(*self.roots).with_stocks(self.stocks)


def read_instruments(
    root: Table, legs: Mapping[str, Instrument], underlyings: Iterable[str]
) -> InstrumentSettings:
    """`[[roots]]`, `[[instruments]]`, and the stocks among `[options] roots` and underlyings.

    Args:
        root: The document.
        legs: What the books' legs trade and no exchange lists; a declared one goes before.
        underlyings: What legs say that they trade as an underlying: stocks, unless known.
    """
    roots = tuple(_root(table) for table in root.tables("roots"))
    known = KNOWN_ROOTS.extended(*roots)
    options = root.table("options")
    stocks = [name for name in options.texts("roots") if name not in known.options]
    for name in stocks:
        if not _ROOT.fullmatch(name):
            options.fault("roots", f"{name!r} cannot be a root", "it is 1 to 6 of A-Z 0-9")
    declared = _declared(root.tables("instruments"))
    traded = {name for name in underlyings if _ROOT.fullmatch(name)} - {*known.spots, *declared}
    return InstrumentSettings(
        roots=roots,
        stocks=(*stocks, *sorted(traded.difference(stocks))),
        declared={**legs, **declared},
    )


# --- product codes -------------------------------------------------------------------------------


def _root(table: Table) -> SpotRoot | FutureRoot | OptionRoot:
    name = table.text("name")
    if table.is_sound("name") and not _ROOT.fullmatch(name):
        table.fault("name", f"{name!r} cannot be a root", "it is 1 to 6 of A-Z 0-9, a letter first")
    kind = table.choice("kind", (*_SPOTS, Kind.FUTURE, Kind.OPTION), Kind.STOCK)
    table.require("kind")
    if kind is Kind.OPTION:
        root: SpotRoot | FutureRoot | OptionRoot = _option_root(table, name)
    elif kind is Kind.FUTURE:
        root = _future_root(table, name)
    else:
        root = SpotRoot(name=name, kind=kind, currency=_currency(table), tick_size=_tick(table))
    table.refuse_unknown_keys()
    return root


def _option_root(table: Table, name: str) -> OptionRoot:
    default = OptionRoot(name=name, underlying=name)
    return OptionRoot(
        name=name,
        underlying=table.text("underlying"),
        multiplier=table.number("multiplier", default.multiplier, POSITIVE),
        tick_size=_tick(table),
        style=table.choice("style", get_args(Style), default.style),
        settlement=table.choice("settlement", get_args(Settlement), default.settlement),
        delivery=table.choice("delivery", get_args(Delivery), default.delivery),
        currency=_currency(table),
        calendar=_calendar(table),
    )


def _future_root(table: Table, name: str) -> FutureRoot:
    months = table.text("months", QUARTERS)
    if strangers := sorted(set(months) - set(MONTH_CODES)):
        table.fault("months", f"{strangers[0]!r} is no month", f"the codes are {MONTH_CODES}")
    return FutureRoot(
        name=name,
        multiplier=table.number("multiplier", within=POSITIVE),
        tick_size=_tick(table),
        months=months,
        expiry=table.choice("expiry", ("third_friday", "vix"), "third_friday"),
        last_trade_before_ns=table.duration("last_trade_before", 0),
        currency=_currency(table),
        calendar=_calendar(table),
        index=table.text("index", "") or UNSET,
    )


def _tick(table: Table) -> float:
    return table.number("tick_size", 0.01, POSITIVE)


def _currency(table: Table) -> str:
    return table.text("currency", "USD")


def _calendar(table: Table) -> str:
    name = table.text("calendar", NEW_YORK)
    if name not in known_calendars():
        table.fault("calendar", f"unknown calendar {name!r}", "XNYS, XCBF and 24/7 are three")
        return NEW_YORK
    return name


# --- one by one ----------------------------------------------------------------------------------


def _declared(tables: Iterable[Table]) -> dict[str, Instrument]:
    declared: dict[str, Instrument] = {}
    for table in tables:
        instrument = _instrument(table)
        if instrument.symbol in declared:
            table.fault("symbol", f"{instrument.symbol} is declared twice", "leave one of them out")
        declared[instrument.symbol] = instrument
    return declared


def _instrument(table: Table) -> Instrument:
    symbol = table.text("symbol")
    if table.is_sound("symbol") and not _SYMBOL.fullmatch(symbol):
        table.fault("symbol", f"{symbol!r} cannot be a symbol", "it is 1 to 32 of A-Z 0-9 . _ -")
    table.require("kind")
    kind = table.choice("kind", _KINDS, Kind.STOCK)
    expires = kind in {Kind.FUTURE, Kind.OPTION, Kind.VARIANCE_SWAP}
    derived = kind in {Kind.OPTION, Kind.VARIANCE_SWAP}
    if expires:
        table.require("expiry")
    expiry_ns = table.instant("expiry") if expires else None
    option = _option(table) if kind is Kind.OPTION else None
    instrument = Instrument(
        symbol=symbol,
        kind=kind,
        root=symbol,
        underlying=table.text("underlying") if derived else symbol,
        model=_model(table, kind, option),
        multiplier=table.number("multiplier", 100.0 if option else 1.0, POSITIVE),
        currency=_currency(table),
        lot=table.number("lot", 1.0, POSITIVE),
        tick_size=_tick(table),
        expiry_ns=expiry_ns,
        last_trade_ns=expiry_ns,
        option=option,
        variance_swap=_variance_terms(table) if kind is Kind.VARIANCE_SWAP else None,
        index=(table.text("index", "") if kind is Kind.FUTURE else "") or UNSET,
    )
    table.refuse_unknown_keys()
    return instrument


def _option(table: Table) -> Option:
    table.require("right")
    return Option(
        right=table.choice("right", get_args(Right), "put"),
        strike=table.number("strike", within=POSITIVE),
        style=table.choice("style", get_args(Style), "european"),
        settlement=table.choice("settlement", get_args(Settlement), "pm"),
        delivery=table.choice("delivery", get_args(Delivery), "cash"),
    )


def _variance_terms(table: Table) -> VarianceTerms:
    table.require("start")
    return VarianceTerms(
        strike=table.number("strike", within=_LEVEL), start_ns=table.instant("start")
    )


def _model(table: Table, kind: Kind, option: Option | None) -> Model:
    """An option is on a spot unless `on_future = true` says that it is on a future or forward."""
    if kind is Kind.VARIANCE_SWAP:
        return Model.VARIANCE_SWAP
    if option is None:
        return Model.LINEAR
    if option.style == "american":
        return Model.AMERICAN
    return Model.BLACK if table.flag("on_future", default=False) else Model.BLACK_SCHOLES
