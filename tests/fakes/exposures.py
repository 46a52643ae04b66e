"""Instruments, a market and a catalogue for tests of exposure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from shared.domain.events import Tick
from shared.domain.exposure.aggregate import BookColumns
from shared.domain.exposure.engine import ExposureMonitor, ExposureState
from shared.domain.exposure.layout import ExposureBook
from shared.domain.exposure.policy import ExposurePolicy, Shock
from shared.domain.instants import DAY, SECOND
from shared.domain.instruments.catalogue import Catalogue
from shared.domain.instruments.instrument import (
    Instrument,
    Kind,
    Model,
    Option,
    Right,
    VarianceTerms,
)
from shared.domain.instruments.roots import Roots
from shared.domain.marks.policy import MarkPolicy
from shared.domain.pricing.kernel import evaluate
from shared.domain.tick_block import TickBlock

NOW = 1_760_000_000 * SECOND
EXPIRY = NOW + 30 * DAY
STRIKES = tuple(range(80, 121, 4))


@dataclass
class Market:
    """Columns as a mark book has them."""

    underlying: NDArray[np.float64]
    rate: NDArray[np.float64]
    carry: NDArray[np.float64]
    volatility: NDArray[np.float64]
    level: NDArray[np.float64]


def market(count: int, *, level: float, volatility: float = 0.2) -> Market:
    """The same for every row."""
    return Market(
        underlying=np.full(count, level),
        rate=np.full(count, 0.02),
        carry=np.full(count, 0.01),
        volatility=np.full(count, volatility),
        level=np.full(count, level),
    )


def option(
    right: Right, strike: float, *, expiry_ns: int = EXPIRY, underlying: str = "SPX"
) -> Instrument:
    """An index option, 100 a contract."""
    return Instrument(
        symbol=f"{underlying}{right[0].upper()}{strike:g}.{expiry_ns // DAY}",
        kind=Kind.OPTION,
        root=underlying,
        underlying=underlying,
        model=Model.BLACK_SCHOLES,
        multiplier=100.0,
        expiry_ns=expiry_ns,
        option=Option(
            right=right, strike=strike, style="european", settlement="pm", delivery="cash"
        ),
    )


def future_option(strike: float) -> Instrument:
    """A call on a future."""
    return Instrument(
        symbol=f"ESC{strike:g}",
        kind=Kind.OPTION,
        root="ES",
        underlying="ESZ25",
        model=Model.BLACK,
        multiplier=50.0,
        expiry_ns=EXPIRY,
        option=Option(
            right="call", strike=strike, style="european", settlement="pm", delivery="physical"
        ),
    )


def index(symbol: str = "SPX") -> Instrument:
    """An index that a book can hold as such."""
    return Instrument(
        symbol=symbol, kind=Kind.INDEX, root=symbol, underlying=symbol, model=Model.LINEAR
    )


VX = Instrument(
    symbol="VXX25",
    kind=Kind.FUTURE,
    root="VX",
    underlying="VXX25",
    model=Model.LINEAR,
    multiplier=1000.0,
    expiry_ns=EXPIRY,
)
SWAP = (
    Instrument(
        symbol="VARSWAP",
        kind=Kind.VARIANCE_SWAP,
        root="VARSWAP",
        underlying="VIX",
        model=Model.VARIANCE_SWAP,
    ),
    Instrument(
        symbol="VARSWAP20",
        kind=Kind.VARIANCE_SWAP,
        root="VARSWAP",
        underlying="VIX",
        model=Model.VARIANCE_SWAP,
        expiry_ns=EXPIRY,
        variance_swap=VarianceTerms(strike=20.0, start_ns=NOW - 30 * DAY),
    ),
)
CHAIN = tuple(option(right, strike) for right in ("call", "put") for strike in STRIKES)
UNQUOTED = option("call", 102.0)
KNOWN = {each.symbol: each for each in (*CHAIN, UNQUOTED, index(), index("NDX"), VX, *SWAP)}


def columns(held: Iterable[tuple[str, int, float]]) -> list[BookColumns]:
    """Book, row and quantity of every position, by book, as a portfolio takes them."""
    of_books = [(book, [*those]) for book, those in groupby(held, key=lambda each: each[0])]
    return [
        BookColumns(
            book,
            np.array([row for _, row, _ in those], dtype=np.int64),
            np.array([quantity for *_, quantity in those], dtype=np.float64),
        )
        for book, those in of_books
    ]


def monitor(
    *books: ExposureBook,
    policy: ExposurePolicy | None = None,
    marks: MarkPolicy | None = None,
    history: Sequence[Shock] = (),
    state: ExposureState | None = None,
    known: dict[str, Instrument] | None = None,
) -> ExposureMonitor:
    """A monitor of books in a small world."""
    return ExposureMonitor(
        policy or ExposurePolicy(),
        marks or MarkPolicy(rate=0.02, dividend_yields={"SPX": 0.01}),
        Catalogue(Roots(), calendars={}, instruments=KNOWN if known is None else known),
        books,
        history,
        state,
    )


def quotes(
    now_ns: int, level: float, instruments: Sequence[Instrument] = CHAIN, volatility: float = 0.2
) -> TickBlock:
    """The level, and a quote of each option around its price at one volatility."""
    ticks = [Tick(symbol="SPX", event_ns=now_ns, price=level)]
    for instrument in instruments:
        middle = price(instrument, now_ns, level, volatility)
        spread = max(0.02, 0.01 * middle)
        bid, ask = max(0.0, middle - spread), middle + spread
        ticks.append(Tick(symbol=instrument.symbol, event_ns=now_ns, bid=bid, ask=ask))
    return TickBlock.of(ticks)


def level(now_ns: int, value: float, symbol: str = "SPX") -> TickBlock:
    """One print."""
    return TickBlock.of([Tick(symbol=symbol, event_ns=now_ns, price=value)])


def price(instrument: Instrument, now_ns: int, underlying: float, volatility: float) -> float:
    """What an option is worth at rate 2%, dividends 1%."""
    assert instrument.option is not None
    assert instrument.expiry_ns is not None
    sign = 1.0 if instrument.option.right == "call" else -1.0
    years = (instrument.expiry_ns - now_ns) / (365 * DAY)
    out = np.empty((9, 1))
    terms = np.array([[sign], [underlying], [instrument.option.strike], [years]])
    market = np.array([[0.02], [0.01], [volatility]])
    evaluate(terms[0], terms[1], terms[2], terms[3], market[0], market[1], market[2], out)
    return float(out[0, 0])
