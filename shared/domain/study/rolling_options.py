"""Index puts and VIX calls followed from contract to contract, priced on a stated surface.

Expiries are the monthly ones: an index option's the third Friday's close, a VIX option's the
opening of its Wednesday. Prices, Greeks and time are the kernel's: ACT/365 by the calendar.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.domain.exposure import attribution
from shared.domain.exposure.attribution import COLUMNS, PRICE
from shared.domain.exposure.terms import YEAR_NS
from shared.domain.instants import DAY, HOUR
from shared.domain.instruments.expiries import SessionDays, third_friday
from shared.domain.pricing.kernel import Output, evaluate
from shared.domain.sessions import OutsideCalendar
from shared.domain.study.contracts import Contract, ContractHistory, Roll, RollingOption
from shared.domain.study.curve import VixCurve, midnight_ns, settlement_ns, vix_expiry
from shared.domain.study.points import Points
from shared.domain.study.surface import (
    SurfacePolicy,
    index_volatility,
    strike_of_delta,
    vix_forward,
    vix_volatility,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEAST_PRICE: Final = 0.001
"""An option that is worth less is marked at this: a quote of nothing is no quote."""
FAR_NS: Final = 2**62
_KERNEL: Final = (
    (attribution.PRICE, Output.PRICE),
    (attribution.DELTA, Output.DELTA),
    (attribution.GAMMA, Output.GAMMA),
    (attribution.VEGA, Output.VEGA),
    (attribution.THETA, Output.THETA),
    (attribution.VANNA, Output.VANNA),
    (attribution.VOLGA, Output.VOLGA),
    (attribution.CHARM, Output.CHARM),
)


class Purchase(NamedTuple):
    """A contract, at which point it is bought, and its day of expiry."""

    point: int
    contract: Contract
    expiry: date


@dataclass(frozen=True, slots=True)
class OptionMarket:
    """What an option is priced on.

    Attributes:
        option: Which.
        points: Where.
        curve: VIX futures; before its first day, and without any, the surface's own forward.
        surface: The stated one.
        days: The exchange's sessions.
    """

    option: RollingOption
    points: Points
    curve: VixCurve
    surface: SurfacePolicy
    days: SessionDays

    def expiry(self, year: int, month: int) -> tuple[date, int]:
        """Return a month's expiry and its instant."""
        if self.option.kind == "vix_call":
            day = vix_expiry(year, month, self.days)
            return day, settlement_ns(day, self.days)
        try:
            day = self.days.at_or_before(third_friday(year, month))
            return day, self.days.closing_ns(day)
        except OutsideCalendar:
            day = third_friday(year, month)
            return day, midnight_ns(day) + 21 * HOUR

    def underlying(self, rows: Integers, expiry: date, expiry_ns: int) -> Floats:
        """Return the level that options of an expiry are priced on; NaN where there is none."""
        points = self.points
        if self.option.kind == "put":
            return np.where(np.isfinite(points.vix[rows]), points.index[rows], np.nan)
        years = np.maximum(0.0, (expiry_ns - points.clock_ns[rows]) / YEAR_NS)
        level = vix_forward(self.surface, points.vix[rows], years)
        for at, row in enumerate(rows.tolist()):
            if self.curve.covers(points.days[row]):
                settled = self.curve.at(points.days[row], expiry) if points.is_close[row] else None
                level[at] = np.nan if settled is None else settled
        return level

    def volatility(self, rows: Integers, level: Floats, strike: Floats, years: Floats) -> Floats:
        """Return the surface's volatility at points."""
        if self.option.kind == "put":
            return index_volatility(self.surface, self.points.vix[rows], level, strike, years)
        return vix_volatility(self.surface, level, strike, years)

    def strike(self, row: int, level: float, years: float) -> float:
        """Return the strike to buy at a point, a multiple of the step."""
        option, one = self.option, np.array([row])
        if option.moneyness is not None:
            wanted = option.moneyness * level
        else:
            wanted = strike_of_delta(
                option.delta if option.kind == "vix_call" else -option.delta,  # type: ignore[arg-type, operator] # one of the two is there
                level * float(np.exp(self._carry * years)),
                years,
                lambda strike: float(
                    self.volatility(one, np.array([level]), np.array([strike]), np.array([years]))[
                        0
                    ]
                ),
            )
        return max(1.0, round(wanted / option.strike_step)) * option.strike_step

    @property
    def _carry(self) -> float:
        return self.surface.carry if self.option.kind == "put" else 0.0

    def valued(self, rows: Integers, contract: Contract, level: Floats) -> Floats:
        """Value a contract at points, in the order of `exposure.attribution`, `(COLUMNS, m)`."""
        left = np.maximum(0.0, (contract.expiry_ns - self.points.clock_ns[rows]) / YEAR_NS)
        strike = np.full(len(rows), contract.strike)
        sigma = self.volatility(rows, level, strike, left)
        rate, carry = (np.full(len(rows), each) for each in (self.surface.rate, self._carry))
        sign = np.full(len(rows), 1.0 if self.option.kind == "vix_call" else -1.0)
        out = np.empty((len(Output), len(rows)))
        evaluate(sign, np.ascontiguousarray(level), strike, left, rate, carry, sigma, out)
        columns = np.empty((COLUMNS, len(rows)))
        for to, greek in _KERNEL:
            columns[to] = out[greek]
        columns[PRICE] = np.maximum(out[Output.PRICE], LEAST_PRICE)
        columns[attribution.UNDERLYING], columns[attribution.VOLATILITY] = level, sigma
        columns[attribution.RATE], columns[attribution.CARRY] = rate, carry
        columns[attribution.YEARS] = left
        return columns


def option_history(market: OptionMarket) -> ContractHistory:
    """Follow an option from contract to contract."""
    points, option = market.points, market.option
    count = len(points)
    bought = list(_purchases(market))
    number = np.full(count, -1, dtype=np.int64)
    after, before = np.full((COLUMNS, count), np.nan), np.full((COLUMNS, count), np.nan)
    rolls: list[Roll] = []
    notes = [market.surface.statement]
    ends = [*(each.point for each in bought[1:]), count - 1][: len(bought)]
    for which, ((start, contract, expiry), end) in enumerate(zip(bought, ends, strict=True)):
        rows = np.arange(start, end + 1)
        level = market.underlying(rows, expiry, contract.expiry_ns)
        values = market.valued(rows, contract, level)
        if which:
            if np.isnan(after[PRICE, start]):
                notes.append(_keep_last(after, before, start, bought[which - 1]))
            given_up, taken_on = float(after[PRICE, start]), float(values[PRICE, 0])
            rolls.append(Roll(point=start, given_up=given_up, taken_on=taken_on))
        else:
            after[:, start], number[start] = values[:, 0], 0
        before[:, rows] = values
        after[:, rows[1:]] = values[:, 1:]
        number[rows[1:]] = which
    return ContractHistory(
        instrument=option,
        contracts=tuple(each.contract for each in bought),
        number=number,
        level=after[PRICE].copy(),
        before=before,
        after=after,
        rolls=tuple(rolls),
        notes=tuple(notes),
    )


def _keep_last(after: Floats, before: Floats, start: int, old: Purchase) -> str:
    """Have an option that expired without a mark given up at its last one, and say so."""
    marked = np.flatnonzero(np.isfinite(before[PRICE, old.point : start]))
    after[:, start] = before[:, old.point + marked[-1]]
    return f"{old.contract.name} had no mark when it expired: it was given up at its last one"


def _purchases(market: OptionMarket) -> Iterator[Purchase]:
    """Yield what is bought, in order; what has no mark is rolled once it has expired."""
    points, option = market.points, market.option
    closes = np.flatnonzero(points.is_close).tolist()
    clocks = [*(int(points.clock_ns[point]) for point in closes), FAR_NS]
    held_ns = 0
    held: tuple[date, int] | None = None
    for point, (now_ns, next_ns) in zip(closes, pairwise(clocks), strict=True):
        due = held_ns - now_ns <= option.roll_days * DAY or next_ns > held_ns
        if not due or (next_ns == FAR_NS and held is not None):
            continue
        row = np.array([point])
        expiry, expiry_ns = _next_expiry(market, points.days[point], now_ns)
        level = float(market.underlying(row, expiry, expiry_ns)[0])
        is_over = now_ns >= held_ns or _is_marked(market, point, held)
        if not np.isfinite(level) or not is_over:
            continue
        years = (expiry_ns - now_ns) / YEAR_NS
        strike = market.strike(point, level, years)
        what = "SPX" if option.kind == "put" else "VIX"
        name = f"{what} {expiry} {strike:g} {'put' if option.kind == 'put' else 'call'}"
        yield Purchase(point, Contract(name=name, expiry_ns=expiry_ns, strike=strike), expiry)
        held_ns, held = expiry_ns, (expiry, expiry_ns)


def _is_marked(market: OptionMarket, point: int, held: tuple[date, int] | None) -> bool:
    return held is None or bool(np.isfinite(market.underlying(np.array([point]), *held)[0]))


def _next_expiry(market: OptionMarket, day: date, now_ns: int) -> tuple[date, int]:
    """Return the monthly expiry nearest to the maturity wanted, of those not to be rolled yet."""
    option = market.option
    months = [day.month - 1 + ahead for ahead in range(int(option.maturity_days / 28) + 3)]
    expiries = [market.expiry(day.year + month // 12, month % 12 + 1) for month in months]
    earliest_ns = now_ns + int(option.roll_days * DAY)
    wanted_ns = now_ns + int(option.maturity_days * DAY)
    alive = [expiry for expiry in expiries if expiry[1] > earliest_ns]
    return min(alive, key=lambda expiry: abs(expiry[1] - wanted_ns))
