import pytest
from msgspec import structs

from shared.domain.hedging.bands.band import Situation
from shared.domain.hedging.bands.counterfactuals import (
    BandAccount,
    Exposure,
    begin,
    follow,
    next_due,
    trading_cost,
)
from shared.domain.instants import HOUR
from shared.domain.strategy_policies import BandPolicy

POLICY = BandPolicy(
    kind="time",
    half_width=100.0,
    interval_trading_ns=HOUR,
    proportional_cost=0.0005,
    order_cost=50.0,
    risk_aversion=1e-4,
)
CALM = Situation(level=100.0, gamma=400.0, volatility=0.2, years=0.25)


def exposure(unhedged: float, hours: float, situation: Situation = CALM) -> Exposure:
    trading_ns = int((100 + hours) * HOUR)
    return Exposure(situation=situation, unhedged=unhedged, target=0.0, trading_ns=trading_ns)


def by_kind(accounts: tuple[BandAccount, ...]) -> dict[str, BandAccount]:
    return {account.kind: account for account in accounts}


def test_each_kind_has_an_account_that_begins_with_the_hedge_that_is_held() -> None:
    accounts = begin(POLICY, -6000.0)
    assert list(by_kind(accounts)) == ["fixed", "time", "leland", "whalley_wilmott", "zakamouline"]
    assert {account.hedge for account in accounts} == {-6000.0}


def test_without_a_width_there_is_nothing_fixed_to_compare_with() -> None:
    assert "fixed" not in by_kind(begin(structs.replace(POLICY, half_width=None), 0.0))


def test_every_kind_trades_to_its_own_edge_and_pays() -> None:
    after = by_kind(follow(begin(POLICY, -6000.0), POLICY, exposure(6500.0, 0)))
    assert (after["fixed"].trade, after["fixed"].hedge) == (-400.0, -6400.0)
    assert after["fixed"].cost == trading_cost(POLICY, -400.0, 100.0) == 70.0
    assert (after["time"].trade, after["time"].trades) == (-500.0, 1)
    wilmott = after["whalley_wilmott"]
    assert wilmott.half_width is not None
    assert wilmott.trade == pytest.approx(-(500.0 - wilmott.half_width))


def test_a_timed_kind_waits_for_its_interval_and_keeps_its_grid() -> None:
    accounts = follow(begin(POLICY, 0.0), POLICY, exposure(100.0, 0))
    accounts = follow(accounts, POLICY, exposure(200.0, 0.9))
    assert by_kind(accounts)["time"].hedge == -100.0
    accounts = follow(accounts, POLICY, exposure(300.0, 2.5))
    time = by_kind(accounts)["time"]
    assert (time.hedge, time.trades, time.due_ns) == (-300.0, 2, 103 * HOUR)


def test_a_kind_inside_its_band_pays_nothing() -> None:
    after = by_kind(follow(begin(POLICY, -6000.0), POLICY, exposure(6050.0, 0)))
    assert (after["fixed"].trade, after["fixed"].trades, after["fixed"].cost) == (0.0, 0, 0.0)


def test_a_kind_without_an_answer_says_why_and_goes_on_when_it_has_one() -> None:
    blind = structs.replace(CALM, volatility=0.0)
    accounts = follow(begin(POLICY, 0.0), POLICY, exposure(500.0, 0, blind))
    leland = by_kind(accounts)["leland"]
    assert (leland.refusal, leland.half_width, leland.hedge) == (
        "volatility 0 is not above 0",
        None,
        0.0,
    )
    accounts = follow(accounts, POLICY, exposure(500.0, 0.1))
    assert by_kind(accounts)["leland"].refusal == ""
    assert by_kind(accounts)["leland"].hedge == -500.0


@pytest.mark.parametrize(("now", "due"), [(100, 110), (109, 110), (110, 120), (127, 130)])
def test_a_schedule_keeps_its_grid(now: int, due: int) -> None:
    assert next_due(100, 10, now) == due
