"""What the page shows in its tests: the afternoon of 2018-02-05, as the views tell it.

VIX leaves 18, where the books last rebalanced; the overlay's move trigger persists, another book
is halted, a third was never heard of. Figures are made up where no test needs them.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct
from page import orders, positions
from page.instants import NOW, at

from shared.wire.messages import (
    AlertMessage,
    LegTargetMessage,
    SignalMessage,
    SizingStepMessage,
    TargetMessage,
    TradingStateMessage,
    WhipsawMessage,
    WithheldMessage,
)
from shared.wire.views import (
    AlertView,
    BandsView,
    BookSummaryView,
    BookView,
    BudgetView,
    CurvePointView,
    EffectivenessView,
    HealthView,
    MarketView,
    RegimeView,
    ServiceView,
    StateView,
    TriggerView,
)

BOOKS: Final = ("overlay", "global-equity", "tail")
Json = dict[str, Any]


def _signal(name: str, value: float | None, unit: str, **more: Any) -> SignalMessage:  # noqa: ANN401 - fields of any type
    fields: Json = {"quality": "good", "event_time": at("20:31:03.5"), "have": 1, "need": 1}
    return SignalMessage(name=name, value=value, unit=unit, **fields | more)


def market(level: float = 24.87, **qualities: str) -> MarketView:
    """The market's signals; those that are named have another quality."""
    signals = (
        _signal("vix", level, "points"),
        _signal("vix_smooth", 22.41, "points"),
        _signal("vix_percentile", 0.971, "ratio", have=504, need=504),
        _signal("regime", None, "state", state="medium"),
        _signal("index_return", -0.0312, "decimal"),
        _signal("rv", 0.1384, "decimal", have=20, need=20),
        _signal("crash_intensity", 0.31, "per_day", have=900, need=900),
        _signal("crash_intensity_ratio", 6.2, "ratio", have=900, need=900),
        _signal("correlation", 0.62, "ratio", have=20, need=20),
        _signal("term_ratio", 1.114, "ratio", have=2, need=2, event_time=at("20:30:58")),
        _signal("term_state", None, "state", state="backwardation", have=2, need=2),
        _signal("stationary_high", None, "ratio", quality="warming", have=112, need=252),
    )
    named = {
        each.name: msgspec.structs.replace(each, quality=qualities.get(each.name, each.quality))
        for each in signals
    }
    levels = ((0.0, level), (9.0, 23.13), (44.0, 20.78), (72.0, 19.9), (100.0, 19.4), (135.0, 19.1))
    symbols = ("VIX", "VXG18", "VXH18", "VXJ18", "VXK18", "VXM18")
    curve = tuple(
        CurvePointView(symbol=symbol, days=days, level=level, event_time=at("20:30:58"))
        for symbol, (days, level) in zip(symbols, levels, strict=True)
    )
    regime = RegimeView(state="medium", since=at("14:52:10"))
    return MarketView(
        event_time=at("20:31:03.5"), signals=named, silent=(), curve=curve, regime=regime
    )


def summary(name: str, **changes: Any) -> BookSummaryView:  # noqa: ANN401 - fields of any type
    """A book's line."""
    line = BookSummaryView(
        book=name,
        currency="USD",
        state="active",
        target_vega=41_000.0,
        current_vega=24_000.0,
        multiplier=0.41,
        binding="budget",
        firing=(),
        pending=("vix_move",),
        budget_used=0.613,
        orders_waiting=1,
        alerts=2,
        quality="good",
    )
    return msgspec.structs.replace(line, **changes)


def target(name: str) -> TargetMessage:
    """A decision that the budget cut."""
    steps = (
        ("rule", 1.041, "option_a: (22.41 - 12) / 10", False),
        ("persistence", 1.041, "confirmed by vix_move; 0.6 was held since the last", True),
        ("equity_share", 0.7287, "equity share 0.7", True),
        ("budget", 0.41, "77400.00 left, 137562.00 projected to year end", True),
        ("floor_and_cap", 0.41, "within 0.2..2", False),
        ("allocation", 0.41, "all legs inside their limits", False),
    )
    legs = (
        ("varswap_3m", "VIX", 0.45, 18_450.0, 18_450.0, 24.87),
        ("vix_future", "VXH18", 0.35, 14_350.0, 14.0, 20.78),
        ("spx_put_6m", "SPX", 0.2, 8_200.0, None, None),
    )
    return TargetMessage(
        book=name,
        event_time=at("20:15:00"),
        decision=7,
        trigger="vix_move",
        multiplier=0.41,
        steps=tuple(
            SizingStepMessage(name=step, multiplier=value, note=note, binding=binds)
            for step, value, note, binds in steps
        ),
        target_vega=41_000.0,
        current_vega=24_000.0,
        legs=tuple(
            LegTargetMessage(
                leg=leg, symbol=symbol, weight=weight, vega=vega, quantity=quantity, mark=mark
            )
            for leg, symbol, weight, vega, quantity, mark in legs
        ),
        quality="good",
        reference_vix=18.0,
        budget_used=0.613,
        at_floor=False,
        at_cap=False,
    )


def trigger(name: str, state: str = "inactive", **changes: Any) -> TriggerView:  # noqa: ANN401 - fields of any type
    """One trigger of a book."""
    fields: Json = {
        "trigger": name,
        "state": state,
        "since": None if state == "inactive" else at("20:22:00"),
        "reason": "",
        "inputs": {"vix_smooth": 22.41},
        "reference": 18.0,
        "observations": 0,
        "observations_needed": 3,
        "held_s": 0.0,
        "hold_s": 900.0,
        "sessions": 0,
        "sessions_needed": 0,
    }
    return msgspec.convert(fields | changes, TriggerView)


def triggers() -> tuple[TriggerView, ...]:
    """One of each state, and some that rest."""
    return (
        trigger(
            "vix_move",
            "pending",
            observations=2,
            held_s=545.0,
            reason="VIX 22.41 against 18: a move of 4.41 points, above 3",
        ),
        trigger(
            "drawdown",
            "firing",
            observations=3,
            held_s=900.0,
            inputs={"drawdown": -0.0574},
            reference=-0.05,
            reason="drawdown of 5.74%, beyond 5%",
        ),
        trigger(
            "vix_relative",
            "cooldown",
            reason="resting after decision 7 until 21:15 UTC; fired: 24.5%, above 15%",
        ),
        trigger("fast_vix", observations_needed=2, hold_s=0.0),
        trigger("fast_index", observations_needed=2, hold_s=0.0, inputs={"index_return": -0.0312}),
        trigger("regime", inputs={}, reference=None, sessions_needed=2),
        trigger("budget", inputs={"budget_used": 0.613}, reference=0.9),
        trigger("schedule", inputs={}, reference=None, observations_needed=0, hold_s=0.0),
    )


def book(name: str = "overlay", **changes: Any) -> BookView:  # noqa: ANN401 - fields of any type
    """All of a book."""
    view = BookView(
        summary=summary(name, firing=("drawdown",)),
        target=target(name),
        bands=BandsView(reference=18.0, lower=15.3, upper=20.7, fast_upper=26.0, fast_lower=10.0),
        triggers=triggers(),
        whipsaws=(
            WhipsawMessage(
                book=name,
                trigger="vix_move",
                since=at("15:04:00"),
                event_time=at("15:11:30"),
                observations=41,
                peak={"vix_smooth": 21.4},
            ),
        ),
        withheld=(
            WithheldMessage(
                book=name,
                event_time=at("20:15:00"),
                decision=7,
                leg="spx_put_6m",
                control="max_order_vega",
                figures={"vega": 8_200.0, "limit": 6_000.0},
            ),
        ),
        budget=BudgetView(
            annual=200_000.0,
            used_fraction=0.613,
            warn_fraction=0.9,
            days_left=23.0,
            year_days_left=329.0,
        ),
        effectiveness=EffectivenessView(
            ratio=0.54, hedge_profit=388_204.0, book_loss=-718_900.0, correlation=-0.71
        ),
        signals={
            "nav": _signal("nav", 48_212_400.0, "currency", have=1, need=1),
            "drawdown": _signal("drawdown", -0.0574, "decimal"),
            "hedge_correlation": _signal("hedge_correlation", -0.71, "ratio", have=60, need=60),
        },
        exposure=positions.exposure(name),
        scenarios=positions.scenarios(),
        trading=TradingStateMessage(
            scope=name,
            state="active",
            authority="operator",
            operator="desk-2",
            reason="start of day",
            since=at("14:00:00"),
        ),
    )
    return msgspec.structs.replace(view, **changes)


def alert(number: int = 1, severity: str = "warning", what: str = "signal_lost") -> AlertView:
    """An alert with its figures."""
    return AlertView(
        number=number,
        alert=AlertMessage(
            book="overlay",
            event_time=at(f"20:{10 + number:02d}:30"),
            severity=severity,  # type: ignore[arg-type] # tests name those there are
            what=what,
            where="term_ratio",
            figures={"age_s": 421.5, "limit_s": 300.0},
            runbook="Rules and triggers on this signal stand still, the others are live; check"
            " its feed.",
        ),
        runbook_path="deploy/runbooks/signal-lost.md",
    )


def health(**changes: Any) -> HealthView:  # noqa: ANN401 - fields of any type
    """All services well, unless changed."""
    names = (
        ("ingest", 0, "ingest-a-4711", 3),
        ("signals", 2, "signals-a-4712", 3),
        ("exposure", 14, "exposure-a-4714", 2),
        ("hedger", 0, "hedge-a-4713", 7),
        ("gateway", None, "", 0),
        ("auditor", None, "", 0),
    )
    services = tuple(
        ServiceView(
            service=name,
            state="online",
            version="0.1.0",
            config_digest="3f0c9d2e51b7",
            behind=behind,
            holder=holder,
            epoch=epoch,
            note="",
        )
        for name, behind, holder, epoch in names
    )
    view = HealthView(
        ready=True,
        checks={"data": "", "leases": "", "gateway": ""},
        services=services,
        trading=(trading("all", "active"),),
        data_age_s=0.4,
    )
    return msgspec.structs.replace(view, **changes)


def trading(scope: str, state: str, reason: str = "start of day") -> TradingStateMessage:
    """What the gateway does with the orders of a scope."""
    return TradingStateMessage(
        scope=scope,
        state=state,  # type: ignore[arg-type] # tests name those there are
        authority="operator",
        operator="desk-2",
        reason=reason,
        since=at("20:02:11"),
    )


def state(books: int = 3, **changes: Any) -> StateView:  # noqa: ANN401 - fields of any type
    """One screen."""
    names = BOOKS if books <= len(BOOKS) else tuple(f"book-{each:02d}" for each in range(books))
    lines = [summary(name) for name in names[:books]]
    if lines:
        lines[0] = summary(names[0], firing=("drawdown",))
    view = StateView(
        as_of=NOW,
        environment="paper",
        version="0.1.0",
        config_digest="3f0c9d2e51b7",
        clock="wall",
        market=market(),
        books=tuple(lines),
        orders=tuple(
            orders.order(9 - place, status)
            for place, status in enumerate(
                ("decided", "accepted", "working", "partial", "filled", "refused", "rejected")
            )
        ),
        alerts=(
            alert(3, "critical", "order_blocked"),
            alert(2),
            alert(1, "info", "feed_recovered"),
        ),
        health=health(),
    )
    return msgspec.structs.replace(view, **changes)


def json_of(view: Struct) -> Json:
    """As the page gets it."""
    found: Json = msgspec.json.decode(msgspec.json.encode(view))
    return found
