"""An export appears whole or not at all, and is read as it was written."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

import shared.adapters.export
from shared.adapters.archive import ArchiveUnavailable
from shared.adapters.export import ExportFile, NoExport, read_export
from shared.adapters.store import Entry


def entries(stream: str, first: int, last: int) -> list[Entry]:
    return [Entry(stream, index, b"%d\xff" % index) for index in range(first, last + 1)]


def export(path: Path) -> None:
    with ExportFile(path, {"config_digest": "abc"}) as file:
        file.write(entries("decisions", 1, 30))
        file.write([])
        file.write(entries("journal", 5, 2_500))
        file.finish()


def test_streams_are_read_back_in_batches_of_one_stream(tmp_path: Path) -> None:
    export(tmp_path / "x.parquet")
    exported = read_export(tmp_path / "x.parquet")
    batches = list(exported.entries())
    assert exported.count == 30 + 2_496
    assert exported.properties["config_digest"] == "abc"
    assert all(len({entry.stream for entry in batch}) == 1 for batch in batches)
    assert [entry for batch in batches for entry in batch] == [
        *entries("decisions", 1, 30),
        *entries("journal", 5, 2_500),
    ]


def test_until_it_is_finished_there_is_no_file_and_then_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    with ExportFile(path, {}) as file:
        file.write(entries("journal", 1, 3))
        assert not path.exists()
        file.finish()
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_not_finished_leaves_nothing_and_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    export(path)
    before = path.read_bytes()

    def interrupted() -> None:
        with ExportFile(path, {}) as file:
            file.write(entries("journal", 1, 3))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_another_parquet_file_is_no_export(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"stream": ["x"]}), tmp_path / "x.parquet")
    with pytest.raises(NoExport, match="journal export"):
        read_export(tmp_path / "x.parquet")
    with pytest.raises(NoExport, match="no export of ours"):
        read_export(tmp_path / "nowhere")


def test_a_damaged_export_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    export(path)
    damaged = bytearray(path.read_bytes())
    damaged[20:200] = bytes(180)
    path.write_bytes(damaged)
    with pytest.raises(NoExport):
        list(read_export(path).entries())


def test_without_pyarrow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.adapters.export, "parquet", None)
    with pytest.raises(ArchiveUnavailable, match=r"hedgestat\[archive\]"):
        ExportFile(tmp_path / "x", {})
    with pytest.raises(ArchiveUnavailable, match=r"hedgestat\[archive\]"):
        read_export(tmp_path / "x")
