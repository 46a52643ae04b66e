from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.hedging.rules import (
    PRESETS,
    RULES,
    RuleSet,
    asked_of_signals,
    describe,
    parameters_of,
    short_weight,
)
from shared.domain.policies import RulePolicy


def multiplier(preset: str, *inputs: float) -> float | None:
    """What a preset says when its signals read `inputs`."""
    rules = RuleSet([PRESETS[preset]], "product", "overlay")
    readings = dict(zip(rules.inputs, inputs, strict=True))
    return rules.evaluate(readings.__getitem__)


@pytest.mark.parametrize(
    ("preset", "level", "expected"),
    [
        ("linear", 10, 0),
        ("linear", 17.5, 0.5),
        ("linear", 25, 1),
        ("linear", 40, 2),
        ("linear", 80, 2),
        ("paper_example", 10, 0),
        ("paper_example", 17.5, 1),
        ("paper_example", 25, 2),
        ("option_a", 18, 0.6),
        ("option_a", 22, 1.0),
        ("covid", 14, 0.25),
        ("covid", 15, 0.375),
        ("covid", 60, 6),
        ("sigmoid", 20, 0.5),
        ("sigmoid", 10, 0.1192),
        ("sigmoid", 30, 0.8808),
        ("conditional", 15, 0),
        ("conditional", 25, 0.5),
        ("conditional", 25.01, 1),
        ("option_c", 20, 1),
        ("option_c", 30, 2),
        ("realized_vol", 0.25, 1.6667),
        ("correlation", 0.60, 1.5),
        ("correlation", -0.2, 0),
        ("drawdown", -0.10, 1.025),
        ("drawdown", -0.03, 1),
        ("crash_intensity", 1.7, 1.7),
        ("percentile", 0.2, 0),
        ("percentile", 0.6, 1),
        ("percentile", 1.0, 2),
    ],
)
def test_each_rule_gives_the_numbers_of_the_specification(
    preset: str, level: float, expected: float
) -> None:
    assert multiplier(preset, level) == pytest.approx(expected, abs=5e-5)


def test_delta_counts_puts() -> None:
    assert multiplier("delta", 50_000, -0.25) == 2000
    assert multiplier("delta", -50_000, -0.25) == 0


def test_delta_is_unknown_when_the_put_has_no_delta_left() -> None:
    assert multiplier("delta", 50_000, 0.0) is None


def test_term_structure_splits_as_the_specification_says() -> None:
    assert short_weight(0.85) == pytest.approx(0.4595, abs=5e-5)
    assert short_weight(1.2) == pytest.approx(0.5455, abs=5e-5)


def test_a_sigmoid_far_below_its_centre_is_zero_and_does_not_overflow() -> None:
    steep = RulePolicy(kind="sigmoid", parameters={"k": 100.0})
    assert RuleSet([steep], "product", "x").evaluate(lambda _: 5.0) == 0.0


def test_a_rule_never_acts_on_a_signal_that_is_not_good() -> None:
    rules = RuleSet([PRESETS["linear"], PRESETS["realized_vol"]], "max", "overlay")
    readings = {"vix_smooth": 40.0, "rv": None}
    assert rules.evaluate(readings.get) is None
    assert rules.note(readings.get) == "linear(vix_smooth 40); realized_vol(rv unknown)"


@pytest.mark.parametrize(("composition", "expected"), [("product", 3), ("max", 2), ("mean", 1.75)])
def test_multipliers_compose(composition: str, expected: float) -> None:
    rules = RuleSet([PRESETS["linear"], PRESETS["realized_vol"]], composition, "overlay")
    assert rules.evaluate({"vix_smooth": 40.0, "rv": 0.225}.get) == pytest.approx(expected)


def test_the_drawdown_rule_reads_the_drawdown_of_its_own_book() -> None:
    assert RuleSet([PRESETS["drawdown"]], "product", "tail").inputs == ("drawdown.tail",)


def test_inputs_are_not_repeated() -> None:
    rules = RuleSet([PRESETS["linear"], PRESETS["sigmoid"]], "product", "overlay")
    assert rules.inputs == ("vix_smooth",)


@pytest.mark.parametrize("count", [0, 4])
def test_more_than_three_inputs_are_a_configuration_error(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 3 rules"):
        RuleSet([PRESETS["linear"]] * count, "product", "overlay")


def test_delta_cannot_be_composed() -> None:
    with pytest.raises(ValueError, match="cannot be composed"):
        RuleSet([PRESETS["delta"], PRESETS["linear"]], "product", "overlay")


def test_an_unknown_parameter_is_refused_with_those_allowed() -> None:
    with pytest.raises(ValueError, match="no parameter slope; allowed: a, b, c"):
        parameters_of(RulePolicy(kind="linear", parameters={"slope": 1.0}))
    with pytest.raises(ValueError, match="allowed: none"):
        parameters_of(RulePolicy(kind="crash_intensity", parameters={"a": 1.0}))


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (RulePolicy(kind="linear", parameters={"b": 0.0}), "b = 0 must be > 0"),
        (RulePolicy(kind="linear", parameters={"a": -1.0}), "a = -1 must be >= 0"),
        (RulePolicy(kind="linear", parameters={"a": nan}), "a = nan"),
        (RulePolicy(kind="correlation", parameters={"normal": 1.5}), "<= 1"),
        (RulePolicy(kind="correlation", parameters={"normal": 0.0}), "> 0"),
        (RulePolicy(kind="percentile", parameters={"b": 0.0}), "> 0"),
        (
            RulePolicy(kind="conditional", parameters={"low_threshold": 25.0}),
            "low_threshold below high_threshold",
        ),
    ],
)
def test_parameters_out_of_range_are_refused(policy: RulePolicy, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parameters_of(policy)


def test_defaults_fill_what_is_left_out() -> None:
    policy = RulePolicy(kind="linear", parameters={"c": inf})
    assert parameters_of(policy) == {"a": 10, "b": 15, "c": inf}


def test_help_names_every_preset_with_its_numbers() -> None:
    lines = describe().splitlines()
    assert [line.split()[0] for line in lines] == list(PRESETS)
    assert "option_a         clip((VIX - a)/b, 0, c); a=12 b=10 c=2" in lines
    assert set(RULES) <= set(PRESETS)


@given(st.floats(0, 200), st.floats(0, 200))
def test_more_fear_never_means_less_hedge(one: float, other: float) -> None:
    low, high = sorted((one, other))
    for preset in ("linear", "option_a", "covid", "sigmoid", "conditional", "option_c"):
        calm, stressed = multiplier(preset, low), multiplier(preset, high)
        assert calm is not None
        assert stressed is not None
        assert 0 <= calm <= stressed


def test_signals_that_cost_are_named_once_for_all_rules() -> None:
    rules = [PRESETS[name] for name in ("vxth", "veqtor_like", "option_a", "vxth")]
    assert asked_of_signals(rules) == ("front_future", "index_return_5d", "vix_trend")
    assert asked_of_signals([PRESETS["tail_budget"]]) == ()


def test_what_the_book_itself_knows_is_no_signal() -> None:
    rules = RuleSet([PRESETS["tail_budget"]], "product", "tail")
    assert rules.inputs == ("vix_smooth", "sleeve.tail", "premium_spent.tail")
    assert rules.signals == ("vix_smooth",)
    assert rules.stage(lambda _: 30.0) is None
    staged = RuleSet([PRESETS["monetise"]], "product", "tail")
    assert staged.staged_by == "vix_smooth"
    readings = {"vix_smooth": 45.0, "stage.tail": 1.0}
    assert staged.stage(readings.get) == 2
    assert staged.stage({"stage.tail": 1.0}.get) is None
