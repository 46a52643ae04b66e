import pytest
from fakes.hedged_market import LIMITS, HedgedMarket, policy
from msgspec import structs
from prometheus_client import CollectorRegistry

from services.hedger.metrics import HedgerMetrics
from shared.domain.effects import OrderWithheld
from shared.domain.policies import BudgetPolicy
from shared.domain.trading import TradingState

CONTROLS = (
    *("min_trade", "halted", "reducing", "mark", "figures", "agreement", "duplicate"),
    *("rate", "repeat", "max_order_vega", "max_order_notional", "max_position_vega"),
    *("max_orders_per_day", "max_daily_turnover", "max_daily_loss", "max_price_deviation"),
)


def counted(registry: CollectorRegistry, control: str) -> float | None:
    labels = {"book": "overlay", "control": control}
    return registry.get_sample_value("hedge_orders_withheld_total", labels)


@pytest.mark.parametrize("control", CONTROLS)
def test_an_order_withheld_is_counted_by_the_control_that_did_it(control: str) -> None:
    registry = CollectorRegistry()
    metrics = HedgerMetrics(registry, None)
    withheld = OrderWithheld(
        book="overlay", event_ns=1, decision=1, leg="swap", control=control, figures={}
    )
    metrics.decided([withheld, withheld])
    assert counted(registry, control) == 2


def test_how_a_book_stands_is_read_at_each_scrape() -> None:
    registry = CollectorRegistry()
    metrics = HedgerMetrics(registry, None)
    budget = policy(sizing={"budget": BudgetPolicy(annual=1000.0)})
    market = HedgedMarket(budget)
    metrics.follow(lambda: {"overlay": market.book.standing()})

    def shown(name: str) -> float | None:
        return registry.get_sample_value(f"hedge_{name}", {"book": "overlay"})

    market.vix(18.0)
    assert (shown("held_vega_dollars"), shown("open_orders")) == (0, 1)
    market.fill()
    assert (shown("held_vega_dollars"), shown("open_orders")) == (market.orders[0].quantity, 0)
    assert (shown("off_target"), shown("budget_used_ratio")) == (0, 0)
    unlimited = HedgedMarket()
    metrics.follow(lambda: {"overlay": unlimited.book.standing()})
    assert shown("budget_used_ratio") is None


def test_who_does_not_lead_any_more_shows_nothing_of_how_things_are() -> None:
    registry = CollectorRegistry()
    metrics = HedgerMetrics(registry, None)
    market = HedgedMarket()
    market.vix(18.0)
    metrics.follow(lambda: {"overlay": market.book.standing()})
    metrics.decided(market.effects)
    metrics.taken(7, 1.5)
    metrics.stand_down()
    labels = {"book": "overlay"}
    assert registry.get_sample_value("hedge_held_vega_dollars", labels) is None
    assert registry.get_sample_value("hedge_target_vega_dollars", labels) is None
    assert registry.get_sample_value("hedge_order_wait_seconds") == 0
    assert registry.get_sample_value("hedge_orders_total", labels | {"outcome": "decided"}) == 1


def test_how_far_the_hedger_is_and_how_long_an_order_waits_is_shown() -> None:
    registry = CollectorRegistry()
    HedgerMetrics(registry, None).taken(7, 1.5)
    assert registry.get_sample_value("hedge_hedger_taken_entries") == 7
    assert registry.get_sample_value("hedge_order_wait_seconds") == 1.5


def test_what_a_book_decides_is_counted() -> None:
    registry = CollectorRegistry()
    metrics = HedgerMetrics(registry, None)
    market = HedgedMarket(policy(limits=structs.replace(LIMITS, max_order_vega=300.0)))
    market.vix(18.0)
    market.set_trading(TradingState.HALTED)
    market.ask()
    metrics.decided(market.effects)
    assert counted(registry, "max_order_vega") == 1
    assert counted(registry, "halted") == 1
