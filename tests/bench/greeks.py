"""What price and Greeks of an option cost, beside vollib, fast-vollib and QuantLib in one run.

`python tests/bench/greeks.py`. Prints nanoseconds an option on one core, the least of several
repeats. The machine is shared: what counts is the ratio. Nothing here passes or fails.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from timeit import timeit
from typing import Final

import numpy as np
import QuantLib as ql  # noqa: N813 - its users' name
from fast_vollib import get_all_greeks
from fast_vollib.backends import numba_backend
from numba import njit, set_num_threads
from rich.console import Console
from rich.table import Table
from vollib.black_scholes_merton import black_scholes_merton
from vollib.black_scholes_merton.greeks import analytical

sys.path.insert(0, str(Path(__file__).parents[1]))
from fakes.pricing import Book, scattered_book

from shared.domain.pricing.approximations import ROUNDING
from shared.domain.pricing.kernel import Columns, Output, _evaluate, _greeks, evaluate
from shared.domain.pricing.vectors import prefer_wide_vectors

REPEATS = 40
N = 100_000
IN_CACHE = 2_000
SLOW = 200
"""Options of the peers that take microseconds."""

PURE = """
import time, numba
start = time.perf_counter()
import shared.domain.pricing.kernel, shared.domain.pricing.implied
print(time.perf_counter() - start)
"""

NOTE = """An option each, one core, least of 40 in one run; each option has its own rate, carry.
Compute bound: the same arithmetic on 2,000 options over and over, which never leave the cache.
First order: price, delta, gamma, vega, theta and rho alone; all nine are these and vanna, volga
  and charm. fast-vollib, numba: `get_all_greeks`, five Greeks without the price, on one thread;
  function: what is compiled of it, its arguments made ready and unchecked before.
QuantLib: a calculator an option (fresh); option objects on a tick of their spot (objects)."""


@njit(fastmath=ROUNDING, error_model="numpy")
def first_order(  # noqa: PLR0913, PLR0917 - columns
    sign: Columns,
    underlying: Columns,
    strike: Columns,
    years: Columns,
    rate: Columns,
    carry: Columns,
    volatility: Columns,
    out: Columns,
) -> None:
    """The kernel's arithmetic, less what only the other three outputs need."""
    prefer_wide_vectors()
    price, delta, gamma, vega, theta, rho = out[0], out[1], out[2], out[3], out[4], out[5]
    for i in range(len(sign)):
        price[i], delta[i], gamma[i], vega[i], theta[i], rho[i], _, _, _ = _greeks(
            sign[i], underlying[i], strike[i], years[i], rate[i], carry[i], volatility[i]
        )


def cost(work: Callable[[], object], units: int) -> float:
    """Nanoseconds a unit: least of several runs after one that warms up."""
    work()
    return min(timeit(work, number=1) for _ in range(REPEATS)) / units * 1e9


def ours(size: int, *, kernel: Callable[..., None] = _evaluate, rows: int = 9) -> float:
    """A book of `size` options in one call."""
    book, out = scattered_book(size), np.empty((rows, size))
    calls = max(1, 20_000 // size)

    def work() -> None:
        for _ in range(calls):
            kernel(*book.terms, out)

    return cost(work, size * calls)


def fast_vollib(book: Book, *, bare: bool) -> float:
    """Its numba path on one thread: as it is called, or the compiled function alone."""
    flags = np.where(book.sign > 0, "c", "p")
    terms = (flags, book.underlying, book.strike, book.years, book.rate, book.volatility)
    yields = book.rate - book.carry
    set_num_threads(1)

    def work() -> object:
        if bare:
            return numba_backend.greeks("black_scholes_merton", *terms, q=yields)
        model: Final = "black_scholes_merton"
        return get_all_greeks(*terms, yields, model=model, return_as="dict", backend="numba")

    return cost(work, N)


def vollib(book: Book) -> float:
    """Price and five Greeks, a call each."""
    functions = [
        black_scholes_merton,
        analytical.delta,
        analytical.gamma,
        analytical.vega,
        analytical.theta,
        analytical.rho,
    ]
    flags = np.where(book.sign > 0, "c", "p").tolist()
    numbers = (book.underlying, book.strike, book.years, book.rate, book.volatility)
    yields = (book.rate - book.carry).tolist()
    rows = list(zip(flags, *(number.tolist() for number in numbers), yields, strict=True))[:SLOW]
    return cost(lambda: [function(*row) for row in rows for function in functions], SLOW)


def quantlib_fresh(book: Book) -> float:
    """A calculator an option, asked for price and five Greeks."""
    discounts = np.exp(-book.rate * book.years)
    columns = (book.sign, book.strike, book.forward, discounts, book.underlying, book.years)
    spreads = book.volatility * np.sqrt(book.years)
    rows = list(zip(*(one[:SLOW].tolist() for one in (*columns, spreads)), strict=True))

    def work() -> None:
        for sign, strike, forward, discount, level, years, spread in rows:
            payoff = ql.PlainVanillaPayoff(1 if sign > 0 else -1, strike)
            one = ql.BlackCalculator(payoff, forward, spread, discount)
            one.value(), one.delta(level), one.gamma(level)
            one.vega(years), one.theta(level, years), one.rho(years)

    return cost(work, SLOW)


def quantlib_objects(book: Book) -> float:
    """Option objects on one spot: a tick, then price and five Greeks of each."""
    today = ql.Date(1, ql.January, 2026)
    ql.Settings.instance().evaluationDate = today
    spot, count = ql.SimpleQuote(100.0), ql.Actual365Fixed()

    def flat(rate: float) -> ql.YieldTermStructureHandle:
        return ql.YieldTermStructureHandle(ql.FlatForward(today, rate, count))

    volatility = ql.BlackConstantVol(today, ql.NullCalendar(), 0.2, count)
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(spot), flat(0.01), flat(0.03), ql.BlackVolTermStructureHandle(volatility)
    )
    engine, options = ql.AnalyticEuropeanEngine(process), []
    for years, moneyness in zip(book.years[:SLOW], book.strike[:SLOW], strict=True):
        payoff = ql.PlainVanillaPayoff(ql.Option.Call, 90 + moneyness % 20)
        exercise = ql.EuropeanExercise(today + max(1, int(365 * years)))
        option = ql.VanillaOption(payoff, exercise)
        option.setPricingEngine(engine)
        options.append(option)

    def work() -> None:
        spot.setValue(spot.value() + 0.01)
        for option in options:
            option.NPV(), option.delta(), option.gamma()
            option.vega(), option.theta(), option.rho()

    return cost(work, SLOW)


def revaluation() -> float:
    """Milliseconds to revalue 100,000 options and sum their positions by group, on one core."""
    book, out = scattered_book(N), np.empty((9, N))
    random = np.random.default_rng(2)
    quantity = random.integers(-50, 50, N) * 100.0
    group = np.sort(random.integers(0, 200, N))  # underlying and expiry bucket
    starts = np.searchsorted(group, np.arange(200))
    weighted = np.empty((9, N))

    def work() -> object:
        evaluate(*[*book.terms, out])
        np.multiply(out, quantity, out=weighted)
        return np.add.reduceat(weighted, starts, axis=1)

    return cost(work, 1) / 1e6


def warm_start() -> float:
    """Seconds to import both kernels when they are compiled already, numba's own import apart."""
    command = [sys.executable, "-c", PURE]
    return min(
        float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    )


def peers() -> Table:
    """The first-order set beside the peers, and all nine."""
    book = scattered_book(N)
    bound = ours(IN_CACHE, kernel=first_order, rows=6)
    bound_of_all = ours(IN_CACHE)
    six, nine = ours(N, kernel=first_order, rows=6), ours(N)
    table = Table("what", "ns", "peer", "peer ns", "ratio", "limit", title="Greeks")

    def row(what: str, own: float, peer: str, theirs: float, limit: str = "") -> None:
        ratio = own / theirs if limit.startswith("≤") else theirs / own
        table.add_row(what, f"{own:,.1f}", peer, f"{theirs:,.1f}", f"{ratio:,.2f}", limit)

    row("first order, 100,000", six, "compute bound", bound, "≤ 1.5")
    row("all nine, 100,000", nine, "compute bound", bound_of_all, "≤ 1.5")
    for peer, theirs, limit in [
        ("fast-vollib, numba", fast_vollib(book, bare=False), "≥ 10"),
        ("fast-vollib, function", fast_vollib(book, bare=True), ""),
        ("QuantLib, fresh", quantlib_fresh(book), ""),
        ("QuantLib, objects", quantlib_objects(book), ""),
        ("vollib", vollib(book), ""),
    ]:
        row("first order, 100,000", six, peer, theirs, limit)
        row("all nine, 100,000", nine, peer, theirs, limit)
    return table


def growth() -> Table:
    """All nine, by the size of the book."""
    table = Table("options", "ns an option", "ms", title="Growth, all nine")
    sizes = (1_000, 10_000, 100_000, 300_000, 1_000_000)
    costs = [ours(size) for size in sizes]
    for size, nanoseconds in zip(sizes, costs, strict=True):
        table.add_row(f"{size:,}", f"{nanoseconds:.1f}", f"{size * nanoseconds / 1e6:,.2f}")
    slope = np.polyfit(np.log(sizes), np.log(np.multiply(sizes, costs)), 1)[0]
    table.add_row("slope of log time by log size", f"{slope:.3f}", "1 is linear")
    return table


def main() -> None:
    """Measure and print."""
    start = perf_counter()
    console = Console(width=130)
    console.print(peers())
    console.print(NOTE)
    console.print(growth())
    console.print(
        f"Book of 100,000 revalued and summed in 200 groups: {revaluation():.2f} ms (≤ 10)"
    )
    console.print(f"Warm start of both kernels: {warm_start():.2f} s (< 1)")
    console.print(f"Outputs: {', '.join(output.name.lower() for output in Output)}")
    console.print(f"Took {perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
