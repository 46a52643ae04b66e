"""How options are marked and exposure is measured: `[options]` and `[exposure]`."""

from typing import Final

from shared.adapters.configuration.table import NOT_NEGATIVE, POSITIVE, Range, Table
from shared.domain.exposure.policy import ExposurePolicy
from shared.domain.marks.policy import MarkPolicy

_RATE: Final = Range(-0.5, 1)
_SYMBOLS: Final = Range(1, 1_000_000)
_INSIDE: Final = Range(0, 1, open_low=True)
_CONFIDENCE: Final = Range(0.5, 0.9999)
_ROOM: Final = 50_000
"""Instruments beside options: what is held and what prices it."""


def read_marks(table: Table) -> tuple[MarkPolicy, int]:
    """`[options]`, and how many symbols of options may arrive; its `roots` were read before."""
    default = MarkPolicy()
    most = table.count("max_symbols", 100_000, _SYMBOLS)
    yields = table.table("dividend_yields")
    policy = MarkPolicy(
        rate=table.fraction("rate", 0.0, _RATE) if table.has("rate") else None,
        dividend_yields={name: yields.fraction(name, 0.0, _RATE) for name in sorted(yields.keys())},
        stale_ns=table.duration("stale_after", default.stale_ns, positive=True),
        max_spread=table.fraction("max_spread", default.max_spread, _INSIDE),
        max_spread_ticks=table.number("max_spread_ticks", default.max_spread_ticks, NOT_NEGATIVE),
        refresh_ns=table.duration("refresh_every", default.refresh_ns, positive=True),
        budget_rows=table.count("refresh_rows", default.budget_rows),
        forget_ns=table.duration("forget_after", default.forget_ns, positive=True),
        max_instruments=most + _ROOM,
        max_error_half_spreads=table.number(
            "max_error_half_spreads", default.max_error_half_spreads, POSITIVE
        ),
        max_error_points=table.number("max_error_points", default.max_error_points, POSITIVE),
        max_missed=table.fraction("max_missed", default.max_missed, _INSIDE),
        min_missed=table.fraction("min_missed", default.min_missed),
        error_hold_ns=table.duration("error_hold", default.error_hold_ns),
    )
    if table.is_sound("max_missed", "min_missed") and policy.min_missed > policy.max_missed:
        table.fault("min_missed", "is above max_missed", "write a smaller one")
    table.refuse_unknown_keys()
    return policy, most


def read_exposure(table: Table, *, in_replay: bool) -> ExposurePolicy:
    """`[exposure]`; a replay measures at clock events alone."""
    default = ExposurePolicy()
    betas, vega_betas = table.table("betas"), table.table("vega_betas")
    policy = ExposurePolicy(
        only_at_clock=in_replay,
        pause_ns=table.duration("pause", default.pause_ns, positive=True),
        everything_ns=table.duration("everything_every", default.everything_ns, positive=True),
        scenarios_ns=table.duration("scenarios_every", default.scenarios_ns, positive=True),
        measure_ns=table.duration("measure_every", default.measure_ns, positive=True),
        american_budget=table.count("american_budget", default.american_budget),
        index=table.text("index", default.index),
        betas=default.betas | {name: betas.number(name) for name in sorted(betas.keys())},
        vega_betas={name: vega_betas.number(name) for name in sorted(vega_betas.keys())},
        default_vega_beta=table.number("default_vega_beta", default.default_vega_beta),
        confidence=table.fraction("confidence", default.confidence, _CONFIDENCE),
        most_underlyings=table.count("most_underlyings", default.most_underlyings),
        most_named=table.count("most_named", default.most_named),
        unexplained_share=table.fraction("max_unexplained", default.unexplained_share, _INSIDE),
        unexplained_least=table.number("min_unexplained", default.unexplained_least, NOT_NEGATIVE),
        unexplained_hold_ns=table.duration("unexplained_hold", default.unexplained_hold_ns),
    )
    table.refuse_unknown_keys()
    return policy
