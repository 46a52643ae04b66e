"""Where things are and how they are served: nothing here changes a decision but the venue."""

import re
from collections.abc import Mapping
from os import fsencode
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct, field

from shared.adapters.configuration.table import NOT_NEGATIVE, POSITIVE, Range, Table
from shared.domain.instants import MILLISECOND, SECOND
from shared.domain.policies import PaperPolicy

PAPER: Final = "paper"
_ENVIRONMENT: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_LONGEST_SOCKET_PATH: Final = 103  # the least that a supported system takes
_PORT: Final = Range(0, 65_535)
_SHORTEST_LEASE_NS: Final = 200 * MILLISECOND
_KEPT: Final = Range(1, 1e12)  # the last one taken proves that the store is the same
_PORTS: Final = {
    "ingest": 8081,
    "signals": 8082,
    "hedger": 8083,
    "gateway": 8084,
    "feed": 8085,
    "auditor": 8086,
    "exposure": 8087,
    "dashboard": 8088,
}


class GatewaySettings(Struct, frozen=True, kw_only=True):
    """The execution side.

    Attributes:
        record: SQLite file that remembers every order for ever.
        socket: Unix socket of its own, for its user alone; empty: `gateway.sock` beside the record;
            `off`: none.
    """

    record: str = "gateway.sqlite"
    socket: str = ""

    @property
    def socket_path(self) -> Path | None:
        """Where the socket is, if there is to be one."""
        if self.socket == "off":
            return None
        return Path(self.socket) if self.socket else Path(self.record).with_name("gateway.sock")


class AuditorSettings(Struct, frozen=True, kw_only=True):
    """The one that holds the gateway's record against what was decided.

    Attributes:
        heads: File that remembers the signed heads of the decision log.
        pause_ns: Between two comparisons.
        grace_ns: How long an order may be looked for after the hedger called it delivered.
    """

    heads: str = "decision-heads"
    pause_ns: int = 2 * SECOND
    grace_ns: int = 2 * SECOND


class TradingSettings(Struct, frozen=True, kw_only=True):
    """What the orders are for.

    Attributes:
        environment: Signed into every order; a gateway takes those of its own only.
        arms_itself: Whether the gateway starts active instead of halted; in `paper` alone.
    """

    environment: str = PAPER
    arms_itself: bool = False


class KeySettings(Struct, frozen=True, kw_only=True):
    """Where signing and trusted keys are; see `shared.adapters.keyring`."""

    directory: str = "keys"


class LeaseSettings(Struct, frozen=True, kw_only=True):
    """How long a stage is lent to the process that leads it; see `shared.runtime.lease`."""

    ttl_ns: int = 1_200 * MILLISECOND

    @property
    def ttl_s(self) -> float:
        """In seconds."""
        return self.ttl_ns / SECOND


class HttpSettings(Struct, frozen=True, kw_only=True):
    """Where pages, health and metrics are served.

    Attributes:
        host: Loopback unless told otherwise.
        port: Of everything in one process (`hedgestat up`, the demo).
        ports: Of each service on its own.
        hosts: Names that pages answer to, beside `localhost` and any address.
        operators_file: Who may log in to the page; see `shared.adapters.operators`.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    ports: dict[str, int] = field(default_factory=_PORTS.copy)
    hosts: tuple[str, ...] = ()
    operators_file: str = "operators"

    @property
    def operators_path(self) -> Path:
        """Where that file is."""
        return Path(self.operators_file)


class LogSettings(Struct, frozen=True, kw_only=True):
    """How much is logged; JSON lines unless it is to a terminal."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class RetentionSettings(Struct, frozen=True, kw_only=True):
    """What becomes of stream entries that every reader has passed.

    Attributes:
        archive: Directory for Parquet segments; `None` drops what is not kept.
        keep_entries: How many stay in the store behind the slowest reader of a stream.
    """

    archive: str | None = None
    keep_entries: int = 10_000


def read_venue(table: Table) -> PaperPolicy:
    """`[venue]`: the paper venue."""
    default = PaperPolicy()
    policy = PaperPolicy(
        half_spread=table.fraction("half_spread", default.half_spread),
        slippage=table.fraction("slippage", default.slippage),
        latency_ns=table.duration("latency", default.latency_ns),
        max_fill_vega=table.number("max_fill_vega", default.max_fill_vega, POSITIVE),
        commission=table.number("commission", default.commission, NOT_NEGATIVE),
    )
    table.refuse_unknown_keys()
    return policy


def read_gateway(table: Table) -> GatewaySettings:
    """`[gateway]`."""
    default = GatewaySettings()
    settings = GatewaySettings(
        record=table.text("record", default.record), socket=table.text("socket", default.socket)
    )
    socket = settings.socket_path
    if socket is not None and len(fsencode(socket)) > _LONGEST_SOCKET_PATH:
        remedy = f'set it to a path of at most {_LONGEST_SOCKET_PATH} bytes, or to "off"'
        table.fault("socket", f"would be {socket}: too long for a unix socket", remedy)
    table.refuse_unknown_keys()
    return settings


def read_auditor(table: Table) -> AuditorSettings:
    """`[auditor]`."""
    default = AuditorSettings()
    settings = AuditorSettings(
        heads=table.text("heads", default.heads),
        pause_ns=table.duration("pause", default.pause_ns, positive=True),
        grace_ns=table.duration("grace", default.grace_ns, positive=True),
    )
    table.refuse_unknown_keys()
    return settings


def read_trading(table: Table) -> TradingSettings:
    """`[trading]`."""
    default = TradingSettings()
    settings = TradingSettings(
        environment=table.text("environment", default.environment),
        arms_itself=table.flag("arms_itself", default=default.arms_itself),
    )
    if not _ENVIRONMENT.fullmatch(settings.environment):
        table.fault("environment", "is no name", 'write "paper", "live" or the like')
    if settings.arms_itself and settings.environment != PAPER:
        remedy = "remove it: `hedgestat resume` arms a gateway that trades for real"
        table.fault("arms_itself", f"is for {PAPER} alone", remedy)
    table.refuse_unknown_keys()
    return settings


def read_keys(table: Table, environment: Mapping[str, str]) -> KeySettings:
    """`[keys]`; `HEDGESTAT_KEYS` goes before `directory`."""
    directory = table.text("directory", KeySettings().directory)
    table.refuse_unknown_keys()
    return KeySettings(directory=environment.get("HEDGESTAT_KEYS", directory))


def read_lease(table: Table) -> LeaseSettings:
    """`[lease]`."""
    settings = LeaseSettings(ttl_ns=table.duration("ttl", LeaseSettings().ttl_ns, positive=True))
    if settings.ttl_ns < _SHORTEST_LEASE_NS:
        table.fault("ttl", "is too short: a busy machine would lose it", 'write "1.2 s"')
    table.refuse_unknown_keys()
    return settings


def read_http(table: Table, environment: Mapping[str, str]) -> HttpSettings:
    """`[http]`; port 0 takes any free one.

    `HEDGESTAT_HTTP_HOST`, `HEDGESTAT_HTTP_HOSTS` (separated by commas) and
    `HEDGESTAT_OPERATORS_FILE` go before what stands there.
    """
    default = HttpSettings()
    host = table.text("host", default.host)
    operators_file = table.text("operators_file", default.operators_file)
    ports = table.table("ports")
    settings = HttpSettings(
        host=environment.get("HEDGESTAT_HTTP_HOST", host),
        port=table.count("port", default.port, _PORT),
        ports={name: ports.count(name, port, _PORT) for name, port in default.ports.items()},
        hosts=_host_names(table, environment.get("HEDGESTAT_HTTP_HOSTS")),
        operators_file=environment.get("HEDGESTAT_OPERATORS_FILE", operators_file),
    )
    taken: dict[int, str] = {settings.port: "http.port"}
    for name, port in settings.ports.items():
        holder = taken.setdefault(port, name) if port else name
        if holder != name and ports.is_sound(name):
            ports.fault(name, f"port {port} is taken by {holder}", "write another one")
    ports.refuse_unknown_keys()
    table.refuse_unknown_keys()
    return settings


def _host_names(table: Table, override: str | None) -> tuple[str, ...]:
    """Read names as a browser sends them: without scheme and port."""
    names = table.texts("hosts")
    for name in names:
        if not _HOST_NAME.fullmatch(name):
            table.fault("hosts", f"{name!r} is no name of a host", 'write ["hedges.example.com"]')
    if override is not None:
        names = tuple(name.strip() for name in override.split(",") if name.strip())
    return tuple(name.lower() for name in names)


def read_logs(table: Table) -> LogSettings:
    """`[logs]`."""
    default = LogSettings()
    settings = LogSettings(
        level=table.choice("level", ("debug", "info", "warning", "error"), default.level),
    )
    table.refuse_unknown_keys()
    return settings


def read_retention(table: Table) -> RetentionSettings:
    """`[retention]`: `archive` is a directory, or "off"."""
    archive = table.text("archive", "off")
    keep_entries = table.count("keep_entries", RetentionSettings().keep_entries, _KEPT)
    table.refuse_unknown_keys()
    return RetentionSettings(
        archive=None if archive == "off" else archive, keep_entries=keep_entries
    )
