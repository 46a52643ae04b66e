"""What the books hold: Greeks, risk, profit explained, and how much of it all is known."""

from typing import Final

from services.command.grafana.panels import Dashboard, Panel, Query, Row, Variable

_BOOK: Final = '{book=~"$book"}'
_PLACE: Final = 'book=~"$book", underlying=~"$underlying"'


def _total(title: str, figure: str, description: str) -> Panel:
    metric = f'hedge_exposure_book_dollars{{book=~"$book", figure="{figure}"}}'
    return Panel(
        kind="stat",
        title=title,
        queries=(Query(f"max by (book) ({metric})", "{{book}}"),),
        width=4,
        height=4,
        description=description,
    )


def _by_underlying(title: str, figure: str, description: str) -> Panel:
    metric = f'hedge_exposure_dollars{{{_PLACE}, figure="{figure}"}}'
    return Panel(
        kind="timeseries",
        title=title,
        queries=(
            Query(
                f"sum by (book, underlying) (max by (book, underlying, bucket) ({metric}))",
                "{{book}} {{underlying}}",
            ),
        ),
        description=description,
    )


_TOTALS: Final = Row(
    "Books",
    (
        _total("Beta-weighted delta", "beta_delta", "Currency, in moves of the index."),
        _total("Dollar gamma", "dollar_gamma", "For a move of 1%."),
        _total("Vega to VIX", "vix_vega", "Currency per point of VIX."),
        _total("Theta", "theta", "Currency a calendar day."),
        _total("Worst scenario", "worst", "Profit in the worst of the grid and the named days."),
        _total("Expected shortfall", "shortfall", "Empty where [exposure] history is off."),
    ),
)

_GREEKS: Final = Row(
    "By underlying and expiry",
    (
        _by_underlying("Dollar delta", "dollar_delta", "Currency."),
        _by_underlying("Dollar gamma", "dollar_gamma", "For a move of 1%."),
        _by_underlying("Vega, weighted to 30 days", "weighted_vega", "Currency per vol point."),
        Panel(
            kind="bargauge",
            title="Vega by expiry",
            queries=(
                Query(
                    "sum by (bucket) (max by (book, underlying, bucket) "
                    f'(hedge_exposure_dollars{{{_PLACE}, figure="vega"}}))',
                    "{{bucket}}",
                ),
            ),
            description="Currency per vol point.",
        ),
        Panel(
            kind="table",
            title="Delta and gamma, units of the underlying",
            queries=(
                Query(
                    f"max by (book, underlying, bucket, figure) (hedge_exposure_units{{{_PLACE}}})"
                ),
            ),
            width=16,
        ),
    ),
)

_PROFIT: Final = Row(
    "Where the profit came from, since the session opened",
    (
        Panel(
            kind="timeseries",
            title="By part",
            queries=(
                Query(
                    "max by (book, part) (hedge_profit_dollars"
                    '{book=~"$book", since="session", part!="total"})',
                    "{{book}} {{part}}",
                ),
            ),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Total and unexplained",
            queries=(
                Query(
                    "max by (book, part) (hedge_profit_dollars"
                    '{book=~"$book", since="session", part=~"total|unexplained"})',
                    "{{book}} {{part}}",
                ),
            ),
            width=12,
        ),
    ),
)

_KNOWN: Final = Row(
    "How much is known",
    (
        Panel(
            kind="timeseries",
            title="Share of positions in the figures",
            queries=(Query(f"min by (book) (hedge_exposure_coverage_ratio{_BOOK})", "{{book}}"),),
            unit="percentunit",
            low=0,
        ),
        Panel(
            kind="timeseries",
            title="Positions without a mark, or waiting for one",
            queries=(
                Query(
                    'max by (book) (hedge_exposure_positions{book=~"$book", state="unmarked"})',
                    "{{book}} unmarked",
                ),
                Query(
                    f"max by (book) (hedge_profit_waiting_positions{_BOOK})",
                    "{{book}} profit waits",
                ),
            ),
            low=0,
        ),
        Panel(
            kind="timeseries",
            title="Age of the youngest tick in a book",
            queries=(Query(f"max by (book) (hedge_exposure_age_seconds{_BOOK})", "{{book}}"),),
            unit="s",
            low=0,
        ),
        Panel(
            kind="stat",
            title="Expiries whose smile misses its quotes",
            queries=(Query("max(hedge_model_error_expiries)"),),
            colours=((0, "green"), (1, "orange")),
        ),
        Panel(
            kind="timeseries",
            title="Revaluations a second",
            queries=(
                Query(
                    "sum by (book) "
                    f"(rate(hedge_exposure_revaluations_total{_BOOK}[$__rate_interval]))",
                    "{{book}}",
                ),
            ),
            low=0,
        ),
        Panel(
            kind="timeseries",
            title="Ticks conflated a second",
            queries=(
                Query(
                    "sum by (book) "
                    f"(rate(hedge_exposure_conflated_ticks_total{_BOOK}[$__rate_interval]))",
                    "{{book}}",
                ),
            ),
            description="Ticks that a later one followed before the book was revalued.",
            low=0,
        ),
    ),
)

EXPOSURE: Final = Dashboard(
    name="exposure",
    title="hedgestat: exposure",
    description="Greeks by underlying and expiry, risk, and profit explained.",
    rows=(_TOTALS, _GREEKS, _PROFIT, _KNOWN),
    variables=(
        Variable("book", "hedge_exposure_coverage_ratio"),
        Variable("underlying", "hedge_exposure_dollars"),
    ),
)
