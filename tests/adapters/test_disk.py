import shutil
from pathlib import Path

from shared.adapters.disk import free_ratio


def test_the_free_share_is_that_of_the_file_system(tmp_path: Path) -> None:
    usage = shutil.disk_usage(tmp_path)
    assert abs(free_ratio(tmp_path) - usage.free / usage.total) < 0.01


def test_a_file_that_is_not_there_yet_counts_where_it_would_be(tmp_path: Path) -> None:
    assert 0 <= free_ratio(tmp_path / "not" / "yet.sqlite") <= 1
