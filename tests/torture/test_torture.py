"""The CI tier of the campaign: a sweep on real servers, and what `hedgestat torture` says of it."""

from pathlib import Path

import pytest
from fakes.programs import hedgestat

pytestmark = [pytest.mark.system, pytest.mark.campaign, pytest.mark.timeout(300)]


def test_a_campaign_on_real_servers_violates_nothing(tmp_path: Path) -> None:
    words = ["torture", "--minutes", "1.5", "--keep", str(tmp_path / "kept")]
    program = hedgestat(*words, name="torture", directory=tmp_path)
    program.start()
    try:
        assert program.ended(within_s=240) == 0, program.log
    finally:
        program.kill()
    print(program.log)  # noqa: T201 - seeds and figures
