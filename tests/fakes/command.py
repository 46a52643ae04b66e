"""The `hedgestat` command as a person runs it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
HEDGESTAT: Final = str(Path(sys.executable).with_name("hedgestat"))


def environment(**variables: str) -> dict[str, str]:
    """Ours without what would lead a command elsewhere, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEDGESTAT_")}
    return {**kept, "COLUMNS": "80", **variables}


def hedgestat(
    *arguments: str,
    directory: Path,
    variables: Mapping[str, str] | None = None,
    within_s: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run it to its end.

    Args:
        arguments: The command line after `hedgestat`.
        directory: Where it runs.
        variables: Of the environment.
        within_s: It is killed, and the test fails, when it takes longer.
    """
    return subprocess.run(
        [HEDGESTAT, *arguments],
        cwd=directory,
        env=environment(**variables or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=within_s,
    )
