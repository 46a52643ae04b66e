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

SEEDS = 60
TWICE = 20


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


@pytest.mark.timeout(900)
def test_sixty_seeds_violate_nothing_and_a_seed_is_the_same_run_every_time(
    simulator: Simulator,
) -> None:
    outcomes = [simulator.run(seed) for seed in range(1, SEEDS + 1)]
    assert [(each.seed, each.violations) for each in outcomes if each.violations] == []
    assert sum(each.orders for each in outcomes) > SEEDS
    again = [simulator.run(seed) for seed in range(1, TWICE + 1)]
    assert [each.digest for each in again] == [each.digest for each in outcomes[:TWICE]]
    assert len({each.digest for each in outcomes}) == SEEDS


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
    assert tally.seeds == 2


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
