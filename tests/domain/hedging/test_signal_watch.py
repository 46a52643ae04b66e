from fakes.hedged_market import HedgedMarket

from shared.domain.hedging.conditions import Facts
from shared.domain.hedging.signal_watch import SignalWatch
from shared.domain.signals_observed import Quality


def facts(market: HedgedMarket) -> Facts:
    seen = Facts()
    seen.signals = market.observed("VIX").signals
    return seen


def test_a_good_signal_is_nothing_to_tell() -> None:
    watch = SignalWatch("overlay", ["vix_smooth", "vix_smooth"])
    assert watch.look(facts(HedgedMarket())) == []


def test_a_signal_lost_is_told_once_and_its_return_once() -> None:
    market, watch = HedgedMarket(), SignalWatch("overlay", ["vix_smooth"])
    watch.look(facts(market))
    market.qualities["vix_smooth"] = Quality.STALE
    (lost,) = watch.look(facts(market))
    assert (lost.what, lost.where, lost.severity) == ("signal_lost", "vix_smooth", "warning")
    assert lost.figures == {"value": 18.0}
    assert watch.look(facts(market)) == []
    market.qualities.clear()
    (back,) = watch.look(facts(market))
    assert (back.what, back.severity) == ("signal_recovered", "info")


def test_a_signal_never_seen_good_is_unknown_not_lost() -> None:
    market, watch = HedgedMarket(), SignalWatch("overlay", ["vix_smooth"])
    market.missing.add("vix_smooth")
    (unknown,) = watch.look(facts(market))
    assert (unknown.what, unknown.figures) == ("signal_unknown", {})
    assert watch.look(facts(market)) == []


def test_a_signal_without_a_value_has_no_figures() -> None:
    market, watch = HedgedMarket(), SignalWatch("overlay", ["vix_smooth"])
    market.qualities["vix_smooth"] = Quality.WARMING
    seen = facts(market)
    (unknown,) = watch.look(seen)
    assert unknown.what == "signal_unknown"


def test_a_watch_goes_on_from_what_was_known() -> None:
    market, watch = HedgedMarket(), SignalWatch("overlay", ["vix_smooth"])
    watch.look(facts(market))
    market.missing.add("vix_smooth")
    (lost,) = SignalWatch("overlay", ["vix_smooth"], watch.good).look(facts(market))
    assert lost.what == "signal_lost"


def test_a_frozen_vix_is_told_by_its_name() -> None:
    market, watch = HedgedMarket(), SignalWatch("overlay", ["vix_smooth"])
    watch.look(facts(market))
    market.qualities["vix_smooth"] = Quality.FROZEN
    (frozen,) = watch.look(facts(market))
    assert (frozen.what, frozen.where, frozen.severity) == ("vix_frozen", "vix_smooth", "warning")


def test_a_halted_market_is_told_once_not_once_a_signal() -> None:
    market, watch = HedgedMarket(), SignalWatch("overlay", ["vix_smooth", "rv", "regime"])
    watch.look(facts(market))
    market.qualities |= dict.fromkeys(("vix_smooth", "rv", "regime"), Quality.HALTED)
    (halted,) = watch.look(facts(market))
    assert (halted.what, halted.where, halted.severity) == ("market_halted", "market", "critical")
    assert SignalWatch("overlay", ["vix_smooth", "rv"], watch.good).look(facts(market)) == []
    market.qualities = dict.fromkeys(("vix_smooth", "rv"), Quality.WARMING)
    back = [(each.what, each.where) for each in watch.look(facts(market))]
    assert back == [("signal_recovered", "regime"), ("market_resumed", "market")]
    market.qualities = {}
    again = [(each.what, each.where) for each in watch.look(facts(market))]
    assert again == [("signal_recovered", "vix_smooth"), ("signal_recovered", "rv")]


def test_a_silent_feed_is_told_by_its_symbol_once_and_its_return_once() -> None:
    market, watch = HedgedMarket(), SignalWatch("overlay", ["vix_smooth"])
    seen = facts(market)
    watch.look(seen)
    seen.silent = ("VIX", "SPX")
    told = [(each.what, each.where, each.severity) for each in watch.look(seen)]
    assert told == [("feed_silent", "SPX", "warning"), ("feed_silent", "VIX", "warning")]
    again = SignalWatch("overlay", ["vix_smooth"], watch.good)
    assert again.look(seen) == []
    seen.silent = ("SPX",)
    assert [(each.what, each.where) for each in again.look(seen)] == [("feed_recovered", "VIX")]
    assert again.look(seen) == []
