"""Rows become columns, columns become a file that says what made it, and come back as they were."""

from pathlib import Path

import numpy as np
import pytest
from msgspec import Struct

from shared.adapters.study.columns import columns_of
from shared.adapters.study.files import (
    DamagedResult,
    key_of,
    read_columns,
    write_columns,
    write_text,
)


class Row(Struct, kw_only=True):
    day: str
    count: int
    level: float | None
    is_good: bool


ROWS = [
    Row(day="2018-02-05", count=1, level=37.32, is_good=True),
    Row(day="", count=2, level=None, is_good=False),
]


def test_rows_come_back_from_a_file_as_columns(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    columns = columns_of(Row, ROWS)
    write_columns(path, columns, "key")
    found = read_columns(path)
    assert found.keys() == {"day", "count", "level", "is_good"}
    assert found["day"].tolist() == ["2018-02-05", ""]
    assert found["count"].tolist() == [1, 2]
    assert found["level"][0] == 37.32
    assert np.isnan(found["level"][1])
    assert found["is_good"].tolist() == [True, False]


def test_no_rows_are_columns_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "none.parquet"
    write_columns(path, columns_of(Row, []), "key")
    assert {name: len(values) for name, values in read_columns(path).items()} == dict.fromkeys(
        Row.__struct_fields__, 0
    )


def test_days_stay_days(tmp_path: Path) -> None:
    days = np.array(["2018-02-05", "2018-02-06"], dtype="datetime64[D]")
    write_columns(tmp_path / "days.parquet", {"day": days}, "key")
    found = read_columns(tmp_path / "days.parquet")["day"].astype("datetime64[D]")
    assert found.tolist() == days.tolist()


def test_a_file_says_what_made_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    assert key_of(path) == ""
    write_columns(path, columns_of(Row, ROWS), "made-by-this")
    assert key_of(path) == "made-by-this"


def test_the_same_columns_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_columns(tmp_path / name, columns_of(Row, ROWS), "key")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_file_that_is_none_of_ours_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"no parquet at all")
    assert key_of(path) == ""
    with pytest.raises(DamagedResult, match="run the study again"):
        read_columns(path)


def test_nothing_unfinished_is_left_behind(tmp_path: Path) -> None:
    write_text(tmp_path / "study.json", "{}")
    write_columns(tmp_path / "rows.parquet", columns_of(Row, ROWS), "key")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["rows.parquet", "study.json"]
