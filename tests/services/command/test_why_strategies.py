"""Why a strategy's order was sent: what was measured, and what every other band would have done."""

from fakes.hedged_market import CALENDAR
from fakes.measured_market import MeasuredMarket, strategy_book
from msgspec.structs import replace
from rich.console import Console

from services.command.explanation import Explanation, explain
from services.command.lines import describe
from services.command.why import rendered
from services.hedger.step import HedgerStep
from shared.adapters.store import Entry
from shared.domain.effects import TargetChanged, TriggerChanged
from shared.domain.events import ExposureMeasured
from shared.domain.signals_observed import HedgerInput
from shared.wire import keys
from shared.wire.announcements import announce
from shared.wire.decisions import read_decision
from shared.wire.journal import encode_log


def explained() -> Explanation:
    """The first order of a market maker's book."""
    market = MeasuredMarket()
    measured = ExposureMeasured(
        book="overlay",
        event_ns=market.now,
        portfolio_delta=0.0,
        put_delta=0.0,
        greeks={**market.greeks, "delta.XYZ": 6000.0, "filled.XYZ": 0.0},
    )
    events: list[HedgerInput] = [market.observed("clock"), measured]
    step = HedgerStep((strategy_book(),), CALENDAR, "digest", None)
    output = step.receive([Entry(keys.signal_log(), 1, encode_log(events))])
    rows = enumerate(map(read_decision, output.entries[keys.decisions()]), 1)
    found = explain(rows, "overlay-00000001-shares", CALENDAR)
    assert found is not None
    return found


def test_it_shows_what_was_measured_and_every_band() -> None:
    console = Console(width=200, record=True)
    console.print(rendered(explained()))
    text = console.export_text()
    for words in ("delta.XYZ", "Strategy delta", "whalley_wilmott", "taken", "-6,000 of XYZ"):
        assert words in text, words


def test_what_fired_fits_in_a_terminal_of_80_columns() -> None:
    reason = "smoothed VIX 22.41 against 18 at the last rebalance, above 20.7"
    fired = TriggerChanged(
        book="overlay",
        event_ns=1_517_864_400_123_456_789,
        trigger="initial_incomplete",
        state="firing",
        previous="pending",
        since_ns=1_517_864_340_000_000_000,
        observations=1,
        sessions=1,
        inputs={"vix_smooth": 22.41, "notional": 1_000_000.0},
        reference=18.0,
        reason=reason,
    )
    console = Console(width=80, record=True)
    console.print(rendered(replace(explained(), triggers={"initial_incomplete": (fired,)})))
    text = console.export_text()
    for words in (
        "2018-02-05 21:00:00",
        "initial_incomplete: pending -> firing",
        "since 2018-02-05 20:59:00, 1 observation ",
        "vix_smooth 22.41, notional 1,000,000 (from 18)",
        "smoothed VIX 22.41 against 18 at the last rebalance,",
    ):
        assert words in text, text


def test_the_limits_are_those_of_its_measure() -> None:
    limits = {checked.name: (checked.value, checked.limit) for checked in explained().limits}
    assert limits["max_order_delta"] == (6000.0, 10_000.0)
    assert limits["max_position_delta"] == (6000.0, 20_000.0)
    assert "max_order_vega" not in limits


def test_the_terminal_says_what_is_to_be_held_and_what_each_band_has_cost() -> None:
    target = explained().target
    assert isinstance(target, TargetChanged)
    announcement = announce(target)
    assert announcement is not None
    line = describe(announcement.message)
    for words in ("hold shares -6,000", "net_delta 6,000", "time 50 in 1"):
        assert words in line, line
