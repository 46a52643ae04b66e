"""What an implied volatility costs and how exact it is, beside vollib, fast-vollib and QuantLib.

`python tests/bench/implied_volatility.py`. Nanoseconds an option on one core, the least of
several repeats, and errors over the same options. The machine is shared: what counts is the ratio.
Nothing here passes or fails.
"""

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from timeit import timeit
from typing import NamedTuple

import numpy as np
import QuantLib as ql  # noqa: N813 - its users' name
from fast_vollib.backends import numba_backend
from fast_vollib.jackel import numpy_backend as jackel
from numba import set_num_threads
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from vollib.black_scholes_merton.implied_volatility import implied_volatility as vollib_implied

sys.path.insert(0, str(Path(__file__).parents[1]))
from fakes.pricing import Book, outputs, scattered_book

from shared.domain.pricing.implied import implied_volatility
from shared.domain.pricing.kernel import Output

REPEATS = 9
N = 100_000
SLOW = 2_000
"""Options of the peers that take microseconds."""

Column = NDArray[np.float64]

NOTE = """An option each, one core, least of 9 in one run; options out of the money, a day to ten
years, deltas of 0.001 to 0.999, volatilities of 5% to 100%; an error is |found − what made the
price|. fast-vollib's own compiled function is called, without the checks of its front door, on one
thread. In the money the rounding of a price bounds what it can tell: tests/oracles/test_pricing.py.
"""


class Measured(NamedTuple):
    """Nanoseconds an option, and what came out."""

    cost: float
    found: Column


def measure(work: Callable[[], Column], units: int) -> Measured:
    """Least of several runs after one that warms up."""
    found = work()
    return Measured(min(timeit(work, number=1) for _ in range(REPEATS)) / units * 1e9, found)


def ours(book: Book, prices: Column) -> Measured:
    """In one call."""
    out, reason = np.empty(len(prices)), np.empty(len(prices), dtype=np.uint8)
    sign, underlying, strike, years, rate, carry, _ = book.terms

    def work() -> Column:
        implied_volatility(prices, sign, underlying, strike, years, rate, carry, out, reason)
        return out

    return measure(work, len(prices))


def vectorised(function: Callable[..., Column], book: Book, prices: Column) -> Measured:
    """One of fast-vollib's, on one thread."""
    flags = np.where(book.sign > 0, "c", "p")
    terms = (prices, book.underlying, book.strike, book.years, book.rate, flags)
    yields = book.rate - book.carry
    set_num_threads(1)

    def work() -> Column:
        return function("black_scholes_merton", *terms, q=yields, on_error="ignore")

    return measure(work, len(prices))


def vollib(book: Book, prices: Column) -> Measured:
    """A call each; it wants an underlying, a rate and a yield."""
    flags = np.where(book.sign > 0, "c", "p").tolist()
    columns = (prices, book.underlying, book.strike, book.years, book.rate, book.rate - book.carry)
    rows = list(zip(*(one[:SLOW].tolist() for one in columns), flags, strict=False))
    return measure(lambda: np.array([vollib_implied(*row) for row in rows]), SLOW)


def quantlib(book: Book, prices: Column) -> Measured:
    """Its formula for σ√T of a forward, a call each, to 1e-12."""
    discounts = np.exp(-book.rate * book.years)
    roots = np.sqrt(book.years)
    rights = np.where(book.sign > 0, ql.Option.Call, ql.Option.Put).tolist()
    columns = (book.strike, book.forward, prices, discounts, roots)
    rows = list(zip(rights, *(one[:SLOW].tolist() for one in columns), strict=False))

    def work() -> Column:
        return np.array(
            [
                ql.blackFormulaImpliedStdDevLiRS(
                    right, strike, forward, price, discount, 0.0, ql.nullDouble(), 1.0, 1e-12, 100
                )
                / root
                for right, strike, forward, price, discount, root in rows
            ]
        )

    return measure(work, SLOW)


def peers() -> Table:
    """Cost and error of each."""
    book = scattered_book(N, seed=6, side="out")
    prices = outputs(*book.terms)[Output.PRICE]
    own = ours(book, prices)
    table = Table(
        "who", "ns", "ratio", "limit", "median error", "99.9% below", "largest", "none found"
    )

    def row(who: str, measured: Measured, limit: str = "") -> None:
        errors = np.abs(measured.found - book.volatility[: len(measured.found)])
        known = errors[np.isfinite(errors)]
        table.add_row(
            who,
            f"{measured.cost:,.1f}",
            f"{measured.cost / own.cost:,.1f}",
            limit,
            *(f"{np.quantile(known, share):.1e}" for share in (0.5, 0.999, 1.0)),
            f"{len(errors) - len(known):,} of {len(errors):,}",
        )

    row("hedgestat", own, "≤ 65 ns")
    row("fast-vollib, numba", vectorised(numba_backend.implied_volatility, book, prices), "≥ 8")
    row("fast-vollib, Jäckel", vectorised(jackel.implied_volatility, book, prices))
    row("QuantLib, Li's", quantlib(book, prices))
    row("vollib", vollib(book, prices))
    return table


def growth() -> Table:
    """Ours, by the number of options."""
    table = Table("options", "ns an option", "ms")
    sizes = (1_000, 10_000, 100_000, 300_000, 1_000_000)
    costs = []
    for size in sizes:
        book = scattered_book(size, seed=6, side="out")
        costs.append(ours(book, outputs(*book.terms)[Output.PRICE]).cost)
        table.add_row(f"{size:,}", f"{costs[-1]:.1f}", f"{size * costs[-1] / 1e6:,.2f}")
    slope = np.polyfit(np.log(sizes), np.log(np.multiply(sizes, costs)), 1)[0]
    table.add_row("slope of log time by log size", f"{slope:.3f}", "1 is linear")
    return table


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")  # peers divide by zero
    console = Console(width=130)
    console.print(peers())
    console.print(NOTE)
    console.print(growth())


if __name__ == "__main__":
    main()
