"""Variants over history: those that share their signals share one pass of the market."""

import hashlib
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.command.study.material import Material
from services.feed.pacing import number
from shared.adapters.code_version import code_version
from shared.adapters.settings import Settings
from shared.adapters.study.columns import columns_of
from shared.adapters.study.plan import Variant
from shared.domain.accounts.effectiveness import SessionResult
from shared.domain.effects import OrderDecided, WhipsawSuppressed
from shared.domain.events import ExecutionReported
from shared.domain.orders import Order
from shared.domain.study.backtest import Backtest, BacktestPolicy
from shared.domain.study.market import StudyMarket

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
        whipsaws: … a suppressed whipsaw.
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
    market = StudyMarket(settings.intake, settings.signals, material.calendar)
    backtests = [_backtest(material, variant) for variant in variants]
    for step in number(material.steps, "study"):
        observed = market.take(step.ticks, step.clock)
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
    return Backtest(variant.book, policy, material.calendar)


def _outcome(material: Material, variant: Variant, backtest: Backtest) -> Outcome:
    backtest.account.advance_to(material.steps[-1].clock_ns + 1)
    orders = [effect.order for effect in backtest.effects if isinstance(effect, OrderDecided)]
    whipsaws = [each for each in backtest.effects if isinstance(each, WhipsawSuppressed)]
    return Outcome(
        name=variant.name,
        key=key_of(material, variant),
        digest=variant.settings.digest,
        daily=_daily(backtest),
        orders=columns_of(Order, orders),
        executions=columns_of(ExecutionReported, backtest.executions),
        whipsaws=columns_of(WhipsawSuppressed, whipsaws),
        counts=dict(backtest.counts),
    )


def _daily(backtest: Backtest) -> dict[str, NDArray[Any]]:
    results = columns_of(SessionResult, backtest.account.snapshot().results)
    renamed = {
        "dynamic_carry": "carry",
        "transaction_cost": "cost",
        "static_carry": "static_profit",
    }
    columns = {renamed.get(name, name): values for name, values in results.items()}
    columns["profit"] = columns["carry"] - columns["cost"]
    columns["day"] = columns["close_ns"].astype("datetime64[ns]").astype("datetime64[D]")
    columns["regime"] = np.full(len(columns["day"]), "")
    return columns
