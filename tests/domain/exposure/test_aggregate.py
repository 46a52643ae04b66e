"""Sums of positions: in units and in money, by book, underlying and bucket."""

import numpy as np
import pytest
from fakes.exposures import EXPIRY, NOW, VX, columns, index, market, option
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.exposure.aggregate import (
    Portfolio,
    beta_of,
    buckets_of,
    figures,
)
from shared.domain.exposure.policy import BUCKETS, FIGURES
from shared.domain.exposure.revaluation import Revaluation
from shared.domain.exposure.row_values import (
    CHARM,
    DELTA,
    GAMMA,
    PRICE,
    RHO,
    THETA,
    VANNA,
    VEGA,
    VOLGA,
)
from shared.domain.exposure.terms import NEVER, Integers, Terms
from shared.domain.instants import DAY, SECOND


def made(*held: tuple[str, int, float]) -> tuple[Portfolio, Revaluation]:
    terms = Terms(("VX",))
    terms.extend([option("call", 100.0), option("put", 95.0), index(), VX])
    revaluation = Revaluation(terms)
    revaluation.wanted[:] = True
    revaluation.refresh(market(4, level=100.0), NOW, everything=True)
    return Portfolio(terms, columns(held), NOW), revaluation


def test_a_figure_is_its_definition() -> None:
    portfolio, revaluation = made(("a", 0, -2.0))
    totals, marked = portfolio.sums(revaluation.values, revaluation.inputs, NOW)
    found, raw = figures(totals[0]), revaluation.values[:, 0]
    assert marked.tolist() == [1]
    assert found == pytest.approx(
        {
            "value": -200 * raw[PRICE],
            "delta": -200 * raw[DELTA],
            "gamma": -200 * raw[GAMMA],
            "dollar_delta": -200 * raw[DELTA] * 100,
            "dollar_gamma": -200 * raw[GAMMA] * 100**2 / 100,
            "vega": -200 * raw[VEGA] / 100,
            "weighted_vega": -200 * raw[VEGA] / 100,  # 30 days exactly
            "theta": -200 * raw[THETA] / 365,
            "rho": -200 * raw[RHO] / 100,
            "vanna": -200 * raw[VANNA] * 100 / 100,
            "volga": -200 * raw[VOLGA] / 10_000,
            "charm": -200 * raw[CHARM] * 100 / 365,
        }
    )
    assert tuple(found) == FIGURES


def test_positions_add_up_by_book_underlying_and_bucket() -> None:
    held = [("a", 0, 1.0), ("a", 1, 1.0), ("a", 2, 5.0), ("b", 0, 1.0), ("b", 3, 2.0)]
    portfolio, revaluation = made(*held)
    totals, marked = portfolio.sums(revaluation.values, revaluation.inputs, NOW)
    names = [(group.book, group.underlying, group.bucket) for group in portfolio.groups]
    assert names == [
        ("a", "SPX", "spot"),
        ("a", "SPX", "8-30d"),
        ("b", "SPX", "8-30d"),
        ("b", "VXX25", "8-30d"),
    ]
    assert marked.tolist() == portfolio.counts.tolist() == [1, 2, 1, 1]
    delta = totals[:, FIGURES.index("delta")]
    raw = revaluation.values[DELTA]
    assert delta.tolist() == pytest.approx([5, 100 * (raw[0] + raw[1]), 100 * raw[0], 2000])
    assert figures(totals[3])["delta"] == 2000  # 1,000 a point, twice


def test_what_has_no_value_is_in_no_sum_and_told() -> None:
    portfolio, revaluation = made(("a", 0, 1.0), ("a", 1, 1.0), ("a", -1, 7.0))
    revaluation.values[:, 1] = np.nan
    totals, marked = portfolio.sums(revaluation.values, revaluation.inputs, NOW)
    assert marked.tolist() == [1]
    assert np.isfinite(totals).all()
    assert portfolio.unmarked(revaluation.values).tolist() == [False, True, False]
    assert portfolio.group.tolist() == [0, 0, -1]


def test_a_portfolio_of_nothing_adds_up_to_nothing() -> None:
    portfolio, revaluation = made()
    totals, _ = portfolio.sums(revaluation.values, revaluation.inputs, NOW)
    assert totals.shape == (0, len(FIGURES))
    assert portfolio.next_change_ns == NEVER


def test_an_expired_position_leaves_its_group() -> None:
    portfolio, _ = made(("a", 0, 1.0), ("a", 2, 1.0))
    assert portfolio.next_change_ns == EXPIRY - 8 * DAY + 1
    portfolio.regroup(EXPIRY)
    assert portfolio.group.tolist() == [-1, 0]
    assert [group.bucket for group in portfolio.groups] == ["spot"]


def bucket(left_ns: int) -> str:
    buckets, _ = buckets_of(np.array([NOW + left_ns]), NOW)
    return BUCKETS[buckets[0]]


@pytest.mark.parametrize(
    ("left_ns", "expected"),
    [
        (1, "0-7d"),
        (8 * DAY - 1, "0-7d"),
        (8 * DAY, "8-30d"),
        (31 * DAY - 1, "8-30d"),
        (31 * DAY, "31-90d"),
        (91 * DAY, "91-365d"),
        (366 * DAY, "366d+"),
        (5000 * DAY, "366d+"),
    ],
)
def test_buckets_are_of_whole_days(left_ns: int, expected: str) -> None:
    assert bucket(left_ns) == expected


@given(st.lists(st.integers(1, 500 * 86_400), min_size=1, max_size=5))
def test_no_bucket_changes_before_it_is_said_and_one_does_then(lefts_s: list[int]) -> None:
    expiry_ns: Integers = np.array([NOW + each * SECOND for each in lefts_s] + [NEVER])
    before, change_ns = buckets_of(expiry_ns, NOW)
    just_before, _ = buckets_of(expiry_ns, change_ns - 1)
    then, _ = buckets_of(expiry_ns, change_ns)
    assert before.tolist() == just_before.tolist() != then.tolist()


def test_a_beta_is_of_the_underlying_else_of_its_root() -> None:
    betas = {"ES": 1.0, "ESZ25": 1.1}
    assert beta_of(betas, "ESZ25", "ES") == 1.1
    assert beta_of(betas, "ESH26", "ES") == 1.0
    assert beta_of(betas, "NQZ25", "NQ") is None
