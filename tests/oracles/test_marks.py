"""Smiles and marks on a real chain, and on thousands of generated options.

Not in the coverage gate: compiled. The real chain is fetched through the package registry; without
one those tests are skipped, and the generated chains, whose smiles are known, stand alone.
"""

from collections.abc import Iterator

import numpy as np
import pytest
from fakes.option_chains import NOW, ListedChain
from fakes.recorded_chain import RecordedChain, RegistryUnreachable, recorded_spy_chain
from msgspec.structs import replace
from numpy.typing import NDArray

from shared.domain.events import Tick
from shared.domain.marks.columns import Remark, Source
from shared.domain.marks.mark_book import MarkBook
from shared.domain.marks.policy import MarkPolicy
from shared.domain.marks.quotes import QuoteQuality
from shared.domain.marks.smile import fit_smiles, total_variance
from shared.domain.marks.smile_search import best_of_grid, descend, least_density
from shared.domain.tick_block import TickBlock

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> RecordedChain:
    try:
        return recorded_spy_chain(tmp_path_factory.mktemp("chain"))
    except RegistryUnreachable as error:
        pytest.skip(f"no real chain without a registry: {error}")


def mark(chain: RecordedChain, quotes: tuple[Tick, ...]) -> MarkBook:
    book = MarkBook(MarkPolicy(rate=chain.rate))
    for option in chain.options:
        book.add(option)
    level = Tick(symbol="SPY", event_ns=chain.now_ns, price=chain.level)
    book.receive_block(TickBlock.of([level, *quotes]))
    assert book.refresh(chain.now_ns) == ()
    return book


def known_smiles(count: int) -> Iterator[Floats]:
    """Random smiles free of arbitrage, from a week's to two years'."""
    random = np.random.default_rng(5)
    while count:
        years = random.uniform(0.02, 2.0)
        scale = random.uniform(0.1, 0.6) * np.sqrt(years)  # a standard deviation
        sigma, m = scale * random.uniform(0.3, 2), scale * random.uniform(-0.3, 0.3)
        rho, b = random.uniform(-0.9, 0.5), scale * random.uniform(0.1, 0.6)
        lowest = scale**2 * random.uniform(0.3, 0.9)
        smile = np.array([lowest - b * sigma * np.sqrt(1 - rho**2), b, rho, m, sigma])
        if least_density(smile, -12 * scale, 12 * scale) > 1e-4:
            count -= 1
            yield smile


def test_known_smiles_are_recovered() -> None:
    for smile in known_smiles(500):
        deviation = float(np.sqrt(total_variance(smile, np.zeros(1))[0]))
        k = np.linspace(-3, 2, 41) * deviation
        fitted = fit_smiles(np.array([0, 41]), k, total_variance(smile, k), np.ones(41), 7)
        again = total_variance(fitted.parameters[0], k)
        assert np.sqrt(again) == pytest.approx(np.sqrt(total_variance(smile, k)), rel=1e-5)


def test_no_point_of_a_fine_grid_is_better_than_what_the_search_finds() -> None:
    random = np.random.default_rng(6)
    for smile in known_smiles(40):
        deviation = float(np.sqrt(total_variance(smile, np.zeros(1))[0]))
        k = np.linspace(-3, 2, 25) * deviation
        w = total_variance(smile, k) * (1 + random.normal(0, 0.02, 25))
        weight, found, tried = np.exp(-((k / deviation) ** 2)), np.empty(5), np.empty(5)
        descend(k, w, weight, best_of_grid(k, w, weight, 0.0, found), 0.0, 1e-8, found)
        least = weight @ (w - total_variance(found, k)) ** 2
        reach = k[-1] - k[0]
        for m in np.linspace(k[0], k[-1], 25):
            for log_sigma in np.log(reach * np.geomspace(0.02, 5, 25)):
                # A simplex that may not move evaluates its start.
                descend(k, w, weight, np.array([m, log_sigma]), 0.0, np.inf, tried)
                assert least <= weight @ (w - total_variance(tried, k)) ** 2 * (1 + 1e-3)


def test_quotes_around_known_smiles_are_met_within_their_spread() -> None:
    random = np.random.default_rng(7)
    for smile in known_smiles(60):
        days = float(np.clip(total_variance(smile, np.zeros(1))[0] / 0.2**2 * 365, 5, 900))
        deviation = float(np.sqrt(total_variance(smile, np.zeros(1))[0]))
        strikes = tuple(
            float(k) for k in np.round(5000 * np.exp(np.linspace(-2.5, 2, 60) * deviation))
        )
        listed = ListedChain(
            days=days, smile=tuple(smile.tolist()), strikes=strikes, half_spread=0.02
        )
        book = MarkBook(MarkPolicy(rate=0.04))
        for option in listed.options():
            book.add(option)
        hidden = {listed.symbol("put", strike) for strike in strikes[5::7]}
        quotes = [_rounded(tick, random) for tick in listed.quotes() if tick.symbol not in hidden]
        book.receive_block(TickBlock.of(quotes))
        assert book.refresh(NOW) == ()
        columns = book.columns
        assert (columns.source != Source.NONE).all()
        compared = np.abs(columns.model_error_half_spreads[np.isfinite(columns.model_error)])
        assert np.percentile(compared, 90) < 1.0
        for strike in strikes[5::7]:
            row = book.row(listed.symbol("put", strike))
            assert columns.quality[row] == QuoteQuality.NONE
            assert columns.volatility[row] == pytest.approx(listed.volatility(strike), abs=0.01)


def _rounded(tick: Tick, random: np.random.Generator) -> Tick:
    """To whole ticks, away from a middle that is not exactly right."""
    if tick.bid is None or tick.ask is None:
        return tick
    off = random.uniform(-0.02, 0.02)
    bid, ask = np.floor((tick.bid + off) / 0.05) * 0.05, np.ceil((tick.ask + off) / 0.05) * 0.05
    return replace(tick, bid=max(float(bid), 0.0), ask=float(ask))


def test_every_expiry_of_a_real_chain_gets_a_forward_and_a_smile_free_of_arbitrage(
    recorded: RecordedChain,
) -> None:
    book = mark(recorded, recorded.quotes)
    reports = book.smiles()
    assert len(reports) == 6
    for report in reports:
        years = (report.expiry_ns - recorded.now_ns) / (365 * 86_400e9)
        carry = np.log(report.forward / recorded.level) / years
        assert -0.03 < carry < recorded.rate  # less than the rate: dividends
        assert report.status.is_fitted
        low, high = np.log(np.array([400.0, 1200.0]) / report.forward)
        assert least_density(np.array(report.parameters), low, high) >= 0
        assert report.calendar_fall == 0
    forwards = [report.forward for report in reports]
    assert forwards == sorted(forwards)


def test_the_smile_meets_a_real_chain_within_a_few_of_its_tiny_spreads(
    recorded: RecordedChain,
) -> None:
    columns = mark(recorded, recorded.quotes).columns
    assert (columns.source == Source.QUOTE).all()
    assert (columns.remark == Remark.APPROXIMATE).all()
    known = np.isfinite(columns.model_error)
    half_spreads = np.percentile(np.abs(columns.model_error_half_spreads[known]), [50, 90])
    points = np.percentile(np.abs(columns.model_error_points[known]), [50, 90])
    assert half_spreads[0] < 3
    assert half_spreads[1] < 9
    assert points[0] < 0.1
    assert points[1] < 0.5


def test_options_of_a_real_chain_whose_quotes_are_hidden_are_marked_near_them(
    recorded: RecordedChain,
) -> None:
    shown = tuple(tick for n, tick in enumerate(recorded.quotes) if n % 4)
    full, columns = mark(recorded, recorded.quotes).columns, mark(recorded, shown).columns
    hidden = columns.quality == QuoteQuality.NONE
    out = np.isfinite(full.model_error) & hidden
    assert (columns.source[hidden] == Source.FIT).all()
    points = 100 * np.abs(columns.volatility - full.volatility)[out]
    assert out.sum() > 100
    assert np.median(points) < 0.15
    assert np.percentile(points, 90) < 0.6
