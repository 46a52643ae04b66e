"""How full a disk is."""

import shutil
from pathlib import Path


def free_ratio(path: Path) -> float:
    """Return which share of the file system that holds `path` is free, 0 to 1.

    Args:
        path: A file or directory; while there is none, its nearest parent that there is.
    """
    there = path.absolute()
    while not there.exists():
        there = there.parent
    usage = shutil.disk_usage(there)
    return usage.free / usage.total if usage.total else 1.0
