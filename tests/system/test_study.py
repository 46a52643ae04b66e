"""A study is no second implementation: it decides and fills as the live services do."""

from datetime import date
from pathlib import Path

import pytest
from fakes.outcome import Run
from fakes.studied import calendar, demo_settings, studied
from msgspec import structs

from services.feed.pacing import number
from shared.adapters.history.directory import open_history
from shared.adapters.history.replay import replay_steps
from shared.domain.effects import Effect, OrderDecided
from shared.wire.decisions import read_decision

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


def unnumbered(effect: Effect) -> Effect:
    """Apart from the journal's numbers: a study has no entries of reports in between."""
    if isinstance(effect, OrderDecided):
        return OrderDecided(order=structs.replace(effect.order, journal_index=0))
    return effect


def test_a_backtest_decides_orders_and_fills_as_the_services_did(
    history: Path, undisturbed: Run
) -> None:
    settings = demo_settings()
    series = open_history(history, settings.calendar.name, settings.calendar.overrides)
    days = date(2015, 7, 1), date(2015, 9, 30)
    steps = tuple(number(replay_steps(series, calendar(), *days), "study"))
    backtest = studied(settings, steps)
    decided = [read_decision(each).effect for each in undisturbed.outcome.decisions]
    assert len(undisturbed.outcome.decided) > 10
    assert list(map(unnumbered, backtest.effects)) == list(map(unnumbered, decided))
    assert backtest.executions == undisturbed.outcome.reports
