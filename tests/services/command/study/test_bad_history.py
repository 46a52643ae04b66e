"""Files as people have them: what is odd is said and kept, what cannot be used is refused by line.

Never a traceback, and nothing is filled in.
"""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fakes.command import DEPLOY
from fakes.recorded import write_history
from typer.testing import CliRunner

from services.command.groups.study import app
from services.command.study.results import StudyFolder

FIRST, LAST = date(2018, 1, 2), date(2018, 2, 16)
PLAN = f"""
configuration = "{DEPLOY / "demo.toml"}"
from = {FIRST}
to = {LAST}
[[variants]]
name = "option_a"
set = {{ "book.rule" = "option_a" }}
"""

Lines = list[str]
Change = Callable[[Lines], Lines]


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Sound files: SPX with its bars, VIX with its closes."""
    return write_history(tmp_path / "history", FIRST, LAST)


def changed(folder: Path, change: Change, name: str = "VIX.csv") -> Path:
    """Change the lines of a file; returns it."""
    path = folder / name
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    return path


def ran(plan: Path, *history: Path) -> dict[str, Any]:
    """Run the study; it must end well. Returns study.json."""
    results = plan.with_name("results")
    arguments = [part for path in history for part in ("--history", str(path))]
    done = CliRunner().invoke(app, ["run", str(plan), *arguments, "-o", str(results), "-j", "1"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads((results / "study.json").read_text())
    return found


def refused(plan: Path, *history: Path) -> str:
    """Run the study; it must be refused with 2. Returns what was said, on one line."""
    arguments = [part for path in history for part in ("--history", str(path))]
    done = CliRunner().invoke(app, ["run", str(plan), *arguments, "-o", str(plan.parent / "no")])
    assert done.exit_code == 2, (done.output, done.exception)
    assert not (plan.parent / "no").exists()
    return " ".join(done.output.split())


def sessions(plan: Path) -> list[str]:
    days = StudyFolder(plan.with_name("results")).daily("option_a")["day"]
    return [str(day) for day in days.astype("datetime64[D]")]


def line_of(lines: Lines, day: str) -> int:
    return next(number for number, line in enumerate(lines) if line.startswith(day))


def without(*days: str) -> Change:
    return lambda lines: [line for line in lines if not line.startswith(days)]


def close(day: str, value: str) -> Change:
    """Let the close of a day be something else; the line has no bar but it."""

    def change(lines: Lines) -> Lines:
        at = line_of(lines, day)
        return [*lines[:at], f"{day},,,,{value}", *lines[at + 1 :]]

    return change


# --- what is said, and carried on with ------------------------------------------------------------


def test_sound_files_say_nothing(plan: Path, folder: Path) -> None:
    assert ran(plan, folder)["findings"] == []


def test_a_gap_is_said_and_not_filled(plan: Path, folder: Path) -> None:
    changed(folder, without("2018-01-09", "2018-01-10"))
    assert ran(plan, folder)["findings"] == [
        f"{folder}/VIX.csv: VIX: no bar in 2 sessions: 2018-01-09 to 2018-01-10"
    ]
    assert not {"2018-01-09", "2018-01-10"} & set(sessions(plan))
    assert {"2018-01-08", "2018-01-11"} <= set(sessions(plan))


def test_a_day_twice_is_said_by_line(plan: Path, folder: Path) -> None:
    changed(folder, lambda lines: [*lines[:3], lines[2], *lines[3:]])
    (finding,) = ran(plan, folder)["findings"]
    assert finding.startswith(f"{folder}/VIX.csv:4: VIX: 2018-01-03 stands already at")
    assert finding.endswith("with the same values; one is used")


def test_a_day_twice_with_other_values_is_used_neither_way(plan: Path, folder: Path) -> None:
    changed(folder, lambda lines: [*lines[:3], "2018-01-03,,,,10.5", *lines[3:]])
    conflict, gap = ran(plan, folder)["findings"]
    assert "VIX.csv:4: VIX: 2018-01-03 stands already" in conflict
    assert conflict.endswith("with other values; both are refused")
    assert gap.endswith("no bar in 1 session: 2018-01-03")
    assert "2018-01-03" not in sessions(plan)


def test_newest_first_is_said_and_the_same(plan: Path, folder: Path) -> None:
    ran(plan, folder)
    before = StudyFolder(plan.with_name("results")).daily("option_a")["profit"]
    changed(folder, lambda lines: [lines[0], *reversed(lines[1:])])
    assert ran(plan, folder)["findings"] == [
        f"{folder}/VIX.csv: VIX: rows are newest first; sorted by time"
    ]
    after = StudyFolder(plan.with_name("results")).daily("option_a")["profit"]
    assert before.tolist() == after.tolist()


def test_rows_in_no_order_are_said(plan: Path, folder: Path) -> None:
    changed(folder, lambda lines: [lines[0], lines[5], *lines[1:5], *lines[6:]])
    assert "rows are in no order; sorted by time" in ran(plan, folder)["findings"][0]


def test_two_ways_to_write_a_date_are_said(plan: Path, folder: Path) -> None:
    changed(folder, lambda lines: [line.replace("2018-01-05", "01/05/2018") for line in lines])
    findings = ran(plan, folder)["findings"]
    assert any(f"{folder}/VIX.csv" in each and "date" in each for each in findings), findings
    assert "2018-01-05" in sessions(plan)


@pytest.mark.parametrize(("value", "said"), [("0", "0"), ("-11.2", "-11.2"), ("inf", "inf")])
def test_a_price_that_is_none_is_refused_by_line(
    plan: Path, folder: Path, value: str, said: str
) -> None:
    path = changed(folder, close("2018-01-10", value))
    line = line_of(path.read_text().splitlines(), "2018-01-10") + 1
    refusal, gap = ran(plan, folder)["findings"]
    assert refusal == (
        f"{path}:{line}: VIX: 2018-01-10 has {said}, which is not a positive number; row refused"
    )
    assert gap.endswith("no bar in 1 session: 2018-01-10")
    assert "2018-01-10" not in sessions(plan)


@pytest.mark.parametrize("empty", ["", "nan", "."])
def test_a_row_without_a_close_is_said(plan: Path, folder: Path, empty: str) -> None:
    changed(folder, close("2018-01-10", empty))
    finding, gap = ran(plan, folder)["findings"]
    assert finding.endswith("2018-01-10 has no close; not used")
    assert gap.endswith("no bar in 1 session: 2018-01-10")


def test_a_row_on_a_holiday_is_said_and_not_used(plan: Path, folder: Path) -> None:
    changed(folder, lambda lines: [*lines, "2018-01-15,,,,10.16"])
    findings = ran(plan, folder)["findings"]
    assert f"{folder}/VIX.csv: VIX: 2018-01-15: the exchange was closed; bar not used" in findings
    assert "2018-01-15" not in sessions(plan)


def test_a_high_below_the_close_is_said(plan: Path, folder: Path) -> None:
    changed(
        folder,
        lambda lines: [*lines[:4], "2018-01-05,2740,2700,2690,2743.1", *lines[5:]],
        "SPX.csv",
    )
    (finding,) = ran(plan, folder)["findings"]
    assert "SPX.csv:5" in finding
    assert finding.endswith("only the close is used")


def test_a_missing_column_is_no_silent_zero(plan: Path, folder: Path) -> None:
    changed(
        folder,
        lambda lines: [",".join((*line.split(",")[:3], line.split(",")[4])) for line in lines],
        "SPX.csv",
    )
    findings = ran(plan, folder)["findings"]
    assert any("low" in each and f"{folder}/SPX.csv" in each for each in findings), findings


def test_dates_with_times_and_zones_are_said(plan: Path, folder: Path) -> None:
    changed(
        folder,
        lambda lines: [lines[0], *(line.replace(",", "T00:00:00+09:00,", 1) for line in lines[1:])],
    )
    findings = ran(plan, folder)["findings"]
    assert any(f"{folder}/VIX.csv" in each for each in findings), findings


def test_two_zones_in_one_file_are_told_apart(plan: Path, folder: Path) -> None:
    """An intraday file whose bars are stamped in New York is the same as one in UTC."""
    stamps = [f"2018-01-03 {hour:02d}:30:00" for hour in range(15, 21)]
    rows = [f"{{}},2710,2715,2705,{2710 + number}" for number in range(len(stamps))]
    utc = [row.format(stamp + "+00:00") for row, stamp in zip(rows, stamps, strict=True)]
    there = [
        row.format(f"2018-01-03 {int(stamp[11:13]) - 5:02d}:30:00-05:00")
        for row, stamp in zip(rows, stamps, strict=True)
    ]
    profits = []
    for lines in (utc, [*utc[:3], *there[3:]]):
        text = "\n".join(("bar_end_utc,open,high,low,close", *lines))
        (folder / "SPX.csv").write_text(text + "\n")
        plan.write_text(PLAN.replace("[[variants]]", '[history]\nprints = "bars"\n[[variants]]'))
        ran(plan, folder)
        profits.append(StudyFolder(plan.with_name("results")).daily("option_a")["nav"].tolist())
    assert profits[0] == profits[1]


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "VIX.csv: no rows in it"),
        (b"\n\n", "VIX.csv: no rows in it"),
        (b"date,close\n", "VIX.csv: no rows in it"),
        (b"PK\x03\x04\x00\xff\xfe\x00binary\x00", "VIX.csv:1: not UTF-8 text"),
        (b"date,close\n2018-01-03,9.15\x00\n", "VIX.csv:2: "),
        (b"when,what\n2018-01-03,9.15\n", "VIX.csv:1: the header when,what is not known"),
        (b"date,high\n2018-01-03,9.15\n", "VIX.csv:1: "),
        (b"date,close\n2018-01-03,9.15,4\n", "VIX.csv:2: 3 cells under 2 columns"),
        (b"date,close\n2018-01-03,cheap\n", "VIX.csv:2: close is 'cheap', not a number"),
        (b"date,close\nyesterday,9.15\n", "VIX.csv:2: 'yesterday' is not a date"),
        (b"date,close\n2018-02-30,9.15\n", "VIX.csv:2: '2018-02-30' is not a date"),
        (b"date,close\n31/01/2018,9.15\n", "VIX.csv:2: '31/01/2018' is not a date"),
        (b'date,close\n2018-01-03,"9.15\n', "VIX.csv:2: "),
        (b"\xff\xfed\x00a\x00t\x00e\x00", "VIX.csv:1: not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_line(
    plan: Path, folder: Path, content: bytes, said: str
) -> None:
    (folder / "VIX.csv").write_bytes(content)
    assert f"{folder}/{said}" in refused(plan, folder)


def test_what_is_not_there_is_refused(plan: Path, tmp_path: Path) -> None:
    assert f"{tmp_path}/gone.csv: No such file" in refused(plan, tmp_path / "gone.csv")


def test_a_folder_without_files_is_refused(plan: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert f"{tmp_path}/empty: no " in refused(plan, tmp_path / "empty")


def test_a_folder_that_is_called_as_a_file_is_refused(plan: Path, folder: Path) -> None:
    (folder / "NDX.csv").mkdir()
    assert f"{folder}/NDX.csv: Is a directory" in refused(plan, folder)


def test_a_file_that_may_not_be_read_is_refused(plan: Path, folder: Path) -> None:
    (folder / "VIX.csv").unlink()
    (folder / "VIX.csv").symlink_to(folder / "VIX.csv")
    assert f"{folder}/VIX.csv: Too many levels of symbolic links" in refused(plan, folder)


def test_files_without_vix_are_refused(plan: Path, folder: Path) -> None:
    (folder / "VIX.csv").unlink()
    assert "no history of VIX, which the configuration needs; there is SPX" in refused(plan, folder)


def test_two_files_of_one_symbol_are_refused(plan: Path, folder: Path, tmp_path: Path) -> None:
    other = write_history(tmp_path / "other", FIRST, LAST)
    said = refused(plan, folder, other / "VIX.csv")
    assert f"{folder}/VIX.csv is of VIX too; keep one" in said


def test_files_of_other_days_are_refused(plan: Path, tmp_path: Path) -> None:
    other = write_history(tmp_path / "other", date(2016, 1, 4), date(2016, 2, 1))
    said = "no session of this history lies between 2018-01-02 and 2018-02-16"
    assert said in refused(plan, other)


def test_a_file_in_which_every_row_is_refused_is_refused(plan: Path, folder: Path) -> None:
    changed(folder, lambda lines: [lines[0], *(f"{line[:10]},,,,0" for line in lines[1:])])
    said = refused(plan, folder)
    assert f"{folder}/VIX.csv" in said
    assert "VIX" in said
