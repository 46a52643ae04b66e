"""A folder of files, as a user brings it."""

from pathlib import Path

import pytest

from shared.adapters.history.directory import open_history
from shared.adapters.history.readers import HistoryError
from shared.adapters.history.series import FindingKind


def test_every_file_of_a_folder_is_read_by_symbol_and_checked(tmp_path: Path) -> None:
    (tmp_path / "VIX.csv").write_text("date,close\n2018-01-02,9.77\n2018-01-04,9.22\n")
    (tmp_path / "SPX.CSV").write_text("date,close\n2018-01-02,2695.81\n2018-01-03,2713.06\n")
    (tmp_path / "notes.txt").write_text("not history")
    spx, vix = open_history(tmp_path)
    assert (spx.symbol, spx.findings) == ("SPX", ())
    assert (vix.symbol, [finding.kind for finding in vix.findings]) == ("VIX", [FindingKind.GAP])


def test_one_file_will_do(tmp_path: Path) -> None:
    path = tmp_path / "VIX.csv"
    path.write_text("date,close\n2018-01-02,9.77\n")
    assert [series.symbol for series in open_history(path, "24/7")] == ["VIX"]


def test_two_files_of_one_symbol_are_refused(tmp_path: Path) -> None:
    for name in ("VIX_a.csv", "VIX_b.csv"):
        (tmp_path / name).write_text("date,close\n2018-01-02,9.77\n")
    with pytest.raises(HistoryError, match=r"VIX_b\.csv: .*VIX_a\.csv is of VIX too"):
        open_history(tmp_path)


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"no \.csv or \.parquet file"):
        open_history(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="nowhere: No such file"):
        open_history(tmp_path / "nowhere")


def test_several_sources_are_one_history(tmp_path: Path) -> None:
    first, second = tmp_path / "VIX.csv", tmp_path / "SPX.csv"
    for path in (first, second):
        path.write_text("date,close\n2018-02-02,17.31\n")
    assert [s.symbol for s in open_history([first, second, first])] == ["SPX", "VIX"]
    other = tmp_path / "other" / "VIX.csv"
    other.parent.mkdir()
    other.write_text("date,close\n2018-02-05,37.32\n")
    with pytest.raises(HistoryError, match="is of VIX too; keep one"):
        open_history([first, second, other])
