"""Axes and scales of the charts are honest about what is drawn on them."""

import numpy as np
import pytest
from msgspec import structs

from services.command.study.report.contents import Contents, VariantStudy
from services.command.study.report.crisis_charts import crisis_charts
from services.command.study.report.curves import growth_chart, profit_charts
from services.command.study.report.market_charts import hedge_chart, regime_band
from services.command.study.report.palette import COLOURS, line
from services.command.study.report.scales import by_scale
from services.command.study.report.sweep_charts import sweep_chart
from shared.adapters.study.plan import Sweep
from shared.domain.study.daily import DailyRows
from shared.domain.study.sensitivity import Surface


def scaled(each: VariantStudy, factor: float, nav: float = 1.0) -> VariantStudy:
    """The same hedge, so many times as large, of a portfolio that ends so many times as high."""
    rows = each.figures.rows
    growth = np.linspace(1.0, nav, len(rows))
    columns = {name: getattr(rows, name) for name in DailyRows.__slots__}
    columns |= {"carry": rows.carry * factor, "cost": rows.cost * factor, "nav": rows.nav * growth}
    return structs.replace(each, figures=structs.replace(each.figures, rows=DailyRows(**columns)))


@pytest.fixture
def uneven(contents: Contents) -> tuple[VariantStudy, ...]:
    first, *others = contents.variants
    return (scaled(first, 100.0), *others)


def test_what_is_far_larger_is_drawn_on_a_scale_of_its_own(
    uneven: tuple[VariantStudy, ...], contents: Contents
) -> None:
    scales = by_scale(uneven, lambda each: float(np.ptp(np.cumsum(each.figures.rows.profit))))
    assert [number for number, _ in scales.larger] == [0]
    assert [number for number, _ in scales.usual] == [1, 2]
    usual, larger = profit_charts(uneven, contents.reference, "USD")
    assert usual[0] == ""
    assert larger[0] == f"On another scale: {uneven[0].label}"
    assert [trace.name for trace in larger[1].data] == ["free static", uneven[0].label]
    chart = next(chart for _, chart in crisis_charts(uneven, contents.reference, "USD"))
    assert {trace.yaxis for trace in chart.data if trace.name == uneven[0].label} == {"y3"}


def part(each: VariantStudy, days: slice) -> VariantStudy:
    rows = each.figures.rows.take(days)
    return structs.replace(each, figures=structs.replace(each.figures, rows=rows))


def test_a_hedge_that_ended_before_a_crisis_or_began_after_it_is_not_drawn_in_it(
    contents: Contents,
) -> None:
    first, second, third = contents.variants
    variants = (part(first, slice(0, 20)), second, part(third, slice(100, None)))
    (crisis, chart), *_ = crisis_charts(variants, second, "USD")
    assert crisis.name == "August 2015"
    drawn = {trace.name for trace in chart.data}
    assert drawn == {"portfolio, no hedge", "free static", second.label}


def test_nothing_that_earned_nothing_is_far_larger(contents: Contents) -> None:
    scales = by_scale(contents.variants, lambda _: 0.0)
    assert not scales.larger


def test_equal_steps_are_equal_percentages_only_where_the_axis_says_so(contents: Contents) -> None:
    plain = growth_chart(contents.variants, contents.reference)
    assert plain.layout.yaxis.type == "linear"
    assert plain.layout.yaxis.title.text == "start = 100"
    grown = tuple(scaled(each, 1.0, nav=5.0) for each in contents.variants)
    logarithmic = growth_chart(grown, grown[0])
    assert logarithmic.layout.yaxis.type == "log"
    assert {100, 200, 500} <= set(logarithmic.layout.yaxis.tickvals)
    assert logarithmic.layout.yaxis.title.text == "start = 100, logarithmic"


def test_one_parameter_is_a_line_over_its_values() -> None:
    surface = Surface(
        parameters=("book.sizing.cap",),
        values=((1.0, 2.0, 3.0),),
        figures=np.array([0.5, np.nan, 0.7]),
    )
    chart = sweep_chart((Sweep(key="book.sizing.cap", values=(1.0, 2.0, 3.0)),), surface)
    (drawn,) = chart.data
    assert (list(drawn.x), list(drawn.y)) == (["1.0", "2.0", "3.0"], [0.5, None, 0.7])
    assert chart.layout.xaxis.title.text == "cap"


def test_a_spell_of_a_regime_lasts_until_the_next_begins() -> None:
    days = np.arange("2020-01-01", "2020-01-06", dtype="datetime64[D]")
    regimes = np.array(["low", "low", "high", "low", "low"])
    band = regime_band(days, regimes, "low", 30.0)
    assert band["x"][:3] == ["2020-01-01", "2020-01-03", "2020-01-03"]
    assert band["x"][6:8] == ["2020-01-04", "2020-01-05"]
    assert regime_band(days, None, "low", 30.0) == {"x": [], "y": []}


def test_the_hedge_is_drawn_from_zero_under_a_vix_from_zero(contents: Contents) -> None:
    chart = hedge_chart(contents.variants, contents.reference)
    axes = [chart.layout.yaxis, chart.layout.yaxis2, chart.layout.yaxis3]
    assert {axis.rangemode for axis in axes} == {"tozero"}


def test_no_two_of_twelve_variants_look_the_same() -> None:
    looks = {(line(number)["color"], line(number)["dash"]) for number in range(4 * len(COLOURS))}
    assert len(looks) == 24
