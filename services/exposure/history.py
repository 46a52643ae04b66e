"""Daily shocks of the past, from the configured closes of the index and of VIX."""

from datetime import date
from pathlib import Path

import structlog

from shared.adapters.calendars import CalendarError
from shared.adapters.history.directory import open_history
from shared.adapters.history.packaged import packaged_history
from shared.adapters.history.readers import HistoryError
from shared.adapters.history.series import DailyBar, Series
from shared.adapters.settings import OFF, Settings
from shared.domain.exposure.policy import Shock
from shared.domain.exposure.shortfall import Close, daily_shocks

log = structlog.get_logger()

PACKAGED = "packaged"


def shocks_of(settings: Settings) -> tuple[Shock, ...]:
    """Return what happened each day, oldest first; nothing without a history that can be read."""
    where = settings.exposure_history
    if where == OFF:
        return ()
    try:
        history = _read(settings, where)
    except (HistoryError, CalendarError) as error:
        log.error("history_unreadable", reason=str(error), remedy="see [exposure] history")  # noqa: TRY400 - the reason suffices
        return ()
    by_symbol = {series.symbol: _closes(series) for series in history}
    spot = by_symbol.get(settings.exposure.index, {})
    volatility = by_symbol.get(settings.signals.vix_symbol, {})
    days = sorted(spot.keys() & volatility.keys())
    return daily_shocks([Close(spot[day], volatility[day]) for day in days])


def _read(settings: Settings, where: str) -> tuple[Series, ...]:
    if where == PACKAGED:
        return packaged_history()
    calendar = settings.calendar
    return open_history(Path(where), calendar.name, calendar.overrides)


def _closes(series: Series) -> dict[date, float]:
    return {bar.day: bar.close for bar in series.bars if isinstance(bar, DailyBar)}
