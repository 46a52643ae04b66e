"""Compiles what the stage computes with before a lease is asked for, by using all of it once."""

from typing import Final

from shared.domain.events import Tick
from shared.domain.exposure.engine import ExposureMonitor
from shared.domain.exposure.layout import ExposureBook
from shared.domain.exposure.policy import ExposurePolicy
from shared.domain.instants import DAY, SECOND
from shared.domain.instruments.catalogue import Catalogue
from shared.domain.instruments.instrument import Instrument, Kind, Model, Option, Right
from shared.domain.instruments.roots import Roots
from shared.domain.marks.policy import MarkPolicy
from shared.domain.tick_block import TickBlock

_LEVEL: Final = 100.0
_INDEX: Final = Instrument(
    symbol="SPX", kind=Kind.INDEX, root="SPX", underlying="SPX", model=Model.LINEAR
)
_STRIKES: Final = range(80, 121, 4)


def compile_ahead() -> None:
    """Mark and value a small chain of options for nothing."""
    chain = {each.symbol: each for each in _chain()}
    declared = Catalogue(Roots(), calendars={}, instruments={**chain, "SPX": _INDEX})
    book = ExposureBook(name="-", opening=dict.fromkeys((*chain, "SPX"), 1.0), is_measured=True)
    marks = MarkPolicy(rate=0.0, dividend_yields={"SPX": 0.0})
    monitor = ExposureMonitor(ExposurePolicy(), marks, declared, [book])
    for second in (1, 2):
        ticks = [Tick(symbol="SPX", event_ns=second * SECOND, price=_LEVEL)]
        ticks += [_quote(each, second * SECOND) for each in chain.values()]
        monitor.receive_block(TickBlock.of(ticks))
        monitor.advance_to(second * SECOND)


def _chain() -> list[Instrument]:
    sides: tuple[Right, ...] = ("call", "put")
    return [_option(right, strike) for right in sides for strike in _STRIKES]


def _option(right: Right, strike: int) -> Instrument:
    return Instrument(
        symbol=f"{right.upper()}{strike}",
        kind=Kind.OPTION,
        root="SPX",
        underlying="SPX",
        model=Model.BLACK_SCHOLES,
        expiry_ns=100 * DAY,
        option=Option(
            right=right, strike=strike, style="european", settlement="pm", delivery="cash"
        ),
    )


def _quote(instrument: Instrument, event_ns: int) -> Tick:
    assert instrument.option is not None  # noqa: S101 - it is one of ours
    sign = 1.0 if instrument.option.right == "call" else -1.0
    middle = max(0.0, sign * (_LEVEL - instrument.option.strike)) + 4.0
    return Tick(symbol=instrument.symbol, event_ns=event_ns, bid=middle - 0.1, ask=middle + 0.1)
