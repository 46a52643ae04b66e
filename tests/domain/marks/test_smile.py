"""Smiles: known ones are recovered, bad quotes do not bend them, arbitrage does not get through."""

import numpy as np
import pytest

from shared.domain.marks import smile
from shared.domain.marks.smile import (
    Smiles,
    SmileStatus,
    calendar_fall,
    fit_smiles,
    total_variance,
)
from shared.domain.marks.smile_search import least_density

KNOWN = np.array([0.01, 0.1, -0.6, 0.02, 0.15])
K = np.linspace(-0.5, 0.3, 13)


def fit(k: np.ndarray, w: np.ndarray, weight: np.ndarray | None = None) -> Smiles:
    return fit_smiles(np.array([0, len(k)]), k, w, np.ones_like(k) if weight is None else weight, 7)


def status(smiles: Smiles) -> SmileStatus:
    return SmileStatus(smiles.status[0])


def test_total_variance_is_the_raw_formula() -> None:
    a, b, rho, m, sigma = KNOWN
    wanted = [a + b * (rho * (k - m) + ((k - m) ** 2 + sigma**2) ** 0.5) for k in K]
    assert total_variance(KNOWN, K) == pytest.approx(wanted)
    assert total_variance(np.stack([KNOWN, KNOWN]), K[:2]) == pytest.approx(wanted[:2])


@pytest.mark.parametrize(
    "known",
    [KNOWN, np.array([0.0005, 0.02, -0.5, 0.01, 0.08]), np.array([0.02, 0.3, 0.4, -0.1, 0.2])],
)
def test_a_known_smile_is_recovered(known: np.ndarray) -> None:
    smiles = fit(K, total_variance(known, K))
    assert status(smiles) is SmileStatus.GOOD
    assert smiles.parameters[0] == pytest.approx(known, abs=1e-6)


def test_one_bad_quote_does_not_bend_a_smile() -> None:
    w = total_variance(KNOWN, K)
    bent = w.copy()
    bent[4] *= 1.3
    smiles = fit(K, bent)
    assert total_variance(smiles.parameters[0], np.delete(K, 4)) == pytest.approx(
        np.delete(w, 4), rel=5e-3
    )


def test_what_weighs_little_is_missed_first() -> None:
    w = total_variance(KNOWN, K) * (1 + 0.05 * np.sin(20 * K))  # no smile is like that
    heavy = np.where(K < -0.1, 1e4, 1.0)
    parameters = fit(K, w, heavy).parameters[0]
    off = np.abs(total_variance(parameters, K) / w - 1)
    assert off[K < -0.1].mean() < off[K >= -0.1].mean()


def test_too_few_strikes_give_no_smile() -> None:
    smiles = fit(K[:6], total_variance(KNOWN, K[:6]))
    assert status(smiles) is SmileStatus.TOO_FEW
    assert np.isnan(smiles.parameters).all()
    assert not SmileStatus.TOO_FEW.is_fitted


def test_quotes_with_butterfly_arbitrage_get_a_smile_without_it_that_says_so() -> None:
    arbitrage = np.array([-0.0410, 0.1331, 0.3060, 0.3586, 0.4153])  # Vogt's
    k = np.linspace(-1.5, 1.5, 21)
    smiles = fit(k, total_variance(arbitrage, k))
    assert status(smiles) is SmileStatus.CONSTRAINED
    assert SmileStatus.CONSTRAINED.is_fitted
    assert least_density(smiles.parameters[0], -4.5, 4.5) >= 0
    assert total_variance(smiles.parameters[0], k) == pytest.approx(
        total_variance(arbitrage, k), abs=0.005
    )


def test_a_smile_that_no_constraint_frees_of_arbitrage_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(smile, "least_density", lambda *_: -0.1)
    smiles = fit(K, total_variance(KNOWN, K))
    assert status(smiles) is SmileStatus.ARBITRAGE
    assert np.isnan(smiles.parameters).all()


def test_no_wing_grows_faster_than_lee_allows() -> None:
    k = np.linspace(-0.5, 0.5, 11)
    _, b, rho, *_ = fit(k, 0.05 + 4 * np.abs(k)).parameters[0]
    assert b * (1 + abs(rho)) <= 2 + 1e-9


def test_each_expiry_is_fitted_by_itself() -> None:
    w = total_variance(KNOWN, K)
    starts = np.array([0, 13, 13, 26])
    smiles = fit_smiles(starts, np.tile(K, 2), np.concatenate([w, 2 * w]), np.ones(26), 7)
    assert smiles.status.tolist() == [SmileStatus.GOOD, SmileStatus.TOO_FEW, SmileStatus.GOOD]
    assert smiles.parameters[2] == pytest.approx(KNOWN * [2, 2, 1, 1, 1], abs=1e-6)


def test_calendar_arbitrage_is_how_far_total_variance_falls() -> None:
    later = KNOWN * [1.5, 1.5, 1, 1, 1]
    assert calendar_fall(KNOWN, later, K) == 0
    assert calendar_fall(later, KNOWN, K) == pytest.approx(1 / 3)
