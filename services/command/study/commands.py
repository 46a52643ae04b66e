"""What `hedgestat study`'s commands do, once the plan is read."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from services.command.endings import named_reasons
from services.command.study.comparison import print_comparison
from services.command.study.figures import figures_of
from services.command.study.study import Hands, Study
from shared.adapters.study.plan import StudyPlan
from shared.runtime.logs import configure_logging


def run_study(plan: StudyPlan, hands: Hands, console: Console) -> None:
    """Run every variant of a plan.

    Raises:
        Refused: The history cannot be used.
        Failed: The results cannot be written, or the cluster does not answer.
    """
    with _prepared(console):
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
    with _prepared(console):
        study = Study(plan, _command(), console)
        study.run(hands)
        print_comparison(plan, figures_of(study.folder, plan.variants), console)


@contextmanager
def _prepared(console: Console) -> Iterator[None]:
    """Set up logging, and say in words why a study ends early; what was finished is kept."""
    configure_logging("error", stream=sys.stderr)
    try:
        with named_reasons():
            yield
    except KeyboardInterrupt:
        console.print("Stopped; the variants that were done are kept.", highlight=False)
        raise SystemExit(130) from None


def _command() -> str:
    return " ".join(["hedgestat", *sys.argv[1:]])
