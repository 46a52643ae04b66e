"""`hedgestat study report`: measures what a study left in its folder, and writes the file."""

from math import prod
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import MofNCompleteColumn, TimeRemainingColumn

from services.command.endings import Failed, Refused
from services.command.printing import progress_bar
from services.command.study.report.contents import Provenance, SweptStudy, contents_of, swept_study
from services.command.study.study import Study, swept_variants
from shared.adapters.code_version import code_version
from shared.adapters.study.files import write_text
from shared.adapters.study.plan import StudyPlan
from shared.domain.study.resampling import BootstrapPolicy

MOST_SWEPT_UNASKED: Final = 64
"""Combinations that a report runs by itself: seconds, not minutes."""


def combinations(plan: StudyPlan) -> int:
    """Return how many variants a plan's sweep has; 0 without one."""
    return prod(len(each.values) for each in plan.sweep) if plan.sweep else 0


def write_report(study: Study, command: str, path: Path, console: Console) -> None:
    """Write the report of a study whose variants were run.

    Raises:
        Refused: There are no variants, or what draws charts is not installed.
        Failed: Results cannot be read, or the file cannot be written.
    """
    if not study.plan.variants:
        raise Refused(f"{study.plan.path} has no variants: write [[variants]] with name and set")
    try:
        from services.command.study.report.document import document  # noqa: PLC0415 - an extra
    except ImportError:
        raise Refused('a report needs jinja2: pip install "hedgestat[study]"') from None
    with progress_bar(console, MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("measuring", total=len(study.plan.variants))
        contents = contents_of(
            study.plan,
            study.folder,
            provenance_of(study, command),
            swept=_swept(study),
            told=lambda: bar.advance(task),
        )
    text = document(contents)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as reason:
        raise Failed(f"{path}: {reason.strerror}") from None
    size = len(text.encode()) / 1e6
    told = f"{path}: {len(contents.variants)} variants, {size:.1f} MB, one file; open or print it."
    console.print(told, highlight=False, markup=False, soft_wrap=True)


def _swept(study: Study) -> SweptStudy | None:
    """The sweep, if all of it was run."""
    if not study.plan.sweep:
        return None
    variants = swept_variants(study.plan)
    if not all(study.swept.has(study.material, each) for each in variants):
        return None
    return swept_study(study.plan, study.swept, study.tried)


def provenance_of(study: Study, command: str) -> Provenance:
    """Say what made a study's figures."""
    plan, material = study.plan, study.material
    return Provenance(
        title=plan.title,
        command=command,
        plan=plan.path.name,
        configuration=plan.configuration.name,
        book=plan.book,
        currency=plan.variants[0].book.currency,
        first=material.first,
        last=material.last,
        prints=plan.prints,
        zero_cost=plan.zero_cost,
        code_version=code_version(),
        data_digest=material.digest,
        findings=tuple(map(str, material.findings)),
        notes=material.notes,
        model_priced=material.instruments.model_priced,
        tried=study.tried,
        bootstrap=BootstrapPolicy(resamples=plan.resamples, seed=plan.seed),
    )
