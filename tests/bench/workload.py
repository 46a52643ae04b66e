"""What the benches feed: one configuration, and ticks of 100 basket members, VIX and the index.

Of the ticks 1% are VIX, 1% the index and the rest the basket's, all random walks from one seed.
The demo's defaults are for daily data; here timers are short, so that rules act within the few
minutes of event time that a bench lasts, and orders come out.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from fakes.keys import write_keys
from numpy.typing import NDArray

from shared.adapters.settings import Settings, load_settings
from shared.domain.events import ClockAdvanced
from shared.domain.instants import SECOND
from shared.domain.sessions import SessionCalendar
from shared.domain.tick_block import NO_SEQUENCE, TickBlock
from shared.wire.journal import JournalEntry, JournalItem

BASKET: Final = tuple(f"S{number:03d}" for number in range(100))
SYMBOLS: Final = (*BASKET, "VIX", "SPX")
VIX: Final = len(BASKET)
SPX: Final = VIX + 1
DRIVING_SHARE: Final = 0.01
WARM_UP_SESSIONS: Final = 80

CONFIGURATION: Final = """
[calendar]
name = "{calendar}"
[clock]
source = "{clock}"
[signals]
vix_stale_after = "60 s"
[signals.smoothing]
half_life = "{half_life}"
[signals.correlation]
basket = {basket}
[signals.regime]
hold = "{hold}"
"""

BOOK: Final = """
[[books]]
name = "{name}"
rule = "option_a"
[books.portfolio]
value = 50_000_000
weights = {{ SPX = 1.0 }}
[books.sizing]
base_vega = 1000
[books.triggers]
vix_points = 1.0
vix_relative = "90%"
hold = "{hold}"
cooldown = "{cooldown}"
regime_change = {other_triggers}
[books.triggers.fast]
enabled = {other_triggers}
[[books.legs]]
name = "varswap"
instrument = "variance_swap"
symbol = "VIX"
maturity = "90 days"
max_vega = 4000
[books.limits]
max_order_vega = 4000
max_order_notional = 10_000_000
max_position_vega = 4000
max_orders_per_day = 1_000_000
max_orders_per_minute = 100000
max_daily_turnover = 1e12
max_daily_loss = 1e12
max_price_deviation = "90%"
max_repeats = 1_000_000
repeat_window = "10 min"
duplicate_window = "1 ms"
"""


def configuration(  # noqa: PLR0913 - what a bench may want otherwise
    *,
    calendar: str = "XNYS",
    clock: str = "feed",
    half_life: str = "1 min",
    hold: str = "30 s and 3 ticks",
    cooldown: str = "30 s",
    other_triggers: bool = True,
    servers: str = "",
    books: int = 1,
) -> str:
    """Write the benches' configuration.

    Args:
        calendar: Whose sessions count.
        clock: `feed` or `wall`.
        half_life: Of the smoothing of VIX.
        hold: Persistence of triggers and regimes.
        cooldown: Between two orders.
        other_triggers: Whether regime change and fast path are triggers too.
        servers: Tables that say where things are.
        books: How many, all alike.
    """
    names = ["overlay", *(f"overlay_{number}" for number in range(2, books + 1))]
    symbols = "".join(f"[symbols.{symbol}]\nmax_jump = 9.0\n" for symbol in SYMBOLS)
    return (
        servers
        + symbols
        + CONFIGURATION.format(
            calendar=calendar,
            clock=clock,
            half_life=half_life,
            hold=hold,
            basket=list(BASKET),
        )
        + "".join(
            BOOK.format(
                name=name,
                hold=hold,
                cooldown=cooldown,
                other_triggers=str(other_triggers).lower(),
            )
            for name in names
        )
    )


def settings(text: str) -> Settings:
    """Read a configuration, as a user's is read."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "bench.toml"
        path.write_text(text)
        return load_settings(path, {})


def live(directory: Path, *, mqtt: str, orders: str, market: str, books: int = 1) -> Path:
    """Write a configuration under which each VIX move of a point orders at once.

    The calendar is always open, the clock is the wall's, smoothing and hold are next to none.

    Args:
        directory: Where it is written, and the gateway keeps its record.
        mqtt: URL of the broker.
        orders: URL of the store of decisions.
        market: URL of the store of journal and signals.
        books: How many, all alike.
    """
    path = directory / "live.toml"
    servers = f"""
[mqtt]
url = "{mqtt}"
[redis]
orders = "{orders}"
market = "{market}"
[gateway]
record = "{directory / "gateway.sqlite"}"
[trading]
arms_itself = true
[keys]
directory = "{write_keys(directory / "keys")}"
[http]
port = 0
ports = {{ ingest = 0, signals = 0, hedger = 0, gateway = 0 }}
[logs]
level = "warning"
[intake]
late_limit = "60 s"
"""
    text = configuration(
        calendar="24/7",
        clock="wall",
        half_life="1 ms",
        hold="1 tick",
        cooldown="0 s",
        other_triggers=False,
        servers=servers,
        books=books,
    )
    path.write_text(text)
    return path


class Market:
    """Random walks that go on from call to call; VIX swings by points within minutes.

    Args:
        seed: The same seed gives the same ticks.
    """

    def __init__(self, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        self._levels = np.full(len(SYMBOLS), 100.0)
        self._levels[VIX], self._levels[SPX] = 18.0, 2_700.0
        self._moves = np.full(len(SYMBOLS), 1e-4)
        self._moves[VIX], self._moves[SPX] = 3e-3, 2e-5

    def ticks(self, event_ns: NDArray[np.int64]) -> TickBlock:
        """Make ticks at these instants."""
        draws = self._random.random(len(event_ns))
        symbol = self._random.integers(0, len(BASKET), len(event_ns)).astype(np.int32)
        symbol[draws < 2 * DRIVING_SHARE] = SPX
        symbol[draws < DRIVING_SHARE] = VIX
        return self._block(symbol, event_ns)

    def closes(self, close_ns: int) -> TickBlock:
        """Make one print of every symbol, a day's move from the last."""
        self._levels *= np.exp(self._random.normal(0, 0.01, len(SYMBOLS)))
        symbol = np.arange(len(SYMBOLS), dtype=np.int32)
        return self._block(symbol, np.full(len(SYMBOLS), close_ns))

    def _block(self, symbol: NDArray[np.int32], event_ns: NDArray[np.int64]) -> TickBlock:
        price = np.empty(len(symbol))
        steps = np.exp(self._random.normal(0, 1, len(symbol)) * self._moves[symbol])
        for number in np.unique(symbol):
            rows = symbol == number
            price[rows] = self._levels[number] * np.cumprod(steps[rows])
            self._levels[number] = price[rows][-1]
        price[symbol == VIX] = np.clip(price[symbol == VIX], 9.0, 60.0)
        self._levels[VIX] = min(60.0, max(9.0, self._levels[VIX]))
        absent = np.full(len(symbol), np.nan)
        return TickBlock(
            symbols=SYMBOLS,
            symbol=symbol,
            event_ns=event_ns.astype(np.int64),
            price=price,
            bid=absent,
            ask=absent,
            bid_size=absent,
            ask_size=absent,
            sources=("",),
            source=np.zeros(len(symbol), dtype=np.int32),
            sequence=np.full(len(symbol), NO_SEQUENCE, dtype=np.int64),
        )


def journal(
    calendar: SessionCalendar, *, entries: int, ticks_an_entry: int, ticks_a_second: int
) -> Iterator[JournalEntry]:
    """Lay out a journal: closes that fill the windows, then entries of ticks and clock events.

    A clock event ends each second of event time. The entries go on from the opening of a session,
    and into the next ones when it is over.

    Args:
        calendar: Its sessions from number 1,000 on are used.
        entries: How many, after the warm-up.
        ticks_an_entry: Ticks in each.
        ticks_a_second: Of event time.
    """
    market, index, session = Market(), 0, 1_000
    for _ in range(WARM_UP_SESSIONS):
        close_ns = int(calendar.close_ns[session])
        items: tuple[JournalItem, ...] = (
            market.closes(close_ns),
            ClockAdvanced(event_ns=close_ns),
        )
        entry = JournalEntry(index, close_ns, items)
        yield entry
        index, session = index + len(entry), session + 1
    instants = _instants(calendar, session, entries * ticks_an_entry, ticks_a_second)
    for rows in np.split(instants, entries):
        entry = JournalEntry(index, int(rows[-1]), tuple(_items(market, rows)))
        yield entry
        index += len(entry)


def _instants(
    calendar: SessionCalendar, session: int, count: int, ticks_a_second: int
) -> NDArray[np.int64]:
    """Spread ticks evenly over sessions, from the opening of the first."""
    gap_ns = SECOND // ticks_a_second
    parts: list[NDArray[np.int64]] = []
    while count > 0:
        open_ns, close_ns = int(calendar.open_ns[session]), int(calendar.close_ns[session])
        part = np.arange(open_ns, close_ns, gap_ns, dtype=np.int64)[:count]
        parts.append(part)
        count, session = count - len(part), session + 1
    return np.concatenate(parts)


def _items(market: Market, rows: NDArray[np.int64]) -> Iterator[JournalItem]:
    """Cut ticks where a second of event time ends, and say so."""
    seconds = rows // SECOND
    for run in np.split(rows, np.flatnonzero(np.diff(seconds)) + 1):
        yield market.ticks(run)
        yield ClockAdvanced(event_ns=int(run[-1]))
