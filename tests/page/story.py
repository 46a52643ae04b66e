"""What the page shows in its tests: the afternoon of 2018-02-05, as the views tell it.

VIX leaves 18, where the books last rebalanced; the overlay's move trigger persists, another book
is halted, a third was never heard of. Figures are made up where no test needs them.
"""

import math
from typing import Any, Final

import msgspec
from msgspec import Struct

from shared.wire.messages import (
    AckMessage,
    AlertMessage,
    ExposureGroupMessage,
    ExposureMessage,
    LegTargetMessage,
    ProfitAccountMessage,
    ProfitMessage,
    ScenarioMessage,
    SignalMessage,
    SizingStepMessage,
    TargetMessage,
    TradingStateMessage,
    UnmarkedMessage,
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
    ExecutionView,
    HealthView,
    HistoryView,
    MarketView,
    OrderView,
    RegimeView,
    ScenarioCellView,
    ServiceView,
    StateView,
    TriggerView,
)

NOW: Final = "2018-02-05T20:31:04Z"
NOW_S: Final = 1517862664
_DAY: Final = "2018-02-05"

BOOKS: Final = ("overlay", "global-equity", "tail")
HOSTILE: Final = (
    '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\'"&{{7*7}}'
    "</title><svg onload=window.hacked=1>"
)

Json = dict[str, Any]


def _at(time: str) -> str:
    return f"{_DAY}T{time}Z"


def _signal(name: str, value: float | None, unit: str, **more: Any) -> SignalMessage:  # noqa: ANN401 - fields of any type
    fields = {"quality": "good", "event_time": _at("20:31:03.5"), "have": 1, "need": 1} | more
    return SignalMessage(name=name, value=value, unit=unit, **fields)


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
        _signal("term_ratio", 1.114, "ratio", have=2, need=2, event_time=_at("20:30:58")),
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
        CurvePointView(symbol=symbol, days=days, level=level, event_time=_at("20:30:58"))
        for symbol, (days, level) in zip(symbols, levels, strict=True)
    )
    regime = RegimeView(state="medium", since=_at("14:52:10"))
    return MarketView(
        event_time=_at("20:31:03.5"), signals=named, silent=(), curve=curve, regime=regime
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
        event_time=_at("20:15:00"),
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
        "since": None if state == "inactive" else _at("20:22:00"),
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
            "vix_relative", "cooldown", reason="VIX 22.41 against 18: 24.5%, above 15%", held_s=0.0
        ),
        trigger("fast_vix", observations_needed=2, hold_s=0.0),
        trigger("fast_index", observations_needed=2, hold_s=0.0, inputs={"index_return": -0.0312}),
        trigger("regime", inputs={}, reference=None, sessions_needed=2),
        trigger("budget", inputs={"budget_used": 0.613}, reference=0.9),
        trigger("schedule", inputs={}, reference=None, observations_needed=0, hold_s=0.0),
    )


def exposure(name: str) -> ExposureMessage:
    """Four groups of positions, two of them not wholly marked."""
    groups = (
        ("NDX", "0-7d", 6_711.1, 120, 120, (-310_400.0, -88_100.0, 3_120.0, -9_840.0, -120.0, 88.0)),
        ("SPX", "8-30d", 2_702.6, 400, 398, (-1_904_300.0, -410_900.0, 18_240.0, -31_500.0, -904.0, 512.0)),
        ("SPX", "31-90d", 2_702.6, 880, 880, (5_120_800.0, 204_700.0, 44_906.0, -12_790.0, 1_511.0, 1_904.0)),
        ("SPX", "366d+", 2_702.6, 12, 12, (88_000.0, 1_900.0, 9_310.0, -410.0, 33.0, 12.0)),
        ("VIX", "31-90d", 24.87, 40, 40, (912_000.0, 44_200.0, 12_008.0, -2_204.0, 402.0, 771.0)),
    )  # fmt: skip
    names = ("dollar_delta", "dollar_gamma", "vega", "theta", "vanna", "volga")
    totals = {
        figure: sum(group[5][place] for group in groups) for place, figure in enumerate(names)
    }
    stress = (
        ("1987-10-19", -0.2047, 113.82, 18_400_500.0),
        ("2008-10", -0.1694, 20.5, 5_102_300.0),
        ("2018-02-05", -0.041, 20.01, 2_004_800.0),
        ("2020-03-16", -0.1198, 24.86, 4_380_900.0),
    )
    scenarios = tuple(
        ScenarioMessage(name=day, spot=spot, volatility=points, profit=profit)
        for day, spot, points, profit in stress
    )
    parts = dict(
        zip(
            ("delta", "gamma", "theta", "vega", "vanna", "volga", "carry", "cost", "trades"),
            (-412_030.0, 96_410.0, -56_744.0, 388_204.0, -9_310.0, 14_022.0, -2_140.0, -6_120.0, 1_204.0),
            strict=True,
        )
    )  # fmt: skip
    session = ProfitAccountMessage(
        since=_at("14:30:00"), total=sum(parts.values()) + 1_904.0, parts=parts, unexplained=1_904.0
    )
    inception = ProfitAccountMessage(
        since="2018-01-02T14:30:00Z",
        total=-1_204_310.0,
        parts={part: value * 3.1 for part, value in parts.items()},
        unexplained=-4_402.0,
    )
    return ExposureMessage(
        book=name,
        event_time=_at("20:31:03"),
        youngest_time=_at("20:31:02.9"),
        totals=totals,
        beta_delta=3_906_100.0,
        without_beta=(),
        index_delta=1_445.2,
        vix_vega=87_584.0,
        positions=1_452,
        marked=1_450,
        coverage=1_450 / 1_452,
        unmarked=(
            UnmarkedMessage(symbol="SPXW180316P01200000", quantity=40.0, reason="no quote"),
            UnmarkedMessage(symbol="SPXW180316P01250000", quantity=-10.0, reason="crossed"),
        ),
        expired=(),
        conflated=0,
        groups=tuple(
            ExposureGroupMessage(
                underlying=underlying,
                bucket=bucket,
                level=level,
                positions=positions,
                marked=marked,
                figures=dict(zip(names, figures, strict=True)),
            )
            for underlying, bucket, level, positions, marked, figures in groups
        ),
        risk_time=_at("20:30:55"),
        worst=ScenarioMessage(
            name="+10%, −10 pts", spot=0.1, volatility=-10.0, profit=-1_310_200.0
        ),
        stress=scenarios,
        shortfall=-1_020_400.0,
        shortfall_days=500,
        profit=ProfitMessage(
            event_time=_at("20:31:03"),
            session=session,
            inception=inception,
            suspended=(),
            waiting=0,
        ),
    )


def _scenarios() -> tuple[ScenarioCellView, ...]:
    return tuple(
        ScenarioCellView(
            spot=spot,
            volatility=points,
            profit=9e6 * spot * spot * 4 + 87_584 * points - 4e6 * spot,
        )
        for spot in (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)
        for points in (-10.0, 0.0, 10.0, 20.0, 30.0, 40.0)
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
                since=_at("15:04:00"),
                event_time=_at("15:11:30"),
                observations=41,
                peak={"vix_smooth": 21.4},
            ),
        ),
        withheld=(
            WithheldMessage(
                book=name,
                event_time=_at("20:15:00"),
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
        exposure=exposure(name),
        scenarios=_scenarios(),
        trading=TradingStateMessage(
            scope=name,
            state="active",
            authority="operator",
            operator="desk-2",
            reason="start of day",
            since=_at("14:00:00"),
        ),
    )
    return msgspec.structs.replace(view, **changes)


def order(number: int = 1, status: str = "filled", name: str = "overlay") -> OrderView:
    """An order, as far as its status says."""
    acked = status not in {"decided"}
    filled = {"filled": 4_100.0, "partial": 1_500.0}.get(status, 0.0)
    executions = []
    if status in {"working", "partial", "filled"}:
        executions.append(("new", 0.0, None))
    if filled:
        executions.append(("fill" if status == "filled" else "partial", filled, 22.61))
    if status in {"rejected", "cancelled", "expired"}:
        executions.append((status.removesuffix("ed") if status != "cancelled" else "cancel", 0.0, None))  # fmt: skip
    ack = AckMessage(
        order_id=f"{name}-{number:08d}-varswap_3m",
        status="refused" if status == "refused" else "accepted",
        reason="halted: all by operator" if status == "refused" else "",
        epoch=7,
    )
    kinds = {"reject": "reject", "expir": "expire", "cancel": "cancel"}
    return OrderView(
        order_id=f"{name}-{number:08d}-varswap_3m",
        book=name,
        decision=number,
        leg="varswap_3m",
        symbol="VIX",
        side="buy",
        quantity=4_100.0,
        target_quantity=18_450.0,
        limit_price=24.2,
        notional=92_701.0,
        currency="USD",
        trigger="vix_move",
        reason="VIX 22.41 against 18: a move of 4.41 points, above 3",
        status=status,  # type: ignore[arg-type] # tests name those there are
        decided_time=_at(f"20:{10 + number:02d}:00"),
        valid_until=_at("20:45:00"),
        why=(
            "vix_move fired: smoothed VIX 22.41 is 4.41 points above 18, held for 15 min and 41"
            " ticks; option_a wants 1.041 x base, the budget cuts it to 0.41: buy 4,100."
        ),
        acknowledgement=ack if acked else None,
        filled=filled,
        average_price=22.61 if filled else None,
        executions=tuple(
            ExecutionView(
                kind=kinds.get(kind, kind),  # type: ignore[arg-type] # as above
                event_time=_at(f"20:{10 + number:02d}:01"),
                quantity=quantity,
                price=price,
                reason="no liquidity" if kind == "reject" else "",
            )
            for kind, quantity, price in executions
        ),
    )


def alert(number: int = 1, severity: str = "warning", what: str = "signal_lost") -> AlertView:
    """An alert with its figures."""
    return AlertView(
        number=number,
        alert=AlertMessage(
            book="overlay",
            event_time=_at(f"20:{10 + number:02d}:30"),
            severity=severity,  # type: ignore[arg-type] # tests name those there are
            what=what,
            where="term_ratio",
            figures={"age_s": 421.5, "limit_s": 300.0},
            runbook="Rules and triggers on this signal stand still, the others are live; check"
            " its feed.",
        ),
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
        since=_at("20:02:11"),
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
            order(9 - place, status)
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


def market_history() -> HistoryView:
    """Two sessions with the night between them, a point in five minutes."""
    times = [NOW_S - 300 * (each + 3 * 288) for each in range(78, 0, -1)]
    times += [NOW_S - 300 * each for each in range(73, 0, -1)]
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
    steps = ((-80_000, 30_000.0), (-60_000, 24_000.0), (-19_000, 31_000.0), (-964, 41_000.0))
    series = {
        "target_vega": [(NOW_S + when, vega) for when, vega in steps] + [(NOW_S, 41_000.0)],
        "current_vega": [(NOW_S + when + 700, vega) for when, vega in steps[:3]]
        + [(NOW_S - 400, 24_000.0), (NOW_S, 24_000.0)],
        "drawdown": [(NOW_S - 300 * each, -0.0574 + each * 0.0007) for each in range(73, -1, -1)],
    }
    return HistoryView(
        since="2018-02-02T20:31:04Z",
        until=NOW,
        series=series,
        firings=((NOW_S - 19_000.0, "regime"), (NOW_S - 964.0, "vix_move")),
    )


def json_of(view: Struct) -> Json:
    """As the page gets it."""
    found: Json = msgspec.json.decode(msgspec.json.encode(view))
    return found


_KEPT: Final = frozenset(("state", "quality", "status", "kind", "side", "clock", "severity"))


def hostile(value: Any, field: str = "") -> Any:  # noqa: ANN401 - JSON
    """Put markup into every text that is neither a time nor one of few words, and in every key."""
    match value:
        case dict():
            named = field in {"figures", "inputs", "peak", "checks", "parts"}
            return {
                (key + HOSTILE if named else key): hostile(each, key) for key, each in value.items()
            }
        case list():
            return [hostile(each, field) for each in value]
        case str() if field in _KEPT or field.endswith(("time", "since", "until", "as_of")):
            return value
        case str():
            return value + HOSTILE
        case _:
            return value
