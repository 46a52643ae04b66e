"""The history that comes with the `arch` package."""

import sys
from datetime import date

import pytest

from shared.adapters.history.packaged import packaged_history
from shared.adapters.history.readers import HistoryError
from shared.adapters.history.series import DailyBar, FindingKind
from shared.adapters.history.sessions import checked


def test_the_packaged_history_is_whole_where_both_series_overlap() -> None:
    spx, vix = checked(packaged_history(), "XNYS")
    assert (spx.symbol, len(spx.bars), spx.findings) == ("SPX", 5031, ())
    assert (vix.symbol, len(vix.bars)) == ("VIX", 1259)
    assert {finding.kind for finding in vix.findings} == {FindingKind.EMPTY}  # only holidays
    days = [bar.day for bar in vix.bars if isinstance(bar, DailyBar)]
    assert (days[0], days[-1]) == (date(2014, 1, 3), date(2019, 1, 3))


def test_its_closes_are_the_published_ones() -> None:
    _, vix = packaged_history()
    closes = {bar.day: bar for bar in vix.bars if isinstance(bar, DailyBar)}
    assert closes[date(2018, 2, 5)] == DailyBar(day=date(2018, 2, 5), close=37.32)
    assert closes[date(2015, 8, 24)].close == 40.74


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arch.data", None)
    with pytest.raises(HistoryError, match=r"hedgestat\[demo\]"):
        packaged_history()
