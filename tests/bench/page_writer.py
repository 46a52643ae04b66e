"""What stages write for 50 books at 5,000 ticks/s, written by one program: for a machine too small.

`python tests/bench/page_writer.py STORE_OF_MARKET STORE_OF_ORDERS` appends to the three logs that
the page reads, ten times a second: 100 snapshots of all signals a second, as VIX and the index
print, an exposure of every book each 100 ms, and 10 decisions with their orders a second.
"""

import argparse
import itertools
import sys
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec
import numpy as np
from fakes.orders import make_order
from msgspec import structs
from redis import Redis

from shared.adapters.clock import SystemClock
from shared.domain.effects import Effect, LegTarget, OrderDecided, SizingStep, TargetChanged
from shared.domain.exposure.observed import (
    ExposureObserved,
    GroupExposure,
    Risk,
    ScenarioProfit,
)
from shared.domain.exposure.policy import BUCKETS, FIGURES, Shock
from shared.domain.exposure.profit import Profit, ProfitAccount
from shared.domain.signals_observed import Mark, Quality, Signal, SignalsObserved
from shared.wire import keys
from shared.wire.decisions import ChainHead, DecisionRecord, append
from shared.wire.journal import encode_log

SNAPSHOTS: Final = 10
"""A turn, of a tenth of a second."""
_TURN_S: Final = 0.1
_KEPT: Final = 20_000
_SIGNALS: Final = (
    *("vix", "vix_smooth", "vix_percentile", "regime", "rv", "correlation", "index_return"),
    *("term_ratio", "term_state", "crash_intensity", "crash_intensity_ratio"),
    *("transition_p_low_to_high", "transition_p_high_to_low", "transition_stationary_high"),
)
_PARTS: Final = ("delta", "gamma", "theta", "vega", "vanna", "volga", "carry", "cost", "trades")
_encode = msgspec.msgpack.Encoder().encode
clock = SystemClock()


class Writer:
    """Writes what stages write.

    Args:
        market: The store of signals and exposure.
        orders: The store of decisions.
        books: Their names.
    """

    def __init__(self, market: Redis, orders: Redis, books: list[str]) -> None:
        self._market = market
        self._orders = orders
        self._books = books
        self._random = np.random.default_rng(1)
        self._numbers = {"signals": 0, "exposure": 0, "decisions": 0}
        self._head = ChainHead()
        self._decisions = itertools.count(1)

    def turn(self) -> None:
        """Write what comes of a tenth of a second."""
        now_ns = clock.now_ns()
        pipe = self._market.pipeline(transaction=False)
        for _ in range(SNAPSHOTS):
            self._add(pipe, "signals", keys.signal_log(), encode_log([self._snapshot(now_ns)]))
        for book in self._books:
            observed = _encode(self._exposure(book, now_ns))
            self._add(pipe, "exposure", keys.exposure_log(), observed)
        pipe.execute()
        pipe = self._orders.pipeline(transaction=False)
        for effect in self._decision(now_ns):
            entry, self._head = append(self._head, DecisionRecord(effect))
            self._add(pipe, "decisions", keys.decisions(), entry)
        pipe.execute()

    def _add(self, pipe: Redis, name: str, stream: str, payload: bytes) -> None:
        self._numbers[name] += 1
        pipe.xadd(
            stream,
            {"payload": payload},
            id=f"{self._numbers[name]}-0",
            maxlen=_KEPT,
            approximate=True,
        )

    def _snapshot(self, now_ns: int) -> SignalsObserved:
        own = [
            f"{name}.{book}"
            for book in self._books
            for name in ("nav", "drawdown", "hedge_correlation")
        ]
        levels = self._random.uniform(0.1, 20.0, len(_SIGNALS) + len(own)).tolist()
        signals = {
            name: Signal(
                value=level,
                unit="points",
                quality=Quality.GOOD,
                event_ns=now_ns,
                have=20,
                need=20,
                state="low" if name in {"regime", "term_state"} else "",
            )
            for name, level in zip((*_SIGNALS, *own), levels, strict=True)
        }
        return SignalsObserved(
            event_ns=now_ns,
            index=self._numbers["signals"],
            cause="VIX",
            signals=signals,
            marks={"VIX": Mark(level=18.0, event_ns=now_ns)},
        )

    def _exposure(self, book: str, now_ns: int) -> ExposureObserved:
        figures = dict(
            zip(FIGURES, self._random.normal(0, 1e5, len(FIGURES)).tolist(), strict=True)
        )
        grid = tuple(
            ScenarioProfit(
                name=f"spot {spot:+.0%} volatility {points:+g}",
                shock=Shock(spot, points),
                profit=figures["vega"] * spot * points,
            )
            for spot in (-0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3)
            for points in (-10.0, -5.0, 0.0, 5.0, 10.0, 20.0)
        )
        account = ProfitAccount(
            since_ns=now_ns,
            total=1.0,
            parts=dict.fromkeys(_PARTS, figures["vega"]),
            unexplained=0.0,
        )
        groups = tuple(
            GroupExposure(
                underlying="SPX",
                bucket=bucket,
                level=6e3,
                positions=333,
                marked=333,
                figures=figures,
            )
            for bucket in BUCKETS
        )
        return ExposureObserved(
            book=book,
            event_ns=now_ns,
            youngest_ns=now_ns,
            groups=groups,
            totals=figures,
            beta_delta=figures["dollar_delta"],
            without_beta=(),
            index_delta=1.0,
            vix_vega=figures["vega"],
            positions=2_000,
            marked=2_000,
            unmarked=(),
            expired=(),
            conflated=7,
            risk=Risk(
                event_ns=now_ns,
                grid=grid,
                stress=grid[:4],
                worst=grid[0],
                shortfall=1e5,
                shortfall_days=504,
            ),
            profit=Profit(
                event_ns=now_ns, session=account, inception=account, suspended=(), waiting=0
            ),
        )

    def _decision(self, now_ns: int) -> list[Effect]:
        number = next(self._decisions)
        book = self._books[number % len(self._books)]
        steps = tuple(
            SizingStep(name=name, multiplier=1.5, note="of the bench", binding=name == "budget")
            for name in ("rule", "persistence", "equity_share", "budget", "floor_and_cap")
        )
        leg = LegTarget(
            leg="varswap", symbol="VIX", vega=1_500.0, quantity=1_500.0, mark=18.0, weight=1.0
        )
        target = TargetChanged(
            book=book,
            event_ns=now_ns,
            decision=number,
            trigger="vix_move",
            multiplier=1.5,
            steps=steps,
            target_vega=1_500.0,
            current_vega=1_000.0,
            legs=(leg,),
            quality=Quality.GOOD,
            reference_vix=18.0,
            budget_used=0.3,
            at_floor=False,
            at_cap=False,
        )
        name = f"{book}-{number:08d}-varswap"
        order = make_order(number, event_ns=now_ns, valid_until_ns=now_ns + 60_000_000_000)
        order = structs.replace(order, book=book, order_id=name, leg="varswap", symbol="VIX")
        return [target, OrderDecided(order=order)]


def main() -> None:
    """Write until terminated."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("market", help="URL of the store of signals and exposure")
    parser.add_argument("orders", help="URL of the store of decisions")
    parser.add_argument("books", nargs="+", help="their names")
    options = parser.parse_args()
    writer = Writer(Redis.from_url(options.market), Redis.from_url(options.orders), options.books)
    begun_s = clock.monotonic_s()
    for number in itertools.count(1):
        writer.turn()
        time.sleep(max(0.0, begun_s + number * _TURN_S - clock.monotonic_s()))


if __name__ == "__main__":
    main()
