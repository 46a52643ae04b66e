"""A study's speed: `python tests/bench/study.py`.

Twenty-nine years of daily closes, one rule, every profit explained, beside the same daily rule in
backtrader's event loop, in the same process; then what one more variant of the same market costs.
The history is made here, of the lengths of the real one: a mean-reverting VIX and an index that
falls when it rises.

backtrader's strategy has the same signals (SMA-5 of VIX, 20-day realized volatility, drawdown), the
same rule, weekly and 3-point triggers with two sessions' persistence, floor, cap and minimum trade,
and books its cash; it has no orders' lives, limits, gateway, attribution or explanation of why.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

import backtrader as bt
import numpy as np
import pandas as pd
from msgspec import structs
from rich.console import Console
from rich.table import Table

from services.command.study.material import Material, read_material
from services.command.study.passes import run_variants
from shared.adapters.calendars import session_calendar, session_dates
from shared.adapters.study.plan import StudyPlan, load_plan

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
FIRST, LAST = date(1990, 1, 2), date(2018, 12, 31)
LIMIT_S: Final = 5.0
LIMIT_RATIO: Final = 5.0


def made_history(folder: Path) -> pd.DataFrame:
    """Write closes of SPX and VIX for every session, and return them."""
    dates = session_dates(session_calendar("XNYS", FIRST, LAST))
    days = [day for day in dates if FIRST <= day <= LAST]
    random = np.random.default_rng(7)
    shocks = random.standard_normal((len(days), 2))
    vix = np.empty(len(days))
    level = np.log(18.0)
    for number, (ours, other) in enumerate(shocks):
        level += 0.04 * (np.log(18.0) - level) + 0.065 * (0.75 * ours + 0.66 * other)
        vix[number] = np.exp(level)
    returns = 0.0003 - vix / 100 / np.sqrt(252) * shocks[:, 0]
    frame = pd.DataFrame({"SPX": 1000 * np.exp(np.cumsum(returns)), "VIX": vix}, index=days)
    for symbol in frame:
        rows = "\n".join(f"{day},{value:.4f}" for day, value in frame[symbol].items())
        (folder / f"{symbol}.csv").write_text(f"date,close\n{rows}\n")
    return frame


def prepared(folder: Path) -> tuple[StudyPlan, Material]:
    """Read the shipped plan over that history: what is done once for all variants."""
    plan = load_plan(DEPLOY / "study.toml")
    plan = structs.replace(plan, history=(folder,), first=FIRST, last=LAST, instruments=())
    return plan, read_material(plan, plan.variants[0].settings)


class Thermostat(bt.Strategy):  # type: ignore[misc]
    """The same daily rule in backtrader: option_a with the demo's triggers."""

    params = (("base", 20_000.0), ("a", 12.0), ("b", 10.0), ("cap", 2.0), ("floor", 0.2))

    def __init__(self) -> None:
        self.smooth = bt.indicators.SimpleMovingAverage(self.data1.close, period=5)
        change = bt.indicators.ROC(self.data0.close, period=1)
        self.volatility = bt.indicators.StdDev(change, period=20)
        self.highest = bt.indicators.Highest(self.data0.close, period=252)
        self.reference = self.since = self.pending = 0.0
        self.held = self.cash = self.last_level = 0.0
        self.log: list[tuple[date, float]] = []

    def next(self) -> None:
        level, smooth = self.data1.close[0], self.smooth[0]
        self.cash += (
            self.held / (2 * self.last_level) * (level**2 - self.last_level**2)
            if (self.last_level)
            else 0.0
        )
        self.last_level = level
        moved = abs(smooth - self.reference) > 3 or self.data0.close[0] < 0.95 * self.highest[0]
        self.pending = self.pending + 1 if moved else 0
        self.since += 1
        if self.since < 5 and self.pending < 2:
            return
        multiplier = min(max((smooth - self.p.a) / self.p.b, self.p.floor), self.p.cap)
        target = round(multiplier * self.p.base)
        if abs(target - self.held) >= 0.05 * self.p.base:
            side = self.buy if target > self.held else self.sell
            side(data=self.data1, size=abs(target - self.held) / 1000)
            self.log.append((self.data0.datetime.date(0), target - self.held))
            self.held = target
        self.reference, self.since, self.pending = smooth, 0, 0


def run_backtrader(frame: pd.DataFrame) -> int:
    """Run it; returns its orders."""
    engine = bt.Cerebro(stdstats=False)
    for symbol in frame:
        closes = frame[symbol].to_numpy()
        bars = pd.DataFrame(
            dict.fromkeys(("open", "high", "low", "close"), closes),
            index=pd.to_datetime(frame.index),
        )
        engine.adddata(bt.feeds.PandasData(dataname=bars))
    engine.addstrategy(Thermostat)
    engine.broker.setcash(1e9)
    (strategy,) = engine.run()
    return len(strategy.log)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median processor time, after a first run."""
    work()
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=3, help="medians of so many runs [3]")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as directory:
        frame = made_history(Path(directory))
        plan, material = prepared(Path(directory))
        option_a = next(each for each in plan.variants if each.name == "option_a")
        others = [plan.variant(name, changes) for name, changes in list(plan.swept())[:8]]
        one = seconds(lambda: run_variants(material, [option_a]), options.repeats)
        nine = seconds(lambda: run_variants(material, [option_a, *others]), 1)
        peer = seconds(lambda: run_backtrader(frame), options.repeats)
        orders = run_variants(material, [option_a])[0].counts["order"]
        theirs = run_backtrader(frame)
    table = Table("daily study", "seconds", "ratio", "limit", title=f"{len(frame):,} sessions")
    table.add_row("hedgestat, one rule, explained", f"{one:.2f}", "1", f"≤ {LIMIT_S:.0f} s")
    table.add_row(
        "each further variant", f"{(nine - one) / 8:.2f}", f"{(nine - one) / 8 / one:.2f}", ""
    )
    table.add_row(
        "backtrader, the same rule", f"{peer:.2f}", f"{peer / one:.2f}", f"≥ {LIMIT_RATIO:.0f}"
    )
    console = Console(width=100)
    console.print(table)
    console.print(f"orders: {orders} ours, {theirs} backtrader's")


if __name__ == "__main__":
    main()
