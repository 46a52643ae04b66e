"""Variants over history: those that share their signals share one pass of the market."""

import hashlib
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import msgspec
from msgspec import Struct
from numpy.typing import NDArray

from services.command.study.material import Material
from shared.adapters.code_version import code_version
from shared.adapters.settings import Settings
from shared.adapters.study.columns import columns_of
from shared.adapters.study.plan import Variant
from shared.domain.effects import OrderDecided, WhipsawSuppressed
from shared.domain.events import ClockAdvanced, ExecutionReported
from shared.domain.orders import Order
from shared.domain.study.backtest import Backtest, BacktestPolicy
from shared.domain.study.instruments import study_book
from shared.domain.study.market import StudyMarket, signals_read
from shared.domain.study.session_table import session_table
from shared.domain.study.whipsaw_cost import UnmadeTrip

Progress = Callable[[int], None]
"""Told how many sessions more are done, of all variants together."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What one variant came to.

    Attributes:
        name: The variant's.
        key: See `key_of`.
        digest: Of its configuration.
        daily: One row a session.
        orders: One row an order …
        executions: … an execution report …
        whipsaws: … a suppressed whipsaw, and what it would have cost.
        counts: How often what happened.
    """

    name: str
    key: str
    digest: str
    daily: dict[str, NDArray[Any]]
    orders: dict[str, NDArray[Any]]
    executions: dict[str, NDArray[Any]]
    whipsaws: dict[str, NDArray[Any]]
    counts: dict[str, int]


def key_of(material: Material, variant: Variant) -> str:
    """Return what an outcome hangs on: configuration, data, days and code."""
    parts = (variant.settings.digest, material.digest, str(material.first), str(material.last))
    return hashlib.sha256("\n".join((*parts, code_version())).encode()).hexdigest()


def run_variants(
    material: Material, variants: Sequence[Variant], progress: Progress = lambda _: None
) -> list[Outcome]:
    """Run variants over history, in their order."""
    by_market = sorted(variants, key=lambda variant: _market_of(variant.settings))
    outcomes: dict[str, Outcome] = {}
    for _, group in groupby(by_market, key=lambda variant: _market_of(variant.settings)):
        for outcome in _run_group(material, tuple(group), progress):
            outcomes[outcome.name] = outcome
    return [outcomes[variant.name] for variant in variants]


def _market_of(settings: Settings) -> bytes:
    return msgspec.json.encode((settings.intake, settings.signals), order="sorted")


def _run_group(
    material: Material, variants: Sequence[Variant], progress: Progress
) -> list[Outcome]:
    settings = variants[0].settings
    signals = signals_read(settings.signals, [variant.book for variant in variants])
    market = StudyMarket(settings.intake, signals, material.calendar, material.instruments)
    backtests = [_backtest(material, variant) for variant in variants]
    steps = ((step.ticks, ClockAdvanced(event_ns=step.clock_ns)) for step in material.steps)
    for observed in market.take_all(steps):
        for backtest in backtests:
            backtest.take(observed)
        progress(len(backtests))
    return [
        _outcome(material, variant, backtest)
        for variant, backtest in zip(variants, backtests, strict=True)
    ]


def _backtest(material: Material, variant: Variant) -> Backtest:
    settings = variant.settings
    policy = BacktestPolicy(
        paper=settings.paper,
        symbols=frozenset(settings.intake.symbols),
        index_symbol=settings.signals.index_symbol,
        config_digest=settings.digest,
    )
    return Backtest(study_book(variant.book, material.instruments), policy, material.calendar)


def _outcome(material: Material, variant: Variant, backtest: Backtest) -> Outcome:
    backtest.finish()
    orders = [effect.order for effect in backtest.effects if isinstance(effect, OrderDecided)]
    whipsaws = [each for each in backtest.effects if isinstance(each, WhipsawSuppressed)]
    return Outcome(
        name=variant.name,
        key=key_of(material, variant),
        digest=variant.settings.digest,
        daily=session_table(
            backtest,
            material.calendar,
            variant.settings.signals.index_symbol,
            material.instruments,
        ),
        orders=columns_of(Order, orders),
        executions=columns_of(ExecutionReported, backtest.executions),
        whipsaws=columns_of(WhipsawSuppressed, whipsaws)
        | columns_of(UnmadeTrip, backtest.whipsaws.trips),
        counts=dict(backtest.counts),
    )
