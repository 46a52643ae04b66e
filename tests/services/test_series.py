"""Prometheus gets 5,000 series of a service at most: 50 books of 2,000 positions, 10,000 symbols.

Real registries, filled with as much as can come: each trigger in every state, every control, each
underlying in every bucket, every verdict on every symbol.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from fakes.clock import ManualClock
from fakes.configurations import SOUND, load
from prometheus_client import CollectorRegistry, generate_latest

from services.exposure.metrics import OTHER, ExposureMetrics
from services.gateway.metrics import GatewayMetrics
from services.hedger.metrics import HedgerMetrics
from services.ingest.metrics import IngestMetrics
from services.ingest.step import Taken
from services.signals.metrics import SignalsCollector
from shared.domain.effects import (
    Effect,
    OrderWithheld,
    TriggerChanged,
    TriggerState,
    WhipsawSuppressed,
)
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.exposure.observed import ExposureObserved, GroupExposure
from shared.domain.exposure.policy import BUCKETS, FIGURES
from shared.domain.exposure.profit import Profit, ProfitAccount
from shared.domain.hedging.book import BookStanding
from shared.domain.instants import SECOND
from shared.domain.intake import Verdict
from shared.domain.signals_observed import Quality, Signal, SignalsObserved
from shared.domain.trading import TradingState
from shared.runtime.site import Site
from shared.wire.messages import AckMessage

MOST = 5_000
BOOKS = [f"book_{number:02d}" for number in range(50)]
TRIGGERS = (
    *("operator", "initial", "initial_incomplete", "fast_vix", "fast_index", "vix_move"),
    *("vix_relative", "drawdown", "regime", "budget", "schedule"),
)
CONTROLS = (
    *("min_trade", "halted", "reducing", "mark", "figures", "agreement", "duplicate"),
    *("rate", "repeat", "max_order_vega", "max_order_notional", "max_position_vega"),
    *("max_orders_per_day", "max_daily_turnover", "max_daily_loss", "max_price_deviation"),
)
STATES: tuple[TriggerState, ...] = get_args(TriggerState)
UNDERLYINGS = ("SPX", "NDX", "RUT", "VIX", "SPY", "QQQ", "IWM", "ES", "NQ", "RTY", "TLT", "GLD")
PROFIT = ("delta", "gamma", "theta", "vega", "vanna", "volga", "carry", "cost", "trades")


@pytest.fixture
def registry(tmp_path: Path) -> CollectorRegistry:
    """A process's own, with what every process counts."""
    return Site(settings=load(tmp_path, SOUND), clock=ManualClock()).registry


def series(registry: CollectorRegistry) -> int:
    lines = generate_latest(registry).splitlines()
    return sum(1 for line in lines if line and not line.startswith(b"#"))


def test_ingest(registry: CollectorRegistry) -> None:
    configured = frozenset(f"S{number}" for number in range(100))
    metrics = IngestMetrics(registry, configured)
    symbols = [*configured, *(f"SPXW26{number:06d}C06000000" for number in range(10_000))]
    judged = Counter({(symbol, verdict): 1 for symbol in symbols for verdict in Verdict})
    metrics.taken(Taken(ticks=judged), 0.1)
    assert series(registry) <= MOST


def test_signals(registry: CollectorRegistry) -> None:
    names = [
        *(f"signal_{number}" for number in range(30)),
        *(f"{name}.{book}" for book in BOOKS for name in ("nav", "drawdown", "hedge_correlation")),
    ]
    signal = Signal(value=1.0, unit="points", quality=Quality.GOOD, event_ns=1)
    observed = SignalsObserved(
        event_ns=2,
        index=1,
        cause="VIX",
        signals=dict.fromkeys(names, signal),
        silent=("VIX", "SPX"),
    )
    SignalsCollector(registry).follow(lambda: observed, lambda: 7, lambda _: True)
    assert 500 < series(registry) <= MOST


def test_hedger(registry: CollectorRegistry) -> None:
    metrics = HedgerMetrics(registry, ManualClock())
    standing = BookStanding(
        held_vega=1.0,
        is_off_target=True,
        budget_used=0.5,
        open_orders=1,
        trading=TradingState.ACTIVE,
    )
    metrics.follow(lambda: dict.fromkeys(BOOKS, standing))
    for book in BOOKS:
        metrics.decided([*changes(book), *suppressions(book), *withholdings(book)])
        for status in ("accepted", "duplicate", "refused", "superseded"):
            metrics.order_acknowledged(
                AckMessage(order_id=f"{book}-00000001-leg", status=status, epoch=1)
            )
    assert 3_000 < series(registry) <= MOST


def changes(book: str) -> Iterator[Effect]:
    for trigger, (previous, state) in itertools.product(TRIGGERS, pairwise((*STATES, "inactive"))):
        yield TriggerChanged(
            book=book,
            event_ns=1,
            trigger=trigger,
            state=state,
            previous=previous,
            since_ns=1,
            observations=1,
            sessions=1,
            inputs={},
            reference=None,
            reason="",
        )


def suppressions(book: str) -> Iterator[Effect]:
    for trigger in TRIGGERS:
        yield WhipsawSuppressed(
            book=book, trigger=trigger, since_ns=1, event_ns=2, observations=1, peak={}
        )


def withholdings(book: str) -> Iterator[Effect]:
    for control in CONTROLS:
        yield OrderWithheld(
            book=book, event_ns=1, decision=1, leg="leg", control=control, figures={}
        )


def test_gateway(registry: CollectorRegistry) -> None:
    metrics = GatewayMetrics(registry)
    for book, kind in itertools.product(BOOKS, ExecutionKind):
        metrics.trading(book, TradingState.HALTED)
        metrics.executed(
            ExecutionReported(
                book=book,
                order_id=f"{book}-00000001-leg",
                execution_id="1",
                kind=kind,
                quantity=1.0,
                price=1.0,
                event_ns=1,
            )
        )
    assert 300 < series(registry) <= MOST


@pytest.mark.parametrize("underlyings", [UNDERLYINGS[:1], UNDERLYINGS])
@pytest.mark.parametrize("books", [BOOKS[:1], BOOKS])
def test_exposure(
    registry: CollectorRegistry, books: Sequence[str], underlyings: Sequence[str]
) -> None:
    latest = {book: exposure(book, underlyings) for book in books}
    metrics = ExposureMetrics(registry, ManualClock(), 50)
    metrics.follow(lambda: latest, lambda: 0, lambda: 0, lambda: 0)
    metrics.committed(list(latest.values()))
    assert series(registry) <= MOST
    assert series(registry) == series(registry)


@pytest.mark.parametrize("books", [BOOKS[:1], BOOKS])
def test_groups_of_exposure_add_up_to_the_book_also_where_they_are_not_told_apart(
    registry: CollectorRegistry, books: Sequence[str]
) -> None:
    latest = {book: exposure(book, UNDERLYINGS) for book in books}
    metrics = ExposureMetrics(registry, ManualClock(), 50)
    metrics.follow(lambda: latest, lambda: 0, lambda: 0, lambda: 0)
    family = next(each for each in registry.collect() if each.name == "hedge_exposure_dollars")
    vegas = [
        sample
        for sample in family.samples
        if (sample.labels["book"], sample.labels["figure"]) == (books[-1], "vega")
    ]
    assert sum(sample.value for sample in vegas) == len(UNDERLYINGS) * len(BUCKETS)
    own = [sample for sample in vegas if sample.labels["underlying"] != OTHER]
    assert len(own) == (72 if len(books) == 1 else 3)


def exposure(book: str, underlyings: Sequence[str]) -> ExposureObserved:
    account = ProfitAccount(
        since_ns=1, total=1.0, parts=dict.fromkeys(PROFIT, 1.0), unexplained=0.0
    )
    groups = [
        GroupExposure(
            underlying=underlying,
            bucket=bucket,
            level=1.0,
            positions=1,
            marked=1,
            figures=dict.fromkeys(FIGURES, 1.0),
        )
        for underlying, bucket in itertools.product(underlyings, BUCKETS)
    ]
    return ExposureObserved(
        book=book,
        event_ns=2 * SECOND,
        youngest_ns=SECOND,
        groups=tuple(groups),
        totals=dict.fromkeys(FIGURES, 1.0),
        beta_delta=1.0,
        without_beta=(),
        index_delta=1.0,
        vix_vega=1.0,
        positions=2_000,
        marked=2_000,
        unmarked=(),
        expired=(),
        conflated=3,
        risk=None,
        profit=Profit(event_ns=2, session=account, inception=account, suspended=(), waiting=1),
    )
