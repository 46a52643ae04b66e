"""Tests that cannot fail show nothing: with each deliberate bug in the code, its tests go red.

A bug is put into a copy of `services` and `shared`, and its tests are run on the copy. A bug whose
text is not there any more fails by name: then the list has to be brought up to date.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from deliberate_bugs.bugs import BUGS, Bug

pytestmark = [pytest.mark.bugs, pytest.mark.timeout(120)]

ROOT: Final = Path(__file__).parents[2]
FAILED: Final = 1
"""pytest's exit code when tests failed; any other is no verdict on the bug."""
PATIENCE_S: Final = 5
"""For one test with a bug in it: what waits for something that never comes has failed then."""


def copied(directory: Path) -> Path:
    """A copy of the code, in which bytecode of the original does not count."""
    for name in ("services", "shared"):
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    return directory


def run(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run tests of this tree on the code of that one."""
    python = [sys.executable, "-P", "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*python, *words],
        cwd=ROOT,
        env=environment(tree),
        capture_output=True,
        text=True,
        check=False,
    )


def environment(tree: Path) -> Mapping[str, str]:
    """Ours, but for where code is found; nothing is compiled anew for a copy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    switches = {"NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return kept | switches | {"PYTHONPATH": str(tree)}


def test_without_a_bug_every_one_of_these_tests_passes(tmp_path: Path) -> None:
    tests = sorted({test for bug in BUGS for test in bug.tests})
    done = run(copied(tmp_path), *tests)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name.replace(" ", "-"))
def test_a_deliberate_bug_turns_tests_red(bug: Bug, tmp_path: Path) -> None:
    path = copied(tmp_path) / bug.file
    text = path.read_text()
    assert text.count(bug.old) == 1, f"{bug.file} does not hold this once any more: {bug.old}"
    path.write_text(text.replace(bug.old, bug.new))
    done = run(tmp_path, "-x", f"--timeout={PATIENCE_S}", *bug.tests)
    assert done.returncode == FAILED, f"nobody noticed: {bug.name}\n{done.stdout[-3000:]}"


def test_no_bug_is_listed_twice() -> None:
    assert max(Counter(bug.name for bug in BUGS).values()) == 1
    assert max(Counter((bug.file, bug.old, bug.new) for bug in BUGS).values()) == 1
    assert len(BUGS) >= 20
