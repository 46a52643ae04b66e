"""What the hedge is, why, and whether it trades: the first dashboard that is opened."""

from typing import Final

from services.command.grafana.panels import Dashboard, Panel, Query, Row, Variable, Words

TRADING: Final[Words] = {0: ("ACTIVE", "green"), 1: ("REDUCING", "orange"), 2: ("HALTED", "red")}
TRIGGER: Final[Words] = {
    0: ("inactive", "text"),
    1: ("pending", "yellow"),
    2: ("firing", "red"),
    3: ("cooldown", "blue"),
}
SESSION: Final[Words] = {0: ("closed", "text"), 1: ("open", "green"), 2: ("silent", "red")}
_BOOK: Final = '{book=~"$book"}'
_OFF_TARGET: Final = (
    f"max by (book) (abs(hedge_target_vega_dollars{_BOOK} - hedge_current_vega_dollars{_BOOK}))"
)


def _trigger_states() -> str:
    """One number a trigger: the position of its state in `TRIGGER`."""
    return " or ".join(
        f'max by (book, trigger) (hedge_trigger_state{{book=~"$book", state="{word}"}} == 1)'
        f" * {number}"
        for number, (word, _) in TRIGGER.items()
    )


def _signal(name: str) -> str:
    return f'max by (signal) (hedge_signal_value{{signal="{name}"}})'


_GLANCE: Final = Row(
    "At a glance",
    (
        Panel(
            kind="stat",
            title="Trading",
            queries=(Query("max by (scope) (hedge_trading_state)", "{{scope}}"),),
            width=5,
            height=4,
            description="What the gateway lets a scope do. HALTED: nothing; REDUCING: towards 0.",
            words=TRADING,
        ),
        Panel(
            kind="stat",
            title="VIX",
            queries=(Query(_signal("vix"), "last"), Query(_signal("vix_smooth"), "smoothed")),
            width=5,
            height=4,
        ),
        Panel(
            kind="stat",
            title="Off target",
            queries=(Query(_OFF_TARGET, "{{book}}"),),
            width=4,
            height=4,
            description="|target − held and on order|, currency per vol point.",
        ),
        Panel(
            kind="stat",
            title="Orders unanswered",
            queries=(Query("max(hedge_orders_unacknowledged)"),),
            width=3,
            height=4,
            colours=((0, "green"), (1, "orange"), (5, "red")),
        ),
        Panel(
            kind="stat",
            title="Signals not good",
            queries=(
                Query('sum(max by (signal, quality) (hedge_signal_quality{quality!="good"}))'),
            ),
            width=3,
            height=4,
            description="Rules act on good signals alone.",
            colours=((0, "green"), (1, "orange")),
        ),
        Panel(
            kind="stat",
            title="Checks that fail",
            queries=(
                Query('count(up{job="hedgestat"} == 0) or vector(0)', "services down"),
                Query("count(max by (check) (hedge_check_ready) == 0) or vector(0)", "checks"),
            ),
            width=4,
            height=4,
            colours=((0, "green"), (1, "red")),
        ),
    ),
)

_MARKET: Final = Row(
    "Market",
    (
        Panel(
            kind="timeseries",
            title="VIX, vol points",
            queries=(Query(_signal("vix"), "VIX"), Query(_signal("vix_smooth"), "smoothed")),
        ),
        Panel(
            kind="timeseries",
            title="Realized volatility and correlation",
            queries=(
                Query(_signal("rv"), "realized volatility"),
                Query(_signal("correlation"), "correlation"),
            ),
            unit="percentunit",
        ),
        Panel(
            kind="timeseries",
            title="Drawdown",
            queries=(Query('max by (signal) (hedge_signal_value{signal=~"drawdown[.].+"})'),),
            unit="percentunit",
        ),
        Panel(
            kind="timeseries",
            title="Term structure, front over third future",
            queries=(Query(_signal("term_ratio"), "ratio"),),
            description="Above 1: backwardation.",
        ),
        Panel(
            kind="timeseries",
            title="Age of signals",
            queries=(Query("max by (signal) (hedge_signal_age_seconds)", "{{signal}}"),),
            unit="s",
            low=0,
        ),
        Panel(
            kind="table",
            title="Quality of signals",
            queries=(Query("max by (signal, quality) (hedge_signal_quality) == 1"),),
        ),
        Panel(
            kind="state-timeline",
            title="Session, and feeds that have missed prints",
            queries=(
                Query("max(hedge_market_open)", "session"),
                Query("max by (symbol) (hedge_feed_silent) * 2", "{{symbol}}"),
            ),
            width=16,
            height=6,
            words=SESSION,
        ),
        Panel(
            kind="stat",
            title="The market's clock",
            queries=(Query("max(hedge_event_timestamp_seconds) * 1000"),),
            height=6,
            unit="dateTimeAsIso",
            description="Event time of the latest signals: standing still, nothing is journalled.",
        ),
    ),
)

_HEDGE: Final = Row(
    "Hedge",
    (
        Panel(
            kind="timeseries",
            title="Target against held and on order",
            queries=(
                Query(f"max by (book) (hedge_target_vega_dollars{_BOOK})", "{{book}} target"),
                Query(f"max by (book) (hedge_current_vega_dollars{_BOOK})", "{{book}} current"),
                Query(f"max by (book) (hedge_held_vega_dollars{_BOOK})", "{{book}} held"),
            ),
            width=12,
            description="Vega notional, currency per vol point.",
        ),
        Panel(
            kind="timeseries",
            title="Multiplier",
            queries=(Query(f"max by (book) (hedge_multiplier_ratio{_BOOK})", "{{book}}"),),
            width=12,
            description="Of the base vega, after the whole sizing chain.",
            low=0,
        ),
        Panel(
            kind="timeseries",
            title="Cost budget used",
            queries=(Query(f"max by (book) (hedge_budget_used_ratio{_BOOK})", "{{book}}"),),
            width=12,
            height=6,
            description="Share of the calendar year's; books without a budget have none.",
            unit="percentunit",
            low=0,
        ),
        Panel(
            kind="timeseries",
            title="Off target for longer than an order lives; open orders",
            queries=(
                Query(f"max by (book) (hedge_off_target{_BOOK})", "{{book}} off target"),
                Query(f"max by (book) (hedge_open_orders{_BOOK})", "{{book}} open orders"),
            ),
            width=12,
            height=6,
            low=0,
        ),
        Panel(
            kind="state-timeline",
            title="Triggers",
            queries=(Query(_trigger_states(), "{{book}} {{trigger}}"),),
            width=16,
            height=10,
            words=TRIGGER,
        ),
        Panel(
            kind="timeseries",
            title="Changes of triggers and whipsaws, an hour",
            queries=(
                Query(
                    f"sum by (state) (increase(hedge_trigger_transitions_total{_BOOK}[1h]))",
                    "{{state}}",
                ),
                Query(f"sum(increase(hedge_whipsaws_suppressed_total{_BOOK}[1h]))", "whipsaws"),
            ),
            height=10,
            low=0,
        ),
    ),
)

_ORDERS: Final = Row(
    "Orders",
    (
        Panel(
            kind="timeseries",
            title="Orders an hour, by what became of them",
            queries=(
                Query(
                    f"sum by (book, outcome) (increase(hedge_orders_total{_BOOK}[1h]))",
                    "{{book}} {{outcome}}",
                ),
            ),
            low=0,
        ),
        Panel(
            kind="timeseries",
            title="Executions an hour",
            queries=(
                Query(
                    f"sum by (book, kind) (increase(hedge_gateway_executions_total{_BOOK}[1h]))",
                    "{{book}} {{kind}}",
                ),
            ),
            low=0,
        ),
        Panel(
            kind="timeseries",
            title="Withheld here, refused there, an hour",
            queries=(
                Query(
                    f"sum by (control) (increase(hedge_orders_withheld_total{_BOOK}[1h]))",
                    "withheld: {{control}}",
                ),
                Query(
                    "sum by (reason) (increase(hedge_orders_refused_total[1h]))",
                    "refused: {{reason}}",
                ),
            ),
            low=0,
        ),
        Panel(
            kind="timeseries",
            title="Strategies: what they saw at the last decision",
            queries=(
                Query(
                    f"max by (book, strategy, figure) (hedge_strategy_figure{_BOOK})",
                    "{{book}} {{strategy}} {{figure}}",
                ),
            ),
            width=12,
            description="Each figure in its own unit.",
        ),
        Panel(
            kind="timeseries",
            title="Strategies: what each band has cost",
            queries=(
                Query(
                    f"max by (book, strategy, band) (hedge_band_cost_dollars{_BOOK})",
                    "{{book}} {{strategy}} {{band}}",
                ),
            ),
            width=12,
            low=0,
        ),
    ),
)

OVERVIEW: Final = Dashboard(
    name="overview",
    title="hedgestat: hedges",
    description="Market, target against current, triggers and orders.",
    rows=(_GLANCE, _MARKET, _HEDGE, _ORDERS),
    variables=(Variable("book", "hedge_multiplier_ratio"),),
)
