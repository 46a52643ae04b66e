"""A user with two terminals: ticks in by mosquitto_pub, orders out by mosquitto_sub."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.installation import Installation
from fakes.programs import Program

from shared.adapters.clock import SystemClock

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]

CONFIGURATION = """
calendar = { name = "24/7" }
clock = { interval = "100 ms" }
trading = { arms_itself = true }

[symbols]
VIX = {}
SPX = {}

[signals.smoothing]
half_life = "50 ms"

[[books]]
name = "overlay"
rule = "option_a"
portfolio = { value = 50_000_000, weights = { SPX = 1.0 } }
sizing = { base_vega = 1000.0, floor = 0.2 }
triggers = { hold = "1 s and 3 ticks", cooldown = "1 s" }
limits = { max_order_vega = 2000, max_order_notional = 200_000, max_position_vega = 2000, \
max_orders_per_day = 5, max_orders_per_minute = 5, max_daily_turnover = 1_000_000, \
max_daily_loss = 1_000_000, max_price_deviation = "15%", max_repeats = 5, repeat_window = "1 min", \
duplicate_window = "1 ms" }

[[books.legs]]
name = "swap"
instrument = "variance_swap"
symbol = "VIX"
maturity = "30 days"
max_vega = 2000
"""


class Terminals:
    """The user's."""

    def __init__(self, port: int, directory: Path) -> None:
        self._address = ["-h", "127.0.0.1", "-p", str(port)]
        words = ["mosquitto_sub", *self._address, "-t", "hedge/v1/books/overlay/+", "-F", "%t %p"]
        self.reader = Program("reader", words, directory)

    def publish(self, symbol: str, price: float) -> None:
        """Send a tick of this instant."""
        tick = {"symbol": symbol, "event_time": SystemClock().now_ns(), "price": price}
        topic = f"hedge/v1/ticks/{symbol}"
        words = ["mosquitto_pub", *self._address, "-t", topic, "-m", json.dumps(tick)]
        subprocess.run(words, check=True)

    def publish_until(self, vix: float, condition: Callable[[], bool]) -> None:
        """Send ticks of a quiet market until something has happened."""
        deadline = SystemClock().monotonic_s() + 20
        while not condition():
            assert SystemClock().monotonic_s() < deadline, self.reader.log
            self.publish("SPX", 4000.0)
            self.publish("VIX", vix)

    def read(self, kind: str) -> list[dict[str, Any]]:
        """What has been published of a kind: orders, executions, and so on."""
        lines = (line.partition(" ") for line in self.reader.log.splitlines())
        return [json.loads(text) for topic, _, text in lines if topic.endswith(f"/{kind}")]

    def position(self) -> float:
        """What was bought."""
        return float(sum(report["quantity"] for report in self.read("executions")))


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    with Installation(tmp_path, tmp_path, ["up"], CONFIGURATION) as installation:
        terminals = Terminals(installation.mosquitto.port, tmp_path)
        terminals.reader.start()
        try:
            yield terminals
        finally:
            terminals.reader.kill()


def test_a_vix_of_18_holds_600_and_a_rise_to_22_buys_400_more(terminals: Terminals) -> None:
    terminals.publish_until(18.0, lambda: terminals.position() == 600)
    [first] = terminals.read("orders")
    assert (first["side"], first["quantity"], first["target_quantity"]) == ("buy", 600, 600)

    terminals.publish_until(22.0, lambda: terminals.position() == 1000)
    [_, second] = terminals.read("orders")
    assert (second["side"], second["quantity"], second["target_quantity"]) == ("buy", 400, 1000)
    assert second["trigger"] in {"vix_move", "vix_relative"}
