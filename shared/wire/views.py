"""What the page, the HTTP API and the terminal show: one picture of the monitor, as JSON.

The dashboard folds the logs of the store and what is told on the bus into these; nothing decides
on them. Times are RFC 3339; ages are left to whoever looks, from `as_of` on. Whatever the wire
contract has a message for is shown as that message.

Longer than most: what a client of the page may get is read in one place.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from shared.wire.messages import (
    AckMessage,
    AlertMessage,
    ExposureMessage,
    Instant,
    SignalMessage,
    TargetMessage,
    TradingStateMessage,
    WhipsawMessage,
    WithheldMessage,
)

Series = Annotated[
    dict[str, list[tuple[float, float]]],
    Meta(description="Points by name, each (seconds since the Unix epoch, value), oldest first"),
]

OrderStatus = Literal[
    "decided",
    "accepted",
    "refused",
    "working",
    "partial",
    "filled",
    "cancelled",
    "rejected",
    "expired",
]


class CurvePointView(Struct, frozen=True, kw_only=True):
    """One point of the VIX term structure: spot, then its futures by expiry."""

    symbol: str
    days: float
    level: float
    event_time: Instant


class RegimeView(Struct, frozen=True, kw_only=True):
    """The regime and since when it stands, as far as the log tells."""

    state: str
    since: Instant | None


class MarketView(Struct, frozen=True, kw_only=True):
    """All signals that belong to no book, and the curve.

    Attributes:
        event_time: The market's instant; null before the first event.
        signals: By name, in a fixed order.
        silent: Symbols whose feed has missed prints.
        curve: By days to expiry; empty when no future is quoted.
        regime: Null before VIX has printed.
    """

    event_time: Instant | None
    signals: dict[str, SignalMessage]
    silent: tuple[str, ...]
    curve: tuple[CurvePointView, ...]
    regime: RegimeView | None


class TriggerView(Struct, frozen=True, kw_only=True):
    """One trigger, and how far its persistence is.

    Attributes:
        trigger: Its name.
        state: In Prometheus's words plus `cooldown`.
        since: When this state, or the run of the condition, began.
        reason: For a person.
        inputs: What the condition was judged on.
        reference: What that was compared with.
        observations: So many distinct observations of the condition …
        observations_needed: … of these; 0 when the trigger needs none.
        held_s: For so long the condition has held, seconds …
        hold_s: … of these; 0 when the trigger needs none.
        sessions: So many sessions …
        sessions_needed: … of these; 0 when the trigger needs none.
    """

    trigger: str
    state: Literal["inactive", "pending", "firing", "cooldown"]
    since: Instant | None
    reason: str
    inputs: dict[str, float]
    reference: float | None
    observations: int
    observations_needed: int
    held_s: float
    hold_s: float
    sessions: int
    sessions_needed: int


class BandsView(Struct, frozen=True, kw_only=True):
    """Where smoothed VIX sets off the move triggers of a book, around its last rebalance.

    Levels in vol points; null while there is no reference.
    """

    reference: float | None
    lower: float | None
    upper: float | None
    fast_upper: float | None
    fast_lower: float | None


class BudgetView(Struct, frozen=True, kw_only=True):
    """The annual cost budget: share used, and how long it lasts at this year's rate.

    `days_left` is null while nothing is used, or without a budget.
    """

    annual: float
    used_fraction: float
    warn_fraction: float
    days_left: float | None
    year_days_left: float


class EffectivenessView(Struct, frozen=True, kw_only=True):
    """How well the hedge did: gain of the hedge by loss of the book while it lost.

    `ratio` is null until the book has been down; `correlation` is the signal of spec 1.
    """

    ratio: float | None
    hedge_profit: float | None
    book_loss: float | None
    correlation: float | None


class BookSummaryView(Struct, frozen=True, kw_only=True):
    """One line a book."""

    book: str
    currency: str
    state: Literal["active", "reducing", "halted", "unknown"]
    target_vega: float | None
    current_vega: float | None
    multiplier: float | None
    binding: str
    firing: tuple[str, ...]
    pending: tuple[str, ...]
    budget_used: float | None
    orders_waiting: int
    alerts: int
    quality: str


class BookView(Struct, frozen=True, kw_only=True):
    """All of one book.

    Attributes:
        summary: Its line.
        target: The last decision, with the sizing chain; null before the first.
        bands: Of the VIX triggers.
        triggers: Every trigger that was heard of, and those that are configured.
        whipsaws: The latest, newest first.
        withheld: The latest orders that a control held back, newest first.
        budget: Null without one.
        effectiveness: Of the hedge.
        signals: Those of this book, by name without it: `nav`, `drawdown`, `hedge_correlation`.
        exposure: As last told; null for a book without positions.
        scenarios: Profit by index move and volatility points; empty for a book without positions.
        trading: What the gateway does with its orders; null until it was heard.
    """

    summary: BookSummaryView
    target: TargetMessage | None
    bands: BandsView
    triggers: tuple[TriggerView, ...]
    whipsaws: tuple[WhipsawMessage, ...]
    withheld: tuple[WithheldMessage, ...]
    budget: BudgetView | None
    effectiveness: EffectivenessView
    signals: dict[str, SignalMessage]
    exposure: ExposureMessage | None
    scenarios: tuple["ScenarioCellView", ...]
    trading: TradingStateMessage | None


class ScenarioCellView(Struct, frozen=True, kw_only=True):
    """One cell of the grid: `spot` −0.3 … 0.3, `volatility` in points, `profit` in currency."""

    spot: float
    volatility: float
    profit: float


class ExecutionView(Struct, frozen=True, kw_only=True):
    """A venue's report on an order; `quantity` is signed."""

    kind: Literal["new", "partial", "fill", "cancel", "reject", "expire"]
    event_time: Instant
    quantity: float
    price: float | None
    reason: str


class OrderView(Struct, frozen=True, kw_only=True):
    """An order from its decision to its end.

    Attributes:
        order_id: Its id; what `hedgestat why` takes.
        status: Where it is: `decided` (in the outbox), `accepted` or `refused` (by the gateway),
            `working` (at the venue), `partial`, then one end.
        decided_time: When the book decided it, event time.
        why: One sentence: trigger, figures, clamp.
        acknowledgement: The gateway's; null while it waits.
        filled: Signed quantity traded so far.
        average_price: Of that; null while it is 0.
        executions: Oldest first.
    """

    order_id: str
    book: str
    decision: int
    leg: str
    symbol: str
    side: Literal["buy", "sell"]
    quantity: float
    target_quantity: float
    limit_price: float
    notional: float
    currency: str
    trigger: str
    reason: str
    status: OrderStatus
    decided_time: Instant
    valid_until: Instant
    why: str
    acknowledgement: AckMessage | None
    filled: float
    average_price: float | None
    executions: tuple[ExecutionView, ...]


class AlertView(Struct, frozen=True, kw_only=True):
    """An alert as it was told, numbered in the order it came, and the file that says what to do.

    `number` is the dashboard's own, from 1 since it started; `runbook_path` is empty for an alert
    of a later version.
    """

    number: int
    alert: AlertMessage
    runbook_path: str = ""


class ServiceView(Struct, frozen=True, kw_only=True):
    """A service: there or not, how far behind, and who holds its lease.

    `behind` counts entries of its input; null where it has none. `holder` and `epoch` are empty
    and 0 for a service without a lease.
    """

    service: str
    state: Literal["online", "offline", "unknown"]
    version: str
    config_digest: str
    behind: int | None
    holder: str
    epoch: int
    note: str


class HealthView(Struct, frozen=True, kw_only=True):
    """Whether the monitor does its work.

    Attributes:
        ready: Every check passes: fresh data, leases known, the gateway answers.
        checks: What is wrong by check, empty text where all is well.
        services: Every one that there should be.
        trading: State by scope, `all` first.
        data_age_s: Wall-clock seconds since the last event of the market arrived; null before.
        opens: When the exchange opens next; null while it is open.
        replay_over: The replay has come to its end: nothing more will come, and nothing is wrong.
    """

    ready: bool
    checks: dict[str, str]
    services: tuple[ServiceView, ...]
    trading: tuple[TradingStateMessage, ...]
    data_age_s: float | None
    opens: Instant | None = None
    replay_over: bool = False


class StateView(Struct, frozen=True, kw_only=True):
    """Everything that fits on one screen.

    Attributes:
        as_of: The server's wall clock when this was made.
        environment: `paper` or `live`.
        clock: `wall`, or `feed` in a replay: then ages are measured from `market.event_time`.
        books: A line for each.
        orders: The newest, newest first.
        alerts: The same.
    """

    as_of: Instant
    environment: str
    version: str
    config_digest: str
    clock: Literal["wall", "feed"]
    market: MarketView
    books: tuple[BookSummaryView, ...]
    orders: tuple[OrderView, ...]
    alerts: tuple[AlertView, ...]
    health: HealthView


class HistoryView(Struct, frozen=True, kw_only=True):
    """The last hours as series, thinned to at most so many points each.

    Of the market: every signal by its name. Of a book: `target_vega`, `current_vega`,
    `multiplier`, `reference_vix`, `drawdown`, `profit.total`, `profit.unexplained`.
    """

    since: Instant | None
    until: Instant | None
    series: Series
    firings: tuple[tuple[float, str], ...] = ()
    """Of a book: when which trigger fired, to be marked on the charts."""


class LoginRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wants to log in."""

    operator: Annotated[str, Meta(min_length=1, max_length=64)]
    password: Annotated[str, Meta(min_length=1, max_length=256)]


class LoginView(Struct, frozen=True, kw_only=True):
    """Who is logged in, and the token that every action must carry."""

    operator: str
    csrf_token: str


class ActionRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A halt, reduction or rebalance; `confirmation` must repeat the scope, letter by letter."""

    scope: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$(?!\n)")]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    confirmation: Annotated[str, Meta(max_length=64)]


class ActionView(Struct, frozen=True, kw_only=True):
    """What the broker has taken of an action; what came of it is told by who carries it out.

    The gateway's word on a halt is a trading state with the authority `desk`, this operator, and
    `issued_at` as its `since`.
    """

    action: Literal["halt", "reduce", "rebalance"]
    scope: str
    operator: str
    issued_at: Instant


class Problem(Struct, frozen=True, kw_only=True):
    """Why a request was refused, and what to do."""

    error: str
    detail: str
