import io
import itertools

import pytest
from rich.console import Console
from typer.testing import CliRunner

from services.__main__ import app
from services.command.simulation.campaign import (
    LEAST_FOR_GUARDS,
    CampaignOptions,
    Simulator,
    Tally,
    print_tally,
    run_campaign,
)
from services.command.simulation.guards import REQUIRED
from services.command.simulation.weather import FAULTS
from services.command.simulation.world import Outcome

SEEDS = 300
MANY_SEEDS = 4_000
"""Enough that each guard fires in spite of chance."""
TWICE = 15
JOBS = 2


def outcome(**changes: object) -> Outcome:
    fields: dict[str, object] = {
        "seed": 7,
        "violations": (),
        "faults": dict.fromkeys(FAULTS, 1),
        "guards": dict.fromkeys(REQUIRED, 1),
        "endings": {},
        "orders": 3,
        "digest": "",
        "virtual_s": 12.0,
    }
    return Outcome(**{**fields, **changes})  # type: ignore[arg-type]


def tally_of(*outcomes: Outcome) -> Tally:
    tally = Tally()
    for each in outcomes:
        tally.add(each)
    return tally


@pytest.mark.timeout(300)
def test_a_seed_is_the_same_run_every_time(simulator: Simulator) -> None:
    outcomes = [simulator.run(seed) for seed in range(1, TWICE + 1)]
    again = [simulator.run(seed) for seed in range(1, TWICE + 1)]
    assert [each.digest for each in again] == [each.digest for each in outcomes]
    assert len({each.digest for each in outcomes}) == TWICE


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "seeds",
    [SEEDS, pytest.param(MANY_SEEDS, marks=[pytest.mark.campaign, pytest.mark.timeout(3_600)])],
)
def test_no_seed_violates_anything(seeds: int) -> None:
    page = io.StringIO()
    options = CampaignOptions(first=1, seeds=seeds, jobs=JOBS)
    tally = run_campaign(options, Console(file=page, width=120))
    print(page.getvalue())  # noqa: T201 - seeds, orders, kills and rate, for whoever runs it with -s
    assert tally.is_well, page.getvalue()
    assert tally.seeds == seeds
    assert tally.orders > 5 * seeds
    assert tally.kills > seeds / 4


def test_seeds_shared_by_processes_are_the_same_runs() -> None:
    alone, shared = (
        run_campaign(CampaignOptions(seeds=6, jobs=jobs), Console(file=io.StringIO()))
        for jobs in (1, 2)
    )
    assert (shared.faults, shared.guards, shared.orders) == (
        alone.faults,
        alone.guards,
        alone.orders,
    )


@pytest.mark.timeout(300)
def test_a_campaign_counts_and_passes() -> None:
    page = io.StringIO()
    tally = run_campaign(CampaignOptions(first=1, seeds=3), Console(file=page, width=120))
    assert tally.is_well
    assert tally.seeds == 3
    assert "3 seeds in" in page.getvalue()
    assert "No violation." in page.getvalue()


def test_a_campaign_of_minutes_ends_when_they_are_over() -> None:
    class Clock:
        seconds = itertools.count(0.0, 20.0)

        def now_ns(self) -> int:
            return 0

        def monotonic_s(self) -> float:
            return next(self.seconds)

    options = CampaignOptions(minutes=1.0)
    tally = run_campaign(options, Console(file=io.StringIO()), Clock())
    assert tally.seeds == 3


def test_a_violation_fails_a_campaign_and_tells_how_to_replay_it() -> None:
    page = io.StringIO()
    tally = tally_of(outcome(seed=4711, violations=("order x was decided and is lost",)))
    print_tally(tally, Console(file=page, width=120))
    assert not tally.is_well
    assert "order x was decided and is lost" in page.getvalue()
    assert "hedgestat simulate --seed 4711" in page.getvalue()


@pytest.mark.parametrize(
    ("kind", "name"), [("faults", "process_frozen"), ("guards", "hedge_rejects: jump")]
)
def test_a_large_campaign_without_a_fault_or_a_guard_fails_by_its_name(
    kind: str, name: str
) -> None:
    counts = dict.fromkeys(FAULTS if kind == "faults" else REQUIRED, 1)
    del counts[name]
    small = tally_of(*[outcome(**{kind: counts})] * (LEAST_FOR_GUARDS - 1))
    assert small.is_well
    small.add(outcome(**{kind: counts}))
    assert not small.is_well
    assert [name in each for each in small.never] == [True]


@pytest.mark.timeout(300)
def test_one_seed_is_printed_event_by_event() -> None:
    result = CliRunner().invoke(app, ["simulate", "--seed", "1"])
    assert result.exit_code == 0
    assert "gateway starts" in result.stdout
    assert "the weather clears" in result.stdout
