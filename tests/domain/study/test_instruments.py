"""Marks, rolls and measurements as the stages of a study get them."""

import numpy as np
import pytest
from fakes import rolled_market
from fakes.rolled_books import CALL, FUTURE, INTAKE, LEGS, PPUT, PUT, SIGNALS, book, instruments
from msgspec import structs

from shared.domain.events import Tick
from shared.domain.exposure.attribution import DELTA, PRICE, VEGA
from shared.domain.study.contracts import RollingInstrument
from shared.domain.study.costs import InstrumentCosts
from shared.domain.study.instruments import (
    ANYTHING,
    study_book,
    study_instruments,
    study_intake,
    study_signals,
)

ALL = instruments()
POINTS = rolled_market.points()
CLOCKS = POINTS.clock_ns.tolist()


def test_every_mark_is_a_print_with_the_quotes_of_its_costs() -> None:
    for symbol, history in ALL.histories.items():
        marked = np.flatnonzero(np.isfinite(history.level)).tolist()
        for point in marked[:50]:
            ticks = ALL.marks[CLOCKS[point]]
            (tick,) = (each for each in ticks if each.symbol == symbol)
            level = history.level[point]
            cost = history.instrument.costs.points(level, history.instrument.multiplier)
            assert (tick.event_ns, tick.price) == (CLOCKS[point], level)
            assert tick.ask == pytest.approx(level + cost)
            assert tick.bid == pytest.approx(max(level - cost, 0.01 * level))


def test_marks_stand_before_the_prints_of_their_instant_and_after_the_earlier_ones() -> None:
    clock_ns = CLOCKS[3]
    early = Tick(symbol="SPX", event_ns=clock_ns - 5, price=1.0)
    late = Tick(symbol="VIX", event_ns=clock_ns, price=2.0)
    joined = ALL.joined((early, late), clock_ns)
    assert [tick.symbol for tick in joined] == ["SPX", "PPUT", "PUT90", "VX1R", "VXTH", "VIX"]
    assert ALL.joined((late,), clock_ns + 1) == (late,)


def test_a_symbol_that_prints_by_itself_gets_quotes_when_it_has_costs() -> None:
    swaps = study_instruments(
        (), POINTS, rolled_market.DAYS, quotes={"VIX": InstrumentCosts(half_spread=0.02)}
    )
    vix = Tick(symbol="VIX", event_ns=7, price=20.0)
    index = Tick(symbol="SPX", event_ns=7, price=6000.0)
    quote = Tick(symbol="VIX", event_ns=7, bid=19.0, ask=21.0)
    quoted, *others = swaps.joined((vix, index, quote), 7)
    assert (quoted.price, quoted.bid, quoted.ask) == (20.0, 19.6, 20.4)
    assert others == [index, quote]
    assert study_intake(INTAKE, swaps).symbols["VIX"].max_spread == ANYTHING.max_spread
    assert study_intake(INTAKE, swaps).symbols["VIX"].max_jump == 2.0
    unknown = structs.replace(INTAKE, symbols={})
    assert study_intake(unknown, swaps).symbols == {}


def test_a_roll_comes_right_after_its_close_and_costs_both_deals() -> None:
    history = ALL.histories["VX1R"]
    roll = history.rolls[0]
    (rolled,) = (each for each in ALL.rolls[CLOCKS[roll.point]] if each.symbol == "VX1R")
    assert rolled.event_ns == CLOCKS[roll.point] + 1
    assert (rolled.given_up, rolled.taken_on) == (roll.given_up, roll.taken_on)
    costs = [FUTURE.costs.points(level, 1000.0) for level in (roll.given_up, roll.taken_on)]
    assert rolled.cost == pytest.approx(sum(costs))


def test_greeks_of_one_contract_are_measured_at_the_mark() -> None:
    history = ALL.histories["PUT90"]
    measured = ALL.measured[CLOCKS[9]]
    assert measured["unit_delta.PUT90"] == pytest.approx(100 * history.after[DELTA, 9])
    assert measured["unit_vega.PUT90"] == pytest.approx(history.after[VEGA, 9])
    assert "unit_vega.VX1R" not in measured
    assert "unit_vega.VXTH" not in ALL.measured[CLOCKS[2]]  # an opening: its future has no mark


def test_what_is_sized_at_its_purchase_keeps_those_greeks_until_it_is_rolled() -> None:
    history = ALL.histories["PPUT"]
    first, second = history.purchases[:2]
    vegas = [ALL.measured[CLOCKS[point]]["unit_vega.PPUT"] for point in range(first, second + 2)]
    assert set(vegas[:-1]) == {float(history.before[VEGA, first])}
    assert vegas[-1] == float(history.before[VEGA, second])


def test_notes_are_said_once_and_the_model_priced_are_named() -> None:
    assert ALL.model_priced == ("PUT90", "PPUT", "VXTH")
    assert len(ALL.notes) == len(set(ALL.notes))
    assert ALL.notes[0].startswith("model-priced")


@pytest.mark.parametrize(
    ("given", "reason"),
    [((PUT, PUT), "two instruments are called PUT90"), ((FUTURE,), "VX1R: nothing marks it")],
)
def test_instruments_that_cannot_be_marked_are_refused(
    given: tuple[RollingInstrument, ...], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        study_instruments(given, POINTS, rolled_market.DAYS)


def test_the_stages_are_told_of_the_symbols() -> None:
    intake, signals = study_intake(INTAKE, ALL), study_signals(SIGNALS, ALL)
    assert intake.symbols["VX1R"] == ANYTHING
    assert intake.symbols["SPX"] == INTAKE.symbols["SPX"]
    assert signals.mark_symbols == ("SPX", "VIX", "PUT90", "PPUT", "VXTH", "VX1R")


def test_an_option_leg_is_told_the_middle_vega_of_its_purchases() -> None:
    hedge = study_book(book("swap", "put", "call", "future"), ALL)
    swap, put, call, future = hedge.legs
    assert (swap, future) == (LEGS["swap"], LEGS["future"])
    history = ALL.histories["PUT90"]
    vegas = history.before[VEGA, history.purchases] / 100
    assert put.vega_per_unit == pytest.approx(np.sqrt(vegas.min() * vegas.max()))
    history = ALL.histories["VXTH"]
    deltas = history.before[DELTA, history.purchases]
    assert call.vega_per_unit == pytest.approx(np.sqrt(deltas.min() * deltas.max()))
    known = structs.replace(LEGS["put"], vega_per_unit=3.0)
    assert study_book(book(legs=(known,)), ALL).legs == (known,)
    assert CALL.symbol in ALL.histories
    assert PPUT.symbol in ALL.histories
    assert np.isfinite(history.before[PRICE, history.purchases]).all()
