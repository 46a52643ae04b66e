"""Settings: a TOML file, read once into frozen values, or refused with everything wrong in it.

The file says what to decide (`[signals]`, `[[books]]` …) and where things are (`[mqtt]` …). Only
the former is in the digest that orders carry: two processes with the same digest decide alike.
Secrets stand in neither: a file is named that holds them.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from os import environ
from pathlib import Path
from typing import Final

from msgspec import UNSET, Struct
from msgspec.json import encode
from msgspec.structs import replace

from shared.adapters.calendars import CalendarError, regular_session_ns
from shared.adapters.catalogue import make_catalogue
from shared.adapters.configuration.books import read_books
from shared.adapters.configuration.checks import check_symbols
from shared.adapters.configuration.clock import (
    CalendarSettings,
    ClockSettings,
    read_calendar,
    read_clock,
)
from shared.adapters.configuration.connections import StoreSettings, read_mqtt, read_redis
from shared.adapters.configuration.exposure import read_exposure, read_marks
from shared.adapters.configuration.faults import Fault, Faults, FaultyConfiguration
from shared.adapters.configuration.instruments import InstrumentSettings, read_instruments
from shared.adapters.configuration.lines import locate
from shared.adapters.configuration.listed import complete_books
from shared.adapters.configuration.market import read_intake, read_signals
from shared.adapters.configuration.positions import (
    check_legs,
    check_levels,
    option_roots,
    read_positions,
)
from shared.adapters.configuration.services import (
    AuditorSettings,
    GatewaySettings,
    HttpSettings,
    KeySettings,
    LeaseSettings,
    LogSettings,
    RetentionSettings,
    TradingSettings,
    read_auditor,
    read_gateway,
    read_http,
    read_keys,
    read_lease,
    read_logs,
    read_retention,
    read_trading,
    read_venue,
)
from shared.adapters.configuration.table import Table
from shared.adapters.connections import MqttSettings
from shared.domain.exposure.policy import ExposurePolicy
from shared.domain.instants import HOUR
from shared.domain.instruments.legs import leg_instruments, leg_symbols, leg_underlyings
from shared.domain.market.statistics.term_structure import term_symbols
from shared.domain.marks.policy import MarkPolicy
from shared.domain.policies import (
    BookPolicy,
    IntakePolicy,
    OptionIntakePolicy,
    PaperPolicy,
    SignalPolicy,
)
from shared.domain.strategy_policies import StrategyBookPolicy

__all__ = ["Fault", "FaultyConfiguration", "Settings", "load_settings"]

OFF: Final = "off"
_SYNTAX: Final = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", re.DOTALL)
_DECISIVE: Final = (
    "calendar",
    "clock",
    "intake",
    "signals",
    "books",
    "paper",
)
_MEASURED: Final = ("instruments", "marks", "exposure", "positions")


class Settings(Struct, frozen=True, kw_only=True):
    """Everything a process needs to know.

    Attributes:
        calendar: Whose sessions count.
        clock: Who says what time it is.
        mqtt: The broker.
        redis: The store, in its two roles.
        intake: What is refused at the edge.
        signals: What is made of the ticks.
        books: What to hedge, by name.
        paper: How the paper venue fills.
        trading: What the orders are for.
        keys: Where the keys are.
        gateway: Where the execution side keeps its record.
        auditor: When it looks, and what it keeps.
        lease: How long a stage is lent to the process that leads it.
        http: Pages, health, metrics.
        logs: How much.
        retention: Where old stream entries go.
        instruments: What can be held beyond what is known anyway.
        exposure: How Greeks are computed, and how often.
        exposure_history: Folder of daily closes of the index and of VIX, or `packaged`, for the
            expected shortfall; or `off`.
        marks: How options are marked.
        positions: What each book opens with: quantity by symbol, by book.
        legs: Symbol of each leg's instrument, by leg, by book.
        digest: SHA-256, in hex, of all that bears on a decision; not of comments, of the order of
            keys, or of where things are.
    """

    calendar: CalendarSettings
    clock: ClockSettings
    mqtt: MqttSettings
    redis: StoreSettings
    intake: IntakePolicy
    signals: SignalPolicy
    books: tuple[BookPolicy, ...]
    paper: PaperPolicy
    trading: TradingSettings
    keys: KeySettings
    gateway: GatewaySettings
    auditor: AuditorSettings
    lease: LeaseSettings
    http: HttpSettings
    logs: LogSettings
    retention: RetentionSettings
    instruments: InstrumentSettings = InstrumentSettings()
    exposure: ExposurePolicy = ExposurePolicy()
    exposure_history: str = OFF
    marks: MarkPolicy = MarkPolicy()
    positions: dict[str, dict[str, float]] = {}
    legs: dict[str, dict[str, str]] = {}

    @property
    def has_positions(self) -> bool:
        """Whether there is any exposure to measure: a position, or a strategy that acts on it."""
        return any(self.positions.values()) or any(
            isinstance(book, StrategyBookPolicy) for book in self.books
        )

    @property
    def digest(self) -> str:
        """See the class."""
        parts = (*_DECISIVE, *_MEASURED) if self.has_positions else _DECISIVE
        meaning = encode([getattr(self, part) for part in parts], order="sorted")
        return hashlib.sha256(meaning).hexdigest()


def load_settings(path: Path, environment: Mapping[str, str] = environ) -> Settings:
    """Read the configuration.

    Args:
        path: The TOML file.
        environment: `HEDGESTAT_MQTT_URL`, `HEDGESTAT_REDIS_URL`, `HEDGESTAT_REDIS_MARKET_URL`,
            `HEDGESTAT_LOGINS`, `HEDGESTAT_CA_FILE`, `_USERNAME`, `_PASSWORD_FILE` and `_CA_FILE` of
            `HEDGESTAT_MQTT` and `HEDGESTAT_REDIS`, `HEDGESTAT_KEYS`,
            `HEDGESTAT_HTTP_HOST`, `HEDGESTAT_HTTP_HOSTS` and `HEDGESTAT_OPERATORS_FILE` go before
            the file; nothing else in it matters.

    Raises:
        FaultyConfiguration: With every fault, by line.
    """
    text, document = read_document(path)
    return settings_of(document, path, environment, text)


def settings_of(
    document: Mapping[str, object],
    path: Path,
    environment: Mapping[str, str] = environ,
    text: str = "",
) -> Settings:
    """Read a configuration that was parsed, or made of one.

    Args:
        document: As TOML gives it.
        path: Where it comes from: files that it names lie beside it.
        environment: As of `load_settings`.
        text: What it was parsed from, for the lines of its faults.

    Raises:
        FaultyConfiguration: With every fault.
    """
    faults = Faults(locate(text))
    root = Table(document, (), faults, _session_ns(document))
    settings = _settings(root, environment, path.parent)
    if found := faults.found():
        raise FaultyConfiguration(str(path), found)
    return settings


def read_document(path: Path) -> tuple[str, dict[str, object]]:
    """Return a TOML file's text, and what it says.

    Raises:
        FaultyConfiguration: It cannot be read, or is no TOML.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as reason:
        fault = Fault(0, "", f"cannot be read: {reason.strerror}", "name another file")
        raise FaultyConfiguration(str(path), (fault,)) from None
    except UnicodeDecodeError as reason:
        line = reason.object[: reason.start].count(b"\n") + 1
        fault = Fault(line, "", "is not UTF-8 text", "save it as UTF-8")
        raise FaultyConfiguration(str(path), (fault,)) from None
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as reason:
        raise FaultyConfiguration(str(path), (_syntax_fault(str(reason), text),)) from None


def _syntax_fault(message: str, text: str) -> Fault:
    match = _SYNTAX.fullmatch(message)
    problem, line = (match[1], match[2]) if match else (message, None)
    last = text.count("\n") + 1
    remedy = 'in TOML a line is key = value; text stands in "quotes", [a] begins a table'
    return Fault(int(line or last), "", problem, remedy)


def _session_ns(document: Mapping[str, object]) -> int:
    """Length of an ordinary session; any will do when the calendar is at fault itself."""
    calendar = document.get("calendar")
    name = calendar.get("name", "XNYS") if isinstance(calendar, dict) else "XNYS"
    try:
        return regular_session_ns(str(name))
    except CalendarError:
        return 6 * HOUR


def _settings(root: Table, environment: Mapping[str, str], directory: Path) -> Settings:
    books, portfolios = read_books(root)
    calendar, clock = read_calendar(root.table("calendar")), read_clock(root.table("clock"))
    instruments = read_instruments(root, leg_instruments(books), leg_underlyings(books))
    is_sound = root.table("calendar").is_sound("name", "closed", "early_closes")
    catalogue = make_catalogue(instruments, calendar if is_sound else CalendarSettings())
    resolve = cache(catalogue.resolve)  # each of many positions is looked at several times
    books = complete_books(root, books, resolve)
    positions, legs = read_positions(root, directory, resolve), leg_symbols(books)
    marks, max_symbols = read_marks(root.table("options"))
    roots = option_roots(root, positions, legs, resolve)
    intake = replace(
        read_intake(root.table("symbols"), root.table("intake")),
        options=OptionIntakePolicy(roots=roots, max_symbols=max_symbols) if roots else UNSET,
    )
    signals = _with_curve(read_signals(root.table("signals"), books, portfolios), intake)
    settings = Settings(
        calendar=calendar,
        clock=clock,
        mqtt=read_mqtt(root.table("mqtt"), environment),
        redis=read_redis(root.table("redis"), environment),
        intake=intake,
        signals=signals,
        books=books,
        paper=read_venue(root.table("venue")),
        trading=read_trading(root.table("trading")),
        keys=read_keys(root.table("keys"), environment),
        gateway=read_gateway(root.table("gateway")),
        auditor=read_auditor(root.table("auditor")),
        lease=read_lease(root.table("lease")),
        http=read_http(root.table("http"), environment),
        logs=read_logs(root.table("logs")),
        retention=read_retention(root.table("retention")),
        instruments=instruments,
        exposure_history=root.table("exposure").text("history", OFF),
        exposure=read_exposure(root.table("exposure"), in_replay=clock.source == "feed"),
        marks=marks,
        positions=positions,
        legs=legs,
    )
    check_symbols(root, intake, signals, books)
    check_levels(root, positions, intake, resolve)
    check_legs(root, resolve)
    root.refuse_unknown_keys()
    return settings


def _with_curve(signals: SignalPolicy, intake: IntakePolicy) -> SignalPolicy:
    """Have the futures of the curve marked where they are declared: a page shows them."""
    curve = {each for each in term_symbols(signals.term_structure) if each in intake.symbols}
    return replace(signals, mark_symbols=tuple(sorted({*signals.mark_symbols, *curve})))
