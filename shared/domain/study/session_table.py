"""A backtest's sessions as the columns of a variant's daily table, its profit explained."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from shared.domain.policies import BookPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.study.explained import MARKET_PARTS, explained
from shared.domain.study.instruments import InstrumentHistory
from shared.domain.study.session_record import DealtTrade, SessionRecord

Column = NDArray[np.generic]

PROFIT_COLUMNS: Final = tuple(f"pnl_{part}" for part in (*MARKET_PARTS, "cost", "unexplained"))
"""They sum to `profit`."""


class BookOverSessions(Protocol):
    """What a table is made of: a finished backtest, or a live journal read again."""

    @property
    def book(self) -> BookPolicy:
        """Whose hedge."""

    @property
    def sessions(self) -> Sequence[SessionRecord]:
        """Counted, in order."""

    @property
    def trades(self) -> Sequence[DealtTrade]:
        """All of them, in order."""


def session_table(
    backtest: BookOverSessions,
    calendar: SessionCalendar,
    index_symbol: str,
    instruments: InstrumentHistory | None = None,
) -> dict[str, Column]:
    """Return the columns, one row a counted session, in order.

    Args:
        backtest: One that has finished.
        calendar: Its sessions.
        index_symbol: The index.
        instruments: What its legs traded, if the study marks it.

    Returns:
        `day` (datetime64[D]), `close_ns` (int64), `regime` (str; empty when unknown), `at_floor`
        and `at_cap` (bool), `trades` and `whipsaws` (int64, of the session), and as float64, NaN
        where unknown: `index`, `vix` (points), `rv` (decimal), `drawdown` and `nav` of the
        unhedged portfolio, `carry`, `cost`, `profit`, `static_profit`, `target_vega`, `held_vega`,
        `multiplier`, `turnover_vega`, `budget_used` and the `PROFIT_COLUMNS`; money in the book's
        currency.
    """
    sessions, name = backtest.sessions, backtest.book.name
    results = [each.result for each in sessions]
    books = [each.book for each in sessions]
    carry = _floats([each.dynamic_carry for each in results])
    cost = _floats([each.transaction_cost for each in results])
    close_ns = np.array([each.close_ns for each in results], dtype=np.int64)
    whipsaws = np.array([each.whipsaws for each in books], dtype=np.int64)
    columns: dict[str, Column] = {
        "day": close_ns.astype("datetime64[ns]").astype("datetime64[D]"),
        "close_ns": close_ns,
        "index": _floats([each.closes[index_symbol] for each in sessions]),
        "vix": _signal(sessions, "vix"),
        "rv": _signal(sessions, "rv"),
        "regime": np.array([_state(each) for each in sessions], dtype=np.str_),
        "drawdown": _signal(sessions, f"drawdown.{name}"),
        "nav": _floats([each.nav for each in results]),
        "carry": carry,
        "cost": cost,
        "profit": carry - cost,
        "static_profit": _floats([each.static_carry for each in results]),
        "target_vega": _floats([each.target_vega for each in books]),
        "held_vega": _floats([each.held_vega for each in books]),
        "multiplier": _floats([each.multiplier for each in results]),
        "at_floor": np.array([each.at_floor for each in results], dtype=np.bool_),
        "at_cap": np.array([each.at_cap for each in results], dtype=np.bool_),
        "trades": np.array([each.trades for each in results], dtype=np.int64),
        "turnover_vega": _floats([each.turnover_vega for each in results]),
        "budget_used": _floats([each.budget_used for each in books]),
        "whipsaws": np.diff(whipsaws, prepend=0),
    }
    parts = explained(
        backtest.book.legs,
        sessions,
        backtest.trades,
        calendar_closes=calendar.close_ns,
        index_symbol=index_symbol,
        points=None if instruments is None else instruments.points,
        histories=None if instruments is None else instruments.histories,
    )
    columns |= {f"pnl_{part}": parts[row] for row, part in enumerate(MARKET_PARTS)}
    columns["pnl_cost"] = 0.0 - cost
    columns["pnl_unexplained"] = carry - parts.sum(axis=0)
    return columns


def _floats(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)  # numpy reads None as NaN


def _signal(sessions: Sequence[SessionRecord], name: str) -> NDArray[np.float64]:
    signals = [each.book.observed.signals.get(name) for each in sessions]
    return _floats([None if signal is None else signal.value for signal in signals])


def _state(session: SessionRecord) -> str:
    regime = session.book.observed.signals.get("regime")
    return "" if regime is None else regime.state
