"""A study of one book over the packaged history, without servers: steps, market, backtest."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from msgspec import structs

from services.feed.pacing import NumberedStep, number
from shared.adapters.history.packaged import packaged_history
from shared.adapters.history.replay import replay_steps
from shared.adapters.history.series import DailyBar, Series
from shared.adapters.settings import Settings, load_settings
from shared.domain.sessions import SessionCalendar
from shared.domain.study.backtest import Backtest, BacktestPolicy
from shared.domain.study.market import StudyMarket
from shared.runtime.site import Site

DEMO = Path(__file__).parents[2] / "deploy" / "demo.toml"
FIRST, LAST = date(2014, 1, 3), date(2018, 12, 31)


def demo_settings(changes: Mapping[str, str] | None = None) -> Settings:
    """The demo's configuration, parts of its text replaced."""
    text = DEMO.read_text()
    for old, new in (changes or {}).items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    with TemporaryDirectory() as directory:
        path = Path(directory) / "hedgestat.toml"
        path.write_text(text)
        return load_settings(path, {})


@cache
def calendar() -> SessionCalendar:
    """The demo's sessions."""
    return Site(settings=demo_settings()).calendar()


def closes_alone(history: tuple[Series, ...]) -> tuple[Series, ...]:
    """The same days, of which only the close prints."""
    return tuple(
        structs.replace(
            series,
            bars=tuple(structs.replace(bar, open=None, high=None, low=None) for bar in series.bars),
        )
        for series in history
    )


@cache
def steps(*, closes: bool = False, last: date = LAST) -> tuple[NumberedStep, ...]:
    """The history as a replaying feed would publish it."""
    history = packaged_history()
    history = closes_alone(history) if closes else history
    return tuple(number(replay_steps(history, calendar(), FIRST, last), "study"))


def studied(settings: Settings, replayed: tuple[NumberedStep, ...]) -> Backtest:
    """Run the first book of a configuration."""
    market = StudyMarket(settings.intake, settings.signals, calendar())
    policy = BacktestPolicy(
        paper=settings.paper,
        symbols=frozenset(settings.intake.symbols),
        index_symbol=settings.signals.index_symbol,
        config_digest=settings.digest,
    )
    backtest = Backtest(settings.books[0], policy, calendar())
    for step in replayed:
        backtest.take(market.take(step.ticks, step.clock))
    return backtest


def closes_table() -> pd.DataFrame:
    """One row a session: `opens`, `closes` (instants), `SPX`, `VIX`."""
    known = calendar()
    frame = pd.DataFrame(
        {
            "opens": pd.to_datetime(known.open_ns, utc=True),
            "closes": pd.to_datetime(known.close_ns, utc=True),
        }
    )
    frame.index = pd.DatetimeIndex(frame["closes"].dt.normalize().dt.tz_localize(None))
    for series in packaged_history():
        bars = [bar for bar in series.bars if isinstance(bar, DailyBar)]
        days = pd.to_datetime([bar.day for bar in bars])
        frame[series.symbol] = pd.Series([bar.close for bar in bars], index=days)
    return frame[str(FIRST) : str(LAST)]
