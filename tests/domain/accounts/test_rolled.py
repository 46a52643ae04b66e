import pytest

from shared.domain.accounts.rolled import Rolled


def test_a_symbol_jumps_by_the_difference_of_its_two_contracts() -> None:
    rolled = Rolled(symbol="VX1", event_ns=1, given_up=15.0, taken_on=16.5)
    assert rolled.jump == pytest.approx(1.5)
    assert rolled.cost == 0.0
