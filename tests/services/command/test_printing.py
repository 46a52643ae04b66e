"""How commands print: brackets are brackets, and a file gets no bar."""

from io import StringIO

import pytest
from rich.console import Console
from rich.progress import MofNCompleteColumn

from services.command.printing import passes_tenth, progress_bar, tell


def test_a_text_is_told_as_it_is_in_one_line() -> None:
    page = StringIO()
    text = "[bold]not markup " + "x" * 200
    tell(Console(file=page, width=80), text)
    assert page.getvalue() == f"{text}\n"


def test_a_bar_is_drawn_on_a_terminal_and_nowhere_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for is_terminal in (True, False):
        screen = StringIO()
        console = Console(file=screen, force_terminal=is_terminal, width=80)
        with progress_bar(console, MofNCompleteColumn(), "sessions") as bar:
            bar.advance(bar.add_task("replaying", total=4), 4)
        assert ("sessions" in screen.getvalue()) == is_terminal
        assert bar.disable != is_terminal
    told = capsys.readouterr()
    assert told.out + told.err == ""


def test_each_tenth_is_passed_once() -> None:
    passed = [done for done in range(1, 26) if passes_tenth(done - 1, done, 25)]
    assert passed == [3, 5, 8, 10, 13, 15, 18, 20, 23, 25]
