"""What a mark book answers: columns for the machine, an expiry at a time for a person."""

from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.marks.forward import ForwardSource
from shared.domain.marks.smile import SmileStatus


class MarkColumns(NamedTuple):
    """What is known of every instrument, one row each, shape `(n,)`; not to be written.

    The first seven are those of `evaluate`, in its order.

    Attributes:
        sign: +1 call, −1 put, 0 what is no option: `evaluate` answers NaN for it.
        underlying: Level to price with: `level`, near expiry times the forward's basis over it.
        strike: 0 of what is no option.
        years: To expiry, ACT/365; 0 of what is no option.
        rate: Continuously compounded to expiry, per year; 0 of what is no option.
        carry: Of the underlying, per year; 0 on a future and of what is no option.
        volatility: Implied, decimal; NaN while unknown and of what is no option.
        level: Of `Instrument.underlying`; NaN while unknown.
        mark: Price; NaN where `source` is `NONE`.
        source: A `Source`, uint8.
        quality: A `QuoteQuality`, uint8.
        remark: A `Remark`, uint8.
        age_ns: Of what the mark is made from, int64; −1 where there is none.
        model_error: Smile − quote, price; NaN where they cannot be compared, like the next two.
        model_error_points: The same in vol points.
        model_error_half_spreads: The same in halves of the quote's spread.
    """

    sign: NDArray[np.float64]
    underlying: NDArray[np.float64]
    strike: NDArray[np.float64]
    years: NDArray[np.float64]
    rate: NDArray[np.float64]
    carry: NDArray[np.float64]
    volatility: NDArray[np.float64]
    level: NDArray[np.float64]
    mark: NDArray[np.float64]
    source: NDArray[np.uint8]
    quality: NDArray[np.uint8]
    remark: NDArray[np.uint8]
    age_ns: NDArray[np.int64]
    model_error: NDArray[np.float64]
    model_error_points: NDArray[np.float64]
    model_error_half_spreads: NDArray[np.float64]


class SmileReport(Struct, frozen=True, kw_only=True):
    """What is known of one expiry, for a person.

    Attributes:
        name: Root and expiry day: `SPXW 2026-12-18`.
        expiry_ns: Its instant.
        options: How many of the book's instruments it has.
        forward: NaN while there is none.
        rate: Continuously compounded, per year.
        forward_source: Where they came from.
        parameters: a, b, ρ, m, σ of the last fit; NaN: none.
        status: Of the last attempt to fit.
        fit_ns: Youngest quote in the last fit; −1: none.
        calendar_fall: How far total variance falls from the expiry before, as a fraction.
        compared: Options that the smile was compared with.
        missed: Share of them that it misses by more than the policy allows; NaN: none compared.
        worst_half_spreads: The largest error.
    """

    name: str
    expiry_ns: int
    options: int
    forward: float
    rate: float
    forward_source: ForwardSource
    parameters: tuple[float, ...]
    status: SmileStatus
    fit_ns: int
    calendar_fall: float
    compared: int
    missed: float
    worst_half_spreads: float
