"""When a book reviews its hedge."""

from math import inf
from pathlib import Path

from fakes.configurations import SOUND, load, only_fault, spoilt


def test_greek_bands_are_read_and_their_ends_compared(tmp_path: Path) -> None:
    band = '[[books.triggers.greek_bands]]\ngreek = "vega"\nlow = {}\nhigh = 500\n'
    text = SOUND.replace("[books.triggers.fast]\n", "[books.triggers.fast]\nenabled = false\n")
    (book,) = load(
        tmp_path, text.replace("[[books.legs]]", band.format(-500) + "[[books.legs]]")
    ).books
    assert [(each.greek, each.low, each.high) for each in book.triggers.greek_bands] == [
        ("vega", -500, 500)
    ]
    assert book.triggers.fast is None
    wrong = text.replace("[[books.legs]]", band.format(600) + "[[books.legs]]")
    assert "600 is not below high" in only_fault(tmp_path, wrong).problem


def test_a_move_may_be_off_and_only_off(tmp_path: Path) -> None:
    quiet = 'vix_points = "off"\nvix_relative = "off"\ndrawdown = "off"\n'
    (book,) = load(tmp_path, spoilt("[books.triggers]\n", f"[books.triggers]\n{quiet}")).books
    assert {book.triggers.vix_points, book.triggers.vix_relative, book.triggers.drawdown} == {inf}
    nearly = spoilt("[books.triggers]", '[books.triggers]\nvix_points = "of"')
    assert "string" in only_fault(tmp_path, nearly).problem
