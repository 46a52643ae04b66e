"""Opening positions: tables for a few, a file for thousands."""

from pathlib import Path

import pytest
from fakes.configurations import SOUND, faults_of, load, only_fault, spoilt

from shared.adapters.settings import Fault

POSITION = '[[books.positions]]\nsymbol = "SPXW261218P05000000"\nquantity = -40\n'
WITH_FILE = spoilt('rule = "option_a"', 'rule = "option_a"\npositions_file = "held.csv"')


def write(directory: Path, *lines: str) -> None:
    (directory / "held.csv").write_text("\n".join(("symbol,quantity", *lines)) + "\n")


def file_fault(directory: Path) -> Fault:
    fault = only_fault(directory, WITH_FILE)
    assert fault.key == "books[0].positions_file"
    assert fault.line > 0
    return fault


def test_positions_stand_in_tables(tmp_path: Path) -> None:
    text = SOUND + POSITION + '[[books.positions]]\nsymbol = "SPX"\nquantity = 2.5\n'
    settings = load(tmp_path, text)
    assert settings.positions == {"overlay": {"SPX": 2.5, "SPXW261218P05000000": -40.0}}
    assert list(settings.positions["overlay"]) == ["SPX", "SPXW261218P05000000"]
    assert settings.has_positions


def test_positions_stand_in_a_file_beside_the_configuration(tmp_path: Path) -> None:
    write(tmp_path, "SPX,2", "", "SPXW261218P05000000,-40")
    settings = load(tmp_path, WITH_FILE + POSITION.replace("P05", "C05"))
    assert settings.positions["overlay"] == {
        "SPX": 2.0,
        "SPXW261218C05000000": -40.0,
        "SPXW261218P05000000": -40.0,
    }


def test_the_options_that_are_held_may_arrive(tmp_path: Path) -> None:
    settings = load(tmp_path, SOUND + POSITION + "[options]\nmax_symbols = 7\n")
    assert settings.intake.option_roots == {"SPXW"}
    assert getattr(settings.intake.options, "max_symbols", None) == 7
    assert load(tmp_path, SOUND).intake.option_roots == frozenset()


def test_positions_are_part_of_the_digest(tmp_path: Path) -> None:
    texts = [SOUND, SOUND + POSITION, SOUND + POSITION.replace("40", "41")]
    texts.append(texts[1] + "[options]\nrate = 0.04\n")
    texts.append(texts[1] + '[exposure]\nmeasure_every = "1 s"\n')
    assert len({load(tmp_path, text).digest for text in texts}) == len(texts)
    unused = SOUND + "[options]\nrate = 0.04\n"
    assert load(tmp_path, unused).digest == load(tmp_path, SOUND).digest


@pytest.mark.parametrize(
    ("symbol", "reason"),
    [
        ("FOO", "unknown_root"),
        ("MSFT261218C00200000", "unknown_root"),
        ("SPXW261318P05000000", "malformed"),
        ("ESF26", "no_such_expiry"),
        ("SPXW651218P05000000", "beyond_calendar"),
    ],
)
def test_a_position_in_nothing_known_is_refused(tmp_path: Path, symbol: str, reason: str) -> None:
    fault = only_fault(tmp_path, SOUND + POSITION.replace("SPXW261218P05000000", symbol))
    assert fault.key == "books[0].positions[0].symbol"
    assert f"({reason})" in fault.problem
    assert fault.line > 0


def test_a_position_stands_there_once(tmp_path: Path) -> None:
    assert "twice" in only_fault(tmp_path, SOUND + POSITION + POSITION).problem
    write(tmp_path, "SPXW261218P05000000,1")
    assert "line 2: SPXW261218P05000000 stands there twice" in (
        only_fault(tmp_path, WITH_FILE + POSITION).problem
    )


def test_a_position_has_a_symbol_and_a_quantity(tmp_path: Path) -> None:
    found = faults_of(tmp_path, SOUND + "[[books.positions]]\nsize = 1\n")
    assert [fault.key.rpartition(".")[2] for fault in found] == ["symbol", "quantity", "size"]


def test_what_prices_a_position_must_arrive(tmp_path: Path) -> None:
    rut = POSITION.replace("SPXW", "RUTW")
    fault = only_fault(tmp_path, SOUND + rut)
    assert (fault.key, fault.remedy) == ("symbols", "write [symbols.RUT]")
    future = POSITION.replace("SPXW261218P05000000", "VIX261216C00020000")
    assert load(tmp_path, SOUND + future).has_positions  # parity gives its future


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("SPX", "1 fields, not two"),
        ("SPX,1,2", "3 fields, not two"),
        ("SPX,many", "'many' is no quantity"),
        ("SPX,nan", "'nan' is no quantity"),
        ("SPX,inf", "'inf' is no quantity"),
        ("FOO,1", "(unknown_root)"),
        ("SPXW  261218P05000000,1", "is written 'SPXW261218P05000000' here"),
    ],
)
def test_a_wrong_line_of_the_file_is_told(tmp_path: Path, line: str, problem: str) -> None:
    write(tmp_path, "VIX,0", line)
    fault = file_fault(tmp_path)
    assert fault.problem.startswith("held.csv, line 3: ")
    assert problem in fault.problem


def test_of_many_wrong_lines_ten_are_told(tmp_path: Path) -> None:
    write(tmp_path, *(f"FOO{number},1" for number in range(30)))
    assert len(faults_of(tmp_path, WITH_FILE)) == 10


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in file_fault(tmp_path).problem
    (tmp_path / "held.csv").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in file_fault(tmp_path).problem
    (tmp_path / "held.csv").write_text("instrument;count\n")
    assert "another first line" in file_fault(tmp_path).problem


def test_a_calendar_that_is_at_fault_spoils_nothing_else(tmp_path: Path) -> None:
    calendar = '[calendar]\nearly_closes = { 2026-12-19 = "13:00" }\n'
    assert only_fault(tmp_path, SOUND + POSITION + calendar).key == "calendar.early_closes"
