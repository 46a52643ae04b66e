"""Files as they lie on people's disks."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from shared.adapters.history.readers import HistoryError, read_file
from shared.adapters.history.series import DailyBar
from shared.adapters.history.tables import read_sheet

FRIDAY, MONDAY = date(2018, 2, 2), date(2018, 2, 5)
BARS = (DailyBar(day=FRIDAY, close=17.31), DailyBar(day=MONDAY, close=37.32))


def parquet_file(path: Path, **columns: list[object]) -> Path:
    parquet.write_table(pa.table(columns), path)
    return path


def test_parquet_is_read_as_a_csv_file_is(tmp_path: Path) -> None:
    path = parquet_file(tmp_path / "VIX.parquet", Date=[FRIDAY, MONDAY], Close=[17.31, 37.32])
    (series,) = read_file(path)
    assert (series.symbol, series.bars, series.findings) == ("VIX", BARS, ())


def test_the_index_of_a_frame_is_its_day(tmp_path: Path) -> None:
    stamps = [datetime(2018, 2, day, tzinfo=UTC) for day in (2, 5)]
    path = parquet_file(
        tmp_path / "VIX.parquet", close=[17.31, 37.32], __index_level_0__=list(stamps)
    )
    (series,) = read_file(path)
    assert series.bars == BARS


def test_an_empty_cell_of_parquet_is_reported_by_its_row(tmp_path: Path) -> None:
    path = parquet_file(tmp_path / "VIX.parquet", date=[FRIDAY, MONDAY], close=[17.31, None])
    (series,) = read_file(path)
    assert series.bars == BARS[:1]
    assert series.findings[0].place.endswith("VIX.parquet:2")


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "VIX.parquet"
    path.write_text("date,close\n2018-02-02,17.31\n")
    with pytest.raises(HistoryError, match="not a Parquet file"):
        read_file(path)
    with pytest.raises(HistoryError, match=r"nowhere\.parquet: No such file"):
        read_file(tmp_path / "nowhere.parquet")


def test_parquet_without_its_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(HistoryError, match=r"hedgestat\[archive\]"):
        read_sheet(tmp_path / "VIX.parquet")


def test_a_parquet_file_without_rows_is_refused(tmp_path: Path) -> None:
    path = parquet_file(tmp_path / "VIX.parquet", date=[], close=[])
    with pytest.raises(HistoryError, match="no rows in it"):
        read_file(path)


def test_words_before_the_header_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "VIX.csv"
    path.write_text("Cboe Exchange\n\ndate,close\n2018-02-02,17.31\n2018-02-05,37.32\n")
    (series,) = read_file(path)
    assert series.bars == BARS


def test_an_empty_cell_too_many_does_no_harm_and_a_full_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "VIX.csv"
    path.write_text("date,close\n2018-02-02,17.31,\n2018-02-05,37.32,,\n")
    assert read_file(path)[0].bars == BARS
    path.write_text("date,close\n2018-02-02,17.31,5\n")
    with pytest.raises(HistoryError, match=r"VIX\.csv:2: 3 cells under 2 columns"):
        read_file(path)
