import msgspec
from fakes.hedged_market import CALENDAR, FUTURE, MONDAY, policy

from services.dashboard.effectiveness import Effectiveness
from shared.domain.accounts.accounting import ComparisonState
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.instants import DAY, HOUR, MINUTE
from shared.domain.policies import LegPolicy
from shared.domain.signals_observed import Mark, Quality, Signal, SignalsObserved

BOOK = policy(legs=(FUTURE,))
CLOSE = 6 * HOUR + 30 * MINUTE


def close(day: int, nav: float, future: float) -> SignalsObserved:
    """The last snapshot of a session."""
    event_ns = MONDAY + day * DAY + CLOSE
    signal = Signal(value=nav, unit="currency", quality=Quality.GOOD, event_ns=event_ns)
    marks = {
        "SPX": Mark(level=nav, event_ns=event_ns),
        "VX6": Mark(level=future, event_ns=event_ns),
    }
    return SignalsObserved(
        event_ns=event_ns, index=day, cause="clock", signals={"nav.overlay": signal}, marks=marks
    )


def fill(day: int, price: float, order: str = "overlay-00000001-future") -> ExecutionReported:
    return ExecutionReported(
        book="overlay",
        order_id=order,
        execution_id=f"{order}-{day}",
        kind=ExecutionKind.FILL,
        quantity=1.0,
        price=price,
        event_ns=MONDAY + day * DAY + HOUR,
    )


EVENTS = (
    close(0, 1_000_000, 19.0),
    fill(1, 19.0),
    close(1, 1_100_000, 19.0),
    close(2, 1_000_000, 25.0),
    close(3, 1_050_000, 24.0),
    close(4, 1_110_000, 20.0),
)


def following() -> Effectiveness:
    return Effectiveness(BOOK, CALENDAR, "SPX", 0.0)


def test_before_the_portfolio_has_fallen_there_is_no_ratio() -> None:
    found = following()
    for event in EVENTS[:3]:
        found.receive(event)
    view = found.view(-0.5)
    assert (view.ratio, view.hedge_profit, view.book_loss, view.correlation) == (
        None,
        None,
        None,
        -0.5,
    )


def test_gain_of_the_hedge_stands_against_the_loss_of_the_fall() -> None:
    found = following()
    for event in EVENTS:
        found.receive(event)
    view = found.view(None)
    assert (view.hedge_profit, view.book_loss, view.ratio) == (6_000.0, 100_000.0, 0.06)


def test_it_goes_on_where_it_was_left() -> None:
    for cut in range(len(EVENTS)):
        first, second = following(), following()
        for event in EVENTS[:cut]:
            first.receive(event)
        stored = msgspec.msgpack.encode(first.snapshot())
        second.restore(msgspec.msgpack.decode(stored, type=ComparisonState))
        for event in EVENTS[cut:]:
            second.receive(event)
        assert second.view(None).ratio == 0.06


def test_what_cannot_be_followed_is_not_claimed() -> None:
    put = LegPolicy(
        name="put", instrument="put", symbol="PUT", maturity_days=180, max_vega=1e4, multiplier=100
    )
    blind = Effectiveness(policy(legs=(put,)), CALENDAR, "SPX", 0.0)
    for event in EVENTS:
        blind.receive(event)
    assert blind.view(None).ratio is None
    assert blind.snapshot() is None
    blind.restore(ComparisonState())
    found = following()
    found.receive(fill(0, 19.0, "overlay-00000001-gone"))
