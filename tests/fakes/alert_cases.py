"""For every alert of Prometheus: series that make it fire, its words then, and series that do not.

Values are promtool's, one every five seconds: `1x24` is 1 for two minutes, `0+1x24` counts up.
"""

from typing import Final

from msgspec import Struct

Series = dict[str, str]


class Case(Struct, frozen=True, kw_only=True):
    """One alert.

    Attributes:
        fires: Series by selector.
        labels: Of the alert, without its severity.
        says: Its description, with the figures.
        calm: Series that look alike and are none of its business.
        at: When it is looked at.
    """

    fires: Series
    says: str
    calm: Series
    labels: dict[str, str] = {}
    at: str = "3m"


_BOOK: Final = {"book": "overlay"}
_OVERLAY: Final = '{book="overlay"}'
_STAND: Final = {"instance": "hedger:8083"}
_IN: Final = 'instance="signals:8082"'
_OPEN: Final = {f"hedge_market_open{{{_IN}}}": "1x60"}
_SHUT: Final = {f"hedge_market_open{{{_IN}}}": "0x60"}


def _quality(quality: str, values: str = "1x60") -> Series:
    return {f'hedge_signal_quality{{{_IN},signal="vix",quality="{quality}"}}': values}


def _vix_labels(quality: str) -> dict[str, str]:
    return {"instance": "signals:8082", "signal": "vix", "quality": quality}


_DECIDED: Final = 'hedge_orders_total{book="overlay",outcome="decided"}'
_WITHHELD: Final = 'hedge_orders_withheld_total{book="overlay",control="%s"}'
_PROFIT: Final = 'hedge_profit_dollars{book="overlay",since="session",part="%s"}'
_FIRING: Final = 'hedge_trigger_transitions_total{book="overlay",trigger="vix_move",state="%s"}'

CASES: Final[dict[str, Case]] = {
    # --- hedge.yml
    "HedgeTriggerFired": Case(
        fires={_FIRING % "firing": "_x90 1x40"},
        labels={**_BOOK, "trigger": "vix_move", "state": "firing"},
        says="vix_move of overlay fired 1 time(s) within 5 minutes.",
        calm={_FIRING % "firing": "4x180", _FIRING % "pending": "0+1x180"},
        at="9m",
    ),
    "HedgeTargetUnknown": Case(
        fires={'hedge_trigger_state{book="overlay",trigger="initial",state="firing"}': "1x60"},
        labels={**_BOOK, "trigger": "initial", "state": "firing"},
        says="initial of overlay has been firing for more than a minute: no target can be sized.",
        calm={
            'hedge_trigger_state{book="overlay",trigger="initial",state="firing"}': "0x30 1x5 0x30",
            'hedge_trigger_state{book="overlay",trigger="initial",state="pending"}': "1x60",
        },
    ),
    "HedgeOffTarget": Case(
        fires={
            f"hedge_off_target{_OVERLAY}": "1x60",
            f"hedge_held_vega_dollars{_OVERLAY}": "120x60",
            f"hedge_target_vega_dollars{_OVERLAY}": "600x60",
        },
        labels=_BOOK,
        says="overlay holds 120 of 600 vega, for longer than an order lives.",
        calm={
            f"hedge_off_target{_OVERLAY}": "0x60",
            f"hedge_held_vega_dollars{_OVERLAY}": "120x60",
            f"hedge_target_vega_dollars{_OVERLAY}": "600x60",
        },
    ),
    "HedgeStopped": Case(
        fires={
            f"hedge_off_target{_OVERLAY}": "1x240",
            f"hedge_open_orders{_OVERLAY}": "0x240",
            _DECIDED: "3x240",
        },
        labels=_BOOK,
        says="overlay is off its target, has no open order, and has decided none for 15 minutes.",
        calm={
            f"hedge_off_target{_OVERLAY}": "1x240",
            f"hedge_open_orders{_OVERLAY}": "0x240",
            _DECIDED: "3x200 4x40",
        },
        at="19m",
    ),
    "HedgeOrdersWithheld": Case(
        fires={_WITHHELD % "max_order_vega": "_x200 2x40", _DECIDED: "3x240"},
        labels=_BOOK,
        says="All 2 order(s) that overlay wanted within 15 minutes were held back by a control.",
        calm={
            _WITHHELD % "max_order_vega": "2x240",
            _WITHHELD % "halted": "0+1x240",
            _WITHHELD % "min_trade": "0+1x240",
        },
        at="19m",
    ),
    "HedgeOrderUnacknowledged": Case(
        fires={"hedge_order_wait_seconds": "0+5x60", "hedge_orders_unacknowledged": "2x60"},
        says="2 order(s) without an answer, the oldest for 180 s.",
        calm={"hedge_order_wait_seconds": "9x60", "hedge_orders_unacknowledged": "2x60"},
    ),
    "HedgeBudgetBurning": Case(  # promtool begins on 1970-01-01
        fires={f"hedge_budget_used_ratio{_OVERLAY}": "0.4x120"},
        labels=_BOOK,
        says="overlay has used 40% of the year's budget.",
        calm={
            f"hedge_budget_used_ratio{_OVERLAY}": "0.19x120",
            'hedge_budget_used_ratio{book="other"}': "1x120",
        },
        at="9m",
    ),
    "HedgeBudgetSpent": Case(
        fires={f"hedge_budget_used_ratio{_OVERLAY}": "1.1x60"},
        labels=_BOOK,
        says="overlay has used 110% of the year's budget: its hedge falls to the floor.",
        calm={f"hedge_budget_used_ratio{_OVERLAY}": "0.99x60"},
    ),
    "HedgeProfitUnexplained": Case(
        fires={_PROFIT % "unexplained": "-2500x60", _PROFIT % "vega": "-40000x60"},
        labels={**_BOOK, "since": "session", "part": "unexplained"},
        says="2500 of the session's profit of overlay is unexplained.",
        calm={
            _PROFIT % "unexplained": "-2500x60",
            _PROFIT % "vega": "-60000x60",
            _PROFIT % "total": "1x60",
            'hedge_profit_dollars{book="small",since="session",part="unexplained"}': "900x60",
            'hedge_profit_dollars{book="small",since="session",part="vega"}': "1000x60",
        },
    ),
    "HedgeExposureCoverageLow": Case(
        fires={f"hedge_exposure_coverage_ratio{_OVERLAY}": "0.85x60"},
        labels=_BOOK,
        says="The figures of overlay hold 85% of its positions.",
        calm={f"hedge_exposure_coverage_ratio{_OVERLAY}": "0.95x30 0.5x5 0.95x30"},
    ),
    "HedgeModelError": Case(
        fires={"hedge_model_error_expiries": "2x60"},
        says="2 expiry(s) miss more of their quotes than they may.",
        calm={"hedge_model_error_expiries": "0x60"},
    ),
    # --- market.yml
    "HedgeVixStale": Case(
        fires=_quality("stale")
        | _OPEN
        | {f'hedge_signal_age_seconds{{{_IN},signal="vix"}}': "0+5x60"},
        labels=_vix_labels("stale"),
        says="The last VIX is 180 s old: no rule acts on it.",
        calm=_quality("stale") | _SHUT | _quality("good", "0x60"),
    ),
    "HedgeVixFrozen": Case(
        fires=_quality("frozen") | _OPEN | {'hedge_signal_value{signal="vix"}': "18.25x60"},
        labels=_vix_labels("frozen"),
        says="VIX prints 18.25 again and again: no rule acts on it.",
        calm=_quality("frozen", "0x60") | _OPEN,
    ),
    "HedgeVixMissing": Case(
        fires={"other": "1x60"},
        labels={"signal": "vix"},
        says="For 30 s no process has had a VIX to show.",
        calm=_quality("good") | _quality("warming", "0x60") | _OPEN,
    ),
    "HedgeMarketHalted": Case(
        fires=_quality("halted")
        | _OPEN
        | {f'hedge_signal_age_seconds{{{_IN},signal="vix"}}': "300x60"},
        labels=_vix_labels("halted"),
        says="The last VIX is 300 s old and the index is silent too: a trading halt, or every feed "
        "is down.",
        calm=_quality("halted") | _SHUT,
    ),
    "HedgeFeedSilent": Case(
        fires={f'hedge_feed_silent{{{_IN},symbol="SPX"}}': "1x60"} | _OPEN,
        labels={"instance": "signals:8082", "symbol": "SPX"},
        says="SPX has missed 2 prints or more.",
        calm={f'hedge_feed_silent{{{_IN},symbol="SPX"}}': "1x60"} | _SHUT,
    ),
    "HedgeFeedGap": Case(
        fires={"hedge_ticks_missing_total": "0+1x60"},
        says="36 number(s) were skipped within 5 minutes: prints were lost before us.",
        calm={"hedge_ticks_missing_total": "7x60"},
    ),
    # --- pipeline.yml
    "HedgeTimeStandsStill": Case(
        fires={"hedge_event_timestamp_seconds": "1000x60"},
        says="The event time of the signals has not moved for more than 30 s: ingest, the store "
        "or, in a replay, the feed stands.",
        calm={
            'hedge_event_timestamp_seconds{instance="leader"}': "1000+5x60",
            'hedge_event_timestamp_seconds{instance="demoted"}': "1000x60",
        },
    ),
    "HedgeNotCommitting": Case(
        fires={
            'hedge_hedger_lag_entries{instance="hedger:8083"}': "0+10x60",
            'hedge_hedger_taken_entries{instance="hedger:8083"}': "77x60",
        },
        labels=_STAND,
        says="360 entries wait and the hedger has taken none for 30 s.",
        calm={
            'hedge_hedger_lag_entries{instance="hedger:8083"}': "40x60",
            'hedge_hedger_taken_entries{instance="hedger:8083"}': "77+3x60",
            'hedge_hedger_lag_entries{instance="idle"}': "0x60",
            'hedge_hedger_taken_entries{instance="idle"}': "77x60",
        },
    ),
    "HedgeStageLag": Case(
        fires={"hedge_signals_lag_entries": "2500x60", "hedge_hedger_lag_entries": "0x60"},
        labels={"stage": "signals"},
        says="2500 entries wait for signals.",
        calm={
            "hedge_signals_lag_entries": "2000x60",
            "hedge_hedger_lag_entries": "0x60",
            "hedge_exposure_lag_entries": "0x60",
        },
    ),
    "HedgeNobodyLeads": Case(
        fires={
            'hedge_check_ready{check="hedger.lease",instance="a"}': "0x60",
            'hedge_check_ready{check="hedger.lease",instance="b"}': "0x60",
        },
        labels={"check": "hedger.lease"},
        says="hedger.lease: no process has held it for 5 s.",
        calm={
            'hedge_check_ready{check="hedger.lease",instance="a"}': "0x60",
            'hedge_check_ready{check="hedger.lease",instance="b"}': "1x60",
            'hedge_check_ready{check="hedger.bus",instance="b"}': "0x60",
        },
    ),
    "HedgeLeaseLost": Case(
        fires={
            'hedge_check_ready{check="hedger.lease",instance="a"}': "1x33 0x27",
            'hedge_check_ready{check="hedger.lease",instance="b"}': "0x33 1x27",
        },
        labels={"check": "hedger.lease", "instance": "a"},
        says="a led hedger.lease within the last 60 s and does not any more.",
        calm={
            'hedge_check_ready{check="hedger.lease",instance="a"}': "0x60",
            'hedge_check_ready{check="hedger.lease",instance="b"}': "1x60",
        },
    ),
    "HedgeStoreUnreachable": Case(
        fires={'hedge_check_ready{check="hedger.stage",instance="a"}': "0x60"},
        labels={"check": "hedger.stage"},
        says="hedger.stage has failed everywhere for 15 s: the store does not answer, or does not "
        "write.",
        calm={
            'hedge_check_ready{check="hedger.stage",instance="a"}': "0x60",
            'hedge_check_ready{check="hedger.stage",instance="b"}': "1x60",
            'hedge_check_ready{check="auditor.fold",instance="b"}': "0x60",
        },
    ),
    "HedgeServiceDown": Case(
        fires={'up{job="hedgestat",instance="hedger:8083",service="hedger"}': "0x60"},
        labels={"job": "hedgestat", "instance": "hedger:8083", "service": "hedger"},
        says="hedger at hedger:8083 has not answered a scrape for 10 s.",
        calm={
            'up{job="hedgestat",instance="hedger:8083",service="hedger"}': "1x35 0 1x30",
            'up{job="grafana",instance="grafana:3000"}': "0x60",
        },
    ),
    "HedgeNothingScraped": Case(
        fires={'up{job="grafana"}': "1x60"},
        labels={"job": "hedgestat"},
        says="No target of the job hedgestat for 30 s: none of the other alerts can fire.",
        calm={'up{job="hedgestat"}': "0x60"},
    ),
    "HedgeReconnects": Case(
        fires={'hedge_bus_events_total{service="hedger",event="connected"}': "0+1x60"},
        labels={"service": "hedger"},
        says="hedger connected 36 times within 5 minutes.",
        calm={
            'hedge_bus_events_total{service="hedger",event="connected"}': "0x30 3x30",
            'hedge_bus_events_total{service="hedger",event="connect_failed"}': "0+1x60",
        },
    ),
    "HedgeRetentionFails": Case(
        fires={'hedge_retention_failures_total{stream="journal"}': "_x20 1x40"},
        labels={"stream": "journal"},
        says="journal: 1 pass(es) trimmed nothing within 15 minutes, so it grows.",
        calm={'hedge_retention_failures_total{stream="journal"}': "0x60"},
    ),
    # --- safety.yml
    "HedgeTradingHalted": Case(
        fires={'hedge_trading_state{scope="all"}': "2x60"},
        labels={"scope": "all"},
        says="all is HALTED: the risk stays open.",
        calm={
            'hedge_trading_state{scope="all"}': "0x60",
            'hedge_trading_state{scope="overlay"}': "1x60",
        },
    ),
    "HedgeTradingReducing": Case(
        fires={'hedge_trading_state{scope="overlay"}': "1x60"},
        labels={"scope": "overlay"},
        says="overlay is REDUCING: only orders that bring the vega nearer to 0 leave.",
        calm={'hedge_trading_state{scope="overlay"}': "2x60"},
    ),
    "HedgeHedgerSilent": Case(
        fires={'hedge_gateway_dead_man_total{state="halted"}': "0x20 1x40"},
        labels={"state": "halted"},
        says="1 stop(s) for want of heartbeats within 5 minutes.",
        calm={
            'hedge_gateway_dead_man_total{state="halted"}': "3x60",
            'hedge_gateway_dead_man_total{state="reducing"}': "0+1x60",
        },
    ),
    "HedgeEpochRegress": Case(
        fires={'hedge_gateway_commands_refused_total{reason="epoch_regress"}': "0x20 1x40"},
        labels={"reason": "epoch_regress"},
        says="1 epoch(s) that were lent before within 10 minutes: the store lost data, and the "
        "gateway halted.",
        calm={
            'hedge_gateway_commands_refused_total{reason="epoch_regress"}': "0x60",
            'hedge_gateway_commands_refused_total{reason="epoch_superseded"}': "0+1x60",
        },
    ),
    "HedgeAuditMismatch": Case(
        fires={'hedge_audit_mismatches_total{kind="forged"}': "0x20 1x40"},
        labels={"kind": "forged"},
        says="1 forged order(s) within 10 minutes; trading is halted.",
        calm={'hedge_audit_mismatches_total{kind="forged"}': "2x60"},
    ),
    "HedgeAuditBlind": Case(
        fires={"hedge_audit_blind_total": "0+1x60"},
        says="The auditor failed to see the gateway's record 12 time(s) within a minute.",
        calm={"hedge_audit_blind_total": "9x60"},
    ),
    "HedgeAuditStopped": Case(
        fires={"hedge_audit_sweeps_total": "5x240"},
        says="The auditor has not compared the gateway's record for 15 minutes, or there is no "
        "auditor.",
        calm={
            'hedge_audit_sweeps_total{instance="leader"}': "5+1x240",
            'hedge_audit_sweeps_total{instance="standby"}': "0x240",
        },
        at="19m",
    ),
    "HedgeRecordUnwritable": Case(
        fires={'hedge_check_ready{check="gateway.record",instance="gateway:8084"}': "0x60"},
        labels={"check": "gateway.record", "instance": "gateway:8084"},
        says="The record of gateway:8084 cannot be written for 5 s: no order is taken.",
        calm={'hedge_check_ready{check="gateway.record",instance="gateway:8084"}': "1x60"},
    ),
    "HedgeDiskFilling": Case(
        fires={'hedge_disk_free_ratio{instance="gateway:8084"}': "0.08x60"},
        labels={"instance": "gateway:8084"},
        says="8% of the disk of gateway:8084 is free.",
        calm={'hedge_disk_free_ratio{instance="gateway:8084"}': "0.3x60"},
    ),
    "HedgeDiskFull": Case(
        fires={'hedge_disk_free_ratio{instance="gateway:8084"}': "0.01x60"},
        labels={"instance": "gateway:8084"},
        says="1% of the disk of gateway:8084 is free: soon no order is taken.",
        calm={'hedge_disk_free_ratio{instance="gateway:8084"}': "0.08x60"},
    ),
    "HedgeMessagesForged": Case(
        fires={'hedge_orders_refused_total{reason="bad_signature"}': "0x20 3x40"},
        labels={"door": "gateway, orders", "reason": "bad_signature"},
        says="3 message(s) refused by gateway, orders within 5 minutes: bad_signature.",
        calm={
            'hedge_orders_refused_total{reason="expired"}': "0+1x60",
            'hedge_commands_refused_total{reason="unknown_key"}': "0x60",
            'hedge_answers_refused_total{reason="malformed"}': "0+1x60",
        },
    ),
    "HedgeRejectsMany": Case(
        fires={'hedge_rejects_total{reason="malformed"}': "0+10x60"},
        labels={"reason": "malformed"},
        says="2.0 messages a second are refused: malformed.",
        calm={'hedge_rejects_total{reason="malformed"}': "0+2x60"},
    ),
    "HedgeLoginsFailing": Case(
        fires={'hedge_page_logins_total{outcome="wrong"}': "_x20 12x40"},
        says="12 logins failed within 5 minutes.",
        calm={
            'hedge_page_logins_total{outcome="wrong"}': "0x20 9x40",
            'hedge_page_logins_total{outcome="right"}': "0+1x60",
        },
    ),
    "HedgeWatchdog": Case(
        fires={},
        says="Always firing: who receives it raises the alarm when it stops.",
        calm={},
    ),
}
"""The last one always fires: its other case is that the rule is there."""
