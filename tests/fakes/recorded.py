"""Real history as the CSV files that people have: S&P 500 bars and VIX closes."""

import csv
from datetime import date
from pathlib import Path

from shared.adapters.history.packaged import packaged_history
from shared.adapters.history.series import DailyBar


def write_history(directory: Path, first: date, last: date) -> Path:
    """Write the packaged history of some days as CSV files; returns their folder."""
    directory.mkdir(parents=True, exist_ok=True)
    for series in packaged_history():
        with (directory / f"{series.symbol}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("date", "open", "high", "low", "close"))
            for bar in series.bars:
                if isinstance(bar, DailyBar) and first <= bar.day <= last:
                    rows.writerow((bar.day, bar.open, bar.high, bar.low, bar.close))
    return directory
