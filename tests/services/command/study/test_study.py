"""Variants over history: alone or together, here or on a cluster, now or kept, all the same."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster
from msgspec import structs
from rich.console import Console

from services.command.endings import Failed, Refused
from services.command.study.figures import figures_of
from services.command.study.material import Material, read_material
from services.command.study.passes import Outcome, Progress, run_variants
from services.command.study.study import Hands, Study, swept_variants
from services.command.study.workers import packs_of
from shared.adapters.study.plan import StudyPlan, Variant, without_costs

SILENT = Console(quiet=True)
ALONE = Hands(jobs=1)


def study_of(plan: StudyPlan) -> Study:
    return Study(plan, "hedgestat study run", SILENT)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.parquet"))
    }


def material_of(plan: StudyPlan) -> Material:
    return read_material(plan, plan.variants[0].settings)


def same(one: Outcome, other: Outcome) -> bool:
    return one.key == other.key and all(
        np.array_equal(one.daily[name], other.daily[name], equal_nan=one.daily[name].dtype == float)
        for name in one.daily
    )


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as made:
        yield made.scheduler_address


def test_a_variant_is_the_same_alone_and_beside_others(plan: StudyPlan) -> None:
    material = material_of(plan)
    together = run_variants(material, plan.variants)
    assert [each.name for each in together] == [each.name for each in plan.variants]
    for variant, found in zip(plan.variants, together, strict=True):
        (alone,) = run_variants(material, [variant])
        assert same(alone, found)
        assert alone.counts == found.counts


def test_every_session_is_a_row_and_its_profit_is_explained(plan: StudyPlan) -> None:
    found = run_variants(material_of(plan), plan.variants)[1]
    days = found.daily["day"]
    assert str(days[0]) == "2015-06-01"
    assert str(days[-1]) == "2015-12-31"
    assert len(days) == 150
    parts = sum(values for name, values in found.daily.items() if name.startswith("pnl_"))
    np.testing.assert_allclose(parts, found.daily["profit"], atol=1e-6)
    assert found.counts["order"] == len(found.orders["order_id"])
    assert found.counts["order"] > 3


def test_processes_and_a_cluster_write_the_same_bytes(plan: StudyPlan, cluster: str) -> None:
    folders = []
    for name, hands in (
        ("alone", ALONE),
        ("processes", Hands(jobs=2)),
        ("cluster", Hands(dask=cluster)),
    ):
        folder = plan.results / name
        study = study_of(structs.replace(plan, results=folder))
        hands.make_ready()
        study.run(hands)
        study.sweep(hands)
        folders.append(files_of(folder))
    assert len(folders[0]) == 3 * 4 + 4
    assert folders[0] == folders[1] == folders[2]


def test_no_cluster_is_told(plan: StudyPlan, unused_tcp_port: int) -> None:
    with pytest.raises(Failed, match="no Dask scheduler answers"):
        study_of(plan).run(Hands(dask=f"tcp://127.0.0.1:{unused_tcp_port}"))


def test_what_was_run_is_kept_and_what_was_not_is_run(plan: StudyPlan) -> None:
    study = study_of(plan)
    study.run(ALONE)
    before = files_of(plan.results)
    (plan.results / "option_a.daily.parquet").unlink()
    times = {path: path.stat().st_mtime_ns for path in plan.results.glob("static.*")}
    study.run(ALONE)
    assert files_of(plan.results) == before
    assert {path: path.stat().st_mtime_ns for path in plan.results.glob("static.*")} == times


def test_other_days_are_another_study(plan: StudyPlan) -> None:
    study_of(plan).run(ALONE)
    before = files_of(plan.results)
    later = structs.replace(plan, first=plan.last and plan.last.replace(day=1))
    study_of(later).run(ALONE)
    after = files_of(plan.results)
    assert before.keys() == after.keys()
    assert before["static.daily.parquet"] != after["static.daily.parquet"]


def test_a_study_that_is_stopped_keeps_what_was_done(plan: StudyPlan) -> None:
    class Stopped(Hands, frozen=True):
        def run(
            self,
            material: Material,
            variants: Sequence[Variant],
            progress: Progress = lambda _: None,  # noqa: ARG002 - as `Hands` has it
        ) -> Iterator[list[Outcome]]:
            yield run_variants(material, variants[:1])
            raise KeyboardInterrupt

    study = study_of(plan)
    with pytest.raises(KeyboardInterrupt):
        study.run(Stopped())
    assert study.folder.has(study.material, plan.variants[0])
    assert not study.folder.has(study.material, plan.variants[1])


def test_what_other_code_has_made_is_refused(plan: StudyPlan) -> None:
    class Other(Hands, frozen=True):
        def run(
            self,
            material: Material,
            variants: Sequence[Variant],
            progress: Progress = lambda _: None,  # noqa: ARG002 - as `Hands` has it
        ) -> Iterator[list[Outcome]]:
            yield [structs.replace(each, key="other") for each in run_variants(material, variants)]

    study = study_of(plan)
    with pytest.raises(Failed, match="the same hedgestat on every worker"):
        study.run(Other())
    assert not study.folder.has(study.material, plan.variants[0])


def test_everything_that_was_tried_counts(plan: StudyPlan) -> None:
    study = study_of(plan)
    study.run(ALONE)
    assert study.tried == 3
    study.run(ALONE)
    assert study.tried == 3
    study.sweep(ALONE)
    assert study.tried == 3 + 4
    study_of(structs.replace(plan, variants=plan.variants[:1])).run(ALONE)
    assert json.loads((plan.results / "study.json").read_text())["variants_tried"] == 7


def test_study_json_says_what_made_it(plan: StudyPlan) -> None:
    study = study_of(plan)
    study.run(ALONE)
    noted = json.loads((plan.results / "study.json").read_text())
    assert noted["command"] == "hedgestat study run"
    assert noted["data_digest"] == study.material.digest
    assert [each["name"] for each in noted["variants"]] == ["static", "option_a", "median"]
    assert noted["variants"][1]["config_digest"] == plan.variants[1].settings.digest
    assert any("2015-09-07 has no close" in each for each in noted["findings"])


def test_a_damaged_result_is_told(plan: StudyPlan) -> None:
    study = study_of(plan)
    study.run(ALONE)
    (plan.results / "static.daily.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(Failed, match=r"static\.daily\.parquet"):
        figures_of(study.folder, plan.variants)


def test_zero_cost_is_free_and_the_usual_is_not(plan: StudyPlan) -> None:
    free = without_costs(plan)
    for each, is_free in ((plan, False), (free, True)):
        found = run_variants(material_of(each), each.variants[:2])[1]
        assert bool(found.daily["cost"].sum() == 0.0) is is_free


def test_a_plan_that_sweeps_nothing_says_so(plan: StudyPlan) -> None:
    with pytest.raises(Refused, match="sweeps nothing"):
        list(swept_variants(structs.replace(plan, sweep=())))


def test_packs_hold_every_variant_once_in_order(plan: StudyPlan) -> None:
    variants = list(swept_variants(plan)) * 20
    for workers in (1, 2, 7):
        packs = packs_of(variants, workers)
        assert [each for pack in packs for each in pack] == variants
        assert max(map(len, packs)) <= 32


def test_packs_shrink_so_that_workers_end_together(plan: StudyPlan) -> None:
    variants = list(swept_variants(plan)) * 50
    sizes = [len(pack) for pack in packs_of(variants, 2)]
    assert sizes == [32, 32, 32, 26, 20, 15, 11, 8, 6, 5, 4, 3, 3, 3]
    assert [len(pack) for pack in packs_of(variants[:3], 2)] == [1, 1, 1]
