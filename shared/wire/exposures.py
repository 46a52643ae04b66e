"""What the exposure stage says, on the wire: the message, the measurement, the hash for people."""

from typing import Final

from shared.domain.events import ExposureMeasured
from shared.domain.exposure.observed import ExposureObserved, ScenarioProfit
from shared.domain.exposure.policy import FIGURES
from shared.domain.exposure.profit import Profit, ProfitAccount
from shared.wire.messages import (
    ExposureGroupMessage,
    ExposureMessage,
    MeasurementMessage,
    ProfitAccountMessage,
    ProfitMessage,
    ScenarioMessage,
    SuspendedMessage,
    UnmarkedMessage,
)
from shared.wire.times import format_instant

_UNITS: Final = dict.fromkeys(FIGURES, "currency") | {
    "delta": "units",
    "gamma": "units_per_point",
    "vega": "currency_per_point",
    "weighted_vega": "currency_per_point",
    "theta": "currency_per_day",
    "volga": "currency_per_point",
    "vanna": "currency_per_point",
    "charm": "currency_per_day",
}


def exposure_message(observed: ExposureObserved) -> ExposureMessage:
    """Put a book's exposure on the wire."""
    risk = observed.risk
    return ExposureMessage(
        book=observed.book,
        event_time=format_instant(observed.event_ns),
        youngest_time=format_instant(observed.youngest_ns) if observed.youngest_ns else None,
        totals=observed.totals,
        beta_delta=observed.beta_delta,
        without_beta=observed.without_beta,
        index_delta=observed.index_delta,
        vix_vega=observed.vix_vega,
        positions=observed.positions,
        marked=observed.marked,
        coverage=observed.coverage,
        unmarked=tuple(
            UnmarkedMessage(symbol=each.symbol, quantity=each.quantity, reason=each.reason)
            for each in observed.unmarked
        ),
        expired=observed.expired,
        conflated=observed.conflated,
        approximate=observed.approximate,
        groups=tuple(
            ExposureGroupMessage(
                underlying=group.underlying,
                bucket=group.bucket,
                level=group.level,
                positions=group.positions,
                marked=group.marked,
                figures=group.figures,
            )
            for group in observed.groups
        ),
        risk_time=None if risk is None else format_instant(risk.event_ns),
        worst=None if risk is None else _scenario(risk.worst),
        stress=() if risk is None else tuple(_scenario(each) for each in risk.stress),
        shortfall=None if risk is None else risk.shortfall,
        shortfall_days=0 if risk is None else risk.shortfall_days,
        profit=None if observed.profit is None else _profit(observed.profit),
    )


def measurement_message(measured: ExposureMeasured) -> MeasurementMessage:
    """Put a measurement on the wire, for ingest."""
    return MeasurementMessage(
        book=measured.book,
        event_time=format_instant(measured.event_ns),
        sequence=measured.sequence,
        portfolio_delta=measured.portfolio_delta,
        put_delta=measured.put_delta,
        greeks=measured.greeks,
    )


def readable(observed: ExposureObserved) -> dict[str, str]:
    """Write a book's exposure for people: name to `value unit event_time quality`.

    The quality is `good` when every position is in the figures, else `partial 12/14`.
    """
    event_time = format_instant(observed.event_ns)
    whole = observed.marked == observed.positions
    quality = "good" if whole else f"partial {observed.marked}/{observed.positions}"
    figures = {name: (value, _UNITS[name]) for name, value in observed.totals.items()}
    figures |= {
        "beta_delta": (observed.beta_delta, "currency"),
        "vix_vega": (observed.vix_vega, "currency_per_point"),
        "coverage": (observed.coverage, "ratio"),
    }
    if observed.index_delta is not None:
        figures["index_delta"] = (observed.index_delta, "units")
    for group in observed.groups:
        place = f"{group.underlying}.{group.bucket}"
        for name, value in group.figures.items():
            figures[f"{place}.{name}"] = (value, _UNITS[name])
    if (risk := observed.risk) is not None:
        figures["worst"] = (risk.worst.profit, "currency")
        if risk.shortfall is not None:
            figures["shortfall"] = (risk.shortfall, "currency")
    if (profit := observed.profit) is not None:
        figures |= {name: (value, "currency") for name, value in profit_figures(profit).items()}
    return {
        name: f"{value:.10g} {unit} {event_time} {quality}"
        for name, (value, unit) in figures.items()
    }


def profit_figures(profit: Profit) -> dict[str, float]:
    """Name every figure of a book's profit, currency: `profit.session.gamma` and so on."""
    return {
        f"profit.{since}.{name}": value
        for since, account in (("session", profit.session), ("inception", profit.inception))
        for name, value in (
            ("total", account.total),
            *account.parts.items(),
            ("unexplained", account.unexplained),
        )
    }


def _profit(profit: Profit) -> ProfitMessage:
    return ProfitMessage(
        event_time=format_instant(profit.event_ns),
        session=_account(profit.session),
        inception=_account(profit.inception),
        suspended=tuple(
            SuspendedMessage(
                symbol=each.symbol,
                quantity=each.quantity,
                since=format_instant(each.since_ns) if each.since_ns else None,
            )
            for each in profit.suspended
        ),
        waiting=profit.waiting,
    )


def _account(account: ProfitAccount) -> ProfitAccountMessage:
    return ProfitAccountMessage(
        since=format_instant(account.since_ns),
        total=account.total,
        parts=account.parts,
        unexplained=account.unexplained,
    )


def _scenario(cell: ScenarioProfit) -> ScenarioMessage:
    return ScenarioMessage(
        name=cell.name,
        spot=cell.shock.spot,
        volatility=cell.shock.volatility,
        profit=cell.profit,
    )
