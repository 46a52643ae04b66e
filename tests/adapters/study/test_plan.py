"""A plan is read with all its faults at once, each at its line, and its variants with it."""

from datetime import date
from pathlib import Path

import pytest

from shared.adapters.configuration.faults import FaultyConfiguration
from shared.adapters.study.patches import NoSuchKey
from shared.adapters.study.plan import load_plan, without_costs

DEPLOY = Path(__file__).parents[3] / "deploy"
HEAD = f'configuration = "{DEPLOY / "demo.toml"}"\nbook = "overlay"\n'
PUT = """
[[instruments]]
symbol = "SPX_PUT"
kind = "put"
moneyness = 0.95
"""


def plan_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(HEAD + text)
    return path


def faults_of(path: Path) -> list[str]:
    with pytest.raises(FaultyConfiguration) as refused:
        load_plan(path)
    return [str(fault) for fault in refused.value.faults]


def test_the_plan_that_is_shipped_is_sound() -> None:
    plan = load_plan(DEPLOY / "study.toml")
    assert plan.book == "overlay"
    assert {each.name for each in plan.variants} >= {"static", "option_a", "pput_like"}
    assert len(list(plan.swept())) == 20


def test_a_variant_is_the_configuration_with_its_changes(tmp_path: Path) -> None:
    text = '[[variants]]\nname = "wide"\nset = { "book.triggers.vix_points" = 5.0 }\n'
    (wide,) = load_plan(plan_of(tmp_path, text)).variants
    assert wide.book.triggers.vix_points == 5.0
    assert wide.settings.books == (wide.book,)


def test_keys_may_be_written_dotted_or_in_quotes(tmp_path: Path) -> None:
    dotted = '[[variants]]\nname = "a"\n[variants.set]\nbook.sizing.cap = 1.5\n'
    (variant,) = load_plan(plan_of(tmp_path, dotted)).variants
    assert variant.book.sizing.cap == 1.5


def test_what_is_set_for_all_is_set_in_every_variant(tmp_path: Path) -> None:
    text = (
        '[set]\n"book.sizing.base_vega" = 1500\n[[variants]]\nname = "a"\n'
        '[[variants]]\nname = "b"\nset = { "book.rule" = "linear" }\n'
    )
    plan = load_plan(plan_of(tmp_path, text))
    assert [each.book.sizing.base_vega for each in plan.variants] == [1500.0, 1500.0]


def test_an_option_leg_of_the_study_needs_no_vega_of_its_own(tmp_path: Path) -> None:
    leg = (
        '{ name = "put", instrument = "put", symbol = "SPX_PUT", maturity = "90 days", '
        "max_vega = 2000, allow_under_90_days = true }"
    )
    text = f'{PUT}[[variants]]\nname = "puts"\nset = {{ "book.legs" = [{leg}] }}\n'
    (variant,) = load_plan(plan_of(tmp_path, text)).variants
    assert [each.vega_per_unit for each in variant.book.legs] == [None]


def test_nothing_costs_anything_only_when_the_plan_says_so(tmp_path: Path) -> None:
    plan = load_plan(plan_of(tmp_path, PUT + '[[variants]]\nname = "a"\n'))
    assert not plan.zero_cost
    assert not plan.instruments[0].costs.is_zero
    free = without_costs(plan)
    assert free.zero_cost
    assert free.instruments[0].costs.is_zero
    assert all(each.is_zero for each in free.costs.values())
    paper = free.variants[0].settings.paper
    assert (paper.half_spread, paper.slippage, paper.commission) == (0.0, 0.0, 0.0)
    said = load_plan(plan_of(tmp_path, "[costs]\nzero = true\n"))
    assert said.zero_cost
    assert said.variant("a", {}).settings.paper.half_spread == 0.0


def test_a_sweep_is_every_combination(tmp_path: Path) -> None:
    text = (
        '[[sweep]]\nkey = "book.sizing.cap"\nvalues = [1.0, 2.0]\n'
        '[[sweep]]\nkey = "book.rule"\nvalues = ["linear", "sigmoid", "option_a"]\n'
    )
    swept = list(load_plan(plan_of(tmp_path, text)).swept())
    assert len(swept) == 6
    assert swept[1] == ("sweep_00002", {"book.sizing.cap": 1.0, "book.rule": "sigmoid"})


def test_the_days_asked_for_are_days(tmp_path: Path) -> None:
    plan = load_plan(plan_of(tmp_path, "from = 2015-01-02\nto = 2015-12-31\n"))
    assert (plan.first, plan.last) == (date(2015, 1, 2), date(2015, 12, 31))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("frm = 2014-01-03\n", "line 3: frm: unknown key 'frm'; did you mean 'from'?"),
        ('from = "2014-01-03"\n', "line 3: from: is not a day"),
        ("from = 2018-01-02\nto = 2017-01-02\n", "line 3: from: 2018-01-02 is after 2017-01-02"),
        ('[[variants]]\nname = "A b"\n', "line 4: variants[0].name: 'A b' is no name"),
        (
            '[[variants]]\nname = "a"\n[[variants]]\nname = "a"\n',
            "variants[0].name: two variants are called 'a'",
        ),
        (
            '[[variants]]\nname = "a"\nset = { "book.rule" = "linaer" }\n',
            "line 5: variants[0].set: books[0].rule: unknown preset 'linaer'",
        ),
        (
            '[[variants]]\nname = "a"\nset = { "book.legs.7.lot" = 1.0 }\n',
            "variants[0].set: book.legs.7.lot: '7' is none of the 1 elements",
        ),
        ('[[variants]]\nname = "a"\nbenchmark = "vxht"\n', "'vxht' is not one of"),
        ('[[variants]]\nname = "a"\nbenchmark = "vxth"\n', "variants[0].benchmark: "),
        ('[[sweep]]\nkey = "book.rule"\nvalues = []\n', "sweep[0].values: is no list of values"),
        ("[walk_forward]\ntrain_sessions = 3\n", "walk_forward.train_sessions: 3 is out of range"),
        ("[costs.put]\nhalf_spread = 7\n", "costs.put.half_spread: 7 is out of range"),
        (
            "[costs.vix_future]\nhalf_spread_points = 0.0\nslippage = 0.0\ncommission = 0.0\n",
            "costs.vix_future: costs nothing at all",
        ),
        ('[[instruments]]\nsymbol = "P"\nkind = "put"\n', "moneyness or delta, exactly one"),
        (
            '[[instruments]]\nsymbol = "P"\nkind = "vix_future"\nmoneyness = 1.0\n',
            "unknown key 'moneyness'",
        ),
        (PUT + PUT, "two instruments are called 'SPX_PUT'"),
        ('[history]\nprints = "ticks"\n', "history.prints: 'ticks' is not one of closes, bars"),
        ("[surface]\nskwe = 0.1\n", "did you mean 'skew'?"),
        ('[set]\n"book.legs.9.lot" = 1\n', "set: book.legs.9.lot: '9' is none"),
    ],
)
def test_a_fault_is_told_where_it_stands(tmp_path: Path, text: str, said: str) -> None:
    faults = faults_of(plan_of(tmp_path, text))
    assert any(said in fault for fault in faults), faults


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = '[bootstrap]\nresamples = 1\n[[variants]]\nname = "B"\n[[sweep]]\nvalues = [1]\n'
    assert len(faults_of(plan_of(tmp_path, text))) == 3


def test_a_book_that_the_configuration_has_not_is_told(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(f'configuration = "{DEPLOY / "demo.toml"}"\nbook = "tail"\n')
    assert any("there is no book 'tail'" in fault for fault in faults_of(path))


def test_more_than_three_inputs_are_refused(tmp_path: Path) -> None:
    rules = ", ".join('{ kind = "linear" }' for _ in range(4))
    text = f'[[variants]]\nname = "a"\nset = {{ "book.rules" = [{rules}] }}\n'
    (fault,) = faults_of(plan_of(tmp_path, text))
    assert "4 rules: more than 3 inputs" in fault


def test_a_combination_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    plan = load_plan(plan_of(tmp_path, '[[sweep]]\nkey = "book.legs.9.lot"\nvalues = [1.0]\n'))
    ((name, changes),) = plan.swept()
    with pytest.raises(NoSuchKey):
        plan.variant(name, changes)
