"""What the command and Prometheus say of a book is what QuantLib makes of the same journal."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from math import exp
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest
import QuantLib as ql  # noqa: N813 - as everybody calls it
from fakes.command import hedgestat
from fakes.eventually import eventually_sync
from fakes.keys import write_keys
from fakes.programs import hedgestat as program
from fakes.servers import MosquittoServer, RedisServer

from services.command.generated_chain import Climate, GeneratedChain
from shared.adapters.catalogue import make_catalogue
from shared.adapters.clock import SystemClock
from shared.adapters.redis_store import RedisStore
from shared.adapters.settings import load_settings
from shared.domain.events import Tick
from shared.domain.instants import DAY, SECOND
from shared.domain.tick_block import TickBlock
from shared.wire import keys
from shared.wire.journal import decode_entry
from shared.wire.times import parse_instant

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]

RATE, YIELD, LEVEL, VOLATILITY = 0.04, 0.013, 6000.0, 0.17
FIGURES = ("value", "delta", "gamma", "dollar_delta", "dollar_gamma", "vega", "theta", "rho")
CONFIGURATION = f"""
calendar = {{ name = "24/7" }}
clock = {{ interval = "100 ms" }}
http = {{ port = 0, ports = {{ exposure = 0, auditor = 0 }} }}
exposure = {{ everything_every = "100 ms" }}

[symbols]
VIX = {{}}
SPX = {{}}

[options]
roots = ["SPXW"]
rate = {RATE}
dividend_yields = {{ SPX = {YIELD} }}

[[books]]
name = "overlay"
rule = "option_a"
portfolio = {{ value = 50_000_000, weights = {{ SPX = 1.0 }} }}
sizing = {{ base_vega = 1000.0 }}
limits = {{ max_order_vega = 2000, max_order_notional = 200_000, max_position_vega = 2000, \
max_orders_per_day = 5, max_orders_per_minute = 5, max_daily_turnover = 1_000_000, \
max_daily_loss = 1_000_000, max_price_deviation = "15%", max_repeats = 5, repeat_window = "1 min", \
duplicate_window = "1 ms" }}
positions_file = "positions.csv"

[[books.legs]]
name = "swap"
instrument = "variance_swap"
symbol = "VIX"
maturity = "30 days"
max_vega = 2000
"""


def fridays() -> list[date]:
    """Two expiries, some weeks and some months away."""
    today = datetime.fromtimestamp(SystemClock().now_ns() / SECOND, tz=UTC).date()
    first = today + timedelta(days=(4 - today.weekday()) % 7 + 42)
    return [first, first + timedelta(weeks=14)]


class Desk:
    """A running hedgestat with a book of options."""

    def __init__(self, directory: Path, mosquitto: MosquittoServer, redis: RedisServer) -> None:
        self._directory = directory
        self._mosquitto = mosquitto
        self._variables = {
            "HEDGESTAT_MQTT_URL": mosquitto.url,
            "HEDGESTAT_REDIS_URL": f"{redis.url}/0",
        }
        write_keys(directory / "keys")
        self._path = directory / "hedgestat.toml"
        self._path.write_text(CONFIGURATION)
        (directory / "positions.csv").write_text("symbol,quantity\n")
        self.settings = load_settings(self._path, self._variables)
        catalogue = make_catalogue(self.settings.instruments, self.settings.calendar)
        strikes = [float(strike) for strike in range(5400, 6601, 100)]
        climate = Climate(rate=RATE, dividend_yield=YIELD)
        self.chain = GeneratedChain(catalogue, "SPXW", fridays(), strikes, climate)
        held = {name: float(n % 7 - 3) for n, name in enumerate(self.chain.symbols) if n % 7 != 3}
        self.positions = held | {"SPX": 12.0}
        lines = [f"{symbol},{quantity}" for symbol, quantity in self.positions.items()]
        (directory / "positions.csv").write_text("\n".join(["symbol,quantity", *lines]))
        words = ("up", "-c", str(self._path))
        self.services = program(*words, name="up", directory=directory, environment=self._variables)

    def hears(self) -> bool:
        """Whether ingest hears what is published, and the exposure stage reads it."""
        lines = [msgspec.json.decode(line) for line in self.services.log.splitlines()]
        heard = {line.get("service") for line in lines if line["event"] == "bus_connected"}
        return {"ingest", "exposure"} <= heard

    def publish(self, level: float) -> None:
        """Print levels, and quote every option around what it is worth."""
        now_ns = SystemClock().now_ns()
        worth = self.chain.prices(now_ns, level, VOLATILITY).tolist()
        ticks: list[dict[str, Any]] = [
            {"symbol": "SPX", "event_time": now_ns, "price": level},
            {"symbol": "VIX", "event_time": now_ns, "price": 17.0},
        ]
        for symbol, price in zip(self.chain.symbols, worth, strict=True):
            quote = {"bid": 0.99 * price, "ask": 1.01 * price}
            ticks.append({"symbol": symbol, "event_time": now_ns} | quote)
        command = ["mosquitto_pub", "-p", str(self._mosquitto.port), "-t", "hedge/v1/ticks", "-s"]
        subprocess.run(command, input=msgspec.json.encode(ticks), check=True, timeout=10)

    def told(self) -> dict[str, Any]:
        """The command's answer."""
        words = ("exposure", "overlay", "--json", "-c", str(self._path))
        answer = hedgestat(*words, directory=self._directory, variables=self._variables)
        found: dict[str, Any] = json.loads(answer.stdout) if answer.returncode == 0 else {}
        return found

    def scraped(self) -> dict[tuple[str, str], float]:
        """Figures of Prometheus by bucket and name."""
        pages = re.findall(r"(http://127\.0\.0\.1:\d+)/readyz", self.services.log)
        text = "".join(_read(f"{page}/metrics") for page in pages)
        found = {}
        for labels, value in re.findall(r"hedge_exposure_(?:dollars|units)\{(.*?)\} (\S+)", text):
            named = dict(re.findall(r'(\w+)="(.*?)"', labels))
            found[named["bucket"], named["figure"]] = float(value)
        return found

    async def journal(self) -> dict[str, Tick]:
        """The last tick of every symbol."""
        last: dict[str, Tick] = {}
        async with RedisStore(self.settings.redis.market) as store:
            for entry in await store.read({keys.journal(): 0}, count=100_000):
                for item in decode_entry(entry.payload).items:
                    if isinstance(item, TickBlock):
                        ticks = [item.tick(row) for row in range(len(item))]
                        last |= {tick.symbol: tick for tick in ticks}
        return last

    def recomputed(self, last: dict[str, Tick], now_ns: int) -> dict[str, dict[str, float]]:
        """Figures by bucket: from the journal, by QuantLib alone."""
        spot = last["SPX"].level
        sums = {"spot": {"value": 12 * spot, "delta": 12.0, "dollar_delta": 12 * spot}}
        for instrument in self.chain.instruments:
            held = 100 * self.positions.get(instrument.symbol, 0.0)
            if not held:
                continue
            assert instrument.expiry_ns is not None
            assert instrument.option is not None
            bucket = "31-90d" if instrument.expiry_ns - now_ns < 91 * DAY else "91-365d"
            into = sums.setdefault(bucket, dict.fromkeys(FIGURES, 0.0))
            kind = ql.Option.Call if instrument.option.right == "call" else ql.Option.Put
            payoff = ql.PlainVanillaPayoff(kind, instrument.option.strike)
            quote = last[instrument.symbol]
            quoted = (instrument.expiry_ns - quote.event_ns) / (365 * DAY)
            years = (instrument.expiry_ns - now_ns) / (365 * DAY)
            for name, value in _greeks(payoff, quote.level, spot, quoted, years):
                into[name] += held * value
        return sums


def _read(url: str) -> str:
    with urlopen(url, timeout=5) as answer:  # noqa: S310 - our own page
        text: str = answer.read().decode()
    return text


def _greeks(
    payoff: Any,  # noqa: ANN401 - QuantLib has no types
    price: float,
    spot: float,
    quoted: float,
    years: float,
) -> Iterator[tuple[str, float]]:
    """Imply the volatility when it was quoted, and take the Greeks now."""
    carry = RATE - YIELD
    deviation = ql.blackFormulaImpliedStdDev(
        payoff.optionType(),
        payoff.strike(),
        spot * exp(carry * quoted),
        price,
        exp(-RATE * quoted),
    )
    now = deviation / quoted**0.5 * years**0.5
    black = ql.BlackCalculator(payoff, spot * exp(carry * years), now, exp(-RATE * years))
    delta, gamma = black.delta(spot), black.gamma(spot)
    yield "value", black.value()
    yield "delta", delta
    yield "gamma", gamma
    yield "dollar_delta", delta * spot
    yield "dollar_gamma", gamma * spot**2 / 100
    yield "vega", black.vega(years) / 100
    yield "theta", black.theta(spot, years) / 365
    yield "rho", black.rho(years) / 100


async def test_the_command_and_prometheus_agree_with_quantlib_on_one_journal(
    tmp_path: Path, mosquitto_server: MosquittoServer
) -> None:
    with RedisServer(tmp_path / "redis", appendfsync="always") as redis:
        desk = Desk(tmp_path, mosquitto_server, redis)
        desk.services.start()
        try:
            eventually_sync(desk.hears, within_s=40)
            for level in (LEVEL, LEVEL + 7.25):
                desk.publish(level)
            eventually_sync(lambda: desk.scraped().get(("spot", "delta")) == 12.0, within_s=20)
            told = desk.told()
            scraped = desk.scraped()
            expected = desk.recomputed(await desk.journal(), parse_instant(told["event_time"]))
        finally:
            desk.services.send(signal.SIGTERM)
            assert desk.services.ended() == 0
    assert {group["bucket"] for group in told["groups"]} == expected.keys()
    for group in told["groups"]:
        bucket = group["bucket"]
        assert group["level"] == LEVEL + 7.25
        for name, value in expected[bucket].items():
            about = pytest.approx(value, rel=2e-4)
            assert group["figures"][name] == about, (bucket, name)
            assert scraped[bucket, name] == about, (bucket, name)
    total = sum(group["vega"] for group in expected.values() if "vega" in group)
    assert told["totals"]["vega"] == pytest.approx(total, rel=2e-4)
