"""Every number that the papers work through, and what the live code makes of it."""

import pytest

from shared.domain.study.claims.claim import Verdict
from shared.domain.study.claims.worked import (
    offset,
    sized_vega,
    unmeasurable_claims,
    vega_of,
    worked_claims,
)

FOUND = {each.claim.key.removeprefix("worked."): each for each in worked_claims()}
WRONG = {
    "linear_17_5": 500.0,  # from the formula as printed; the example's divisor is 7.5
    "linear_25": 1000.0,
    "sigmoid_10": 0.1192,
    "covid_gain": 1_322_527.22,  # at the very most, from the vega it states
    "conditional_days": 37.8,
    "conditional_gain": 41_250.0,
    "scalping": 1.44,
    "sum_sharpe": 0.1818,
    "maker_net": -1500.0,
}


@pytest.mark.parametrize(("key", "value"), WRONG.items())
def test_what_the_papers_get_wrong(key: str, value: float) -> None:
    assert FOUND[key].verdict is Verdict.DOES_NOT_HOLD
    assert FOUND[key].value == pytest.approx(value, rel=1e-3)


def test_everything_else_comes_out_as_printed() -> None:
    wrong = {key for key, each in FOUND.items() if each.verdict is not Verdict.HOLDS}
    assert wrong == set(WRONG)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("initial", 600.0),
        ("target", 1000.0),
        ("buy", 400.0),
        ("cap", 2000.0),
        ("floor", 200.0),
        ("covid_14", 250.0),
        ("covid_15", 375.0),
        ("covid_60", 6000.0),
        ("covid_offset", 0.3),
        ("conditional_offset", 0.5),
        ("maker_first", 6000.0),
        ("maker_trades", 40.0),
        ("maker_cost", 2000.0),
        ("inside", 0.0),
        ("beyond", 2.0),
        ("drawdown", 1.025),
    ],
)
def test_numbers_of_the_specification(key: str, value: float) -> None:
    assert FOUND[key].value == pytest.approx(value)


def test_contradictions_are_explained() -> None:
    assert FOUND["linear_17_5"].sentence.endswith("`paper_example`: 1,000.")
    assert FOUND["linear_25"].sentence.endswith("`paper_example`: 2,000.")
    assert "−DD + 5%, gives 1.075" in FOUND["drawdown"].sentence
    assert "20.71 makes 1 order already" in FOUND["beyond"].sentence
    assert "leaves 2,000" in FOUND["covid_60"].sentence


def test_rules_and_sizes_are_the_live_ones() -> None:
    assert vega_of("option_a", 18.0) == pytest.approx(600.0)
    assert sized_vega("option_a", 5.0) == 200.0
    assert sized_vega("covid", 60.0) == 2000.0
    assert offset(10e6, 3e6) == pytest.approx(0.3)


def test_what_no_history_tells_is_listed_with_its_reason() -> None:
    found = unmeasurable_claims()
    assert {each.verdict for each in found} == {Verdict.CANNOT_BE_TOLD}
    assert all(each.reason and each.value is None for each in found)


def test_no_key_stands_twice() -> None:
    found = [*worked_claims(), *unmeasurable_claims()]
    assert len({each.claim.key for each in found}) == len(found)
