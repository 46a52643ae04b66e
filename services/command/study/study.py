"""Running a study: what is not there yet is run, and everything is told."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from rich.console import Console
from rich.markup import escape

from services.command.endings import Failed, Refused
from services.command.study.material import Material, read_material
from services.command.study.passes import Outcome, Progress, key_of
from services.command.study.progress import StudyProgress
from services.command.study.results import StudyFolder
from services.command.study.workers import cores, make_ready, run_locally, run_on_cluster
from shared.adapters.code_version import code_version
from shared.adapters.configuration.faults import FaultyConfiguration
from shared.adapters.study.patches import NoSuchKey
from shared.adapters.study.plan import StudyPlan, Variant

FINDINGS_SHOWN: Final = 5


class Hands(Struct, frozen=True, kw_only=True):
    """Who does the work.

    Attributes:
        jobs: Processes on this machine; `None`: one a core.
        dask: Address of a scheduler instead, or `None`.
    """

    jobs: int | None = None
    dask: str | None = None

    def make_ready(self) -> None:
        """Start what takes long to start, before there is work to do."""
        if self.dask is None and (self.jobs or cores()) > 1:
            make_ready()

    def run(
        self,
        material: Material,
        variants: Sequence[Variant],
        progress: Progress = lambda _: None,
    ) -> Iterator[list[Outcome]]:
        """Run variants; yields them in packs as they are done."""
        if self.dask is not None:
            return run_on_cluster(material, variants, self.dask)
        return run_locally(material, variants, self.jobs or cores(), progress)


def swept_variants(plan: StudyPlan) -> Iterator[Variant]:
    """Yield a variant for each combination of the sweep's values.

    Raises:
        Refused: There is no sweep, or a combination is no configuration.
    """
    if not plan.sweep:
        raise Refused(f"{plan.path} sweeps nothing: write [[sweep]] with key and values")
    for name, changes in plan.swept():
        try:
            yield plan.variant(name, changes)
        except (NoSuchKey, FaultyConfiguration) as reason:
            raise Refused(f"{plan.path}: [[sweep]] {changes}: {reason}") from None


class Study:
    """One plan, its history and its folder.

    Args:
        plan: What is asked.
        command: As it was typed, for the reader of the results.
        console: Where progress goes.

    Raises:
        Refused: The history cannot be used.
    """

    def __init__(self, plan: StudyPlan, command: str, console: Console) -> None:
        self.plan = plan
        self.folder = StudyFolder(plan.results)
        self.swept = StudyFolder(plan.results / "sweep", ("daily",))
        self._command = command
        self._console = console
        settings = plan.variants[0].settings if plan.variants else plan.variant("base", {}).settings
        self.material = read_material(plan, settings)
        self._tell_findings()

    def run(self, hands: Hands) -> None:
        """Run the plan's variants, those that are not there yet, and note what made them."""
        self.run_in(self.folder, self.plan.variants, hands)
        self._note(self.plan.variants)

    def sweep(self, hands: Hands) -> list[Variant]:
        """Run every combination of the sweep's values that is not there yet, and return them all.

        Raises:
            Refused: The plan sweeps nothing, or a combination is no configuration.
        """
        variants = list(swept_variants(self.plan))
        self.run_in(self.swept, variants, hands)
        self._note(self.plan.variants)
        return variants

    def run_in(self, folder: StudyFolder, variants: Sequence[Variant], hands: Hands) -> None:
        """Run what is not in a folder yet, and keep it there."""
        missing = [each for each in variants if not folder.has(self.material, each)]
        kept = len(variants) - len(missing)
        if kept:
            text = f"[dim]{kept} of {len(variants)} variants are there already.[/]"
            self._console.print(text, highlight=False)
        if not missing:
            return
        with StudyProgress(len(missing), len(self.material.steps), self._console) as progress:
            for pack in hands.run(self.material, missing, progress.stepped):
                for outcome in pack:
                    self._check(outcome, missing)
                    folder.keep(outcome)
                progress.finished(len(pack))

    def _check(self, outcome: Outcome, variants: Sequence[Variant]) -> None:
        """Refuse what other code has made: a cluster may have another hedgestat installed."""
        variant = next(each for each in variants if each.name == outcome.name)
        if outcome.key != key_of(self.material, variant):
            raise Failed(
                f"{outcome.name} was run by other code than this, {code_version()}: install the "
                "same hedgestat on every worker"
            )

    @property
    def tried(self) -> int:
        """How many configurations were ever run here, the sweep's among them."""
        return len(self.folder.tried() | self.swept.tried())

    def _note(self, variants: Sequence[Variant]) -> None:
        plan = self.plan
        self.folder.note(
            {
                "title": plan.title,
                "command": self._command,
                "plan": plan.path.name,
                "configuration": plan.configuration.name,
                "book": plan.book,
                "first": self.material.first,
                "last": self.material.last,
                "prints": plan.prints,
                "zero_cost": plan.zero_cost,
                "code_version": code_version(),
                "data_digest": self.material.digest,
                "findings": [str(finding) for finding in self.material.findings],
                "variants": [_described(variant) for variant in variants],
                "variants_tried": self.tried,
            }
        )

    def _tell_findings(self) -> None:
        findings = self.material.findings
        for finding in findings[:FINDINGS_SHOWN]:
            text = f"[yellow]history[/] {escape(str(finding))}"
            self._console.print(text, highlight=False, soft_wrap=True)
        more = len(findings) - FINDINGS_SHOWN
        if more > 0:
            text = f"[yellow]history[/] and {more} more; all of them stand in the report"
            self._console.print(text, highlight=False)


def _described(variant: Variant) -> dict[str, Any]:
    return {
        "name": variant.name,
        "note": variant.note,
        "set": variant.changes,
        "config_digest": variant.settings.digest,
    }
