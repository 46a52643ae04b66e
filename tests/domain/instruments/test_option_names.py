from shared.domain.instants import DAY, HOUR
from shared.domain.instruments.option_names import OptionNames


def test_an_option_of_a_root_is_admitted_until_there_is_no_room() -> None:
    names = OptionNames({"SPX"}, 1)
    assert names.admit("SPX261218C05000000")
    assert names.admit("SPX261218C05000000")
    assert not names.admit("SPX261218C05005000")
    assert "SPX261218C05000000" in names
    assert "SPX261218C05005000" in names
    assert names.last_ns("SPX261218C05005000") == 0


def test_only_options_of_its_roots_are_welcome() -> None:
    names = OptionNames({"SPX"}, 10)
    for name in ("SPXW261218C05000000", "SPX   261218C05000000", "SPX261318C05000000", "SPX"):
        assert name not in names
        assert not names.admit(name)


def test_the_last_tick_is_on_the_expiry_day_of_the_last_time_zone() -> None:
    names = OptionNames({"SPX"}, 10)
    names.admit("SPX000101C05000000")
    assert names.last_ns("SPX000101C05000000") == 10_957 * DAY + DAY + 12 * HOUR
