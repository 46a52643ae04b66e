"""A backtest's profit explained, against its account and the parts of the live explainer."""

from math import fsum

import numpy as np
import pytest
from fakes import rolled_market
from fakes.rolled_books import backtest, instruments
from numpy.typing import NDArray

from shared.domain.accounts.effectiveness import SessionResult
from shared.domain.exposure import attribution, row_values
from shared.domain.exposure.attribution import OF_THE_MARKET, PARTS
from shared.domain.exposure.baselines import Valuation
from shared.domain.exposure.explain import Holdings, ProfitExplainer
from shared.domain.exposure.policy import ExposurePolicy
from shared.domain.exposure.terms import Terms
from shared.domain.instruments.instrument import Instrument, Kind, Model, Option
from shared.domain.policies import LegPolicy
from shared.domain.signals_observed import SignalsObserved
from shared.domain.study.backtest import Backtest
from shared.domain.study.contracts import ContractHistory
from shared.domain.study.explained import explained
from shared.domain.study.session_record import BookAtClose, DealtTrade, SessionRecord

Floats = NDArray[np.float64]
POINTS = rolled_market.points()
CALENDAR = rolled_market.CALENDAR
_ROWS = (
    (row_values.PRICE, attribution.PRICE),
    (row_values.DELTA, attribution.DELTA),
    (row_values.GAMMA, attribution.GAMMA),
    (row_values.VEGA, attribution.VEGA),
    (row_values.THETA, attribution.THETA),
    (row_values.VANNA, attribution.VANNA),
    (row_values.VOLGA, attribution.VOLGA),
    (row_values.CHARM, attribution.CHARM),
)
_INPUTS = (
    (row_values.UNDERLYING, attribution.UNDERLYING),
    (row_values.RATE, attribution.RATE),
    (row_values.CARRY, attribution.CARRY),
    (row_values.VOLATILITY, attribution.VOLATILITY),
    (row_values.LEVEL, attribution.UNDERLYING),
)


def parts_of(test: Backtest) -> Floats:
    return explained(
        test.book.legs,
        test.sessions,
        test.trades,
        calendar_closes=CALENDAR.close_ns,
        index_symbol="SPX",
        points=POINTS,
        histories=instruments().histories,
    )


@pytest.mark.parametrize("leg", ["swap", "put", "pput", "call", "future"])
def test_the_parts_leave_little_of_what_the_account_counts(leg: str) -> None:
    test = backtest(leg)
    parts = parts_of(test)
    carry = np.array([each.result.dynamic_carry for each in test.sessions])
    exact = leg in {"swap", "future"}
    least = 1e-9 if exact else 0.02
    assert np.abs(carry).sum() > 1000.0
    assert np.abs(carry - parts.sum(axis=0)).sum() <= least * np.abs(parts).sum()
    if exact:
        np.testing.assert_allclose(parts.sum(axis=0), carry, rtol=1e-9, atol=1e-6)


def test_legs_add_up() -> None:
    both = backtest("swap", "put")
    carry = fsum(each.result.dynamic_carry for each in both.sessions)
    assert parts_of(both).sum() == pytest.approx(carry, rel=1e-3)


# --- the live explainer as the oracle --------------------------------------------------------


class Live:
    """The monitor's explainer over the contracts of one history, a row each."""

    def __init__(self, history: ContractHistory, in_points: bool) -> None:  # noqa: FBT001 - of all of them
        kind = "call" if in_points else "put"
        self.terms = Terms(("VIX",) if in_points else ())
        self.terms.extend(
            [
                Instrument(
                    symbol=contract.name,
                    kind=Kind.OPTION,
                    root="VIX" if in_points else "SPX",
                    underlying=contract.name,
                    model=Model.BLACK if in_points else Model.BLACK_SCHOLES,
                    multiplier=100.0,
                    expiry_ns=contract.expiry_ns,
                    option=Option(
                        right=kind,  # type: ignore[arg-type] # one of the two
                        strike=contract.strike,
                        style="european",
                        settlement="pm",
                        delivery="cash",
                    ),
                )
                for contract in history.contracts
            ]
        )
        count = len(history.contracts)
        self.values = np.full((row_values.GREEKS, count), np.nan)
        self.inputs = np.full((row_values.INPUTS, count), np.nan)
        self.valued_ns = np.zeros(count, dtype=np.int64)
        self.held = np.zeros(count)
        self.names = [contract.name for contract in history.contracts]
        self.explainer = ProfitExplainer(ExposurePolicy(), self.terms, CALENDAR, ["overlay"])

    def value(self, contract: int, columns: Floats, now_ns: int) -> None:
        self.valued_ns[contract] = now_ns
        for to, row in _ROWS:
            self.values[to, contract] = columns[row]
        for to, row in _INPUTS:
            self.inputs[to, contract] = columns[row]

    def trade(self, contract: int, quantity: float, price: float) -> None:
        self.held[contract] += quantity
        self.explainer.fill("overlay", self.names[contract], quantity, price)

    def step(self, now_ns: int) -> None:
        rows = np.flatnonzero(self.held)
        count = len(self.names)
        valuation = Valuation(
            self.values,
            self.inputs,
            self.valued_ns.copy(),
            np.isfinite(self.values[row_values.PRICE]),
            float("nan"),
        )
        holdings = Holdings(
            ["overlay"],
            np.zeros(len(rows), dtype=np.int64),
            rows,
            100.0 * self.held[rows],
            tuple(range(count)),
        )
        self.explainer.step(now_ns, valuation, holdings)

    def session(self) -> dict[str, float]:
        profit = self.explainer.profit("overlay")
        assert profit is not None
        return profit.session.parts


@pytest.mark.parametrize(("leg", "symbol"), [("put", "PUT90"), ("call", "VXTH")])
def test_the_parts_are_the_live_explainers_own(leg: str, symbol: str) -> None:
    test = backtest(leg)
    history = instruments().histories[symbol]
    live = Live(history, in_points=leg == "call")
    rolls = {roll.point: number for number, roll in enumerate(history.rolls)}
    dealt = list(test.trades)
    found = []
    for point, clock_ns in enumerate(POINTS.clock_ns.tolist()):
        contract = int(history.number[point])
        if contract >= 0 and np.isfinite(history.level[point]):
            live.values[:] = np.nan
            live.value(contract, history.after[:, point], clock_ns)
            live.step(clock_ns)
            if point in rolls:
                live.value(contract + 1, history.before[:, point], clock_ns)
                live.step(clock_ns)
        while dealt and dealt[0].event_ns <= clock_ns:
            trade = dealt.pop(0)
            live.trade(contract, trade.quantity, trade.price)
        if point in rolls:
            held, roll = float(live.held[contract]), history.rolls[rolls[point]]
            live.trade(contract, -held, roll.given_up)
            live.trade(contract + 1, held, roll.taken_on)
        live.step(clock_ns)
        if POINTS.is_close[point]:
            found.append([live.session()[part] for part in PARTS[:OF_THE_MARKET]])
    parts = parts_of(test)
    assert np.abs(parts).sum() > 1e4
    np.testing.assert_allclose(parts.T, found, rtol=1e-7, atol=1e-6)


# --- corners ---------------------------------------------------------------------------------

SWAP = LegPolicy(
    name="swap", instrument="variance_swap", symbol="VIX", maturity_days=30, max_vega=1e6
)
SHARES = LegPolicy(
    name="shares", instrument="underlying", symbol="SPX", maturity_days=0, max_vega=0.0
)


def record(session: int, carry: float, **closes: float) -> SessionRecord:
    close_ns = int(CALENDAR.close_ns[session])
    result = SessionResult(
        close_ns=close_ns,
        nav=None,
        dynamic_carry=carry,
        transaction_cost=0.0,
        static_carry=0.0,
        turnover_vega=0.0,
        trades=0,
        multiplier=None,
        at_floor=False,
        at_cap=False,
    )
    observed = SignalsObserved(event_ns=close_ns, index=0, cause="clock", signals={})
    return SessionRecord(result, closes, BookAtClose(close_ns, observed, 0.0, 0.0, None, 0))


def parts(leg: LegPolicy, sessions: list[SessionRecord], *trades: DealtTrade) -> dict[str, Floats]:
    made = explained(
        (leg,), sessions, trades, calendar_closes=CALENDAR.close_ns, index_symbol="SPX"
    )
    return dict(zip(PARTS, made, strict=False))


def test_a_swap_that_outlives_missing_sessions_runs_out_after_21() -> None:
    """`accounts.variance_swap.rolled_profit` over 30 sessions, in its parts."""
    from shared.domain.accounts.variance_swap import rolled_profit  # noqa: PLC0415 - the oracle

    sessions = [record(5, 0.0, SPX=100.0, VIX=20.0), record(35, 0.0, SPX=90.0, VIX=30.0)]
    trade = DealtTrade(sessions[0].result.close_ns, "swap", 400.0, 20.0, 20.0)
    made = parts(SWAP, sessions, trade)
    total = sum(part[1] for part in made.values())
    assert total == pytest.approx(rolled_profit(400.0, 20.0, np.log(0.9), 30.0, 30))


def test_an_underlyings_profit_is_delta() -> None:
    sessions = [record(5, 0.0, SPX=100.0), record(6, 0.0, SPX=110.0)]
    trade = DealtTrade(sessions[0].result.close_ns - 5, "shares", 3.0, 98.0, 98.5)
    made = parts(SHARES, sessions, trade)
    assert made["delta"].tolist() == [6.0, 30.0]
    assert not any(made[part].any() for part in PARTS[1:OF_THE_MARKET])


def test_without_sessions_or_trades_there_is_nothing_to_explain() -> None:
    assert parts(SWAP, [])["vega"].tolist() == []
    assert parts(SWAP, [record(5, 0.0, SPX=100.0, VIX=20.0)])["vega"].tolist() == [0.0]


def test_what_is_marked_after_the_last_counted_close_is_not_counted() -> None:
    test = backtest("put")
    half = test.sessions[:100]
    cut = explained(
        test.book.legs,
        half,
        test.trades,
        calendar_closes=CALENDAR.close_ns,
        index_symbol="SPX",
        points=POINTS,
        histories=instruments().histories,
    )
    np.testing.assert_array_equal(cut, parts_of(test)[:, :100])
