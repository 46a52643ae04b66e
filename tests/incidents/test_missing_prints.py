"""Prints that did not come: unknown is unknown, never a default number."""

from datetime import date

from fakes.pipeline import INTERVAL
from incidents.reconstruction import Day, book, path, recorded

from shared.domain.instants import DAY
from shared.domain.policies import RulePolicy
from shared.domain.signals_observed import Quality

FRIDAY, AUGUST, MARCH = date(2015, 8, 21), date(2015, 8, 24), date(2020, 3, 9)


# --- 2015-08-24: no VIX for the first half hour while the S&P fell -------------------------------


def half_an_hour_without_vix() -> Day:
    vix, index = recorded("VIX", FRIDAY).close, recorded("SPX", AUGUST)
    assert vix == 28.03
    assert index.open is not None
    assert index.low is not None
    day = Day(AUGUST, {"VIX": vix, "SPX": recorded("SPX", FRIDAY).close})
    day.play(SPX=path(index.open, 1930, index.low, intervals=day.until("09:36")))
    day.play(SPX=path(index.low, 1869, intervals=4))
    day.play(SPX=path(1880, 1895, intervals=day.until("10:00")))
    return day


def test_2015_08_24_vix_is_unknown_the_others_live_and_a_person_is_told() -> None:
    day = half_an_hour_without_vix()
    assert day.quality("vix") is day.quality("vix_smooth") is Quality.STALE
    assert day.quality("index_return") is day.quality("drawdown.overlay") is Quality.GOOD
    assert ("feed_silent", "VIX") in day.alerts
    assert ("signal_lost", "vix_smooth") in day.alerts
    assert ("target_unknown", "fast_index") in day.alerts  # it fired: −5.3%
    assert "market_halted" not in {what for what, _ in day.alerts}
    lost = [alert for alert in day.alerts if alert[0] == "signal_lost"]
    assert len(lost) == len(set(lost))  # each told once
    assert day.orders == []


def test_2015_08_24_the_hedge_is_sized_on_the_first_vix_there_is() -> None:
    day = half_an_hour_without_vix()
    began = day.now
    day.play(VIX=path(46.35, 47.0, intervals=6), SPX=path(1896, 1898, intervals=6))
    assert [order.side for order in day.orders] == ["buy"]
    within = (day.orders[0].event_ns - began) // INTERVAL
    assert within == 5  # +65%: a jump, believed at its third print, and sustained at two more
    assert day.refused("VIX") == {"jump": 2}
    prints = day.until("16:00")
    close = recorded("VIX", AUGUST).close
    day.play(
        VIX=path(46.35, 53.29, 36.0, close, intervals=prints, noise=0.003),
        SPX=path(1898, 1945, recorded("SPX", AUGUST).close, intervals=prints),
    )
    assert day.refused("VIX") == {"jump": 2}
    assert max(order.target_quantity for order in day.orders) <= 2000


# --- 2020-03-09: a breaker at 9:34, trading again at 9:49, VIX first at 9:54 ---------------------


def march() -> Day:
    """A book whose rule is not at its cap already."""
    rule = RulePolicy(kind="linear", parameters={"a": 12.0, "b": 40.0, "c": 2.0})
    day = Day(MARCH, {"VIX": 41.94, "SPX": 2972.37}, book(rules=(rule,)))
    day.play(SPX=path(2863.89, 2764.30, intervals=day.until("09:34")))
    return day


def test_2020_03_09_a_market_that_prints_nothing_is_halted_and_told_once() -> None:
    day = march()
    assert day.quality("index_return") is Quality.GOOD
    day.silence("09:36")
    assert day.quality("index_return") is Quality.GOOD
    day.silence("09:37")
    qualities = {signal.quality for signal in day.observed.signals.values()}
    assert qualities == {Quality.HALTED, Quality.WARMING}
    assert day.observed.marks == {}
    day.silence("09:49")
    assert [what for what, _ in day.alerts].count("market_halted") == 1
    assert day.orders == []


def test_2020_03_09_after_the_halt_the_index_warms_up_then_vix_and_only_then_it_trades() -> None:
    day = march()
    day.silence("09:49")
    day.play(SPX=path(2764, 2770, intervals=2))
    assert day.quality("index_return") is Quality.WARMING
    day.play(SPX=path(2770, 2790, intervals=day.until("09:54")))
    assert day.quality("index_return") is Quality.GOOD
    assert ("market_resumed", "market") in day.alerts
    assert day.orders == []
    day.play(VIX=[56.1, 56.4], SPX=[2791.0, 2790.0])
    assert day.quality("vix") is Quality.WARMING
    assert day.orders == []
    prints = day.until("16:00")
    day.play(
        VIX=path(56.0, 50.0, 54.46, intervals=prints, noise=0.002),
        SPX=path(2790, 2820, 2746.56, intervals=prints),
    )
    assert day.quality("vix") is Quality.GOOD
    first = day.orders[0]
    assert (first.side, first.trigger) == ("buy", "fast_index")  # it fires since 9:30: −6%
    assert first.event_ns == day.instant("09:54:45")  # the third print of VIX


def test_2020_03_09_without_the_warm_up_its_first_print_would_trade() -> None:
    day = march()
    day.silence("09:35:45")  # two minutes to the next print: no halt
    day.play(SPX=path(2764, 2790, intervals=day.until("09:54")))
    day.play(VIX=[56.1], SPX=[2791.0])
    assert [order.event_ns for order in day.orders] == [day.instant("09:54:15")]


def test_2020_03_09_a_halt_until_the_close_leaves_nothing_good_for_the_morning() -> None:
    day = march()
    day.silence("16:00")
    assert day.quality("index_return") is Quality.HALTED
    assert day.orders == []


def test_a_silent_feed_is_told_by_name_while_the_other_goes_on() -> None:
    day = march()
    day.effects.clear()
    day.play(SPX=path(2764, 2770, intervals=8), VIX=path(50.0, 51.0, intervals=8))
    day.play(VIX=path(51.0, 52.0, intervals=2))
    assert "feed_silent" not in {what for what, _ in day.alerts}
    day.play(VIX=path(52.0, 51.0, intervals=1))  # two intervals and a clock's
    assert [where for what, where in day.alerts if what == "feed_silent"] == ["SPX"]
    day.play(VIX=path(51.0, 52.0, intervals=21))
    assert ("signal_lost", "index_return") in day.alerts
    assert day.quality("vix") is Quality.GOOD


def test_skipped_numbers_are_counted_and_a_clock_that_is_ahead_is_not_believed() -> None:
    day = march()
    assert day.missing == {}
    day.skip(3)
    day.play(SPX=[2764.0])
    assert day.missing == {"feed": 3}
    day.round({"SPX": 2600.0, "VIX": 90.0}, behind_ns=-2_000_000_001)
    assert (day.refused("SPX"), day.refused("VIX")) == ({"future": 1}, {"future": 1})
    day.round({"SPX": 2765.0}, behind_ns=-2_000_000_000)
    assert day.refused("SPX") == {"future": 1}


def test_on_a_day_that_the_calendar_does_not_know_nothing_counts_and_nothing_trades() -> None:
    day = march()
    believed = day.observed.signals["vix"].value
    day.at(day.now + 30 * DAY)
    day.effects.clear()
    day.play(VIX=path(60.0, 80.0, intervals=120), SPX=path(2700, 2300, intervals=120))
    assert day.observed.signals["vix"].value == believed
    assert day.effects == []
