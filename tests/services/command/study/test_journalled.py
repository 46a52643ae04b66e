"""A recorded journal is a history like any other: what it believed is judged and decided anew."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from fakes.recorded_run import RecordedRun, recorded_run
from msgspec import structs

from services.command.endings import Refused
from services.command.study.journalled import journalled_steps, opened
from services.command.study.material import read_material
from services.command.study.passes import run_variants
from shared.adapters.export import ExportFile
from shared.adapters.store import Entry
from shared.adapters.study.plan import StudyPlan
from shared.domain.events import ClockAdvanced, Tick
from shared.domain.instants import HOUR, MINUTE
from shared.domain.tick_block import TickBlock
from shared.wire import keys
from shared.wire.journal import JournalEntry, encode_entry

FIRST, LAST = date(2015, 7, 1), date(2015, 12, 31)


@pytest.fixture(scope="module")
def run() -> RecordedRun:
    return recorded_run(FIRST, LAST)


def exported(path: Path, entries: Sequence[Entry]) -> Path:
    with ExportFile(path, {}) as file:
        file.write([Entry(keys.decisions(), 1, b"not looked at")])
        file.write(entries)
        file.finish()
    return path


def test_a_study_of_a_journal_orders_what_was_ordered(
    run: RecordedRun, plan: StudyPlan, tmp_path: Path
) -> None:
    path = exported(tmp_path / "run.parquet", run.entries)
    plan = structs.replace(plan, history=(path,), first=None, last=None)
    material = read_material(plan, plan.variants[0].settings)
    assert (material.first, material.last) == (FIRST, LAST)
    (found,) = run_variants(material, [plan.variant("as_it_was", {})])
    ours = [order for order in run.orders if order.book == "overlay"]
    assert found.orders["event_ns"].tolist() == [order.event_ns for order in ours]
    assert found.orders["side"].tolist() == [order.side for order in ours]
    assert found.orders["quantity"].tolist() == [order.quantity for order in ours]
    assert len(ours) > 10
    assert len(found.daily["day"]) == len(np.unique(found.daily["day"])) == 128


def test_some_days_of_a_journal_are_a_study_too(
    run: RecordedRun, plan: StudyPlan, tmp_path: Path
) -> None:
    path = exported(tmp_path / "run.parquet", run.entries)
    plan = structs.replace(plan, history=(path,), first=date(2015, 8, 3), last=date(2015, 8, 31))
    material = read_material(plan, plan.variants[0].settings)
    assert (material.first, material.last) == (date(2015, 8, 3), date(2015, 8, 31))


def test_a_clock_that_passes_over_a_close_has_one_put_there(
    run: RecordedRun, tmp_path: Path
) -> None:
    close_ns = int(run.calendar.close_ns[6_000])
    early = Tick(symbol="VIX", event_ns=close_ns - MINUTE, price=18.0)
    late = Tick(symbol="VIX", event_ns=close_ns + MINUTE, price=19.0)
    items = (
        ClockAdvanced(event_ns=close_ns - HOUR),
        TickBlock.of([early, late]),
        ClockAdvanced(event_ns=close_ns + HOUR),
    )
    payload = encode_entry(JournalEntry(0, close_ns, items))
    path = exported(tmp_path / "live.parquet", [Entry(keys.journal(), 1, payload)])
    export = opened(path)
    assert export is not None
    steps = journalled_steps(path, export, run.calendar, None, None)
    assert [step.clock_ns - close_ns for step in steps] == [-HOUR, 0, HOUR]
    prices = [[tick.price for tick in step.ticks] for step in steps]
    assert prices == [[], [18.0], [19.0]]


def test_a_journal_with_a_hole_is_refused(
    run: RecordedRun, plan: StudyPlan, tmp_path: Path
) -> None:
    path = exported(tmp_path / "run.parquet", [*run.entries[:5], *run.entries[7:9]])
    plan = structs.replace(plan, history=(path,), first=None, last=None)
    with pytest.raises(Refused, match="lacks entries 6 to 7"):
        read_material(plan, plan.variants[0].settings)


def test_a_journal_without_these_days_is_refused(
    run: RecordedRun, plan: StudyPlan, tmp_path: Path
) -> None:
    path = exported(tmp_path / "run.parquet", run.entries)
    plan = structs.replace(plan, history=(path,), first=date(2016, 1, 4), last=None)
    with pytest.raises(Refused, match="no tick of this journal lies between 2016-01-04"):
        read_material(plan, plan.variants[0].settings)


def test_another_file_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / "vix.csv").write_text("date,close\n")
    assert opened(tmp_path / "vix.csv") is None
    assert opened(tmp_path) is None
