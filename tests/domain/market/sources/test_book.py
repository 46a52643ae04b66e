"""A book's portfolio and its hedge as signals."""

import numpy as np
import pytest
from fakes.calendars import Desk, at, close_of
from msgspec import structs

from shared.domain.instants import MINUTE
from shared.domain.market.sources.book import BookSource, BookState
from shared.domain.policies import PortfolioPolicy, SignalPolicy
from shared.domain.signals_observed import Quality

POLICY = SignalPolicy(hedge_correlation_returns=4)
FUND = PortfolioPolicy(book="fund", value=1_000.0, weights={"SPX": 0.5, "NDX": 0.5})


def source_of(desk: Desk, portfolio: PortfolioPolicy = FUND) -> BookSource:
    return BookSource(POLICY, portfolio, desk.cursor, BookState())


def test_value_and_drawdown_move_with_the_portfolio_and_not_with_the_hedge() -> None:
    desk = Desk()
    source = source_of(desk)
    nav, drawdown, _ = source.readings
    assert nav.name == "nav.fund"
    source.observe("SPX", 100.0, desk.enter(at(1)))
    assert (nav.signal.quality, nav.signal.have, nav.need) == (Quality.WARMING, 1, 2)
    source.observe("NDX", 100.0, desk.enter(at(1)))
    source.observe("SPX", 90.0, desk.enter(at(1, MINUTE)))
    assert nav.signal.value == pytest.approx(950.0)
    assert drawdown.signal.value == pytest.approx(-0.05)
    before = nav.signal
    source.observe("VIX", 30.0, desk.enter(at(1, 2 * MINUTE)))
    assert nav.signal is before
    assert nav.stale_from == at(1, 5 * MINUTE + 1)  # as old as its oldest symbol


def test_the_hedge_correlation_is_that_of_daily_returns() -> None:
    desk, random = Desk(), np.random.default_rng(1)
    source = source_of(desk)
    levels = 100 * np.exp(np.cumsum(random.normal(0, 0.02, (12, 3)), axis=0))
    for day, row in enumerate(levels.tolist(), start=1):
        for symbol, level in zip(("SPX", "NDX", "VIX"), row, strict=True):
            source.observe(symbol, level, desk.enter(close_of(day)))
    nav = (levels[:, 0] / levels[0, 0] + levels[:, 1] / levels[0, 1]) / 2
    returns = np.diff(np.log(np.column_stack([nav, levels[:, 2]])), axis=0)[-4:]
    correlation = source.readings[2].signal
    assert correlation.value == pytest.approx(np.corrcoef(returns.T)[0, 1])
    assert correlation.observations == 12 * 3 - 1  # the first print had no value to correlate


def test_a_correlation_that_nobody_reads_is_not_told_and_nothing_else_changes() -> None:
    desk = Desk()
    both = source_of(desk), source_of(desk, structs.replace(FUND, correlates=False))
    for day in range(1, 8):
        for symbol, level in (("SPX", 100.0 + day), ("NDX", 99.0), ("VIX", 20.0 - day)):
            event_ns = desk.enter(close_of(day))
            for source in both:
                source.observe(symbol, level, event_ns)
    told, spared = both
    assert spared.symbols == told.symbols
    assert [each.signal for each in spared.readings] == [each.signal for each in told.readings[:2]]
    assert spared.snapshot().portfolio == told.snapshot().portfolio
    assert spared.snapshot().pair == BookState().pair


def test_a_hedge_that_is_also_held_counts_on_both_sides() -> None:
    desk = Desk()
    held = PortfolioPolicy(book="fund", value=1.0, weights={"SPX": 1.0}, hedge_symbol="SPX")
    source = source_of(desk, held)
    for day in range(1, 8):
        source.observe("SPX", 100.0 + day * day, desk.enter(close_of(day)))
    assert source.symbols == ("SPX",)
    assert source.readings[2].signal.value == pytest.approx(1.0)


def test_the_days_of_the_hedge_count_while_the_portfolio_is_not_yet_whole() -> None:
    desk = Desk()
    source = source_of(desk)
    source.observe("VIX", 20.0, desk.enter(at(1)))
    source.observe("SPX", 100.0, desk.enter(at(2)))  # no value yet: the pair hears nothing
    source.observe("VIX", 22.0, desk.enter(at(2)))
    assert source.snapshot().pair.live == (None, 22.0)
    assert source.snapshot().pair.before == (None, 20.0)


def test_a_restart_changes_nothing() -> None:
    desk, levels = Desk(), np.random.default_rng(2).uniform(80, 120, (20, 3)).tolist()
    going = source_of(desk)
    for day, row in enumerate(levels, start=1):
        for symbol, level in zip(("SPX", "VIX", "NDX"), row, strict=True):
            now = desk.enter(at(day))
            resumed = BookSource(POLICY, FUND, desk.cursor, going.snapshot())
            going.observe(symbol, level, now)
            resumed.observe(symbol, level, now)
            assert resumed.snapshot() == going.snapshot()
