"""From a symbol to everything about what it names, or to the reason why it names nothing.

Names: an index, stock or fund by its code (`SPX`); a future by its series, month code and year
(`VXZ26`; the VIX future of a week by the CFE's week too, `VX48X26`); an option by OSI without the
blanks, on whatever it is (`SPXW261218P05000000`; on a future with the option's own product code
and expiry, `ES261218C06000000`, `EW3261120P05000000`); anything else by configuration.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, Literal

from msgspec.structs import replace

from shared.domain.instruments.expiries import SessionDays, month_expiry, week_expiry, week_of
from shared.domain.instruments.instrument import Instrument, Kind, Model, Option
from shared.domain.instruments.osi import MalformedSymbol, OsiName, format_osi, parse_osi
from shared.domain.instruments.roots import (
    KNOWN_ROOTS,
    MONTH_CODES,
    FutureRoot,
    OptionRoot,
    Roots,
    SpotRoot,
)
from shared.domain.sessions import OutsideCalendar, SessionCalendar

Reason = Literal["malformed", "unknown_root", "no_such_expiry", "beyond_calendar", "expired"]

_SYMBOL: Final = re.compile(r"[A-Z0-9._-]{1,32}")
_FUTURE: Final = re.compile(rf"([A-Z][A-Z0-9]*?)([{MONTH_CODES}])([0-9]{{2}})")
_WEEKLY: Final = re.compile(r"([A-Z][A-Z0-9]*?)([0-9]{2})")
_LOOKS_LISTED: Final = re.compile(r".*[0-9]{6}[CP][0-9]{4,}")
_MILLENNIUM: Final = 2000
_CENTURY: Final = 100


class UnknownInstrument(ValueError):  # noqa: N818 - reads as what happened, like KeyError
    """A symbol that names nothing that can be priced.

    Attributes:
        symbol: As it came.
        reason: In a word.
    """

    def __init__(self, symbol: str, reason: Reason, detail: str) -> None:
        super().__init__(f"{symbol[:40]}: {detail}")
        self.symbol = symbol
        self.reason = reason


class Catalogue:
    """Knows every instrument by its symbol.

    Args:
        roots: Product codes.
        calendars: Sessions by calendar name, of each that a root names.
        instruments: What a configuration declares one by one: it goes before the roots.

    Raises:
        ValueError: A calendar is missing.
    """

    def __init__(
        self,
        roots: Roots = KNOWN_ROOTS,
        *,
        calendars: Mapping[str, SessionCalendar],
        instruments: Mapping[str, Instrument] | None = None,
    ) -> None:
        if missing := roots.calendars.difference(calendars):
            raise ValueError(f"no calendar is given for {', '.join(sorted(missing))}")
        self._roots = roots
        self._calendars = calendars
        self._known_days: dict[str, SessionDays] = {}
        self._declared = dict(instruments or {})
        self._series: dict[tuple[str, date], Instrument] = {}

    def resolve(self, symbol: str, now_ns: int | None = None) -> Instrument:
        """Return what `symbol` names.

        Args:
            symbol: See the module; an option's name may have its blanks.
            now_ns: An instrument that has expired by then is refused; `None`: any is welcome.

        Raises:
            UnknownInstrument: It names nothing, or nothing any more.
        """
        try:
            instrument = self._find(symbol)
        except OutsideCalendar as error:
            raise UnknownInstrument(symbol, "beyond_calendar", str(error)) from error
        except MalformedSymbol as error:
            raise UnknownInstrument(symbol, "malformed", error.problem) from error
        if now_ns is not None and instrument.is_expired(now_ns):
            raise UnknownInstrument(symbol, "expired", "it has expired")
        return instrument

    def _find(self, symbol: str) -> Instrument:
        if symbol in self._declared:
            return self._declared[symbol]
        if symbol in self._roots.spots:
            return _spot(self._roots.spots[symbol])
        if _LOOKS_LISTED.fullmatch(symbol) is not None:
            return self._option(parse_osi(symbol))
        match = _FUTURE.fullmatch(symbol)
        if match is not None:
            return self._future(symbol, match[1], match[2], _MILLENNIUM + int(match[3]))
        if _SYMBOL.fullmatch(symbol) is None:
            raise MalformedSymbol(symbol, "a symbol is 1 to 32 of A-Z 0-9 . _ -")
        raise UnknownInstrument(symbol, "unknown_root", "neither known nor declared")

    def _days(self, calendar: str) -> SessionDays:
        if calendar not in self._known_days:
            self._known_days[calendar] = SessionDays(self._calendars[calendar])
        return self._known_days[calendar]

    # --- futures -----------------------------------------------------------------------------

    def _future(self, symbol: str, code: str, month: str, year: int) -> Instrument:
        root = self._roots.futures.get(code)
        if root is not None:
            if month not in root.months:
                raise UnknownInstrument(symbol, "no_such_expiry", f"{code} has no month {month}")
            days = self._days(root.calendar)
            day = month_expiry(root, year, MONTH_CODES.index(month) + 1, days)
            return self._future_of(root, symbol, day)
        weekly = _WEEKLY.fullmatch(code)
        root = self._roots.futures.get(weekly[1]) if weekly else None
        if weekly is None or root is None or not root.has_weeks:
            raise UnknownInstrument(
                symbol, "unknown_root", f"no series of futures is called {code}"
            )
        return self._week(root, symbol, year, int(weekly[2]))

    def _week(self, root: FutureRoot, symbol: str, year: int, week: int) -> Instrument:
        day = week_expiry(year, week, self._days(root.calendar))
        wanted = self._weekly_name(root, day)
        if wanted != symbol:
            raise UnknownInstrument(
                symbol, "no_such_expiry", f"the contract that settles on {day} is {wanted}"
            )
        return self._future_of(root, symbol, day)

    def _future_of(self, root: FutureRoot, symbol: str, day: date) -> Instrument:
        opening_ns = self._days(root.calendar).opening_ns(day)
        return Instrument(
            symbol=symbol,
            kind=Kind.FUTURE,
            root=root.name,
            underlying=symbol,
            model=Model.LINEAR,
            multiplier=root.multiplier,
            currency=root.currency,
            tick_size=root.tick_size,
            expiry_ns=opening_ns,
            last_trade_ns=opening_ns - root.last_trade_before_ns,
            index=root.index,
        )

    def _weekly_name(self, root: FutureRoot, day: date) -> str:
        """The contract that settles on `day`: the month's, else a week's."""
        month, year = MONTH_CODES[day.month - 1], day.year % _CENTURY
        if day == month_expiry(root, day.year, day.month, self._days(root.calendar)):
            return f"{root.name}{month}{year:02d}"
        return f"{root.name}{week_of(day):02d}{month}{year:02d}"

    def _next_name(self, root: FutureRoot, day: date, expiry_ns: int) -> str:
        """The first monthly contract that does not settle before `expiry_ns`, on `day`."""
        days = self._days(root.calendar)
        year, month = day.year, day.month
        while MONTH_CODES[month - 1] not in root.months or (
            days.opening_ns(month_expiry(root, year, month, days)) < expiry_ns
        ):
            year, month = year + month // 12, month % 12 + 1
        return f"{root.name}{MONTH_CODES[month - 1]}{year % _CENTURY:02d}"

    # --- options -----------------------------------------------------------------------------

    def _option(self, name: OsiName) -> Instrument:
        root = self._roots.options.get(name.root)
        symbol = format_osi(name)
        if root is None:
            raise UnknownInstrument(
                symbol, "unknown_root", f"no options are called {name.root}: see [options] roots"
            )
        key = (name.root, name.expiry)
        if key not in self._series:
            self._series[key] = self._option_series(root, name.expiry)
        terms = Option(
            right=name.right,
            strike=name.strike,
            style=root.style,
            settlement=root.settlement,
            delivery=root.delivery,
        )
        return replace(self._series[key], symbol=symbol, option=terms)

    def _option_series(self, root: OptionRoot, named: date) -> Instrument:
        """What all options of one root and expiry share."""
        days = self._days(root.calendar)
        day = days.at_or_before(named)
        expiry_ns = days.instant_ns(day, root.settlement)
        ends_before = root.settlement == "am" and root.delivery == "cash"
        last_ns = days.closing_ns(day - timedelta(days=1)) if ends_before else expiry_ns
        return Instrument(
            symbol="",
            kind=Kind.OPTION,
            root=root.name,
            underlying=self._underlying(root, day, expiry_ns),
            model=self._model(root),
            multiplier=root.multiplier,
            currency=root.currency,
            tick_size=root.tick_size,
            expiry_ns=expiry_ns,
            last_trade_ns=last_ns,
        )

    def _underlying(self, root: OptionRoot, day: date, expiry_ns: int) -> str:
        future = self._roots.futures.get(root.underlying)
        if future is None:
            return root.underlying
        if future.has_weeks:
            return self._weekly_name(future, day)
        return self._next_name(future, day, expiry_ns)

    def _model(self, root: OptionRoot) -> Model:
        if root.style == "american":
            return Model.AMERICAN
        return Model.BLACK if root.underlying in self._roots.futures else Model.BLACK_SCHOLES


def _spot(root: SpotRoot) -> Instrument:
    return Instrument(
        symbol=root.name,
        kind=root.kind,
        root=root.name,
        underlying=root.name,
        model=Model.LINEAR,
        currency=root.currency,
        tick_size=root.tick_size,
    )
