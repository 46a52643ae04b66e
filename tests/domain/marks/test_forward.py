"""Forwards and rates from quotes, and where they come from when quotes do not say."""

from collections.abc import Sequence
from math import exp

import numpy as np
import pytest
from fakes.option_chains import ListedChain

from shared.domain.marks.forward import (
    Chain,
    Forwards,
    ForwardSource,
    Underlyings,
    imply_forwards,
)
from shared.domain.marks.policy import MarkPolicy

NAN = float("nan")
LISTED = ListedChain(days=90, strikes=tuple(range(4000, 6001, 100)))
POLICY = MarkPolicy(rate=0.05)


def chain_of(
    listed: ListedChain, *, half_spread: float = 0.05, bad: Sequence[int] = (), noise: float = 0.0
) -> Chain:
    """Quotes of a chain, put first at each strike; rows in `bad` have none."""
    random = np.random.default_rng(7)
    rows = [(strike, sign) for strike in listed.strikes for sign in (-1.0, 1.0)]
    price = [listed.price("call" if sign > 0 else "put", strike) for strike, sign in rows]
    middle = np.array(price) + random.uniform(-noise, noise, len(rows))
    middle[list(bad)] = NAN
    strikes, signs = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    half_spreads = np.full(len(rows), half_spread)
    return Chain(np.array([0, len(rows)]), strikes, signs, middle, half_spreads)


def underlyings(
    listed: ListedChain,
    *,
    level: float = LISTED.level,
    dividend_yield: float = NAN,
    on_future: bool = False,
    european: bool = True,
) -> Underlyings:
    return Underlyings(
        np.array([listed.years]),
        np.array([level]),
        np.array([dividend_yield]),
        np.array([on_future]),
        np.array([european]),
    )


def only(found: Forwards) -> tuple[float, float, ForwardSource]:
    return float(found.forward[0]), float(found.rate[0]), ForwardSource(found.source[0])


def test_parity_gives_forward_and_rate_of_european_options() -> None:
    forward, rate, source = only(imply_forwards(chain_of(LISTED), underlyings(LISTED), POLICY))
    assert source is ForwardSource.PARITY
    assert forward == pytest.approx(LISTED.forward, rel=1e-12)
    assert rate == pytest.approx(LISTED.rate, abs=1e-10)  # not the configured one


def test_parity_needs_no_configuration_where_the_quotes_pin_the_rate_down() -> None:
    found = imply_forwards(chain_of(LISTED), underlyings(LISTED, level=NAN), MarkPolicy())
    assert only(found)[2] is ForwardSource.PARITY


def test_a_few_bad_quotes_hardly_move_the_forward() -> None:
    chain = chain_of(LISTED, noise=0.05)
    chain.middle[[3, 20, 33]] += 40.0
    forward, rate, _ = only(imply_forwards(chain, underlyings(LISTED), POLICY))
    assert forward == pytest.approx(LISTED.forward, abs=0.1)
    assert rate == pytest.approx(LISTED.rate, abs=0.001)


def test_spreads_too_wide_to_say_leave_the_rate_to_the_configuration() -> None:
    chain = chain_of(LISTED, half_spread=5.0)
    forward, rate, source = only(imply_forwards(chain, underlyings(LISTED), POLICY))
    assert source is ForwardSource.PARITY_AT_RATE
    assert rate == POLICY.rate
    assert forward == pytest.approx(LISTED.forward, rel=1e-3)


def test_a_rate_beyond_belief_is_not_believed() -> None:
    dear = ListedChain(days=90, strikes=LISTED.strikes, rate=0.4)
    assert only(imply_forwards(chain_of(dear), underlyings(dear), POLICY))[1] == POLICY.rate
    upside_down = chain_of(LISTED)
    upside_down.middle[:] = upside_down.middle.reshape(-1, 2)[:, ::-1].ravel()  # calls for puts
    source = only(imply_forwards(upside_down, underlyings(LISTED), POLICY))[2]
    assert source is ForwardSource.PARITY_AT_RATE


def test_american_options_give_the_forward_at_the_configured_rate() -> None:
    known = underlyings(LISTED, european=False)
    forward, rate, source = only(imply_forwards(chain_of(LISTED), known, POLICY))
    assert (source, rate) == (ForwardSource.PARITY_AT_RATE, POLICY.rate)
    assert forward == pytest.approx(LISTED.forward, rel=1e-4)


def test_too_few_pairs_fall_back_on_level_rate_and_dividend_yield() -> None:
    bad = range(4, 42)  # two strikes are left
    known = underlyings(LISTED, dividend_yield=0.02)
    forward, rate, source = only(imply_forwards(chain_of(LISTED, bad=bad), known, POLICY))
    assert (source, rate) == (ForwardSource.CARRY, 0.05)
    assert forward == pytest.approx(5000 * exp((0.05 - 0.02) * LISTED.years))


@pytest.mark.parametrize(
    ("policy", "level", "dividend_yield"),
    [(POLICY, 5000.0, NAN), (POLICY, NAN, 0.02), (MarkPolicy(), 5000.0, 0.02)],
)
def test_what_is_not_known_gives_no_forward_and_no_number(
    policy: MarkPolicy, level: float, dividend_yield: float
) -> None:
    known = underlyings(LISTED, level=level, dividend_yield=dividend_yield)
    found = imply_forwards(chain_of(LISTED, bad=range(42)), known, policy)
    assert only(found)[2] is ForwardSource.NONE
    assert np.isnan(found.forward).all()
    assert np.isnan(found.rate).all()


def test_options_on_a_future_have_that_future_as_their_forward_whatever_parity_says() -> None:
    known = underlyings(LISTED, level=5017.0, on_future=True)
    forward, rate, source = only(imply_forwards(chain_of(LISTED), known, POLICY))
    assert (forward, source) == (5017.0, ForwardSource.FUTURE)
    assert rate == pytest.approx(LISTED.rate, abs=1e-10)
    missing = underlyings(LISTED, level=NAN, on_future=True)
    assert only(imply_forwards(chain_of(LISTED), missing, POLICY))[2] is ForwardSource.NONE


def test_calls_and_puts_without_their_counterpart_make_no_pair() -> None:
    full = chain_of(LISTED)
    odd = np.arange(0, 42, 2)  # puts at every strike …
    lonely = full._replace(
        starts=np.array([0, 21]), **{name: getattr(full, name)[odd] for name in full._fields[1:]}
    )
    assert only(imply_forwards(lonely, underlyings(LISTED), POLICY))[2] is ForwardSource.NONE
    apart = full._replace(strike=full.strike + (full.sign > 0))  # … or calls at other strikes
    assert only(imply_forwards(apart, underlyings(LISTED), POLICY))[2] is ForwardSource.NONE


def test_every_expiry_is_implied_from_its_own_quotes() -> None:
    near, far = chain_of(LISTED), chain_of(ListedChain(days=180, strikes=LISTED.strikes))
    joined = map(np.concatenate, zip(near[1:], far[1:], strict=True))
    both = Chain._make([np.array([0, 42, 84]), *joined])
    known = zip(underlyings(LISTED), underlyings(ListedChain(days=180)), strict=True)
    found = imply_forwards(both, Underlyings._make(map(np.concatenate, known)), POLICY)
    assert found.forward[0] == pytest.approx(LISTED.forward)
    assert found.forward[1] == pytest.approx(ListedChain(days=180).forward)
