"""What stands with every decision: which code made it."""

import re
import subprocess
import sys
from pathlib import Path

from shared.adapters.code_version import code_version


def test_it_names_the_release_and_the_sources() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{12}", code_version())


def test_another_process_elsewhere_finds_the_same(tmp_path: Path) -> None:
    program = "from shared.adapters.code_version import code_version; print(code_version())"
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == code_version()
