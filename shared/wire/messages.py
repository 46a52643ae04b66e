"""The payloads of the wire contract, version 1, as MQTT clients see them.

Times are RFC 3339 strings on the way out; `event_time` of what comes in may also be integer ns.
The AsyncAPI document is generated from these types.

Longer than most: the whole contract is read in one place.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Instant = Annotated[str, Meta(description="RFC 3339 with offset, up to nanoseconds")]
InstantOrNanoseconds = Annotated[
    int | str, Meta(description="RFC 3339 with offset, or integer ns since the Unix epoch, UTC")
]
# `(?!\n)`: a `$` alone is also true before a last newline.
Symbol = Annotated[str, Meta(pattern=r"^[A-Z0-9._-]{1,32}$(?!\n)")]
Source = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{0,64}$(?!\n)")]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$(?!\n)")]
GreekName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._+-]{1,64}$(?!\n)")]
"""`vega.SPX.366d+` is one."""
OrderId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,160}$(?!\n)")]
SequenceNumber = Annotated[int, Meta(ge=1, le=2**63 - 1, description="The source's own, from 1")]


# --- in ---------------------------------------------------------------------------------------


class TickMessage(Struct, frozen=True, kw_only=True):
    """One tick: `price`, or both `bid` and `ask`."""

    symbol: Symbol
    event_time: InstantOrNanoseconds
    price: float | None = None
    bid: float | None = None
    ask: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    source: Source = ""
    sequence: SequenceNumber | None = None


class ClockMessage(Struct, frozen=True, kw_only=True):
    """Event time of a replaying feed; numbered in one series with its ticks."""

    event_time: InstantOrNanoseconds
    source: Source = ""
    sequence: SequenceNumber | None = None


class ExecutionMessage(Struct, frozen=True, kw_only=True):
    """A venue's report on one order. `quantity` is signed: negative for a sale."""

    order_id: OrderId
    execution_id: Annotated[str, Meta(pattern=r"^[!-~]{1,200}$(?!\n)")]
    kind: Literal["new", "partial", "fill", "cancel", "reject", "expire"]
    quantity: float
    price: float | None = None
    event_time: InstantOrNanoseconds
    reason: Annotated[str, Meta(max_length=500)] = ""


class PositionsMessage(Struct, frozen=True, kw_only=True):
    """All that a book holds, as its custodian, clearer or desk has it.

    `quantities` by instrument symbol, signed, in contracts, shares or vega notional: what is not
    named is not held. It is held against our own running positions, and never adopted.
    """

    event_time: InstantOrNanoseconds
    source: Source = ""
    quantities: Annotated[dict[Symbol, float], Meta(max_length=1_000_000)]


class SealedMessage(Struct, frozen=True, kw_only=True):
    """A message that is signed: see `shared.wire.seal`.

    `environment` says where it counts (`paper`, `live`), `key_id` who signed it.
    """

    environment: Name = "-"
    key_id: Name = "-"


class MeasurementMessage(SealedMessage, frozen=True, kw_only=True):
    """A book's Greeks, as the exposure stage measured them.

    `sequence` counts those of one book: one that is not above the last is dropped. `greeks` are
    named `delta.SPX`, `gamma.SPX`, `vega`, `vega.SPX.31-90d`, `theta`, `coverage` and the like;
    `futures_delta.SPX` is what futures on SPX add to `delta.SPX`, those left out that are legs.
    """

    book: Name
    event_time: Instant
    sequence: SequenceNumber
    portfolio_delta: float
    put_delta: float
    greeks: Annotated[dict[GreekName, float], Meta(max_length=10_000)]


class RebalanceMessage(SealedMessage, frozen=True, kw_only=True):
    """An operator's request to rebalance now; `scope` is a book or `all`."""

    scope: Name
    reason: Annotated[str, Meta(max_length=500)]
    operator: Annotated[str, Meta(min_length=1, max_length=100)]
    issued_at: InstantOrNanoseconds


class TradingCommandMessage(SealedMessage, frozen=True, kw_only=True):
    """Sets a trading state: `halted` or `reducing` on `control/halt`, `active` on `control/resume`.

    Believed once: `issued_at` must be later than that of any command this key gave before.
    """

    scope: Name
    state: Literal["active", "reducing", "halted"]
    reason: Annotated[str, Meta(max_length=500)]
    operator: Annotated[str, Meta(min_length=1, max_length=100)]
    issued_at: InstantOrNanoseconds


class HeartbeatMessage(SealedMessage, frozen=True, kw_only=True):
    """The hedger is alive and leads; when these stop, the gateway stops trading by itself."""

    service: Name
    epoch: int
    sequence: SequenceNumber
    sent_at: Instant


class EpochMessage(SealedMessage, frozen=True, kw_only=True):
    """A new leader tells the gateway of its epoch, before its first order.

    `holder` names it among all that ever led: two with one epoch show that the store lost data.
    """

    service: Name
    epoch: int
    config_digest: str
    holder: Name = "-"


class EpochAnswerMessage(SealedMessage, frozen=True, kw_only=True):
    """The gateway's answer: `accepted`, or not, for `high_water` was reached before."""

    service: Name
    epoch: int
    accepted: bool
    high_water: int
    reason: str = ""


# --- out --------------------------------------------------------------------------------------


class OrderMessage(SealedMessage, frozen=True, kw_only=True):
    """A rebalance order. Resent until acknowledged: act on an `order_id` once.

    `decision`, `quantity`, `limit_price` and all the rest but `epoch` are pure functions of the
    journal; `epoch` says which holder of the hedger's lease sent it, and never falls; `sequence`
    numbers the orders of all books, from 1 without a gap. `journal_index` is the number of the
    journal's event that it was decided on: who judges it has read the market so far. `delta`,
    in units of what is traded, stands only with a leg that is held for it; its `vega` is 0.
    """

    order_id: str
    book: str
    decision: int
    leg: str
    instrument: str
    symbol: str
    side: Literal["buy", "sell"]
    quantity: float
    target_quantity: float
    vega: float
    reference_price: float
    limit_price: float
    notional: float
    currency: str
    time_in_force: Literal["gtd"]
    event_time: Instant
    journal_index: Annotated[int, Meta(ge=0)]
    valid_until: Instant
    trigger: str
    reason: str
    config_digest: str
    epoch: int
    sequence: int
    delta: float | UnsetType = UNSET


class AckMessage(SealedMessage, frozen=True, kw_only=True):
    """The gateway has this order on disk, or refuses it: the hedger stops resending.

    `superseded`: only this sending is refused, for its `epoch` is behind; the order itself stays
    wanted, and whoever holds the lease now sends it.
    """

    order_id: str
    status: Literal["accepted", "duplicate", "refused", "superseded"]
    reason: str = ""
    epoch: int


class TradingStateMessage(SealedMessage, frozen=True, kw_only=True):
    """What the gateway does with orders now, by scope (`all` or a book), and who wanted it so."""

    scope: Name
    state: Literal["active", "reducing", "halted"]
    authority: Literal["operator", "gateway", "auditor", "desk"]
    operator: str
    reason: str
    since: Instant


class SizingStepMessage(Struct, frozen=True, kw_only=True):
    """One step of the sizing chain and the multiplier after it."""

    name: str
    multiplier: float
    note: str
    binding: bool


class LegTargetMessage(Struct, frozen=True, kw_only=True):
    """What one leg should hold; `quantity` in the leg's unit, absent without a good mark."""

    leg: str
    symbol: str
    weight: float
    vega: float
    quantity: float | None
    mark: float | None


class BandMessage(Struct, frozen=True, kw_only=True):
    """What one kind of band would have done so far, whichever is taken."""

    kind: Literal["fixed", "time", "leland", "whalley_wilmott", "zakamouline"]
    half_width: float | None
    hedge: float
    trade: float
    trades: int
    cost: float
    refusal: str


class StrategyMessage(Struct, frozen=True, kw_only=True):
    """What one strategy saw and chose; `note` says why it could not."""

    strategy: str
    band: str
    figures: dict[str, float]
    bands: tuple[BandMessage, ...]
    note: str


class TargetMessage(Struct, frozen=True, kw_only=True):
    """A book's target and every step of the chain, or every strategy, that led to it."""

    book: str
    event_time: Instant
    decision: int
    trigger: str
    multiplier: float
    steps: tuple[SizingStepMessage, ...]
    target_vega: float
    current_vega: float
    legs: tuple[LegTargetMessage, ...]
    quality: Literal["good", "warming", "stale", "frozen", "halted"]
    reference_vix: float | None
    budget_used: float | None
    at_floor: bool
    at_cap: bool
    strategies: tuple[StrategyMessage, ...] | UnsetType = UNSET


class TriggerMessage(Struct, frozen=True, kw_only=True):
    """State of one trigger, in Prometheus's words plus `cooldown`."""

    book: str
    trigger: str
    state: Literal["inactive", "pending", "firing", "cooldown"]
    previous: Literal["inactive", "pending", "firing", "cooldown"]
    event_time: Instant
    since: Instant
    observations: int
    sessions: int
    inputs: dict[str, float]
    reference: float | None
    reason: str


class WhipsawMessage(Struct, frozen=True, kw_only=True):
    """A condition that broke before its hold was over: nothing was sent."""

    book: str
    trigger: str
    since: Instant
    event_time: Instant
    observations: int
    peak: dict[str, float]


class WithheldMessage(Struct, frozen=True, kw_only=True):
    """An order that was wanted and is not sent: which control, with the figures."""

    book: str
    event_time: Instant
    decision: int
    leg: str
    control: str
    figures: dict[str, float]


class SignalMessage(Struct, frozen=True, kw_only=True):
    """One signal, with its age and quality; `value` is null until there is one."""

    name: str
    value: float | None
    unit: str
    quality: Literal["good", "warming", "stale", "frozen", "halted"]
    event_time: Instant | None
    have: int
    need: int
    state: str = ""


class ExposureGroupMessage(Struct, frozen=True, kw_only=True):
    """A book's positions on one underlying that expire in one bucket; `level` null while unknown.

    `figures` by name: `delta` and `gamma` in units of the underlying, all others in currency.
    """

    underlying: str
    bucket: str
    level: float | None
    positions: int
    marked: int
    figures: dict[str, float]


class UnmarkedMessage(Struct, frozen=True, kw_only=True):
    """A position that no figure holds, and why."""

    symbol: str
    quantity: float
    reason: str


class ScenarioMessage(Struct, frozen=True, kw_only=True):
    """What a book would earn if the index moved by `spot` and volatilities by so many points."""

    name: str
    spot: float
    volatility: float
    profit: float


class ProfitAccountMessage(Struct, frozen=True, kw_only=True):
    """A book's profit since an instant, currency: `total` is the sum of `parts` and `unexplained`.

    `parts` by name: `delta`, `gamma`, `theta`, `vega`, `vanna`, `volga`, `carry`, `cost` (of
    executions, against the mark) and `trades` (what they earned until the next valuation).
    """

    since: Instant
    total: float
    parts: dict[str, float]
    unexplained: float


class SuspendedMessage(Struct, frozen=True, kw_only=True):
    """A position whose profit since `since` waits for a mark; null: it never had one."""

    symbol: str
    quantity: float
    since: Instant | None


class ProfitMessage(Struct, frozen=True, kw_only=True):
    """Where a book's profit came from, since the session opened and since the beginning.

    `waiting` positions are in neither since they lost their mark; `suspended` names the first.
    """

    event_time: Instant
    session: ProfitAccountMessage
    inception: ProfitAccountMessage
    suspended: tuple[SuspendedMessage, ...]
    waiting: int


class ExposureMessage(Struct, frozen=True, kw_only=True):
    """A book's Greeks: sums of the positions that are marked, and what is missing from them.

    `coverage` is the share of positions that the figures hold. `beta_delta` is dollar delta by
    beta to the index, `index_delta` the same in units of the index, `vix_vega` currency for a
    point of VIX; `shortfall` is what the worst days cost on average. `youngest_time`: of the
    youngest tick in it. `profit`: as last explained, about every second.
    """

    book: str
    event_time: Instant
    youngest_time: Instant | None
    totals: dict[str, float]
    beta_delta: float
    without_beta: tuple[str, ...]
    index_delta: float | None
    vix_vega: float
    positions: int
    marked: int
    coverage: float
    unmarked: tuple[UnmarkedMessage, ...]
    expired: tuple[str, ...]
    conflated: int
    approximate: int = 0
    groups: tuple[ExposureGroupMessage, ...]
    risk_time: Instant | None
    worst: ScenarioMessage | None
    stress: tuple[ScenarioMessage, ...]
    shortfall: float | None
    shortfall_days: int
    profit: ProfitMessage | None = None


class AlertMessage(Struct, frozen=True, kw_only=True):
    """Something a person should know, with its figures and what to do."""

    book: str
    event_time: Instant
    severity: Literal["info", "warning", "critical"]
    what: str
    where: str
    figures: dict[str, float]
    runbook: str


class RejectMessage(Struct, frozen=True, kw_only=True):
    """A refused message: why, where it came from, and its bytes (base64, bounded)."""

    reason: str
    detail: str
    topic: str
    payload: bytes
    truncated: bool
    received_time: Instant


class DecisionHeadMessage(SealedMessage, frozen=True, kw_only=True):
    """The decision log's last entry, told each minute: what stands before it cannot be rewritten.

    `hash` is the entry's SHA-256 in hexadecimal; each entry holds the hash of the one before.
    """

    index: Annotated[int, Meta(ge=0)]
    hash: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]


class StatusMessage(Struct, frozen=True, kw_only=True):
    """Whether a service is there; the `offline` one is its last will.

    One that left because its work was done says so: a feed, at the end of a replay.
    """

    service: str
    state: Literal["online", "offline"]
    version: str
    config_digest: str
    epoch: int = 0
    note: Literal["finished"] | UnsetType = UNSET


class ProgressMessage(Struct, frozen=True, kw_only=True):
    """How far a service is.

    `ingest`: `sequence` is the last one of `source` that is in the journal. `hedger`, `gateway` and
    `exposure`: every clock event up to `settled` is dealt with, and all that came of it delivered;
    `sequence` counts the execution reports that were made (`gateway`), the measurements that are
    journalled (`exposure`), and both as far as they were taken (`hedger`).
    """

    service: str
    source: str = ""
    sequence: int = 0
    settled: Instant | None = None
