"""One message of each kind, out of one story: the check of the spec, section 3.

Last rebalanced at VIX 18; VIX goes to 22 and stays; rule `option_a`, base 1000: the target goes
from 600 to 1000, buy 400. The AsyncAPI document shows these, and the golden payloads are these.

Longer than most: it is one story, every message of it written out.
"""

from typing import Final

from msgspec import Struct

from shared.wire.messages import (
    AckMessage,
    AlertMessage,
    ClockMessage,
    DecisionHeadMessage,
    EpochAnswerMessage,
    EpochMessage,
    ExecutionMessage,
    ExposureGroupMessage,
    ExposureMessage,
    HeartbeatMessage,
    LegTargetMessage,
    MeasurementMessage,
    OrderMessage,
    PositionsMessage,
    ProfitAccountMessage,
    ProfitMessage,
    ProgressMessage,
    RebalanceMessage,
    RejectMessage,
    ScenarioMessage,
    SignalMessage,
    SizingStepMessage,
    StatusMessage,
    SuspendedMessage,
    TargetMessage,
    TickMessage,
    TradingCommandMessage,
    TradingStateMessage,
    TriggerMessage,
    UnmarkedMessage,
    WhipsawMessage,
    WithheldMessage,
)

_ORDER_ID: Final = "overlay-00000002-varswap_3m"
_DIGEST: Final = "3f0c9d2e51b7"
_DECIDED: Final = "2018-02-02T15:30:00Z"
_ENVIRONMENT: Final = "paper"
_MONITOR_KEY: Final = "6c1de8a05f3b7942"
_GATEWAY_KEY: Final = "b07e91c24d5a8f36"
_OPERATOR_KEY: Final = "e25f40d7a9183cb6"

EXAMPLES: Final[tuple[Struct, ...]] = (
    TickMessage(
        symbol="VIX",
        event_time="2018-02-02T15:30:00.000000001Z",
        price=22.0,
        source="replay",
        sequence=4711,
    ),
    ClockMessage(event_time="2018-02-02T15:30:01Z", source="replay", sequence=4712),
    ExecutionMessage(
        order_id=_ORDER_ID,
        execution_id=f"{_ORDER_ID}-1",
        kind="fill",
        quantity=400.0,
        price=22.132,
        event_time="2018-02-02T15:30:01Z",
    ),
    PositionsMessage(
        event_time="2018-02-02T15:30:00Z",
        source="custodian",
        quantities={"SPXW180316P02500000": 40.0, "VXH18": -12.0},
    ),
    MeasurementMessage(
        environment=_ENVIRONMENT,
        key_id=_MONITOR_KEY,
        book="overlay",
        event_time="2018-02-02T15:30:00Z",
        sequence=17,
        portfolio_delta=50_000.0,
        put_delta=-0.25,
        greeks={
            "delta.SPX": -1_000.0,
            "vega": 48_000.0,
            "vega.SPX.366d+": 900.0,
            "theta": -9_500.0,
            "coverage": 1.0,
        },
    ),
    RebalanceMessage(
        environment=_ENVIRONMENT,
        key_id=_OPERATOR_KEY,
        scope="overlay",
        reason="index review",
        operator="desk-2",
        issued_at="2018-02-02T15:31:00Z",
    ),
    TradingCommandMessage(
        environment=_ENVIRONMENT,
        key_id=_OPERATOR_KEY,
        scope="all",
        state="halted",
        reason="the venue asked us to stop",
        operator="desk-2",
        issued_at="2018-02-02T15:32:00Z",
    ),
    HeartbeatMessage(
        environment=_ENVIRONMENT,
        key_id=_MONITOR_KEY,
        service="hedger",
        epoch=7,
        sequence=1204,
        sent_at="2018-02-02T15:30:00.5Z",
    ),
    EpochMessage(
        environment=_ENVIRONMENT,
        key_id=_MONITOR_KEY,
        service="hedger",
        epoch=7,
        config_digest=_DIGEST,
        holder="hedge-a-4711-1",
    ),
    EpochAnswerMessage(
        environment=_ENVIRONMENT,
        key_id=_GATEWAY_KEY,
        service="hedger",
        epoch=7,
        accepted=True,
        high_water=7,
    ),
    OrderMessage(
        environment=_ENVIRONMENT,
        key_id=_MONITOR_KEY,
        order_id=_ORDER_ID,
        book="overlay",
        decision=2,
        leg="varswap_3m",
        instrument="variance_swap",
        symbol="VIX",
        side="buy",
        quantity=400.0,
        target_quantity=1000.0,
        vega=400.0,
        reference_price=22.0,
        limit_price=24.2,
        notional=8800.0,
        currency="USD",
        time_in_force="gtd",
        event_time=_DECIDED,
        journal_index=4711,
        valid_until="2018-02-02T15:40:00Z",
        trigger="vix_move",
        reason="VIX 22.0 against 18.0: a move of 4.0 points, above 3.0",
        config_digest=_DIGEST,
        epoch=7,
        sequence=17,
    ),
    AckMessage(
        environment=_ENVIRONMENT,
        key_id=_GATEWAY_KEY,
        order_id=_ORDER_ID,
        status="accepted",
        epoch=7,
    ),
    TradingStateMessage(
        environment=_ENVIRONMENT,
        key_id=_GATEWAY_KEY,
        scope="overlay",
        state="halted",
        authority="gateway",
        operator="order_rate",
        reason="5 orders in a minute, 4 are allowed",
        since="2018-02-02T15:30:00.75Z",
    ),
    TargetMessage(
        book="overlay",
        event_time=_DECIDED,
        decision=2,
        trigger="vix_move",
        multiplier=1.0,
        steps=(
            SizingStepMessage(
                name="rule", multiplier=1.0, note="linear: (22.0 - 12.0) / 10.0", binding=True
            ),
            SizingStepMessage(
                name="floor_and_cap", multiplier=1.0, note="within 0.2 and 2.0", binding=False
            ),
        ),
        target_vega=1000.0,
        current_vega=600.0,
        legs=(
            LegTargetMessage(
                leg="varswap_3m",
                symbol="VIX",
                weight=1.0,
                vega=1000.0,
                quantity=1000.0,
                mark=22.0,
            ),
        ),
        quality="good",
        reference_vix=22.0,
        budget_used=None,
        at_floor=False,
        at_cap=False,
    ),
    TriggerMessage(
        book="overlay",
        trigger="vix_move",
        state="firing",
        previous="pending",
        event_time=_DECIDED,
        since="2018-02-02T15:15:00Z",
        observations=61,
        sessions=1,
        inputs={"vix_smooth": 22.0},
        reference=18.0,
        reason="VIX 22.0 against 18.0: a move of 4.0 points, above 3.0",
    ),
    WhipsawMessage(
        book="overlay",
        trigger="vix_move",
        since="2018-02-01T15:00:00Z",
        event_time="2018-02-01T15:04:00Z",
        observations=16,
        peak={"vix_smooth": 21.4},
    ),
    WithheldMessage(
        book="overlay",
        event_time=_DECIDED,
        decision=2,
        leg="varswap_3m",
        control="max_order_vega",
        figures={"vega": 400.0, "limit": 300.0},
    ),
    SignalMessage(
        name="vix_smooth",
        value=22.0,
        unit="points",
        quality="good",
        event_time=_DECIDED,
        have=1,
        need=1,
    ),
    ExposureMessage(
        book="overlay",
        event_time=_DECIDED,
        youngest_time="2018-02-02T15:29:59.98Z",
        totals={"value": 164_000.0, "dollar_delta": -2_100_000.0, "vega": 4_800.0, "theta": -950.0},
        beta_delta=-2_100_000.0,
        without_beta=(),
        index_delta=-760.3,
        vix_vega=3_920.0,
        positions=3,
        marked=2,
        coverage=0.6666666666666666,
        unmarked=(UnmarkedMessage(symbol="SPXW180420P01500000", quantity=40.0, reason="no_quote"),),
        expired=(),
        conflated=3,
        groups=(
            ExposureGroupMessage(
                underlying="SPX",
                bucket="31-90d",
                level=2762.13,
                positions=3,
                marked=2,
                figures={"delta": -760.3, "vega": 4_800.0},
            ),
        ),
        risk_time="2018-02-02T15:29:55Z",
        worst=ScenarioMessage(
            name="spot +10% volatility -10", spot=0.1, volatility=-10.0, profit=-98_000.0
        ),
        stress=(
            ScenarioMessage(name="2018-02-05", spot=-0.04098, volatility=20.01, profit=201_000.0),
        ),
        shortfall=41_000.0,
        shortfall_days=504,
        profit=ProfitMessage(
            event_time=_DECIDED,
            session=ProfitAccountMessage(
                since="2018-02-02T14:30:00Z",
                total=10_550.0,
                parts={"delta": 8_400.0, "gamma": 2_100.0},
                unexplained=50.0,
            ),
            inception=ProfitAccountMessage(
                since="2018-01-02T14:30:00Z",
                total=-3_900.0,
                parts={"theta": -3_500.0, "cost": -500.0},
                unexplained=100.0,
            ),
            suspended=(
                SuspendedMessage(
                    symbol="SPXW180420P01500000", quantity=40.0, since="2018-02-02T15:01:00Z"
                ),
            ),
            waiting=1,
        ),
    ),
    AlertMessage(
        book="overlay",
        event_time=_DECIDED,
        severity="warning",
        what="order_rejected",
        where=_ORDER_ID,
        figures={"quantity": 400.0},
        runbook="Read the venue's reason; the trigger is armed again and will ask anew.",
    ),
    RejectMessage(
        reason="jump",
        detail="VIX 37.32 after 22.0, 1 of 3 prints",
        topic="hedge/v1/ticks/VIX",
        payload=b'{"symbol":"VIX","event_time":"2018-02-02T15:30:00Z","price":37.32}',
        truncated=False,
        received_time="2018-02-02T15:30:00.25Z",
    ),
    DecisionHeadMessage(
        environment="paper",
        key_id=_MONITOR_KEY,
        index=42,
        hash="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ),
    StatusMessage(
        service="hedger", state="online", version="0.1.0", config_digest=_DIGEST, epoch=7
    ),
    ProgressMessage(service="ingest", source="replay", sequence=4712),
)
"""In the order of `shared.wire.messages`; every field's name and form as MQTT clients see it.

Those that are sealed travel with a second line, their signature: see `shared.wire.seal`.
"""
