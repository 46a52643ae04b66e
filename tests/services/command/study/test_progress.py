"""How far a study is: by sessions where they are seen, by variants everywhere."""

from io import StringIO

import pytest
from rich.console import Console

from services.command.study.progress import StudyProgress


def test_on_a_terminal_steps_move_the_bar_between_variants() -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=80)
    with StudyProgress(4, 10, console) as progress:
        for _ in range(10):
            progress.stepped(2)
        progress.finished(2)
        task = progress._bar.tasks[0]  # noqa: SLF001 - what it shows
        assert (task.completed, task.total) == (20, 40)
        progress.finished(2)
        assert task.finished
    assert "4 of 4 variants" in screen.getvalue()


def test_elsewhere_there_is_a_line_for_each_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with StudyProgress(100, 10, Console(file=StringIO())) as progress:
        for _ in range(20):
            progress.finished(5)
    told = capsys.readouterr().err.splitlines()
    assert told == [f"{done} of 100 variants" for done in range(10, 101, 10)]
