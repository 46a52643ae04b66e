import pytest
from fakes.study_rows import study_rows
from msgspec import structs

from shared.domain.study.performance import Performance, measure_performance
from shared.domain.study.red_flags import RedFlag, red_flags


def performance(carry: list[float] | None = None) -> Performance:
    """Two falls of 10% and a recovery from each, with a hedge that earned `carry`."""
    rows = study_rows([100.0, 90.0, 101.0, 90.0, 100.0], carry=carry or [0.0, 3.0, -1.0, 3.0, -1.0])
    return measure_performance(rows, cap=2.0)


def with_sharpe(found: Performance, sharpe: float | None) -> Performance:
    path = structs.replace(found.hedge.path, sharpe=sharpe)
    return structs.replace(found, hedge=structs.replace(found.hedge, path=path))


def only(flags: tuple[RedFlag, ...]) -> RedFlag:
    (flag,) = flags
    return flag


def test_an_ordinary_result_has_no_flag() -> None:
    ordinary = with_sharpe(performance(), 1.5)
    assert ordinary.hedge.net_profit == 4.0
    flags = red_flags(
        structs.replace(ordinary, monthly_win_rate=0.8),
        inputs=3,
        in_sample_sharpe=0.6,
        out_of_sample_sharpe=0.4,
    )
    assert flags == ()


def test_a_sharpe_above_one_and_a_half_is_too_good() -> None:
    good = structs.replace(with_sharpe(performance(), 1.51), monthly_win_rate=None)
    flag = only(red_flags(good, inputs=1))
    assert flag.name == "sharpe"
    assert flag.figures == {"sharpe": 1.51, "highest": 1.5}
    assert "1.51" in flag.sentence


@pytest.mark.parametrize("period", ["sessions", "months"])
def test_more_than_four_wins_of_five_are_too_many(period: str) -> None:
    found = with_sharpe(performance(), None)
    rates = {"sessions": 0.5, "months": 0.5} | {period: 0.81}
    wins = structs.replace(found, win_rate=rates["sessions"], monthly_win_rate=rates["months"])
    flag = only(red_flags(wins, inputs=1))
    assert flag.name == "win_rate"
    assert flag.figures["win_rate"] == 0.81
    assert f"81% of {period}" in flag.sentence


def test_profit_from_one_crisis_is_named() -> None:
    found = with_sharpe(performance([0.0, 1.0, -1.0, 4.0, -1.0]), None)
    flag = only(red_flags(structs.replace(found, monthly_win_rate=None), inputs=1))
    assert flag.name == "one_crisis"
    assert flag.figures == {"net_profit": 3.0, "gain": 4.0, "without": -1.0}
    assert "2020-01-03 to 2020-01-04" in flag.sentence


def test_a_profit_that_is_all_of_one_crisis_is_flagged() -> None:
    found = with_sharpe(performance([0.0, 1.0, -1.0, 4.0, 0.0]), None)
    flag = only(red_flags(structs.replace(found, monthly_win_rate=None), inputs=1))
    assert flag.figures == {"net_profit": 4.0, "gain": 4.0, "without": 0.0}


@pytest.mark.parametrize(
    "carry",
    [
        [0.0, 1.0, -2.0, 3.0, -3.0],  # no profit at all
        [0.0, 2.0, -1.0, 4.0, -0.5],  # 4.5, also without the best 4.0
    ],
)
def test_a_loss_or_a_profit_from_elsewhere_too_is_not_flagged(carry: list[float]) -> None:
    found = structs.replace(with_sharpe(performance(carry), None), monthly_win_rate=None)
    assert red_flags(found, inputs=1) == ()


def test_a_profit_without_any_crisis_does_not_come_from_one() -> None:
    rows = study_rows([100.0, 99.0, 101.0], carry=[0.0, 1.0, -0.5])
    found = measure_performance(rows, cap=2.0)
    assert found.crashes == ()
    calm = structs.replace(with_sharpe(found, None), monthly_win_rate=None)
    assert red_flags(calm, inputs=1) == ()


@pytest.mark.parametrize(
    ("inside", "outside", "flagged"),
    [
        (1.0, 0.49, True),
        (1.0, 0.5, False),
        (0.5, -0.2, True),
        (0.08, 0.0, False),  # too close to tell
        (-0.5, -1.0, False),  # was not good inside either
        (None, 0.1, False),
        (1.0, None, False),
    ],
)
def test_a_rule_that_is_only_good_where_it_was_chosen_is_fitted(
    inside: float | None,
    outside: float | None,
    flagged: bool,  # noqa: FBT001 - a case
) -> None:
    plain = structs.replace(with_sharpe(performance(), None), monthly_win_rate=None)
    flags = red_flags(plain, inputs=1, in_sample_sharpe=inside, out_of_sample_sharpe=outside)
    assert [flag.name for flag in flags] == (["out_of_sample"] if flagged else [])
    for flag in flags:
        assert flag.figures == {"in_sample": inside, "out_of_sample": outside}


def test_more_than_three_inputs_are_too_many() -> None:
    plain = structs.replace(with_sharpe(performance(), None), monthly_win_rate=None)
    flag = only(red_flags(plain, inputs=4))
    assert (flag.name, flag.figures) == ("inputs", {"inputs": 4.0, "most": 3.0})
    assert "4 inputs" in flag.sentence


def test_flags_come_in_the_specifications_order() -> None:
    found = with_sharpe(performance([0.0, 1.0, -1.0, 4.0, -1.0]), 2.0)
    flags = red_flags(
        structs.replace(found, win_rate=0.9, monthly_win_rate=0.9),
        inputs=5,
        in_sample_sharpe=2.0,
        out_of_sample_sharpe=0.1,
    )
    assert [flag.name for flag in flags] == [
        "sharpe",
        "win_rate",
        "win_rate",
        "one_crisis",
        "out_of_sample",
        "inputs",
    ]
