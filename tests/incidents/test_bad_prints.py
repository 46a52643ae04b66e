"""Prints that were wrong: no order comes of them, and each guard that holds is seen to hold."""

from datetime import date

import pytest
from fakes.pipeline import INTERVAL, Print, without_confirmation
from incidents.reconstruction import AN_HOUR, Day, book, path, recorded, shipped
from msgspec import structs

from shared.adapters.settings import Settings
from shared.domain.effects import WhipsawSuppressed
from shared.domain.instants import SECOND
from shared.domain.policies import BookPolicy, FastPathPolicy, Hold
from shared.domain.signals_observed import Quality

OCTOBER, DECEMBER, JULY, AUGUST = (
    date(2013, 10, 30),
    date(2014, 12, 15),
    date(2021, 7, 19),
    date(2024, 8, 5),
)
FALSE, TRUE_HIGH = 21.26, 14.10


def hasty() -> tuple[BookPolicy, Settings]:
    """A book and an edge that ask for no confirmation, and hardly smooth."""
    triggers = structs.replace(
        book().triggers,
        hold=Hold(trading_ns=0, observations=1),
        fast=FastPathPolicy(observations=1),
    )
    settings = shipped()
    smoothing = structs.replace(settings.signals.smoothing, half_life_trading_ns=SECOND)
    return book(triggers=triggers), structs.replace(
        settings,
        intake=without_confirmation(settings.intake),
        signals=structs.replace(settings.signals, smoothing=smoothing),
    )


# --- 2013-10-30: VIX printed 21.26 by a software fault; its true high was 14.10 ------------------


def october(policy: BookPolicy | None = None, settings: Settings | None = None) -> Day:
    index = recorded("SPX", date(2013, 10, 29)).close
    return Day(OCTOBER, {"VIX": 13.41, "SPX": index}, policy, settings)


def with_false_prints(day: Day, false: list[float]) -> Day:
    index = recorded("SPX", OCTOBER)
    assert index.open is not None
    assert index.low is not None
    prints = day.until("16:00")
    vix = path(13.4, 13.3, TRUE_HIGH, 13.65, intervals=prints)
    vix[AN_HOUR : AN_HOUR + len(false)] = false
    day.play(VIX=vix, SPX=path(index.open, index.low, index.close, intervals=prints))
    return day


@pytest.mark.parametrize("false", [[FALSE], [FALSE] * 2, [FALSE, 13.4, FALSE], [90.0], [0.14] * 2])
def test_2013_10_30_false_prints_of_vix_make_no_order(false: list[float]) -> None:
    day = with_false_prints(october(), false)
    assert day.orders == []
    is_jump = abs(false[0] - 13.4) > 0.6 * 13.4
    assert day.refused("VIX") == ({"jump": len(false)} if is_jump else {})


@pytest.mark.parametrize("false", [[FALSE], [60.0]])
def test_2013_10_30_without_confirmation_they_would(false: list[float]) -> None:
    assert with_false_prints(october(*hasty()), false).orders != []


# --- 2014-12-15: quotes flickered wide, and VIX with them ----------------------------------------


def december(policy: BookPolicy | None = None, settings: Settings | None = None) -> Day:
    closes = {"VIX": recorded("VIX", date(2014, 12, 12)).close, "SPX": 2002.33}
    return Day(DECEMBER, closes, policy, settings)


def with_flicker(day: Day) -> Day:
    """VIX prints from quotes 0.10 wide, then 2.00, and back; each option counts for its middle."""
    index = recorded("SPX", DECEMBER)
    assert index.open is not None
    assert index.low is not None
    prints = day.until("16:00")
    quiet = path(20.9, 20.6, recorded("VIX", DECEMBER).close, intervals=prints)
    loud = [level * (1.0, 1.16, 0.88, 1.22)[at % 4] for at, level in enumerate(quiet)]
    flicker = [round(level, 2) for level in (*quiet[:AN_HOUR], *loud[AN_HOUR:])]
    day.play(VIX=flicker, SPX=path(index.open, index.low, index.close, intervals=prints))
    return day


def test_2014_12_15_quotes_that_flicker_make_no_flip_flop() -> None:
    day = with_flicker(december())
    assert day.orders == []


def test_2014_12_15_without_persistence_the_book_would_trade_the_noise() -> None:
    day = with_flicker(december(*hasty()))
    assert {order.side for order in day.orders} == {"buy", "sell"}


def test_2014_12_15_a_quote_wider_than_half_its_middle_is_refused() -> None:
    day = december()
    quotes: list[Print | None] = [(20.37, 20.47), (14.0, 27.0)] * 40
    day.play(VIX=quotes, SPX=path(2005, 2000, intervals=80))
    assert day.refused("VIX") == {"wide_quote": 40}
    assert day.orders == []


# --- 2021-07: prior values of VIX were sent again ------------------------------------------------


def july() -> Day:
    day = Day(JULY, {"VIX": 18.45, "SPX": 4327.16})
    vix = path(18.6, 19.6, intervals=AN_HOUR, noise=0.002)
    day.play(VIX=vix, SPX=path(4296, 4290, intervals=AN_HOUR))
    day.effects.clear()
    return day


def test_2021_07_a_vix_that_is_sent_again_and_again_is_frozen_within_eight_intervals() -> None:
    day = july()
    before = day.observed.signals["vix"].value
    assert before is not None
    day.play(VIX=[before] * 7, SPX=path(4288, 4280, intervals=7))
    assert day.quality("vix_smooth") is Quality.GOOD
    day.play(VIX=[before], SPX=[4279.0])
    assert {day.quality(name) for name in ("vix", "vix_smooth", "regime")} == {Quality.FROZEN}
    assert day.quality("index_return") is Quality.GOOD
    assert ("vix_frozen", "vix_smooth") in day.alerts
    assert len(day.alerts) == len(set(day.alerts))


def test_2021_07_while_it_is_frozen_no_order_is_made_whatever_fires() -> None:
    day = july()
    frozen = 19.6
    day.play(VIX=[frozen] * 30, SPX=path(4288, 4050, intervals=30, noise=0))  # −6.4%
    day.play(VIX=[frozen] * AN_HOUR, SPX=path(4050, 4060, intervals=AN_HOUR))
    assert day.orders == []
    assert ("target_unknown", "fast_index") in day.alerts
    assert "VIX" not in day.observed.marks


def test_2021_07_it_is_good_again_when_it_has_moved_twice_and_what_waited_is_done() -> None:
    day = july()
    day.play(VIX=[19.6] * 20, SPX=path(4288, 4040, intervals=20, noise=0))
    day.play(VIX=[26.4, 19.6, 26.4], SPX=[4050.0] * 3)
    assert day.quality("vix") is Quality.FROZEN
    day.play(VIX=[26.6], SPX=[4051.0])
    assert day.quality("vix") is Quality.GOOD
    assert ("signal_recovered", "vix_smooth") in day.alerts
    day.play(VIX=[26.5, 26.7], SPX=[4050.0, 4052.0])
    assert [order.side for order in day.orders] == ["buy"]


def test_2021_07_each_value_sent_twice_or_the_one_before_again_is_no_frozen_vix() -> None:
    day = july()
    twice = [level for level in path(19.6, 20.2, intervals=120) for _ in range(2)]
    again = [level for at in range(120) for level in (twice[2 * at], twice[max(0, 2 * at - 2)])]
    day.play(VIX=twice + again, SPX=path(4288, 4280, intervals=480))
    assert "vix_frozen" not in {what for what, _ in day.alerts}
    assert day.orders == []


# --- 2024-08-05: VIX near 66 before the opening, from wide quotes; 38.57 at the close ------------


def august(policy: BookPolicy | None = None, settings: Settings | None = None) -> Day:
    day = Day(AUGUST, {"VIX": 23.39, "SPX": 5346.56}, policy, settings)
    day.at(day.instant("07:00"))
    return day


def before_the_bell(day: Day) -> Day:
    prints = day.until("09:29")
    day.play(VIX=path(25.0, 30.0, 50.0, 65.73, 58.0, intervals=prints, noise=0.004))
    return day


@pytest.mark.parametrize("guarded", [True, False])
def test_2024_08_05_prints_before_the_bell_do_not_trade_by_themselves(guarded: bool) -> None:  # noqa: FBT001 - a parameter
    day = before_the_bell(august() if guarded else august(*hasty()))
    assert day.refused("VIX") == {}  # they arrive, they are journalled …
    assert day.orders == []
    assert day.observed.signals["vix"].value == 23.39  # … and move nothing


def test_2024_08_05_quotes_wider_than_half_their_middle_are_not_even_journalled() -> None:
    day = august()
    quotes: list[Print | None] = [(30.0, 100.0)] * 60
    day.play(VIX=quotes)
    assert day.refused("VIX") == {"wide_quote": 60}


def test_2024_08_05_what_still_holds_after_the_bell_trades_within_k_prints_of_it() -> None:
    day = before_the_bell(august())
    day.at(day.instant("09:30"))
    began, prints = day.now, day.until("16:00")
    day.play(
        VIX=path(41.0, 40.0, 36.0, 38.57, intervals=prints, noise=0.002),
        SPX=path(5151.0, 5190.0, 5186.33, intervals=prints),
    )
    first = day.orders[0]
    assert (first.trigger, first.side) == ("fast_vix", "buy")
    assert (first.event_ns - began) // INTERVAL <= 5  # a jump of the filter, then of the book
    assert max(order.target_quantity for order in day.orders) <= 2000
    assert day.observed.signals["vix"].value == 38.57


def test_2014_12_15_each_suppressed_move_is_counted() -> None:
    triggers = structs.replace(book().triggers, vix_relative=0.001, vix_points=0.02)
    day = with_flicker(december(book(triggers=triggers)))
    assert any(isinstance(each, WhipsawSuppressed) for each in day.effects)
