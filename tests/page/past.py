"""What came before the story's moment."""

import math

from page.instants import NOW, NOW_S

from shared.wire.views import HistoryView


def market_history() -> HistoryView:
    """Two sessions with the night between them, a point in five minutes."""
    times = [NOW_S - 300.0 * (each + 3 * 288) for each in range(78, 0, -1)]
    times += [NOW_S - 300.0 * each for each in range(73, 0, -1)]
    wave = [
        math.sin(place / 9) * 0.5 + max(0, place - 110) ** 1.2 / 13 for place in range(len(times))
    ]
    series = {
        "vix": [(when, 17.6 + move) for when, move in zip(times, wave, strict=True)],
        "vix_smooth": [(when, 17.5 + move * 0.75) for when, move in zip(times, wave, strict=True)],
        "rv": [(when, 0.11 + move / 400) for when, move in zip(times, wave, strict=True)],
        "correlation": [(when, 0.4 + move / 30) for when, move in zip(times, wave, strict=True)],
        "term_ratio": [(when, 0.92 + move / 35) for when, move in zip(times, wave, strict=True)],
    }
    return HistoryView(since="2018-02-02T15:00:00Z", until=NOW, series=series)


def book_history() -> HistoryView:
    """Four decisions, the hedge behind each."""
    steps = ((-80e3, 30_000.0), (-60e3, 24_000.0), (-19e3, 31_000.0), (-964.0, 41_000.0))
    series = {
        "target_vega": [(NOW_S + when, vega) for when, vega in steps] + [(float(NOW_S), 41_000.0)],
        "current_vega": [(NOW_S + when + 700, vega) for when, vega in steps[:3]]
        + [(NOW_S - 400.0, 24_000.0), (float(NOW_S), 24_000.0)],
        "drawdown": [(NOW_S - 300.0 * each, -0.0574 + each * 0.0007) for each in range(73, -1, -1)],
    }
    return HistoryView(
        since="2018-02-02T20:31:04Z",
        until=NOW,
        series=series,
        firings=((NOW_S - 19_000.0, "regime"), (NOW_S - 964.0, "vix_move")),
    )
