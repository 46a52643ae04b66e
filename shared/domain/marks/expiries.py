"""One expiry after the other: forward, implied volatilities, smile, and the model's error.

An expiry is all options of one root, underlying and expiry instant. Work on it reads quotes and
levels as they stand, so its result does not depend on how often it was worked on before.

Longer than most: one pass over an expiry, whose steps hand each other their columns.
"""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.domain.instants import SECOND
from shared.domain.instruments.instrument import Instrument, Model
from shared.domain.marks.columns import (
    ExpiryFacts,
    ExpiryMemory,
    LevelMemory,
    Remark,
    RowFacts,
    RowMemory,
    extended,
    lengthened,
)
from shared.domain.marks.forward import Chain, ForwardSource, Underlyings, imply_forwards
from shared.domain.marks.passes import YEAR_NS, is_heard
from shared.domain.marks.policy import MarkPolicy
from shared.domain.marks.quotes import QuoteQuality
from shared.domain.marks.smile import (
    SmileStatus,
    calendar_fall,
    fit_smiles,
    total_variance,
)
from shared.domain.pricing.implied import implied_volatility
from shared.domain.pricing.kernel import Output, evaluate

Floats = NDArray[np.float64]
Indexes = NDArray[np.int64]

POINTS: Final = 100.0
"""Vol points in a volatility of 1."""
_CALENDAR_GRID: Final = np.linspace(-2.0, 2.0, 21)
"""Where neighbours are compared, in standard deviations of the nearer one."""
_FITTED: Final = [status for status in SmileStatus if status.is_fitted]


class Options(NamedTuple):
    """The options of the expiries at work, gathered: sorted by expiry, strike, put first.

    Attributes:
        row: Their rows, shape `(n,)`.
        of: Which of the expiries at work each is of.
        starts: First of each expiry, and the end.
        strike: In the unit of the underlying.
        sign: +1 call, −1 put.
        middle: NaN unless the quote is good.
        half_spread: At least half a tick: a locked quote is no perfect knowledge.
        forward: NaN where there is none; like all below, of their expiry.
        rate: Per year.
        years: To expiry.
        american: Whether they may be exercised early.
    """

    row: Indexes
    of: Indexes
    starts: Indexes
    strike: Floats
    sign: Floats
    middle: Floats
    half_spread: Floats
    forward: Floats
    rate: Floats
    years: Floats
    american: NDArray[np.bool_]

    @property
    def is_out_of_the_money(self) -> NDArray[np.bool_]:
        """At the forward counts too."""
        return self.sign * (self.strike - self.forward) >= 0

    def outputs(self, volatility: Floats) -> Floats:
        """Every `Output` at that volatility, by Black's model on the forward, `(9, n)`."""
        out = np.empty((len(Output), len(self.row)))
        columns = (self.sign, self.forward, self.strike, self.years, self.rate)
        evaluate(*columns, np.zeros_like(volatility), volatility, out)
        return out

    def take(self, keep: NDArray[np.bool_]) -> "Options":
        """Some of them."""
        counts = np.bincount(self.of[keep], minlength=len(self.starts) - 1)
        columns = {
            name: column[keep] for name, column in self._asdict().items() if name != "starts"
        }
        return self._replace(starts=np.cumsum([0, *counts]), **columns)

    def implied(self) -> Floats:
        """Volatilities that the middles imply; NaN where they are out of bounds, or NaN."""
        out, reason = np.empty(len(self.row)), np.empty(len(self.row), dtype=np.uint8)
        columns = (self.middle, self.sign, self.forward, self.strike, self.years, self.rate)
        implied_volatility(*columns, np.zeros(len(self.row)), out, reason)
        return out


class Expiries:
    """All expiries of a mark book: who belongs to them, and what was concluded of them."""

    def __init__(self, policy: MarkPolicy) -> None:
        self._policy = policy
        self._numbers: dict[tuple[str, str, int, Model], int] = {}
        self._members: list[list[tuple[float, float, int]]] = []
        self._sorted: dict[int, Indexes] = {}
        self._fresh: list[tuple[float | bool, ...]] = []
        self.names: list[str] = []
        self.facts = ExpiryFacts.blank()
        self.memory = ExpiryMemory.blank(0)

    def __len__(self) -> int:
        return len(self.names)

    def add(self, instrument: Instrument, row: int, level: int) -> int:
        """Take an option in; the number of its expiry.

        Raises:
            ValueError: It is no option, or never expires.
        """
        option, expiry_ns = instrument.option, instrument.expiry_ns
        if option is None or expiry_ns is None:
            raise ValueError(f"{instrument.symbol} is no option that expires")
        key = (instrument.root, instrument.underlying, expiry_ns, instrument.model)
        number = self._numbers.setdefault(key, len(self._numbers))
        if number == len(self.names):
            day = datetime.fromtimestamp(expiry_ns // SECOND, UTC).date()
            self.names.append(f"{instrument.root} {day.isoformat()}")
            self._members.append([])
            dividend_yield = self._policy.dividend_yields.get(instrument.underlying, np.nan)
            on_future, american = instrument.model is Model.BLACK, option.style == "american"
            self._fresh.append((expiry_ns, level, dividend_yield, on_future, american))
        sign = 1.0 if option.right == "call" else -1.0
        self._members[number].append((option.strike, sign, row))
        self._sorted.pop(number, None)
        return number

    def grow(self) -> None:
        """Let the columns reach the expiries added since, new ones due."""
        if self._fresh:
            self.facts = ExpiryFacts._make(extended(self.facts, self._fresh))
            blank = ExpiryMemory.blank(len(self._fresh))
            self.memory = ExpiryMemory._make(lengthened(self.memory, blank))
            self._fresh.clear()

    def members(self, number: int) -> Indexes:
        """Rows of an expiry by strike, put first."""
        if number not in self._sorted:
            rows = [row for _, _, row in sorted(self._members[number])]
            self._sorted[number] = np.array(rows, dtype=np.int64)
        return self._sorted[number]

    def remarks(self, levels: LevelMemory, now_ns: int) -> NDArray[np.uint8]:
        """Why nothing of an expiry has a mark, or `OK`, shape `(expiries,)`."""
        level_ns = levels.event_ns[self.facts.level]
        causes = {
            Remark.EXPIRED: self.facts.expiry_ns <= now_ns,
            Remark.NO_LEVEL: ~is_heard(level_ns, now_ns, self._policy),
            Remark.NO_FORWARD: self.memory.forward_source == ForwardSource.NONE,
        }
        return np.select(list(causes.values()), list(causes), Remark.OK).astype(np.uint8)

    def choose(self, now_ns: int) -> Indexes:
        """The expiries to work on: due, alive, the longest waiting first, within the budget."""
        memory = self.memory
        memory.is_due[self.facts.expiry_ns <= now_ns] = False
        due = np.flatnonzero(memory.is_due)
        due = due[np.argsort(memory.worked_ns[due], kind="stable")]
        sizes = np.cumsum([len(self._members[number]) for number in due])
        return due[: max(1, int(np.searchsorted(sizes, self._policy.budget_rows, side="right")))]

    def work(
        self, chosen: Indexes, facts: RowFacts, rows: RowMemory, levels: LevelMemory, now_ns: int
    ) -> None:
        """Bring the chosen expiries up to their quotes and levels."""
        if not len(chosen):
            return
        options = self._gather(chosen, facts, rows, levels, now_ns)
        implied = options.implied()
        self._fit(chosen, options, implied, rows)
        self._mark(chosen, options, implied, rows)
        self.memory.is_due[chosen] = False
        self.memory.worked_ns[chosen] = now_ns
        self._compare_neighbours(chosen, now_ns)

    def _gather(
        self, chosen: Indexes, facts: RowFacts, rows: RowMemory, levels: LevelMemory, now_ns: int
    ) -> Options:
        """Lay the options of the chosen expiries out, their forwards implied."""
        members = [self.members(number) for number in chosen]
        row = np.concatenate(members)
        starts = np.cumsum([0, *map(len, members)])
        of = np.repeat(np.arange(len(chosen)), np.diff(starts))
        good = rows.quality[row] == QuoteQuality.GOOD
        bid, ask = rows.bid[row], rows.ask[row]
        middle = np.where(good, (bid + ask) / 2, np.nan)
        half_spread = np.maximum(np.where(good, ask - bid, np.nan), facts.tick_size[row]) / 2
        sign, strike = facts.sign[row], facts.strike[row]
        chain = Chain(starts, strike, sign, middle, half_spread)
        years = (self.facts.expiry_ns[chosen] - now_ns) / YEAR_NS
        level = levels.level[self.facts.level[chosen]]
        forward, rate = self._set_forwards(chosen, chain, years, level, now_ns)
        common = (forward[of], rate[of], years[of])
        american = self.facts.american[chosen][of]
        return Options(row, of, *chain, *common, american)

    def _set_forwards(
        self, chosen: Indexes, chain: Chain, years: Floats, level: Floats, now_ns: int
    ) -> tuple[Floats, Floats]:
        """Imply forward, rate, carry and basis.

        The basis of a forward over the level is carry where the time to expiry can explain it;
        within `min_carry_ns` of expiry it is in part two prices of different instants.
        """
        facts, memory = self.facts, self.memory
        yields, on_future = facts.dividend_yield[chosen], facts.on_future[chosen]
        underlyings = Underlyings(years, level, yields, on_future, ~facts.american[chosen])
        found = imply_forwards(chain, underlyings, self._policy)
        new = self._replaces(chosen, found.source, now_ns)
        over = np.log(found.forward / level)[new]
        carried = np.maximum(years, self._policy.min_carry_ns / YEAR_NS)[new]
        number = chosen[new]
        memory.rate[number], memory.carry[number] = found.rate[new], over / carried
        memory.basis[number] = np.exp(over * (1 - years[new] / carried))
        memory.forward_source[number], memory.forward_ns[number] = found.source[new], now_ns
        kept = level * memory.basis[chosen] * np.exp(memory.carry[chosen] * years)
        memory.forward[chosen] = np.where(new, found.forward, kept)
        return memory.forward[chosen], memory.rate[chosen]

    def _replaces(
        self, chosen: Indexes, source: NDArray[np.uint8], now_ns: int
    ) -> NDArray[np.bool_]:
        """Whether a forward replaces the last: quotes said more than nothing or a configuration."""
        memory = self.memory
        is_known = memory.forward_source[chosen] != ForwardSource.NONE
        is_known &= now_ns - memory.forward_ns[chosen] <= self._policy.forget_ns
        is_quoted = memory.forward_source[chosen] != ForwardSource.CARRY
        is_less = (source == ForwardSource.NONE) | ((source == ForwardSource.CARRY) & is_quoted)
        return np.asarray(~(is_known & is_less))

    def _fit(self, chosen: Indexes, options: Options, implied: Floats, rows: RowMemory) -> None:
        """Fit smiles to what is out of the money, in errors of half-spreads."""
        memory = self.memory
        usable = options.is_out_of_the_money & (implied > 0)
        fit, volatility = options.take(usable), implied[usable]
        vega = fit.outputs(volatility)[Output.VEGA]
        weight = (vega / (2 * volatility * fit.years * fit.half_spread)) ** 2
        log_moneyness = np.log(fit.strike / fit.forward)
        smiles = fit_smiles(
            fit.starts, log_moneyness, volatility**2 * fit.years, weight, self._policy.min_strikes
        )
        memory.status[chosen] = smiles.status
        quote_ns = rows.quote_ns[fit.row]
        for e, (start, end) in enumerate(pairwise(fit.starts)):
            if SmileStatus(smiles.status[e]).is_fitted:
                number = chosen[e]
                memory.smile[number] = smiles.parameters[e]
                memory.fit_forward[number] = fit.forward[start]
                memory.fit_years[number] = fit.years[start]
                memory.fit_ns[number] = quote_ns[start:end].max()

    def _mark(self, chosen: Indexes, options: Options, implied: Floats, rows: RowMemory) -> None:
        """Give each option its own quote's volatility, or its expiry's at its strike.

        An American option in the money is worth its exercise: its quote marks it, and the
        volatility is that of its strike, which the other option out of the money has. So is that of
        any option in the money whose spread is worth more than the smile may err: there a quote's
        own volatility is the noise of its ticks.
        """
        memory, row, number = self.memory, options.row, chosen[options.of]
        fitted, fit_ns = self._fitted(number, options.strike), memory.fit_ns[number]
        early = options.american & ~options.is_out_of_the_money & np.isfinite(fitted)
        quoted = np.isfinite(options.middle)
        own = quoted & (early | np.isfinite(implied))
        other = ~own & np.isfinite(fitted) & (fit_ns >= rows.volatility_ns[row])
        volatility = np.where(early | self._is_vague(options, fitted), fitted, implied)
        before, before_ns = rows.volatility[row], rows.volatility_ns[row]
        rows.volatility[row] = np.select([own, other], [volatility, fitted], before)
        rows.volatility_ns[row] = np.select([own, other], [rows.quote_ns[row], fit_ns], before_ns)
        rows.from_quote[row] = own | (rows.from_quote[row] & ~other)
        rows.out_of_bounds[row] = quoted & ~own
        compared = own & ~early & np.isin(memory.status[number], _FITTED)
        self._validate(chosen, options, np.where(compared, fitted, np.nan), implied, rows)

    def _is_vague(self, options: Options, fitted: Floats) -> NDArray[np.bool_]:
        """Whether half the spread of an option in the money is worth too many vol points."""
        vega = options.outputs(fitted)[Output.VEGA] / POINTS
        is_wide = options.half_spread > self._policy.max_error_points * vega
        return np.asarray(is_wide & ~options.is_out_of_the_money & np.isfinite(fitted))

    def _fitted(self, number: Indexes, strike: Floats) -> Floats:
        """Volatility of each strike by the last smile of its expiry, at that smile's forward."""
        memory = self.memory
        log_moneyness = np.log(strike / memory.fit_forward[number])
        variance = total_variance(memory.smile[number], log_moneyness)
        return np.sqrt(np.maximum(variance, 0.0) / memory.fit_years[number])

    def _validate(
        self, chosen: Indexes, options: Options, fitted: Floats, implied: Floats, rows: RowMemory
    ) -> None:
        """Compare the smile with the quotes it was fitted to (spec 5: all the time)."""
        error = options.outputs(fitted)[Output.PRICE] - options.middle
        points = (fitted - implied) * POINTS
        half_spreads = error / options.half_spread
        rows.model_error[options.row] = error
        rows.model_error_points[options.row] = points
        rows.model_error_half_spreads[options.row] = half_spreads
        missed = (np.abs(half_spreads) > self._policy.max_error_half_spreads) & (
            np.abs(points) > self._policy.max_error_points
        )
        count = len(chosen)
        compared = np.bincount(options.of[np.isfinite(error)], minlength=count)
        misses = np.bincount(options.of[missed], minlength=count)
        self.memory.compared[chosen] = compared
        self.memory.missed[chosen] = np.where(
            compared > 0, misses / np.maximum(compared, 1), np.nan
        )

    def _compare_neighbours(self, chosen: Indexes, now_ns: int) -> None:
        """Look for calendar arbitrage between each expiry chosen and those before and after it."""
        facts, memory = self.facts, self.memory
        comparable = (memory.fit_ns >= 0) & (facts.expiry_ns > now_ns)
        for level in np.unique(facts.level[chosen]):
            alike = np.flatnonzero(comparable & (facts.level == level))
            alike = alike[np.argsort(facts.expiry_ns[alike], kind="stable")]
            is_new = np.isin(alike, chosen)
            for i in np.flatnonzero(is_new[:-1] | is_new[1:]):
                near, far = alike[i], alike[i + 1]
                memory.calendar_fall[far] = self._fall(near, far)

    def _fall(self, near: np.intp, far: np.intp) -> float:
        smile = self.memory.smile
        deviation = np.sqrt(total_variance(smile[near], np.zeros(1)))
        return calendar_fall(smile[near], smile[far], _CALENDAR_GRID * deviation)
