"""What is said of each book after a revaluation: its exposure, and its measurement."""

from collections.abc import Iterable, Mapping
from math import isfinite, nan
from typing import Final

import numpy as np
from msgspec import Struct

from shared.domain.events import ExposureMeasured
from shared.domain.exposure.book_report import (
    MeasuredLeg,
    at_the_money,
    beta_delta,
    group_exposures,
    measurement,
    sums_of,
    vix_vega,
)
from shared.domain.exposure.layout import ExposureBook, Layout
from shared.domain.exposure.observed import ExposureObserved, Risk, Unmarked
from shared.domain.exposure.policy import ExposurePolicy
from shared.domain.exposure.profit import Profit
from shared.domain.exposure.revaluation import Revaluation
from shared.domain.exposure.row_values import DELTA, GAMMA, LEVEL, VEGA
from shared.domain.exposure.survey import Survey
from shared.domain.exposure.terms import NEVER, YEAR_NS, Floats, Integers, Terms
from shared.domain.instants import DAY
from shared.domain.marks.columns import Remark
from shared.domain.marks.mark_book import MarkBook

_WEEK_NS: Final = 7 * DAY


class Sums(Struct, frozen=True):
    """What a revaluation adds up to; see `Portfolio.sums`."""

    totals: Floats
    marked: Integers


class Moment(Struct, frozen=True, kw_only=True):
    """When and after what.

    Attributes:
        now_ns: The instant.
        youngest_ns: Of the youngest tick.
        conflated: Ticks that only the latest of counted.
    """

    now_ns: int
    youngest_ns: int
    conflated: int


class BookReporter:
    """Makes reports of books.

    Args:
        policy: Which index, how many names.
        books: By name.
        marks: Why something has no value.
        terms: Of the rows.
        revaluation: Their values.
        layout: Whose they are.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - a composition of parts
        self,
        policy: ExposurePolicy,
        books: Mapping[str, ExposureBook],
        marks: MarkBook,
        terms: Terms,
        revaluation: Revaluation,
        layout: Layout,
    ) -> None:
        self._policy = policy
        self._books = books
        self._marks = marks
        self._terms = terms
        self._revaluation = revaluation
        self._layout = layout

    def levels(self) -> dict[str, float]:
        """Levels of the underlyings that positions are on, and the index's; those known."""
        groups, example = self._layout.portfolio.groups, self._layout.portfolio.example
        inputs, terms, index = self._revaluation.inputs, self._terms, self._policy.index
        found = zip(groups, inputs[LEVEL, example].tolist(), strict=True)
        levels = {group.underlying: level for group, level in found}
        if index not in levels and index in terms.underlyings:
            rows = self._revaluation.wanted & (terms.underlying == terms.underlyings[index])
            levels[index] = float(max(inputs[LEVEL, rows], default=nan))  # of one level: all alike
        return {name: level for name, level in levels.items() if isfinite(level)}

    def observed(  # noqa: PLR0913, PLR0917 - of a moment
        self,
        book: str,
        moment: Moment,
        sums: Sums,
        levels: Mapping[str, float],
        risk: Risk | None,
        profit: Profit | None,
        survey: Survey,
    ) -> ExposureObserved:
        """Report a book's exposure.

        Args:
            book: Its name.
            moment: When and after what.
            sums: Of all groups.
            levels: See `levels`.
            risk: As last computed.
            profit: As last explained.
            survey: Of the same revaluation.
        """
        portfolio, policy = self._layout.portfolio, self._policy
        mine = portfolio.groups_of(book)
        counts = portfolio.counts[mine].tolist()
        groups = group_exposures(
            portfolio.groups[mine], sums.totals[mine], sums.marked[mine].tolist(), counts, levels
        )
        in_points = self._layout.in_points
        of_index = [group for group in groups if group.underlying not in in_points]
        weighted, without = beta_delta(of_index, self._layout.betas)
        unmarked, unknown = self._unmarked(book, survey)
        expired = survey.gone.of(book)[: policy.most_named]
        level = levels.get(policy.index)
        return ExposureObserved(
            book=book,
            event_ns=moment.now_ns,
            youngest_ns=moment.youngest_ns,
            groups=tuple(groups),
            totals=sums_of(groups, in_points),
            beta_delta=weighted,
            without_beta=without,
            index_delta=None if level is None else weighted / level,
            vix_vega=vix_vega(groups, self._layout.vega_betas, in_points),
            positions=sum(counts) + unknown,
            marked=int(sums.marked[mine].sum()),
            unmarked=unmarked,
            expired=tuple(self._layout.symbols[at] for at in expired.tolist()),
            approximate=len(survey.approximate.of(book)),
            conflated=moment.conflated,
            risk=risk,
            profit=profit,
        )

    def measurement(
        self, observed: ExposureObserved, held: Mapping[str, float], index: float
    ) -> ExposureMeasured:
        """Put a book's exposure as a measurement.

        Args:
            observed: Its exposure.
            held: What it holds, by symbol.
            index: Level of the index; NaN while unknown.
        """
        book, now_ns = self._books[observed.book], observed.event_ns
        legs = [
            self._leg(book, symbol, held, index, now_ns)
            for symbol in sorted(set(book.legs.values()))
        ]
        known = [leg for leg in legs if leg is not None]
        underlyings = {group.underlying for group in observed.groups}
        underlyings |= {leg.instrument.underlying for leg in known}
        fresh = {name for name in underlyings if self._marks.is_level_fresh(name, now_ns)}
        found = {"volatility": self._volatilities(underlyings, now_ns)}
        found["years"] = self._years(observed.book, now_ns)
        outlooks = {
            f"{figure}.{name}": each for figure in found for name, each in found[figure].items()
        }
        return measurement(observed, known, outlooks, fresh, self._layout.indices)

    def _leg(
        self, book: ExposureBook, symbol: str, held: Mapping[str, float], index: float, now_ns: int
    ) -> MeasuredLeg | None:
        """Say what one unit of a leg is worth to a hedge; `None` when nobody knows it."""
        row = self._marks.row(symbol)
        if row is None:
            return None
        instrument, values = self._terms.instruments[row], self._revaluation.values
        level, delta, vega = nan, nan, nan
        if self._marks.is_level_fresh(instrument.underlying, now_ns):
            level = float(self._revaluation.inputs[LEVEL, row])
            delta, vega = float(values[DELTA, row]), float(values[VEGA, row])
        beta = self._layout.betas.get(instrument.underlying)
        in_index = 0.0
        if beta is not None and instrument.underlying not in self._layout.in_points:
            in_index = beta * instrument.multiplier * delta * level / index
        return MeasuredLeg(
            instrument=instrument,
            filled=held.get(symbol, 0.0) - book.opening.get(symbol, 0.0),
            level=level,
            delta=delta,
            vega=vega,
            index_delta=in_index,
        )

    def _unmarked(self, book: str, survey: Survey) -> tuple[tuple[Unmarked, ...], int]:
        """Name the first positions without a value; and count those that no group counts.

        Nobody knows an instrument; or an option that delivers its underlying has expired: whether
        shares have taken its place is not known here, so a hedge of it is not to be given up
        before its position is put right.
        """
        layout, most = self._layout, self._policy.most_named
        remarks = self._marks.columns.remark
        unknown, delivered = survey.unknown.of(book), survey.delivered.of(book)
        reasons = [(at, layout.unknown[layout.symbols[at]]) for at in unknown[:most].tolist()]
        reasons += [(at, "delivered") for at in delivered[:most].tolist()]
        reasons += [
            (at, Remark(int(remarks[layout.portfolio.rows[at]])).name.lower())
            for at in survey.unmarked.of(book)[:most].tolist()
        ]
        quantities = layout.portfolio.quantities
        named = [
            Unmarked(symbol=layout.symbols[at], quantity=float(quantities[at]), reason=reason)
            for at, reason in reasons[:most]
        ]
        return tuple(named), len(unknown) + len(delivered)

    def _years(self, book: str, now_ns: int) -> dict[str, float]:
        """To expiry, of each underlying's options by the size of their gamma, where there is any.

        One horizon stands for a book of several expiries in a band (spec 11): what expires soon
        with little gamma says little of when the hedge of the rest ends.
        """
        portfolio, terms = self._layout.portfolio, self._terms
        span = portfolio.span(book)
        alive = portfolio.group[span] >= 0
        rows, units = portfolio.rows[span][alive], portfolio.units[span][alive]
        gamma = np.abs(units * self._revaluation.values[GAMMA, rows])
        gamma[np.isnan(gamma) | (terms.expiry_ns[rows] == NEVER)] = 0.0
        left = (terms.expiry_ns[rows] - now_ns) / YEAR_NS
        count = len(terms.underlyings)
        weights = np.bincount(terms.underlying[rows], gamma, count)
        sums = np.bincount(terms.underlying[rows], gamma * left, count)
        return {
            name: float(sums[number] / weights[number])
            for name, number in terms.underlyings.items()
            if weights[number] > 0
        }

    def _volatilities(self, underlyings: Iterable[str], now_ns: int) -> dict[str, float]:
        """At the money, of the shortest expiry from a week on, where known."""
        columns, terms = self._marks.columns, self._terms
        found = {}
        for name in sorted(underlyings):
            rows = np.flatnonzero(terms.underlying == terms.underlyings[name])
            volatility = at_the_money(
                terms.strike[rows],
                columns.underlying[rows],
                columns.volatility[rows],
                terms.expiry_ns[rows],
                now_ns + _WEEK_NS,
            )
            if volatility is not None:
                found[name] = volatility
        return found
