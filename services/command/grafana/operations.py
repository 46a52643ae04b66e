"""Whether the machinery is well: lag, latency, reconnects, gateway, auditor, streams.

Longer than most: every panel of the dashboard is a row here.
"""

from typing import Final

from services.command.grafana.panels import Dashboard, Panel, Query, Row

_LATENCIES: Final = {
    "hedge_tick_to_order_seconds": "Event to order",
    "hedge_tick_to_exposure_seconds": "Tick to exposure",
    "hedge_ingest_commit_seconds": "Ingest: a batch to its commit",
}


def _rate(metric: str, by: str, selector: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{selector}[$__rate_interval]))"


def _count(title: str, *queries: Query, description: str = "") -> Panel:
    """Something counted an hour, which is 0 on a good day."""
    return Panel(kind="timeseries", title=title, queries=queries, description=description, low=0)


def _hourly(metric: str, by: str, legend: str) -> Query:
    return Query(f"sum by ({by}) (increase({metric}[1h]))", legend)


def _quantiles(metric: str, title: str) -> Panel:
    return Panel(
        kind="timeseries",
        title=title,
        queries=tuple(
            Query(f"histogram_quantile({share}, {_rate(f'{metric}_bucket', 'le')})", legend)
            for share, legend in ((0.5, "median"), (0.99, "99%"), (0.999, "99.9%"))
        ),
        unit="s",
        low=0,
    )


def _heat(metric: str, title: str) -> Panel:
    return Panel(
        kind="heatmap",
        title=title,
        queries=(Query(_rate(f"{metric}_bucket", "le"), "{{le}}"),),
        unit="s",
    )


_ALIVE: Final = Row(
    "Services",
    (
        Panel(
            kind="state-timeline",
            title="Up",
            queries=(Query('up{job="hedgestat"}', "{{service}} {{instance}}"),),
            words={0: ("down", "red"), 1: ("up", "green")},
        ),
        Panel(
            kind="timeseries",
            title="Entries behind",
            queries=(
                Query("max(hedge_signals_lag_entries)", "signals"),
                Query("max(hedge_hedger_lag_entries)", "hedger"),
                Query("max(hedge_exposure_lag_entries)", "exposure"),
                Query("max(hedge_audit_behind_entries)", "auditor"),
                Query("max(hedge_exposure_awaited_measurements)", "measurements awaited"),
            ),
            description="What a stage has not taken yet of its input. Growing: it is stuck.",
            low=0,
        ),
        Panel(
            kind="state-timeline",
            title="Checks",
            queries=(Query("max by (check) (hedge_check_ready)", "{{check}}"),),
            words={0: ("fails", "red"), 1: ("passes", "green")},
            width=16,
            description="As /readyz of each service says them. A lease that nobody holds fails.",
        ),
        _count(
            "Connects, disconnects and refusals, an hour",
            _hourly("hedge_bus_events_total", "service, event", "{{service}} {{event}}"),
        ),
    ),
)

_INTAKE: Final = Row(
    "Intake",
    (
        Panel(
            kind="timeseries",
            title="Ticks a second, by verdict",
            queries=(Query(_rate("hedge_ticks_total", "verdict"), "{{verdict}}"),),
            low=0,
            stacked=True,
        ),
        Panel(
            kind="timeseries",
            title="Commits a second",
            queries=(
                Query("sum(rate(hedge_ingest_commit_seconds_count[$__rate_interval]))", "ingest"),
                Query("max(deriv(hedge_hedger_taken_entries[1m]))", "entries taken by the hedger"),
            ),
            low=0,
        ),
        _count(
            "Refused and missing, an hour",
            _hourly("hedge_rejects_total", "reason", "refused: {{reason}}"),
            Query("sum(increase(hedge_ticks_missing_total[1h]))", "numbers skipped"),
        ),
    ),
)

_LATENCY: Final = Row(
    "Latency, on the wall clock",
    (
        *(_quantiles(metric, title) for metric, title in _LATENCIES.items()),
        *(_heat(metric, title) for metric, title in _LATENCIES.items()),
    ),
)

_GATEWAY: Final = Row(
    "Orders and the gateway",
    (
        _count(
            "Sendings of orders, an hour",
            _hourly("hedge_order_sendings_total", "outcome", "{{outcome}}"),
            description="More than one an order: the gateway was slow to answer.",
        ),
        _count(
            "Answers of the gateway, an hour",
            _hourly("hedge_gateway_orders_total", "status", "{{status}}"),
            _hourly("hedge_answers_refused_total", "reason", "not believed: {{reason}}"),
        ),
        Panel(
            kind="timeseries",
            title="The oldest order without an answer",
            queries=(Query("max(hedge_order_wait_seconds)", "waits"),),
            unit="s",
            low=0,
        ),
        Panel(
            kind="timeseries",
            title="Free on the disk of the gateway's record",
            queries=(Query("min(hedge_disk_free_ratio)", "free"),),
            unit="percentunit",
            low=0,
        ),
        Panel(
            kind="timeseries",
            title="Reports that wait for the journal",
            queries=(
                Query("max(hedge_gateway_reports_waiting)", "waiting"),
                Query(
                    "sum by (outcome) (rate(hedge_gateway_report_sendings_total"
                    "[$__rate_interval]))",
                    "sent a second: {{outcome}}",
                ),
            ),
            low=0,
        ),
        _count(
            "Commands, an hour",
            _hourly("hedge_commands_total", "kind", "{{kind}}"),
            _hourly("hedge_commands_refused_total", "reason", "refused by ingest: {{reason}}"),
            _hourly(
                "hedge_gateway_commands_refused_total",
                "reason",
                "refused by the gateway: {{reason}}",
            ),
        ),
        _count(
            "Dead man's switch, an hour",
            _hourly("hedge_gateway_dead_man_total", "state", "{{state}}"),
            description="Times that the hedger's silence changed what trades.",
        ),
        Panel(
            kind="timeseries",
            title="Journal entries the venue has read, a second",
            queries=(Query("max(deriv(hedge_gateway_journal_entries[5m]))", "entries"),),
            low=0,
        ),
    ),
)

_AUDIT: Final = Row(
    "Audit",
    (
        Panel(
            kind="stat",
            title="Differences",
            queries=(Query("sum by (kind) (hedge_audit_mismatches_total)", "{{kind}}"),),
            description="Between the gateway's record and what was decided. Any halts trading.",
            colours=((0, "green"), (1, "red")),
        ),
        _count(
            "Sweeps, blind moments, halts and heads, an hour",
            Query("sum(increase(hedge_audit_sweeps_total[1h]))", "sweeps"),
            Query("sum(increase(hedge_audit_blind_total[1h]))", "blind"),
            _hourly("hedge_audit_halts_total", "path", "halts: {{path}}"),
            _hourly("hedge_audit_heads_total", "outcome", "heads: {{outcome}}"),
        ),
        Panel(
            kind="timeseries",
            title="Orders expected and found",
            queries=(
                Query("max(hedge_audit_expected_orders)", "expected"),
                Query("max(hedge_audit_record_rows)", "in the record"),
            ),
            low=0,
        ),
    ),
)

_PAGE: Final = Row(
    "Page",
    (
        Panel(
            kind="timeseries",
            title="Open pages and sessions",
            queries=(
                Query("sum(hedge_page_clients)", "streams"),
                Query("sum(hedge_page_sessions)", "logged in"),
            ),
            low=0,
        ),
        _count(
            "Logins, actions and refusals, an hour",
            _hourly("hedge_page_logins_total", "outcome", "login: {{outcome}}"),
            _hourly("hedge_page_actions_total", "action, outcome", "{{action}}: {{outcome}}"),
            _hourly("hedge_page_requests_refused_total", "reason", "refused: {{reason}}"),
            _hourly("hedge_page_messages_refused_total", "reason", "not believed: {{reason}}"),
            Query("sum(increase(hedge_page_clients_refused_total[1h]))", "too many streams"),
            Query("sum(increase(hedge_page_clients_dropped_total[1h]))", "streams dropped"),
        ),
        Panel(
            kind="timeseries",
            title="Sent on streams",
            queries=(Query("sum(rate(hedge_page_stream_bytes_total[$__rate_interval]))", "bytes"),),
            unit="Bps",
            low=0,
        ),
        _quantiles("hedge_page_round_seconds", "A round: what changed, encoded"),
        _quantiles("hedge_page_fold_seconds", "Folding what was read"),
        Panel(
            kind="timeseries",
            title="Entries folded a second",
            queries=(Query(_rate("hedge_page_entries_total", "source"), "{{source}}"),),
            low=0,
        ),
    ),
)

_KEPT: Final = Row(
    "Streams and replay",
    (
        Panel(
            kind="timeseries",
            title="Entries in the store",
            queries=(Query("max by (stream) (hedge_stream_kept_entries)", "{{stream}}"),),
            low=0,
        ),
        Panel(
            kind="timeseries",
            title="Entries archived; passes that failed, an hour",
            queries=(
                Query("max by (stream) (hedge_stream_archived_entries)", "{{stream}}"),
                _hourly("hedge_retention_failures_total", "stream", "failed: {{stream}}"),
            ),
            low=0,
        ),
        Panel(
            kind="timeseries",
            title="Replay: ticks and steps a second",
            queries=(
                Query("sum(rate(hedge_feed_ticks_sent_total[$__rate_interval]))", "ticks"),
                Query("sum(rate(hedge_feed_steps_done_total[$__rate_interval]))", "steps"),
            ),
            low=0,
        ),
        Panel(
            kind="stat",
            title="Replay has reached",
            queries=(Query("max(hedge_feed_clock_timestamp_seconds) * 1000"),),
            unit="dateTimeAsIso",
            height=4,
        ),
        Panel(
            kind="timeseries",
            title="What Prometheus pays",
            queries=(
                Query('max(scrape_duration_seconds{job="hedgestat"})', "longest scrape, s"),
                Query('sum(scrape_samples_scraped{job="hedgestat"}) / 1000', "thousand series"),
            ),
            width=16,
            low=0,
        ),
    ),
)

OPERATIONS: Final = Dashboard(
    name="operations",
    title="hedgestat: operations",
    description="Lag, latency, reconnects, gateway, audit, streams.",
    rows=(_ALIVE, _INTAKE, _LATENCY, _GATEWAY, _AUDIT, _PAGE, _KEPT),
)
