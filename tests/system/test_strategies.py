"""The paper's market maker and gamma scalper, through the real services (spec 4.2 and 4.3)."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import exp, log, sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest
from fakes.installation import Installation
from fakes.programs import Program

from shared.adapters.clock import SystemClock
from shared.domain.instants import DAY, SECOND

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]

STRIKE, VOLATILITY, DAYS = 100.0, 0.22, 180
EXPIRY_NS = (SystemClock().now_ns() // SECOND + DAYS * DAY // SECOND) * SECOND
YEARS = DAYS / 365
CONFIGURATION = """
calendar = {{ name = "24/7" }}
clock = {{ interval = "100 ms" }}
trading = {{ arms_itself = true }}
exposure = {{ everything_every = "100 ms" }}
options = {{ rate = 0.0, dividend_yields = {{ XYZ = 0.0 }} }}

[symbols]
VIX = {{}}
SPX = {{}}
XYZ = {{}}
XYZ-C = {{}}
XYZ-P = {{}}

[[instruments]]
symbol = "XYZ-C"
kind = "option"
right = "call"
underlying = "XYZ"
strike = {strike}
expiry = {expiry}
style = "european"
settlement = "pm"
delivery = "cash"
multiplier = 1

[[instruments]]
symbol = "XYZ-P"
kind = "option"
right = "put"
underlying = "XYZ"
strike = {strike}
expiry = {expiry}
style = "european"
settlement = "pm"
delivery = "cash"
multiplier = 1

[[books]]
name = "maker"
strategy = "{strategy}"
limits = {{ max_order_delta = 20_000, max_position_delta = 20_000, max_order_notional = 2_000_000, \
max_orders_per_day = 500, max_orders_per_minute = 300, max_daily_turnover = 100_000_000, \
max_daily_loss = 10_000_000, max_price_deviation = "15%", max_repeats = 300, \
repeat_window = "1 min", duplicate_window = "1 ms" }}
{positions}

[books.{strategy}]
underlying = "XYZ"
band = "fixed"
half_width = {half_width}
cost = 0
order_cost = 50
risk_aversion = 1e-4

[[books.legs]]
name = "shares"
instrument = "underlying"
symbol = "XYZ"
"""


def configuration(strategy: str, half_width: float, **positions: float) -> str:
    """A book of options on XYZ that is hedged with its shares."""
    held = [
        f'[[books.positions]]\nsymbol = "XYZ-{right}"\nquantity = {quantity}'
        for right, quantity in positions.items()
    ]
    expiry = datetime.fromtimestamp(EXPIRY_NS // SECOND, tz=UTC)
    return CONFIGURATION.format(
        strategy=strategy,
        half_width=half_width,
        strike=STRIKE,
        expiry=expiry.isoformat(),
        positions="\n".join(held),
    )


def level_at(delta: float) -> float:
    """Where a call has this delta."""
    deviation = VOLATILITY * sqrt(YEARS)
    return STRIKE * exp(NormalDist().inv_cdf(delta) * deviation - deviation**2 / 2)


def call_price(level: float) -> float:
    """Black and Scholes, without rates."""
    deviation, normal = VOLATILITY * sqrt(YEARS), NormalDist()
    d1 = log(level / STRIKE) / deviation + deviation / 2
    return level * normal.cdf(d1) - STRIKE * normal.cdf(d1 - deviation)


class Market:
    """Prints the shares and quotes their options; reads what the book does."""

    def __init__(self, port: int, directory: Path) -> None:
        self._address = ["-h", "127.0.0.1", "-p", str(port)]
        words = ["mosquitto_sub", *self._address, "-t", "hedge/v1/books/maker/+", "-F", "%t %p"]
        self.reader = Program("reader", words, directory)

    def publish(self, level: float) -> None:
        """Send ticks of this instant."""
        now_ns = SystemClock().now_ns()
        call = call_price(level)
        put = call - level + STRIKE
        ticks: list[dict[str, Any]] = [
            {"symbol": "SPX", "event_time": now_ns, "price": 4000.0},
            {"symbol": "VIX", "event_time": now_ns, "price": 18.0},
            {"symbol": "XYZ", "event_time": now_ns, "price": level},
            {"symbol": "XYZ-C", "event_time": now_ns, "bid": call - 0.01, "ask": call + 0.01},
            {"symbol": "XYZ-P", "event_time": now_ns, "bid": put - 0.01, "ask": put + 0.01},
        ]
        words = ["mosquitto_pub", *self._address, "-t", "hedge/v1/ticks", "-m", json.dumps(ticks)]
        subprocess.run(words, check=True)

    def publish_until(self, level: float, condition: Callable[[], bool]) -> None:
        """Send ticks of a quiet market until something has happened."""
        deadline = SystemClock().monotonic_s() + 40
        while not condition():
            assert SystemClock().monotonic_s() < deadline, self.reader.log[-6000:]
            self.publish(level)

    def read(self, kind: str) -> list[dict[str, Any]]:
        """What has been published of a kind: orders, executions, and so on."""
        lines = (line.partition(" ") for line in self.reader.log.splitlines())
        return [json.loads(text) for topic, _, text in lines if topic.endswith(f"/{kind}")]

    def position(self) -> float:
        """What is held of the shares."""
        return float(sum(report["quantity"] for report in self.read("executions")))


@contextmanager
def market(directory: Path, text: str) -> Iterator[Market]:
    with Installation(directory, directory, ["up"], text) as installation:
        found = Market(installation.mosquitto.port, directory)
        found.reader.start()
        try:
            yield found
        finally:
            found.reader.kill()


def test_the_market_maker_is_short_6000_at_0_60_and_sells_500_more_at_0_65(tmp_path: Path) -> None:
    with market(tmp_path, configuration("delta", 0.0, C=10_000.0)) as found:
        found.publish_until(level_at(0.60), lambda: found.position() == -6000)
        [first] = found.read("orders")
        assert (first["side"], first["quantity"], first["delta"]) == ("sell", 6000, -6000)

        found.publish_until(level_at(0.65), lambda: found.position() == -6500)
        adjustments = found.read("orders")[1:]
        assert sum(order["quantity"] for order in adjustments) == 500
        assert {order["side"] for order in adjustments} == {"sell"}
        assert {order["trigger"] for order in adjustments} == {"band.delta"}


def test_the_gamma_scalper_sells_into_rises_buys_into_falls_and_shows_its_gamma(
    tmp_path: Path,
) -> None:
    straddles = configuration("gamma_scalping", 50.0, C=10_000.0, P=10_000.0)
    with market(tmp_path, straddles) as found:
        for delta in (0.55, 0.60, 0.55, 0.50):
            wanted = -10_000 * (2 * delta - 1)
            found.publish_until(level_at(delta), lambda: abs(found.position() - wanted) <= 51)  # noqa: B023 - asked at once
        told = found.read("target")[-1]["strategies"][0]
        sides = [order["side"] for order in found.read("orders")]
        assert sides.index("buy") > sides.index("sell")
        assert told["figures"]["gamma_profit"] > told["figures"]["theta_paid"] > 0
        assert told["figures"]["implied_volatility"] == pytest.approx(VOLATILITY, abs=0.005)
        assert {band["kind"] for band in told["bands"]} >= {"fixed", "whalley_wilmott"}
