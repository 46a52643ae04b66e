"""What a hedge book tells a person, each with the sentence that says what to do.

Longer than most: a table, every alert a row.
"""

from typing import Final, Literal

from shared.domain.effects import AlertRaised

_ALERTS: Final[dict[str, tuple[Literal["info", "warning", "critical"], str]]] = {
    "signal_unknown": (
        "info",
        "Nothing acts on this signal until it is good; check its feed if it should be by now.",
    ),
    "signal_lost": (
        "warning",
        "Rules and triggers on this signal stand still, the others are live; check its feed.",
    ),
    "feed_silent": (
        "warning",
        "This symbol has missed two prints: check its feed before what is made of it is stale.",
    ),
    "feed_recovered": ("info", "Nothing to do: the symbol prints again."),
    "vix_frozen": (
        "warning",
        "VIX repeats itself: nothing acts on it until it moves; check the exchange and its feed.",
    ),
    "market_halted": (
        "critical",
        "Neither the index nor VIX prints: a trading halt, or every feed is down; nothing trades.",
    ),
    "market_resumed": ("info", "The market prints again; signals are good after the warm-up."),
    "signal_recovered": ("info", "Nothing to do: the signal is acted on again."),
    "target_unknown": (
        "critical",
        "A trigger fired and the target cannot be sized: restore the signals, or hedge by hand.",
    ),
    "strategy_blind": (
        "warning",
        "This strategy does nothing until it sees again: restore what is missing.",
    ),
    "strategy_sees": ("info", "Nothing to do: the strategy acts again."),
    "mark_unknown": (
        "critical",
        "This leg has no fresh price, so no order was made: restore its feed, or hedge by hand.",
    ),
    "order_blocked": (
        "critical",
        "A pre-trade limit blocked this order: check the figures, then raise the limit or resize.",
    ),
    "trading_halted": (
        "critical",
        "No order leaves and the risk stays open: find out why, then `hedgestat resume`.",
    ),
    "trading_reducing": (
        "warning",
        "Only orders that bring the book's vega nearer to 0 leave, until `hedgestat resume`.",
    ),
    "trading_stopped": (
        "critical",
        "Too many orders too fast: no more leave. Find the cause, then `hedgestat resume`.",
    ),
    "trading_resumed": ("info", "Nothing to do: what was withheld is decided anew."),
    "order_rejected": (
        "warning",
        "The venue refused; the trigger is armed again and fires after the cooldown.",
    ),
    "order_cancelled": (
        "warning",
        "The order was cancelled; when the target is missed the trigger is armed again.",
    ),
    "order_expired": (
        "warning",
        "The order ran out of time; when the target is missed the trigger is armed again.",
    ),
    "order_incomplete": (
        "warning",
        "The venue closed the order short of the target; the trigger is armed again.",
    ),
    "order_unanswered": (
        "critical",
        "Unheard of, and it counts as position: ask the gateway, or report its end by hand.",
    ),
    "order_refused": (
        "critical",
        "Not sent again, and it counts as position until its `reject` is reported by hand.",
    ),
    "epoch_superseded": (
        "critical",
        "The gateway knows a higher epoch: another hedger leads, or the store lost data: compare.",
    ),
    "order_undeliverable": (
        "critical",
        "The broker refuses to carry this order: check who may publish to its topic.",
    ),
    "lease_refused": (
        "critical",
        "Another version or configuration leads: this one waits; give all replicas the same.",
    ),
    "store_unsafe": (
        "critical",
        "The store does not write, so nothing is decided: see its log for disk, memory, replicas.",
    ),
    "store_halted": (
        "critical",
        "Its halt key keeps orders back: delete the key when they may go; what is late expires.",
    ),
    "stage_stopped": (
        "critical",
        "The stage cannot go on by itself: its log says why and what to restore.",
    ),
    "message_forged": (
        "critical",
        "Somebody on the broker sends what our keys did not sign: find out who, change the logins.",
    ),
    "logins_failing": (
        "warning",
        "Somebody guesses passwords at the page: see its log for whose; other logins wait too.",
    ),
    "hedger_silent": (
        "critical",
        "The gateway stopped trading; bring the hedger back, then `hedgestat resume`.",
    ),
    "epoch_regress": (
        "critical",
        "The store forgot who leads: it lost data. Find out what else, then `hedgestat resume`.",
    ),
    "book_stopped": (
        "critical",
        "Orders came too fast or too often, and the gateway stopped: find out why, then resume.",
    ),
    "record_unwritable": (
        "critical",
        "The gateway's disk takes nothing, so no order is taken: free space, or repair it.",
    ),
    "audit_mismatch": (
        "critical",
        "The gateway's record is not what was decided: trading is halted; find out who wrote it.",
    ),
    "audit_blind": (
        "critical",
        "The auditor cannot see the gateway's record: start the gateway, or run it beside it.",
    ),
    "model_error_widened": (
        "warning",
        "Smile and quotes of this expiry disagree: check its feed; its other marks are doubtful.",
    ),
    "model_error_narrowed": ("info", "Nothing to do: the smile meets its quotes again."),
    "profit_unexplained": (
        "warning",
        "The Greeks do not account for this profit: look for a wrong mark, position or fill price.",
    ),
    "profit_explained": ("info", "Nothing to do: the session's profit is accounted for again."),
    "position_differs": (
        "critical",
        "Others hold another quantity: find the trade, or put the opening position right by it.",
    ),
    "positions_differ": (
        "critical",
        "More positions differ than are named: see whether this is the report of this book.",
    ),
    "position_agrees": ("info", "Nothing to do: both hold the same again."),
    "positions_agree": ("info", "Nothing to do: all that this source reports is what we hold."),
    "fill_unplaced": (
        "critical",
        "Traded by a leg that is not configured: not in the positions until it is added by hand.",
    ),
    "late_fill": ("warning", "An execution after the order was closed was booked: reconcile."),
    "order_unknown": (
        "critical",
        "A report names an order that is not ours, or long closed; not booked: reconcile.",
    ),
    "trigger_fired": (
        "info",
        "Nothing to do: a rebalance was decided, or target_unknown says why it could not be.",
    ),
    "off_target": (
        "critical",
        "The position misses its target for longer than an order lives: see what became of it.",
    ),
    "on_target": ("info", "Nothing to do: the position is what was decided."),
    "budget_burning": (
        "warning",
        "The year's budget goes faster than the year: the hedge will be cut before the year ends.",
    ),
    "budget_spent": (
        "critical",
        "The year's budget is gone, the hedge falls to its floor: raise it, or accept that.",
    ),
    "budget_calm": ("info", "Nothing to do: the budget lasts the year again."),
    "feed_gap": (
        "warning",
        "The source skipped sequence numbers, so prints were lost before us: ask the feed.",
    ),
    "feed_whole": ("info", "Nothing to do: the source has skipped nothing for a minute."),
    "rejects_many": (
        "warning",
        "Many messages are refused: `hedgestat tail rejects` says why; correct their sender.",
    ),
    "rejects_few": ("info", "Nothing to do: few messages are refused again."),
    "coverage_low": (
        "warning",
        "The Greeks leave out too many positions: `hedgestat exposure` names them; find quotes.",
    ),
    "coverage_restored": ("info", "Nothing to do: the Greeks hold the positions again."),
    "stage_lagging": (
        "warning",
        "This stage is far behind its input, so it decides late: see what the machine does.",
    ),
    "stage_caught_up": ("info", "Nothing to do: the stage follows its input again."),
    "stage_standing": (
        "critical",
        "Input comes and this stage does nothing with it: nothing is hedged; restart it.",
    ),
    "stage_goes_on": ("info", "Nothing to do: the stage goes on."),
    "nobody_leads": (
        "critical",
        "No process leads this stage, so it stands: start one, and see why the last one ended.",
    ),
    "leader_found": ("info", "Nothing to do: the stage is led again."),
    "leader_changed": (
        "warning",
        "Another process leads now: see why the one before lost its lease.",
    ),
    "service_silent": (
        "critical",
        "The broker has lost this service: see whether it runs and reaches the broker.",
    ),
    "service_back": ("info", "Nothing to do: the service is on the broker again."),
    "connection_unstable": (
        "warning",
        "This service connects again and again: two of one name, or a bad network.",
    ),
    "connection_stable": ("info", "Nothing to do: the connection has held for a minute."),
    "order_unacknowledged": (
        "critical",
        "The gateway has not answered for an order: see whether it runs and believes us.",
    ),
    "orders_acknowledged": ("info", "Nothing to do: the gateway has answered for every order."),
    "store_unreachable": (
        "critical",
        "The store does not answer, so nothing is decided: see whether it runs.",
    ),
    "store_reachable": ("info", "Nothing to do: the store answers again."),
    "disk_filling": (
        "warning",
        "The gateway's disk fills; when it is full no order is taken: free space.",
    ),
    "disk_full": (
        "critical",
        "The gateway's disk is all but full; when it is no order is taken: free space now.",
    ),
    "disk_freed": ("info", "Nothing to do: the gateway's disk has room again."),
    "monitor_alive": (
        "info",
        "The dead man's switch: when this stops coming, the monitor or the broker is down.",
    ),
}

_RUNBOOKS: Final[dict[str, tuple[str, ...]]] = {
    "audit-blind": ("audit_blind",),
    "audit-mismatch": ("audit_mismatch",),
    "budget": ("budget_burning", "budget_spent", "budget_calm"),
    "connections": ("connection_unstable", "connection_stable"),
    "coverage": ("coverage_low", "coverage_restored"),
    "disk": ("record_unwritable", "disk_filling", "disk_full", "disk_freed"),
    "epoch-regress": ("epoch_regress",),
    "feed": ("feed_silent", "feed_recovered", "feed_gap", "feed_whole"),
    "hedge-off-target": ("off_target", "on_target"),
    "hedge-stopped": ("stage_standing", "stage_goes_on", "stage_stopped"),
    "hedger-silent": ("hedger_silent",),
    "lease": (
        "lease_refused",
        "epoch_superseded",
        "nobody_leads",
        "leader_found",
        "leader_changed",
    ),
    "logins": ("logins_failing",),
    "market-halted": ("market_halted", "market_resumed"),
    "messages-refused": ("message_forged", "rejects_many", "rejects_few"),
    "model-error": ("model_error_widened", "model_error_narrowed"),
    "order-ended": ("order_rejected", "order_cancelled", "order_expired", "order_incomplete"),
    "order-unacknowledged": (
        "order_unacknowledged",
        "orders_acknowledged",
        "order_unanswered",
        "order_undeliverable",
        "order_refused",
    ),
    "order-unknown": ("order_unknown", "late_fill", "fill_unplaced"),
    "order-withheld": ("order_blocked", "trading_stopped", "book_stopped"),
    "positions-differ": (
        "position_differs",
        "positions_differ",
        "position_agrees",
        "positions_agree",
    ),
    "profit-unexplained": ("profit_unexplained", "profit_explained"),
    "service-down": ("service_silent", "service_back"),
    "signal-lost": (
        "signal_unknown",
        "signal_lost",
        "signal_recovered",
        "strategy_blind",
        "strategy_sees",
    ),
    "stage-lag": ("stage_lagging", "stage_caught_up"),
    "store": ("store_unreachable", "store_reachable", "store_unsafe"),
    "target-unknown": ("target_unknown", "mark_unknown"),
    "trading-halted": ("trading_halted", "trading_reducing", "trading_resumed", "store_halted"),
    "trigger-fired": ("trigger_fired",),
    "vix-frozen": ("vix_frozen",),
    "watchdog": ("monitor_alive",),
}
_RUNBOOK_OF: Final = {what: name for name, whats in _RUNBOOKS.items() for what in whats}

ALIVE: Final = "monitor_alive"
"""It comes every few seconds: it is news when it does not, so no list of alerts shows it."""

ALERTS: Final = frozenset(_ALERTS)
"""Every `what` that there is."""


def runbook_of(what: str) -> str:
    """Return the name of the file in `deploy/runbooks`, without its ending, that an alert has."""
    return _RUNBOOK_OF[what]


def alert(
    book: str, event_ns: int, what: str, where: str, figures: dict[str, float] | None = None
) -> AlertRaised:
    """Raise the alert `what` about `where`: a trigger, leg, signal or order id."""
    severity, runbook = _ALERTS[what]
    return AlertRaised(
        book=book,
        event_ns=event_ns,
        severity=severity,
        what=what,
        where=where,
        figures=figures or {},
        runbook=runbook,
    )
