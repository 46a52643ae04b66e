"""What a campaign hedges: many books that trade at every move of VIX, so that orders abound."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

CALM, SHAKEN = 18.0, 21.0
"""The two levels that VIX jumps between: each jump is an order of every book …"""
SPREAD = 0.5
"""… and hits them within so many points. For an order that equals one of the same instant, as when
a service takes at once what came in while it was away, is withheld as a duplicate, as it should
be, and its book then rests for a minute."""

PATIENT_S, HASTY_S = 60.0, 1.0
"""How long an order may be executed: of most books, and of every tenth, whose orders expire."""

_COMMON: Final = """
[calendar]
name = "24/7"
[clock]
source = "wall"
interval = "200 ms"
[symbols.VIX]
max_jump = "50%"
confirmations = 3
[symbols.SPX]
max_jump = "50%"
[intake]
late_limit = "60 s"
[signals]
vix = "VIX"
index = "SPX"
vix_stale_after = "60 s"
stale_after = "60 s"
[signals.smoothing]
half_life = "1 ms"
[signals.regime]
hold = "1 tick"
[mqtt]
connect_timeout = "1 s"
[redis]
connect_timeout = "1 s"
operation_timeout = "1 s"
[trading]
environment = "paper"
arms_itself = true
[venue]
latency = "1 ms"
[retention]
keep_entries = 10_000_000 # the reference fold reads all of it
[logs]
level = "warning"
[http]
port = 0
ports = { ingest = 0, signals = 0, hedger = 0, gateway = 0, auditor = 0, feed = 0, exposure = 0 }
"""

_BOOK: Final = """
[[books]]
name = "{name}"
rule = "option_a"
[books.portfolio]
value = 50_000_000
weights = {{ SPX = 1.0 }}
[books.sizing]
base_vega = {base_vega}
[books.triggers]
vix_points = 1.0
vix_relative = "90%"
hold = "1 tick"
cooldown = "0 s"
regime_change = false
[books.triggers.fast]
enabled = false
[[books.legs]]
name = "swap"
instrument = "variance_swap"
symbol = "VIX"
maturity = "90 days"
max_vega = 4000
[books.orders]
collar = "50%" # VIX may have jumped back before an order is there: it trades all the same
valid_for = "{valid_s:g} s"
mark_stale_after = "{stale_s:g} s"
[books.limits]
{limits}
"""

_LIMITS: Final[Mapping[str, object]] = {
    "max_order_vega": 4000,
    "max_order_notional": 10_000_000,
    "max_position_vega": 400_000,  # of what is on its way while a gateway is away, too
    "max_orders_per_day": 1_000_000,
    "max_orders_per_minute": 100_000,
    "max_daily_turnover": 1e12,
    "max_daily_loss": 1e12,
    "max_price_deviation": '"90%"',
    "max_repeats": 1_000_000,
    "repeat_window": '"1 s"',
    "duplicate_window": '"1 ms"',
}


class BookLimits(Struct, frozen=True, kw_only=True):
    """What one book has instead of what the others have.

    Attributes:
        limits: Keys of `[books.limits]`, and what stands there.
        stale_s: How old a mark may be.
    """

    limits: Mapping[str, object] = {}
    stale_s: float = 60.0


_NONE_LIMITED: Final[Mapping[str, BookLimits]] = {}


def write_configuration(
    directory: Path,
    *,
    books: int,
    record: Path | None = None,
    limited: Mapping[str, BookLimits] = _NONE_LIMITED,
) -> Path:
    """Write a campaign's configuration; servers are named by the environment of each program.

    Args:
        directory: Where; the gateway keeps its record there too.
        books: How many.
        record: The gateway's folder, if it is to have another.
        limited: Further books, by name.
    """
    names = [f"book_{number:03d}" for number in range(books)]
    tables = [
        _BOOK.format(
            name=name,
            base_vega=1000 + number,
            valid_s=PATIENT_S if number % 10 else HASTY_S,
            stale_s=book.stale_s,
            limits=_lines({**_LIMITS, **book.limits}),
        )
        for number, (name, book) in enumerate(
            {**dict.fromkeys(names, BookLimits()), **limited}.items()
        )
    ]
    path = directory / "torture.toml"
    path.write_text(_COMMON + _places(directory, record or directory) + "".join(tables))
    return path


def _places(directory: Path, record: Path) -> str:
    return f"""
[gateway]
record = "{record / "gateway.sqlite"}"
socket = "{directory / "gateway.sock"}"
[auditor]
heads = "{directory / "decision-heads"}"
pause = "0.5 s" # it reads 5,000 rows at a time, and must have read all twice before the end
[keys]
directory = "{directory / "keys"}"
"""


def _lines(values: Mapping[str, object]) -> str:
    return "\n".join(f"{key} = {value}" for key, value in values.items())
