"""An expiry whose smile misses its quotes raises an alert after the hold, and another after it."""

from collections.abc import Sequence

import numpy as np
import pytest
from fakes.option_chains import NOW, ListedChain
from msgspec.structs import replace

from shared.domain.effects import AlertRaised
from shared.domain.events import Tick
from shared.domain.instants import MINUTE, SECOND
from shared.domain.instruments.instrument import Right
from shared.domain.marks.mark_book import MarkBook
from shared.domain.marks.policy import MarkPolicy
from shared.domain.marks.validation import worst
from shared.domain.tick_block import TickBlock

POLICY = MarkPolicy(rate=0.04, min_strikes=5, max_missed=0.2, min_missed=0.1)
LISTED = ListedChain(strikes=tuple(range(4600, 5401, 100)), half_spread=0.001, tick_size=0.01)
OFF = (4700.0, 5100.0, 5300.0)
"""Strikes at which a market disagrees with any smile: 6 of 18 options."""
RIGHTS: tuple[Right, ...] = ("call", "put")
HOLD = POLICY.error_hold_ns


def quotes(event_ns: int, off: Sequence[float]) -> list[Tick]:
    """Quotes of the chain, those at the strikes in `off` dearer than any smile."""
    level, *rest = LISTED.quotes(event_ns)
    dear = {LISTED.symbol(right, strike) for right in RIGHTS for strike in off}
    return [level, *(_dearer(tick) if tick.symbol in dear else tick for tick in rest)]


def _dearer(tick: Tick) -> Tick:
    assert tick.bid is not None
    assert tick.ask is not None
    more = 10.0  # the same for call and put: parity holds
    return replace(tick, bid=tick.bid + more, ask=tick.ask + more)


def book() -> MarkBook:
    fresh = MarkBook(POLICY)
    for option in LISTED.options():
        fresh.add(option)
    return fresh


def step(marks: MarkBook, now_ns: int, off: Sequence[float]) -> list[str]:
    """Quote the chain and refresh; the names of the alerts."""
    return [alert.what for alert in alerts(marks, now_ns, off)]


def alerts(marks: MarkBook, now_ns: int, off: Sequence[float]) -> tuple[AlertRaised, ...]:
    marks.receive_block(TickBlock.of(quotes(now_ns, off)))
    return marks.refresh(now_ns)


def test_an_error_that_holds_raises_one_alert_and_one_when_it_is_over() -> None:
    marks = book()
    assert step(marks, NOW, OFF) == []
    assert step(marks, NOW + HOLD - 1, OFF) == []
    assert marks.wide_expiries == 0
    assert step(marks, NOW + HOLD, OFF) == ["model_error_widened"]
    assert marks.wide_expiries == 1
    assert step(marks, NOW + 2 * HOLD, OFF) == []
    assert step(marks, NOW + 3 * HOLD, ()) == []
    assert step(marks, NOW + 4 * HOLD - 1, ()) == []
    assert step(marks, NOW + 4 * HOLD, ()) == ["model_error_narrowed"]
    assert step(marks, NOW + 5 * HOLD, ()) == []


def test_an_error_that_does_not_hold_raises_nothing() -> None:
    marks = book()
    for n in range(6):
        assert step(marks, NOW + n * HOLD // 2, OFF if n % 2 == 0 else ()) == []


def test_what_is_no_longer_wide_and_not_yet_narrow_raises_nothing() -> None:
    marks = book()
    step(marks, NOW, OFF)
    assert step(marks, NOW + HOLD, OFF) == ["model_error_widened"]
    for n in range(2, 6):
        assert step(marks, NOW + n * HOLD, OFF[:1]) == []
        assert POLICY.min_missed < marks.smiles()[0].missed < POLICY.max_missed


def test_an_error_narrows_after_a_hold_of_its_own() -> None:
    marks = book()
    step(marks, NOW, OFF)
    assert step(marks, NOW + HOLD, OFF) == ["model_error_widened"]
    assert step(marks, NOW + HOLD + 1, ()) == []
    assert step(marks, NOW + 2 * HOLD + 1, ()) == ["model_error_narrowed"]


def test_an_alert_says_which_expiry_and_how_far_off() -> None:
    marks = book()
    alerts(marks, NOW, OFF)
    (alert,) = alerts(marks, NOW + MINUTE, OFF)
    assert (alert.book, alert.where, alert.severity) == ("all", "SPXW 2023-12-14", "warning")
    assert alert.figures["missed"] > POLICY.max_missed
    assert alert.figures["compared"] == 18
    assert abs(alert.figures["worst_price"]) > 5
    assert abs(alert.figures["worst_half_spreads"]) > POLICY.max_error_half_spreads
    assert abs(alert.figures["worst_points"]) > POLICY.max_error_points


def test_silence_neither_widens_nor_narrows() -> None:
    marks = book()
    step(marks, NOW, OFF)
    assert step(marks, NOW + MINUTE, OFF) == ["model_error_widened"]
    silent = NOW + MINUTE + POLICY.stale_ns + SECOND
    assert marks.refresh(silent) == marks.refresh(silent + 10 * MINUTE) == ()
    assert np.isnan(marks.smiles()[0].missed)


def test_the_worst_error_keeps_its_sign() -> None:
    assert worst(np.array([1.0, -3.0, np.nan, 2.0])) == -3.0
    assert worst(np.array([np.nan])) == 0.0
    assert worst(np.array([])) == pytest.approx(0.0)
