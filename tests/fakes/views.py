"""Views of a monitor in the middle of a bad day: what a page or a terminal must show of it."""

from typing import Final, TypeVar

from msgspec import Struct, structs

from shared.wire.examples import EXAMPLES
from shared.wire.messages import (
    AckMessage,
    AlertMessage,
    ExposureMessage,
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
    ExecutionView,
    HealthView,
    MarketView,
    OrderView,
    RegimeView,
    ScenarioCellView,
    ServiceView,
    StateView,
    TriggerView,
)

AS_OF: Final = "2018-02-05T20:30:05Z"
AT: Final = "2018-02-05T20:30:00Z"

Message = TypeVar("Message", bound=Struct)


def example(kind: type[Message]) -> Message:
    """The contract's own example of a message."""
    return next(message for message in EXAMPLES if isinstance(message, kind))


def signal(
    name: str, value: float | None, unit: str = "points", **changes: object
) -> SignalMessage:
    sound = SignalMessage(
        name=name, value=value, unit=unit, quality="good", event_time=AT, have=5, need=5
    )
    return structs.replace(sound, **changes)


def market(**changes: object) -> MarketView:
    signals = (
        signal("vix", 37.32),
        signal("vix_smooth", 24.87),
        signal("vix_percentile", 0.97, "fraction"),
        signal("rv", 0.1423, "decimal", quality="warming", have=14, need=20),
        signal("correlation", 0.412, "correlation"),
        signal("term_ratio", 0.66, "ratio", quality="stale", event_time="2018-02-05T19:30:00Z"),
        signal("term_state", 2.0, "state", state="backwardation"),
        signal("regime", 2.0, "state", state="high"),
        signal("transition_p_low_to_high", 0.03, "probability"),
    )
    sound = MarketView(
        event_time=AT,
        signals={each.name: each for each in signals},
        silent=("VX3",),
        curve=(
            CurvePointView(symbol="VIX", days=0.0, level=37.32, event_time=AT),
            CurvePointView(symbol="VX1", days=9.0, level=33.23, event_time=AT),
            CurvePointView(symbol="VX3", days=72.0, level=22.1, event_time="2018-02-05T19:30:00Z"),
        ),
        regime=RegimeView(state="high", since="2018-02-05T19:10:00Z"),
    )
    return structs.replace(sound, **changes)


def summary(book: str = "overlay", **changes: object) -> BookSummaryView:
    sound = BookSummaryView(
        book=book,
        currency="USD",
        state="active",
        target_vega=1600.0,
        current_vega=600.0,
        multiplier=1.6,
        binding="budget",
        firing=("vix_move",),
        pending=("drawdown",),
        budget_used=0.62,
        orders_waiting=1,
        alerts=2,
        quality="good",
    )
    return structs.replace(sound, **changes)


def trigger(name: str, state: str, **changes: object) -> TriggerView:
    sound = TriggerView(
        trigger=name,
        state="inactive",
        since="2018-02-05T20:21:00Z",
        reason="VIX 24.87 against 18.00: a move of 6.87 points, above 3.0",
        inputs={"vix_smooth": 24.87},
        reference=18.0,
        observations=2,
        observations_needed=3,
        held_s=540.0,
        hold_s=900.0,
        sessions=0,
        sessions_needed=0,
    )
    return structs.replace(sound, state=state, **changes)


def target(**changes: object) -> TargetMessage:
    steps = (
        SizingStepMessage(name="rule", multiplier=2.0, note="linear, VIX 24.87", binding=False),
        SizingStepMessage(name="equity_share", multiplier=1.8, note="ρ 0.9", binding=True),
        SizingStepMessage(name="budget", multiplier=1.6, note="62% used", binding=True),
        SizingStepMessage(name="floor_and_cap", multiplier=1.6, note="0.2 to 2.0", binding=False),
    )
    told = structs.replace(
        example(TargetMessage), event_time=AT, steps=steps, multiplier=1.6, target_vega=1600.0
    )
    return structs.replace(told, **changes)


def book(name: str = "overlay", **changes: object) -> BookView:
    sound = BookView(
        summary=summary(name),
        target=target(book=name),
        bands=BandsView(reference=18.0, lower=15.0, upper=21.0, fast_lower=12.0, fast_upper=24.0),
        triggers=(
            trigger("drawdown", "pending", reason="drawdown 4.1%, above 4%"),
            trigger("scheduled", "inactive", observations_needed=0, hold_s=0.0),
            trigger("vix_move", "firing", observations=3, held_s=900.0),
            trigger("vix_relative", "cooldown", observations_needed=0, hold_s=0.0),
        ),
        whipsaws=(example(WhipsawMessage),),
        withheld=(example(WithheldMessage),),
        budget=BudgetView(
            annual=200_000.0,
            used_fraction=0.62,
            warn_fraction=0.8,
            days_left=41.0,
            year_days_left=212.0,
        ),
        effectiveness=EffectivenessView(
            ratio=0.71, hedge_profit=310_000.0, book_loss=437_000.0, correlation=-0.83
        ),
        signals={"drawdown": signal("drawdown", 0.041, "decimal")},
        exposure=structs.replace(example(ExposureMessage), book=name, event_time=AT),
        scenarios=tuple(
            ScenarioCellView(spot=spot, volatility=points, profit=-spot * 1e6 + points * 1e4)
            for spot in (-0.2, 0.0, 0.2)
            for points in (-10.0, 0.0, 10.0)
        ),
        trading=structs.replace(example(TradingStateMessage), scope=name, state="active"),
    )
    return structs.replace(sound, **changes)


def order(number: int = 2, **changes: object) -> OrderView:
    sound = OrderView(
        order_id=f"overlay-{number:08d}-varswap_3m",
        book="overlay",
        decision=number,
        leg="varswap_3m",
        symbol="VIX",
        side="buy",
        quantity=400.0,
        target_quantity=1000.0,
        limit_price=24.2,
        notional=8800.0,
        currency="USD",
        trigger="vix_move",
        reason="VIX 24.87 against 18.00: a move of 6.87 points, above 3.0",
        status="partial",
        decided_time=AT,
        valid_until="2018-02-05T20:40:00Z",
        why="vix_move fired: smoothed VIX 24.87 against 18.00, held 15 min over 3 prints; sized to "
        "1,600 of 2,000 vega because the budget binds at 62%.",
        acknowledgement=example(AckMessage),
        filled=150.0,
        average_price=23.1,
        executions=(
            ExecutionView(kind="partial", event_time=AT, quantity=150.0, price=23.1, reason=""),
        ),
    )
    return structs.replace(sound, **changes)


def alert(number: int = 1, **changes: object) -> AlertView:
    told = structs.replace(example(AlertMessage), event_time=AT)
    return AlertView(number=number, alert=structs.replace(told, **changes))


def health(**changes: object) -> HealthView:
    def service(name: str, **told: object) -> ServiceView:
        sound = ServiceView(
            service=name,
            state="online",
            version="0.1.0",
            config_digest="7c1d",
            behind=0,
            holder=f"hedge-a-{name}",
            epoch=7,
            note="",
        )
        return structs.replace(sound, **told)

    sound = HealthView(
        ready=True,
        checks={"data": "", "leases": "", "gateway": ""},
        services=(
            service("ingest"),
            service("signals", behind=3),
            service("hedger"),
            service("gateway", holder="", epoch=0, behind=None),
            service("exposure"),
        ),
        trading=(
            structs.replace(example(TradingStateMessage), scope="all", state="active", since=AT),
        ),
        data_age_s=0.4,
    )
    return structs.replace(sound, **changes)


def state(**changes: object) -> StateView:
    quiet = summary("tail_fund", firing=(), pending=(), binding="rule", orders_waiting=0)
    sound = StateView(
        as_of=AS_OF,
        environment="paper",
        version="0.1.0",
        config_digest="7c1d",
        clock="wall",
        market=market(),
        books=(summary(), quiet),
        orders=(order(3), order(2, status="filled", side="sell"), order(1, status="refused")),
        alerts=(alert(2, severity="critical", what="off_target"), alert(1)),
        health=health(),
    )
    return structs.replace(sound, **changes)
