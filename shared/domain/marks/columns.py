"""The tables of a mark book: columns over instruments, expiries and levels.

*Facts* follow from the instruments and the policy and are built anew at a restart. *Memory* is what
was heard and concluded: it is what a snapshot holds. Named tuples of arrays, so that compiled code
takes a table as one argument; the arrays are written in place.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.domain.instruments.instrument import Instrument
from shared.domain.marks.smile import PARAMETERS

NEVER: Final = -1
"""No instant, no age, no row."""


class Source(IntEnum):
    """What an instrument is marked from."""

    NONE = 0
    QUOTE = 1
    """Its own: a good one, not stale."""
    FIT = 2
    """The smile of its expiry."""
    STICKY = 3
    """The volatility that its strike had when the last quotes were good; see the age."""


class Remark(IntEnum):
    """Why an instrument has no mark (from `NO_QUOTE` on), or what to know about the one it has."""

    OK = 0
    APPROXIMATE = 1
    """American, and its volatility is implied as if it were European."""
    OUT_OF_BOUNDS = 2
    """Its quote is good and breaks the bounds of arbitrage: the smile marks it."""
    NO_QUOTE = 3
    """Neither it nor enough of its expiry was ever quoted well."""
    NO_LEVEL = 4
    """Its underlying was never heard of, or not for too long."""
    NO_FORWARD = 5
    """Too few pairs, and no rate or dividend yield is configured."""
    FORGOTTEN = 6
    """Its last mark is too old to be one."""
    EXPIRED = 7


class RowFacts(NamedTuple):
    """What an instrument is, columns of shape `(n,)`.

    Attributes:
        sign: +1 call, −1 put, 0 what is no option.
        strike: 0 of what is no option.
        tick_size: Smallest step of its price.
        expiry: Number of its expiry, −1 of what is no option.
        level: Number of its underlying's level.
        own_level: Number of its own level, of what is no option; −1 of an option.
        american: Whether it may be exercised early.
    """

    sign: NDArray[np.float64]
    strike: NDArray[np.float64]
    tick_size: NDArray[np.float64]
    expiry: NDArray[np.int64]
    level: NDArray[np.int64]
    own_level: NDArray[np.int64]
    american: NDArray[np.bool_]

    @classmethod
    def blank(cls) -> "RowFacts":
        """No instrument."""
        whole, floats = np.zeros(0, dtype=np.int64), np.zeros(0)
        return cls(floats, floats, floats, whole, whole, whole, np.zeros(0, dtype=np.bool_))


class RowMemory(NamedTuple):
    """What is known of an instrument, columns of shape `(n,)`; see `MarkColumns`."""

    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    quote_ns: NDArray[np.int64]
    volatility: NDArray[np.float64]
    volatility_ns: NDArray[np.int64]
    from_quote: NDArray[np.bool_]
    out_of_bounds: NDArray[np.bool_]
    mark: NDArray[np.float64]
    source: NDArray[np.uint8]
    quality: NDArray[np.uint8]
    remark: NDArray[np.uint8]
    age_ns: NDArray[np.int64]
    model_error: NDArray[np.float64]
    model_error_points: NDArray[np.float64]
    model_error_half_spreads: NDArray[np.float64]

    @classmethod
    def blank(cls, count: int) -> "RowMemory":
        """Nothing known of `count` instruments."""
        return cls(
            bid=np.full(count, np.nan),
            ask=np.full(count, np.nan),
            quote_ns=np.full(count, NEVER),
            volatility=np.full(count, np.nan),
            volatility_ns=np.full(count, NEVER),
            from_quote=np.zeros(count, dtype=np.bool_),
            out_of_bounds=np.zeros(count, dtype=np.bool_),
            mark=np.full(count, np.nan),
            source=np.zeros(count, dtype=np.uint8),
            quality=np.zeros(count, dtype=np.uint8),
            remark=np.full(count, Remark.NO_QUOTE, dtype=np.uint8),
            age_ns=np.full(count, NEVER),
            model_error=np.full(count, np.nan),
            model_error_points=np.full(count, np.nan),
            model_error_half_spreads=np.full(count, np.nan),
        )


class RowPricing(NamedTuple):
    """What `evaluate` wants of an instrument besides its facts and its volatility, `(n,)`."""

    underlying: NDArray[np.float64]
    rate: NDArray[np.float64]
    carry: NDArray[np.float64]
    years: NDArray[np.float64]
    level: NDArray[np.float64]

    @classmethod
    def blank(cls, count: int) -> "RowPricing":
        """Nothing known of `count` instruments."""
        return cls(*(np.full(count, np.nan) for _ in cls._fields))


class ExpiryFacts(NamedTuple):
    """What the options of one root and expiry share, columns of shape `(expiries,)`."""

    expiry_ns: NDArray[np.int64]
    level: NDArray[np.int64]
    dividend_yield: NDArray[np.float64]
    on_future: NDArray[np.bool_]
    american: NDArray[np.bool_]

    @classmethod
    def blank(cls) -> "ExpiryFacts":
        """No expiry."""
        whole, flags = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
        return cls(whole, whole, np.zeros(0), flags, flags)


class ExpiryMemory(NamedTuple):
    """What was concluded of an expiry, columns of shape `(expiries,)`.

    Attributes:
        forward: NaN while there is none, like what follows from it.
        rate: To expiry, continuously compounded, per year.
        carry: Of the underlying, per year.
        basis: Underlying of the options as a multiple of the level.
        forward_source: A `ForwardSource`.
        forward_ns: When it was found; kept while quotes say nothing, as volatilities are.
        smile: Parameters of the last fit, shape `(expiries, 5)`.
        status: `SmileStatus` of the last attempt; parameters may be of an earlier one.
        fit_forward: Forward, …
        fit_years: … years, …
        fit_ns: … and youngest quote of the last fit; −1: none.
        calendar_fall: How far total variance falls from the expiry before, as a fraction.
        worked_ns: When it was last worked on.
        is_due: Whether something of it changed since.
        compared: How many options the model was compared with.
        missed: Share of them that it missed; NaN: none compared.
        since_ns: Since when its error is what its alert is not; −1: it is.
        is_wide: Whether its alert was raised.
    """

    forward: NDArray[np.float64]
    rate: NDArray[np.float64]
    carry: NDArray[np.float64]
    basis: NDArray[np.float64]
    forward_source: NDArray[np.uint8]
    forward_ns: NDArray[np.int64]
    smile: NDArray[np.float64]
    status: NDArray[np.uint8]
    fit_forward: NDArray[np.float64]
    fit_years: NDArray[np.float64]
    fit_ns: NDArray[np.int64]
    calendar_fall: NDArray[np.float64]
    worked_ns: NDArray[np.int64]
    is_due: NDArray[np.bool_]
    compared: NDArray[np.int64]
    missed: NDArray[np.float64]
    since_ns: NDArray[np.int64]
    is_wide: NDArray[np.bool_]

    @classmethod
    def blank(cls, count: int) -> "ExpiryMemory":
        """Nothing concluded of `count` expiries."""
        return cls(
            forward=np.full(count, np.nan),
            rate=np.full(count, np.nan),
            carry=np.full(count, np.nan),
            basis=np.full(count, np.nan),
            forward_source=np.zeros(count, dtype=np.uint8),
            forward_ns=np.full(count, NEVER),
            smile=np.full((count, PARAMETERS), np.nan),
            status=np.zeros(count, dtype=np.uint8),
            fit_forward=np.full(count, np.nan),
            fit_years=np.full(count, np.nan),
            fit_ns=np.full(count, NEVER),
            calendar_fall=np.zeros(count),
            worked_ns=np.full(count, NEVER),
            is_due=np.zeros(count, dtype=np.bool_),
            compared=np.zeros(count, dtype=np.int64),
            missed=np.full(count, np.nan),
            since_ns=np.full(count, NEVER),
            is_wide=np.zeros(count, dtype=np.bool_),
        )


class LevelMemory(NamedTuple):
    """The last level of each underlying and of what is no option, shape `(levels,)`."""

    level: NDArray[np.float64]
    event_ns: NDArray[np.int64]

    @classmethod
    def blank(cls, count: int) -> "LevelMemory":
        """Nothing heard of `count` levels."""
        return cls(np.full(count, np.nan), np.full(count, NEVER))


def row_facts(
    instrument: Instrument, expiry: int, level: int, own_level: int
) -> tuple[float | bool, ...]:
    """One row of `RowFacts`."""
    option = instrument.option
    sign = 0.0 if option is None else 1.0 if option.right == "call" else -1.0
    strike = 0.0 if option is None else option.strike
    american = option is not None and option.style == "american"
    return (sign, strike, instrument.tick_size, expiry, level, own_level, american)


Column = NDArray[np.generic]


def extended(table: Iterable[Column], rows: Sequence[tuple[float | bool, ...]]) -> list[Column]:
    """Append rows of facts to the columns of a table."""
    fresh = zip(*rows, strict=True)
    return [
        np.concatenate((column, np.array(values, dtype=column.dtype)))
        for column, values in zip(table, fresh, strict=True)
    ]


def lengthened(table: Iterable[Column], blank: Iterable[Column]) -> list[Column]:
    """Append the columns of another table of the same kind."""
    return [np.concatenate(pair) for pair in zip(table, blank, strict=True)]


def frozen(table: Iterable[Column]) -> tuple[bytes, ...]:
    """Every column's bytes: exact, NaNs included."""
    return tuple(column.tobytes() for column in table)


def thaw(table: Iterable[Column], columns: Sequence[bytes]) -> None:
    """Fill a table of the same length with what `frozen` gave."""
    for column, content in zip(table, columns, strict=True):
        column.reshape(-1)[:] = np.frombuffer(content, dtype=column.dtype)
