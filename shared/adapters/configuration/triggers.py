"""`[books.triggers]`: when a book reviews its hedge."""

from math import inf
from typing import Final

from shared.adapters.configuration.table import POSITIVE, Range, Table
from shared.domain.policies import FastPathPolicy, GreekBand, TriggerPolicy
from shared.domain.strategy_policies import STRATEGY_TRIGGERS

_INSIDE: Final = Range(0, 1, open_low=True)
_FALL: Final = Range(-1, 0)
_GREEKS: Final = ("delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "charm")


def read_triggers(table: Table) -> TriggerPolicy:
    """Of an overlay: moves of its signals, its schedule, its Greeks, and the fast path."""
    default = TriggerPolicy()
    policy = TriggerPolicy(
        vix_points=inf
        if _is_off(table, "vix_points")
        else table.number("vix_points", default.vix_points, POSITIVE),
        vix_relative=inf
        if _is_off(table, "vix_relative")
        else table.fraction("vix_relative", default.vix_relative, _INSIDE),
        schedule_days=table.days("schedule", default.schedule_days),
        drawdown=inf
        if _is_off(table, "drawdown")
        else table.fraction("drawdown", default.drawdown, _INSIDE),
        regime_change=table.flag("regime_change", default=default.regime_change),
        greek_bands=tuple(_greek_band(band) for band in table.tables("greek_bands")),
        hold=table.hold("hold", default.hold),
        hysteresis=table.fraction("hysteresis", default.hysteresis),
        cooldown_trading_ns=table.trading("cooldown", default.cooldown_trading_ns),
        fast=_fast_path(table.table("fast")),
    )
    table.refuse_unknown_keys()
    return policy


def read_strategy_triggers(table: Table) -> TriggerPolicy:
    """Of a book with strategies: their bands are what fires."""
    default = STRATEGY_TRIGGERS
    policy = TriggerPolicy(
        schedule_days=table.days("schedule", default.schedule_days),
        regime_change=False,
        hold=table.hold("hold", default.hold),
        hysteresis=table.fraction("hysteresis", default.hysteresis),
        cooldown_trading_ns=table.trading("cooldown", default.cooldown_trading_ns),
        fast=None,
    )
    table.refuse_unknown_keys()
    return policy


def _is_off(table: Table, key: str) -> bool:
    """Whether a trigger is not wanted: a programme that is re-struck monthly has no other."""
    return table.value(key) == "off"


def _fast_path(table: Table) -> FastPathPolicy | None:
    default = FastPathPolicy()
    enabled = table.flag("enabled", default=True)
    policy = FastPathPolicy(
        vix_points=table.number("vix_points", default.vix_points, POSITIVE),
        index_return=table.fraction("index_return", default.index_return, _FALL),
        observations=table.ticks("confirmation", default.observations),
    )
    table.refuse_unknown_keys()
    return policy if enabled else None


def _greek_band(table: Table) -> GreekBand:
    band = GreekBand(
        greek=table.choice("greek", _GREEKS, "delta"),
        low=table.number("low"),
        high=table.number("high"),
    )
    if table.is_sound("low", "high") and band.low >= band.high:
        table.fault(
            "low", f"{band.low:g} is not below high, {band.high:g}", "write the lower first"
        )
    table.refuse_unknown_keys()
    return band
