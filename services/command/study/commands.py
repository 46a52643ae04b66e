"""What `hedgestat study`'s commands do, once the plan is read."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console

from services.command.endings import named_reasons
from services.command.study.claims.command import judge_claims, keep
from services.command.study.claims.table import print_claims
from services.command.study.comparison import print_comparison
from services.command.study.figures import figures_of
from services.command.study.report.writing import MOST_SWEPT_UNASKED, combinations, write_report
from services.command.study.selection import swept_figures, walk
from services.command.study.selection_tables import print_sweep, print_walk
from services.command.study.study import Hands, Study
from shared.adapters.study.plan import StudyPlan
from shared.runtime.logs import configure_logging

WIDTH_OF_A_FILE: Final = 120


def run_study(plan: StudyPlan, hands: Hands, console: Console) -> None:
    """Run every variant of a plan.

    Raises:
        Refused: The history cannot be used.
        Failed: The results cannot be written, or the cluster does not answer.
    """
    with _prepared(hands, console):
        study = Study(plan, _command(), console)
        study.run(hands)
        text = f"{len(plan.variants)} variants, {study.material.first} to {study.material.last}: "
        console.print(f"{text}{study.folder.path}", highlight=False, soft_wrap=True)


def compare(plan: StudyPlan, hands: Hands, console: Console) -> None:
    """Run what is missing, and print all variants side by side.

    Raises:
        Refused: The history cannot be used.
        Failed: Results cannot be written or read, or the cluster does not answer.
    """
    with _prepared(hands, console):
        study = Study(plan, _command(), console)
        study.run(hands)
        print_comparison(plan, figures_of(study.folder, plan.variants), _wide(console))


def sweep(plan: StudyPlan, hands: Hands, console: Console) -> None:
    """Run every combination of the sweep's values, and print what they show.

    Raises:
        Refused: The history cannot be used, or the plan sweeps nothing.
        Failed: Results cannot be written or read, or the cluster does not answer.
    """
    with _prepared(hands, console):
        study = Study(plan, _command(), console)
        figures = swept_figures(study.swept, study.sweep(hands))
        print_sweep(plan, figures, study.tried, _wide(console))


def walk_forward(plan: StudyPlan, hands: Hands, console: Console) -> None:
    """Choose the swept parameters on the past, judge them on what follows, and walk on.

    Raises:
        Refused: As `sweep`, or there are too few sessions.
        Failed: As `sweep`.
    """
    with _prepared(hands, console):
        study = Study(plan, _command(), console)
        figures = swept_figures(study.swept, study.sweep(hands))
        print_walk(plan, walk(figures, plan.walk_forward), _wide(console))


def _wide(console: Console) -> Console:
    return console if console.is_terminal else Console(width=WIDTH_OF_A_FILE)


def report(plan: StudyPlan, hands: Hands, out: Path | None, console: Console) -> None:
    """Run what is missing, and write the report: into the folder of results, or where asked.

    A small sweep is run as well; of a large one the report shows what `sweep` has left.

    Raises:
        Refused: The history cannot be used, or there is nothing to report.
        Failed: Results cannot be written or read, or the cluster does not answer.
    """
    with _prepared(hands, console):
        study = Study(plan, _command(), console)
        study.run(hands)
        if 0 < combinations(plan) <= MOST_SWEPT_UNASKED:
            study.sweep(hands)
        write_report(study, _command(), out or study.folder.path / "report.html", console)


def claims(plan: StudyPlan, hands: Hands, console: Console, file: Path | None) -> None:
    """Run what is missing, hold the papers' figures against it, and print them side by side.

    Raises:
        Refused: The history cannot be used.
        Failed: Results cannot be written or read, or the cluster does not answer.
    """
    with _prepared(hands, console):
        study = Study(plan, _command(), console)
        document = judge_claims(study, hands)
        for path in (study.folder.path / "claims.json", *([file] if file else ())):
            keep(document, path)
        print_claims(document, console)


@contextmanager
def _prepared(hands: Hands, console: Console) -> Iterator[None]:
    """Set up logging and hands, and say in words why a study ends early; what was done is kept."""
    configure_logging("error", stream=sys.stderr)
    hands.make_ready()
    try:
        with named_reasons():
            yield
    except KeyboardInterrupt:
        console.print("Stopped; the variants that were done are kept.", highlight=False)
        raise SystemExit(130) from None


def _command() -> str:
    return " ".join(["hedgestat", *sys.argv[1:]])
