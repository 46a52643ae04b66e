from pathlib import Path

from fakes.configurations import SOUND, load

from services.command.holdings import told_holdings
from shared.domain.instants import SECOND

HELD = "".join(
    f'[[books.positions]]\nsymbol = "SPXW2612{day}P05000000"\nquantity = 1\n'
    for day in range(14, 20)
)
BEFORE = 1_790_000_000 * SECOND  # in September 2026
AFTER = BEFORE + 100_000_000 * SECOND


def test_nothing_is_said_of_nothing(tmp_path: Path) -> None:
    assert list(told_holdings(load(tmp_path, SOUND), BEFORE)) == []


def test_what_is_held_is_counted_and_what_has_expired_is_named(tmp_path: Path) -> None:
    settings = load(tmp_path, SOUND + HELD)
    taken = "Quotes of options are taken of SPXW."
    assert list(told_holdings(settings, BEFORE)) == ["overlay opens with 6 positions.", taken]
    names = ", ".join(f"SPXW2612{day}P05000000" for day in range(14, 19))
    told = f"overlay opens with 6 positions; 6 of them have expired: {names}, …."
    assert list(told_holdings(settings, AFTER)) == [told, taken]
