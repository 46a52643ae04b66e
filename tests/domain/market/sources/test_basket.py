"""The basket as a signal."""

import numpy as np
from fakes.calendars import Desk, at, close_of

from shared.domain.market.sources.basket import BasketSource, BasketSourceState
from shared.domain.policies import SignalPolicy
from shared.domain.signals_observed import Quality, Signal

MEMBERS = ("AAPL", "MSFT", "NVDA", "AMZN")
POLICY = SignalPolicy(correlation_basket=MEMBERS, correlation_returns=5)


def refreshed(source: BasketSource) -> Signal:
    source.refresh()
    return source.readings[0].signal


def filled(desk: Desk) -> tuple[BasketSource, np.ndarray]:
    source = BasketSource(POLICY, desk.cursor, BasketSourceState())
    levels = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.02, (9, 4)), axis=0))
    for day, row in enumerate(levels[:-1], start=1):
        for symbol, level in zip(MEMBERS, row, strict=True):
            source.observe(symbol, float(level), desk.enter(close_of(day)))
    return source, levels


def pairs(levels: np.ndarray) -> float:
    matrix = np.corrcoef(np.diff(np.log(levels[-6:]), axis=0).T)
    return float(np.mean(matrix[np.triu_indices_from(matrix, 1)]))


def test_it_is_good_when_more_than_half_of_the_basket_is_in_it() -> None:
    desk = Desk()
    source, levels = filled(desk)
    full = refreshed(source)
    assert (full.have, full.need, full.observations) == (4, 3, 32)
    assert full.value is not None
    assert abs(full.value - pairs(levels[:-1])) < 1e-12
    opening = full
    for member in range(3):
        source.observe(MEMBERS[member], float(levels[-1, member]), desk.enter(at(9)))
        opening = refreshed(source)
        assert opening.have == member + 1
        assert (opening.quality == Quality.GOOD) == (member == 2)
    assert opening.value is not None
    assert abs(opening.value - pairs(levels[:, :3])) < 1e-12


def test_nothing_is_computed_until_it_is_asked_for() -> None:
    desk = Desk()
    source, _ = filled(desk)
    assert source.readings[0].signal.observations == 0
    first = refreshed(source)
    assert refreshed(source) is first  # and only once


def test_a_run_is_the_same_as_its_prints_one_by_one() -> None:
    desk = Desk()
    single, levels = filled(desk)
    batched, _ = filled(desk)
    now = desk.enter(at(9))
    for member in (0, 2, 0):
        single.observe(MEMBERS[member], float(levels[-1, member]), now)
    members = np.array([0, 2, 0])
    batched.observe_run(members, levels[-1, members], now)
    assert batched.snapshot() == single.snapshot()
    assert refreshed(batched) == refreshed(single)


def test_a_restart_changes_nothing_and_another_basket_starts_cold() -> None:
    desk = Desk()
    source, _ = filled(desk)
    assert BasketSource(POLICY, desk.cursor, source.snapshot()).snapshot() == source.snapshot()
    renamed = SignalPolicy(correlation_basket=MEMBERS[::-1], correlation_returns=5)
    other = BasketSource(renamed, desk.cursor, source.snapshot())
    other.observe("AAPL", 100.0, desk.enter(at(9)))
    assert refreshed(other).have == 0


def test_an_empty_basket_has_no_correlation() -> None:
    source = BasketSource(SignalPolicy(), Desk().cursor, BasketSourceState())
    assert (refreshed(source).value, source.readings[0].need) == (None, 2)
