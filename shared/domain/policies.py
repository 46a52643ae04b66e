"""Configuration as frozen values, apart from any state. Spec sections are named in brackets.

Durations are ns. `*_trading_ns` is trading time: it stands still while the exchange is closed.

Longer than most: the whole configuration is read in one place.
"""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from shared.domain.instants import MINUTE, SECOND

# --- intake (spec 9) -------------------------------------------------------------------------


class SymbolPolicy(Struct, frozen=True, kw_only=True):
    """What may arrive for one symbol.

    Attributes:
        max_jump: Largest believable move against the last accepted level, as a fraction of it,
            before confirmation is asked for (0.3 = 30%).
        confirmations: That many consecutive prints near each other confirm a larger move.
        max_spread: Widest believable quote, as a fraction of its middle.
    """

    max_jump: float = 0.3
    confirmations: int = 3
    max_spread: float = 0.5


class OptionIntakePolicy(Struct, frozen=True, kw_only=True):
    """Options, which are known by their OSI names instead of one by one.

    Attributes:
        roots: Product codes that may arrive.
        max_symbols: So many names at most.
    """

    roots: frozenset[str]
    max_symbols: int = 100_000


class IntakePolicy(Struct, frozen=True, kw_only=True):
    """The edge: what is refused (spec 9).

    Attributes:
        symbols: Known symbols; any other is refused.
        future_skew_ns: A tick may lie that far ahead of our clock.
        late_limit_ns: A tick may lie that far behind the newest event.
        max_message_bytes: Larger messages are refused unread.
        independent_sources: Names of feeds with data of their own: a jump that two of them print is
            believed at once. Two vendors of one exchange are not: they carry the same error.
        options: Which options may arrive beside them; left out when none may.
    """

    symbols: dict[str, SymbolPolicy]
    future_skew_ns: int = 2 * SECOND
    late_limit_ns: int = 5 * SECOND
    max_message_bytes: int = 1_048_576
    independent_sources: tuple[str, ...] = ()
    options: OptionIntakePolicy | UnsetType = UNSET

    @property
    def option_roots(self) -> frozenset[str]:
        """Product codes whose options may arrive."""
        return frozenset() if isinstance(self.options, UnsetType) else self.options.roots


# --- signals (spec 1) ------------------------------------------------------------------------


class Hold(Struct, frozen=True, kw_only=True):
    """Persistence: how long, and how many times, something must be true without a break (spec 3).

    Attributes:
        trading_ns: Trading time since it first was true.
        sessions: Distinct sessions in which it was observed true, the first included.
        observations: Distinct observations that found it true.
    """

    trading_ns: int = 15 * MINUTE
    sessions: int = 1
    observations: int = 3


class SmoothingPolicy(Struct, frozen=True, kw_only=True):
    """How VIX is smoothed: `ewma` by half-life, `sma` over session closes, `median` over a window.

    Attributes:
        half_life_trading_ns: For `ewma`.
        sessions: For `sma`: completed session closes averaged with the live value.
        window_trading_ns: For `median`.
    """

    method: Literal["ewma", "sma", "median"] = "ewma"
    half_life_trading_ns: int = 30 * MINUTE
    sessions: int = 5
    window_trading_ns: int = 30 * MINUTE


Estimator = Literal["zero_mean", "demeaned", "ewma", "intraday", "parkinson", "yang_zhang"]


class RealizedVolatilityPolicy(Struct, frozen=True, kw_only=True):
    """Which estimator of realized volatility, over how many returns (spec 1, `rv`)."""

    estimator: Estimator = "zero_mean"
    returns: int = 20
    decay: float = 0.94
    sampling_ns: int = 5 * MINUTE


class TermStructurePolicy(Struct, frozen=True, kw_only=True):
    """F1/F3 from listed contracts, or interpolated to 30 and 90 days (spec 1, `term_ratio`).

    Attributes:
        front: Symbol of the 1-month future.
        third: Symbol of the 3-month future.
        expiries: For `constant_maturity`: expiry instant in ns by futures symbol.
        epsilon: Half-width of the flat band around 1.
    """

    front: str = "VX1"
    third: str = "VX3"
    constant_maturity: bool = False
    expiries: dict[str, int] = {}
    epsilon: float = 0.01


class RegimePolicy(Struct, frozen=True, kw_only=True):
    """Low / medium / high by VIX, with hysteresis in points and persistence (spec 1, `regime`)."""

    low_below: float = 15.0
    high_above: float = 25.0
    hysteresis: float = 0.5
    hold: Hold = Hold()


class CrashIntensityPolicy(Struct, frozen=True, kw_only=True):
    """Hawkes intensity of down-moves r < −k·σ (spec 1); rates per day, `alpha` < `beta`."""

    threshold_sigmas: float = 2.0
    baseline_per_day: float = 0.02
    alpha_per_day: float = 0.05
    beta_per_day: float = 0.10


class PortfolioPolicy(Struct, frozen=True, kw_only=True):
    """A book's portfolio as weights of symbols, for its NAV and drawdown.

    Attributes:
        book: Whose portfolio.
        value: Its value, in the book's currency, at the first print of all its symbols.
        weights: Fraction of `value` in each symbol, summing to at most 1; the rest is cash.
        hedge_symbol: Whose daily log returns stand for the hedge's returns (ρ of spec 1).
        correlates: Whether ρ is told; it is unless a study says that nobody reads it.
    """

    book: str
    value: float
    weights: dict[str, float]
    hedge_symbol: str = "VIX"
    correlates: bool | UnsetType = UNSET


class SignalPolicy(Struct, frozen=True, kw_only=True):
    """Everything the signals stage needs to know."""

    vix_symbol: str = "VIX"
    index_symbol: str = "SPX"
    smoothing: SmoothingPolicy = SmoothingPolicy()
    realized_volatility: RealizedVolatilityPolicy = RealizedVolatilityPolicy()
    correlation_basket: tuple[str, ...] = ()
    correlation_returns: int = 20
    hedge_correlation_returns: int = 60
    term_structure: TermStructurePolicy = TermStructurePolicy()
    regime: RegimePolicy = RegimePolicy()
    transition_half_life_sessions: float = 756.0
    crash_intensity: CrashIntensityPolicy = CrashIntensityPolicy()
    percentile_sessions: int = 504
    vix_stale_trading_ns: int = 60 * SECOND
    vix_interval_ns: int = 15 * SECOND
    """How often VIX prints, in trading time: two missed are told (promises C4) …"""
    index_interval_ns: int = 15 * SECOND
    """… and the index."""
    vix_frozen: Hold = Hold(trading_ns=120 * SECOND, observations=9)
    """For how long VIX may repeat itself to the last digit: 8 intervals of 15 s (spec 12)."""
    market_halted_trading_ns: int = 2 * MINUTE
    """After so long without a print of the index and of VIX the market is halted (spec 12) …"""
    market_warm_up: int = 3
    """… and after so many prints of each it is believed again."""
    stale_trading_ns: int = 5 * MINUTE
    portfolios: tuple[PortfolioPolicy, ...] = ()
    mark_symbols: tuple[str, ...] = ()
    """Symbols whose last level the hedger prices legs with."""
    asked: tuple[str, ...] | UnsetType = UNSET
    """Signals that are told only because a rule reads them (spec 10): each costs every snapshot."""

    def tells(self, signal: str) -> bool:
        """Whether a signal of those that cost is asked for."""
        return not isinstance(self.asked, UnsetType) and signal in self.asked


# --- rules, sizing, legs (spec 2) ------------------------------------------------------------

RuleKind = Literal[
    "linear",
    "sigmoid",
    "conditional",
    "realized_vol",
    "correlation",
    "drawdown",
    "crash_intensity",
    "percentile",
    "delta",
    "vxth",
    "veqtor_like",
    "tail_budget",
    "monetise",
    "monetise_sleeve",
]


class RulePolicy(Struct, frozen=True, kw_only=True):
    """One rule and its numbers, by the names of spec section 2.

    `parameters` left out take the spec's defaults; `hedging.rules` names and checks them.
    """

    kind: RuleKind
    parameters: dict[str, float] = {}


class BudgetPolicy(Struct, frozen=True, kw_only=True):
    """Annual cost budget (spec 2): everything is scaled by what is left of it, at most 1.

    Attributes:
        annual: Cost allowed a calendar year, in the book's currency.
        warn_fraction: The line of the budget trigger (spec 3): share of `annual` used.
    """

    annual: float
    warn_fraction: float = 0.8


Instrument = Literal[
    "variance_swap", "vix_future", "vix_call", "put", "underlying", "future", "option"
]
"""What a leg trades; `underlying`, `future` and `option` are legs of strategies (spec 4)."""


class LegPolicy(Struct, frozen=True, kw_only=True):
    """One leg: index × maturity × instrument, with its share of the book's vega.

    Attributes:
        name: Part of order ids: `[a-z0-9_]{1,32}`.
        instrument: What is traded.
        symbol: Whose mark prices it; for a variance swap the volatility index itself.
        maturity_days: Days to expiry when bought; short is ≤ 92 (3M), see `term_structure`.
        weight: Share of the vega, before the term structure re-weights it.
        max_vega: No more than this vega notional in this leg.
        multiplier: Currency per point (VIX future 1000) or units per contract (option 100).
        lot: Quantities are multiples of it.
        vega_per_unit: Listed option: model vega per vol point of one contract's unit at the live
            mark, until the exposure stage supplies it. Of a call on VIX its delta: a point of VIX
            is a vol point.
        allow_under_90_days: Opt-in of the hedge-decay guard for options.
    """

    name: str
    instrument: Instrument
    symbol: str
    maturity_days: int
    weight: float = 1.0
    max_vega: float
    multiplier: float = 1.0
    lot: float = 1.0
    vega_per_unit: float | None = None
    allow_under_90_days: bool = False


class NavSharePolicy(Struct, frozen=True, kw_only=True):
    """Multiplier 1 as a share of the portfolio's value instead of as a vega (spec 10).

    Contracts = multiplier × share × NAV / (level × contract multiplier).

    Attributes:
        share: Of NAV at multiplier 1, a decimal.
        symbol: Whose level a contract counts at: an index for a put on full notional. Empty: at
            its own mark, which is the premium of an option and the notional of a future.
        least_level: Below it nothing is sized: any number of options that are about to end at
            nothing can be had for a share of NAV.
    """

    share: float
    symbol: str = ""
    least_level: float = 0.0


class SizingPolicy(Struct, frozen=True, kw_only=True):
    """The chain from multiplier to quantity (spec 2)."""

    base_vega: float
    equity_share: float = 1.0
    scale_by_hedge_correlation: bool = False
    budget: BudgetPolicy | None = None
    floor: float = 0.2
    cap: float = 2.0
    split_by_term_structure: bool = False
    min_trade_vega: float = 1.0
    min_trade_fraction: float = 0.0
    """Share of `base_vega`; an order needs a change above both."""
    nav_share: NavSharePolicy | UnsetType = UNSET
    """Makes the rules' multiplier one of a share of NAV; the chain goes on in multiples of
    `base_vega`, so that floor, cap and limits bind it as they bind any other."""


# --- triggers (spec 3) -----------------------------------------------------------------------


class FastPathPolicy(Struct, frozen=True, kw_only=True):
    """Extreme moves need only k ticks: points of raw VIX from the reference, or an index return."""

    vix_points: float = 8.0
    index_return: float = -0.05
    observations: int = 3


class GreekBand(Struct, frozen=True, kw_only=True):
    """A Greek must stay inside [low, high]."""

    greek: str
    low: float
    high: float


class TriggerPolicy(Struct, frozen=True, kw_only=True):
    """When a new target becomes an order (spec 3).

    Attributes:
        vix_points: |vix_smooth − reference| beyond which to rebalance.
        vix_relative: The same, relative to the reference.
        schedule_days: Calendar days since the last rebalance; next session when closed.
        drawdown: Fires beyond this drawdown (0.05 = 5% below the peak).
        regime_change: Whether a regime change is a trigger.
        greek_bands: See `GreekBand`.
        hold: Persistence of the market triggers.
        hysteresis: Fraction of its threshold by which a condition must be false to re-arm.
        cooldown_trading_ns: Least trading time between two orders' decisions.
        fast: The fast path, or `None` for none.
    """

    vix_points: float = 3.0
    vix_relative: float = 0.15
    schedule_days: float = 7.0
    drawdown: float = 0.05
    regime_change: bool = True
    greek_bands: tuple[GreekBand, ...] = ()
    hold: Hold = Hold()
    hysteresis: float = 0.1
    cooldown_trading_ns: int = 15 * MINUTE
    fast: FastPathPolicy | None = FastPathPolicy()


# --- orders (spec 6) -------------------------------------------------------------------------


class OrderPolicy(Struct, frozen=True, kw_only=True):
    """How a decision becomes a limit order.

    Attributes:
        collar: Limit price = mid ± this fraction of it.
        valid_trading_ns: `valid_until` is this much trading time after the decision.
        stale_mark_trading_ns: An older mark prices no order.
    """

    collar: float = 0.10
    valid_trading_ns: int = 10 * MINUTE
    stale_mark_trading_ns: int = 5 * MINUTE


class LimitPolicy(Struct, frozen=True, kw_only=True):
    """Pre-trade limits of a book; none is optional (promises B1 to B7).

    A book without legs of a measure has 0 as its limits of that measure: nothing of it passes.
    Of delta these are left out, so that a book without such legs is written as it always was.

    Attributes:
        max_order_vega: Of one order: its quantity in a unit that all legs share, currency a point.
        max_order_notional: Of one order, currency.
        max_position_vega: Of position and open orders together.
        max_order_delta: The first, for each leg measured by delta: units of what it trades …
        max_position_delta: … and the same of position and open orders together.
        max_orders_per_day: In one session.
        max_orders_per_minute: In any 60 s; one more stops the book until an operator resumes it.
        max_daily_turnover: Notional ordered in one session, currency.
        max_daily_loss: Of the hedge in one session, marks and costs, currency; beyond it the book
            only reduces.
        max_price_deviation: Of the limit price from the live mark, as a fraction of the mark.
        max_repeats: Orders in a row on one leg and side, each within `repeat_ns` of the last; one
            more stops the book until an operator resumes it.
        repeat_ns: See there.
        duplicate_ns: A second order of the same leg, side and quantity within this is blocked.
    """

    max_order_vega: float
    max_order_notional: float
    max_position_vega: float
    max_orders_per_day: int
    max_orders_per_minute: int
    max_daily_turnover: float
    max_daily_loss: float
    max_price_deviation: float
    max_repeats: int
    repeat_ns: int
    duplicate_ns: int
    max_order_delta: float | UnsetType = UNSET
    max_position_delta: float | UnsetType = UNSET

    def at_most(self, name: str) -> float:
        """Return a limit by its name; 0 when it is left out."""
        limit: float | UnsetType = getattr(self, name)
        return 0.0 if isinstance(limit, UnsetType) else limit


class BookPolicy(Struct, frozen=True, kw_only=True):
    """One portfolio with one hedge policy (spec 4)."""

    name: str
    currency: str = "USD"
    rules: tuple[RulePolicy, ...]
    composition: Literal["product", "max", "mean"] = "product"
    sizing: SizingPolicy
    legs: tuple[LegPolicy, ...]
    triggers: TriggerPolicy = TriggerPolicy()
    order: OrderPolicy = OrderPolicy()
    limits: LimitPolicy


# --- the paper venue (spec 6) ----------------------------------------------------------------


class PaperPolicy(Struct, frozen=True, kw_only=True):
    """How the paper venue fills.

    Attributes:
        half_spread: Half of the bid-ask spread, as a fraction of the mark, when the mark has none.
        slippage: Extra cost of taking, as a fraction of the mark.
        latency_ns: From the order's instant until it can first trade.
        max_fill_vega: Most vega that trades at one clock instant; the rest is a partial fill.
        commission: Per fill, in the leg's currency.
    """

    half_spread: float = 0.005
    slippage: float = 0.001
    latency_ns: int = 50_000_000
    max_fill_vega: float = 100_000.0
    commission: float = 0.0
