"""`[options]` and `[exposure]`."""

from pathlib import Path

import pytest
from fakes.configurations import SOUND, load, only_fault
from msgspec import structs

from shared.domain.exposure.policy import ExposurePolicy
from shared.domain.instants import MILLISECOND, SECOND
from shared.domain.marks.policy import MarkPolicy


def test_what_is_left_out_is_the_default(tmp_path: Path) -> None:
    settings = load(tmp_path, SOUND)
    assert settings.marks == structs.replace(MarkPolicy(), max_instruments=150_000)
    assert settings.exposure == ExposurePolicy()


def test_options_are_marked_as_the_table_says(tmp_path: Path) -> None:
    text = (
        '[options]\nmax_symbols = 10\nrate = "4%"\ndividend_yields = { SPX = 0.013 }\n'
        'stale_after = "1 min"\nmax_spread = "30%"\nrefresh_every = "50 ms"\n'
    )
    marks = load(tmp_path, SOUND + text).marks
    assert (marks.rate, marks.dividend_yields) == (0.04, {"SPX": 0.013})
    assert (marks.stale_ns, marks.max_spread) == (60 * SECOND, 0.3)
    assert (marks.refresh_ns, marks.max_instruments) == (50 * MILLISECOND, 50_010)


def test_exposure_is_measured_as_the_table_says(tmp_path: Path) -> None:
    text = (
        '[exposure]\nmeasure_every = "1 s"\nbetas = { RUT = 1.2, SPX = 1.0 }\n'
        'vega_betas = { NDX = 0.9 }\nconfidence = "99%"\namerican_budget = 5\n'
    )
    exposure = load(tmp_path, SOUND + text).exposure
    assert (exposure.measure_ns, exposure.american_budget) == (SECOND, 5)
    assert exposure.betas == {**ExposurePolicy().betas, "RUT": 1.2}
    assert (exposure.vega_betas, exposure.confidence) == ({"NDX": 0.9}, 0.99)
    assert not exposure.only_at_clock


def test_a_replay_measures_at_clock_events(tmp_path: Path) -> None:
    assert load(tmp_path, SOUND + '[clock]\nsource = "feed"\n').exposure.only_at_clock


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("[options]\nrate = 4", "rate", "out of range"),
        ("[options]\nmax_symbols = 0", "max_symbols", "out of range"),
        ('[options]\nmin_missed = "20%"', "min_missed", "above max_missed"),
        ('[options]\ndividends = "1%"', "dividends", "unknown key"),
        ('[options]\nstale_after = "0 s"', "stale_after", "must last"),
        ("[exposure]\nconfidence = 1.0", "confidence", "out of range"),
        ('[exposure]\nbetas = { RUT = "1" }', "RUT", "not a number"),
        ("[exposure]\nshock = 1", "shock", "unknown key"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, key: str, problem: str) -> None:
    fault = only_fault(tmp_path, f"{SOUND}{text}\n")
    assert fault.key.split(".")[-1] == key
    assert problem in fault.problem
    assert fault.line > 0
