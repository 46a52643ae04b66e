"""A small study's report, made once: as it is, and with markup in every text that it quotes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs
from page.browsing import chromium
from page.hostile import HOSTILE
from playwright.sync_api import Browser
from rich.console import Console

from services.command.study.report.contents import Contents, contents_of, swept_study
from services.command.study.report.document import document
from services.command.study.report.writing import provenance_of
from services.command.study.study import Hands, Study
from shared.adapters.study.plan import load_plan


@pytest.fixture(scope="session")
def study(plan_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    results = tmp_path_factory.mktemp("report") / "results"
    plan = structs.replace(load_plan(plan_file), results=results, resamples=100)
    made = Study(plan, "hedgestat study report", Console(quiet=True))
    made.run(Hands(jobs=1))
    made.sweep(Hands(jobs=1))
    return made


@pytest.fixture(scope="session")
def contents(study: Study) -> Contents:
    provenance = provenance_of(study, "hedgestat study report half-a-year.toml")
    swept = swept_study(study.plan, study.swept, study.tried)
    return contents_of(study.plan, study.folder, provenance, swept)


@pytest.fixture(scope="session")
def hostile_contents(contents: Contents) -> Contents:
    said = contents.provenance
    assert contents.swept is not None
    variants = tuple(
        structs.replace(
            each,
            figures=structs.replace(
                each.figures,
                variant=structs.replace(each.figures.variant, name=HOSTILE, note=HOSTILE),
            ),
        )
        for each in contents.variants
    )
    return structs.replace(
        contents,
        provenance=structs.replace(
            said,
            title=HOSTILE,
            command=HOSTILE,
            plan=HOSTILE,
            configuration=HOSTILE,
            book=HOSTILE,
            currency=HOSTILE,
            findings=(HOSTILE, *said.findings),
            notes=(HOSTILE,),
        ),
        variants=variants,
        swept=structs.replace(
            contents.swept,
            parameters=tuple(
                structs.replace(each, key=HOSTILE, values=(HOSTILE, HOSTILE + "2"))
                for each in contents.swept.parameters
            ),
            walk=None,
        ),
    )


@pytest.fixture(scope="session")
def html(contents: Contents) -> str:
    return document(contents)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started
