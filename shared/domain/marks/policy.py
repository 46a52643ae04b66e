"""What makes a quote good, a forward known and a model trusted (spec sections 5 and 9)."""

from msgspec import Struct

from shared.domain.instants import DAY, MILLISECOND, MINUTE


class MarkPolicy(Struct, frozen=True, kw_only=True):
    """How options are marked. Defaults are this house's unless another convention is named.

    Attributes:
        stale_ns: A quote or a level older than that is stale. Market makers requote an index
            option many times a minute; five minutes of silence mean a dead feed, not a calm one.
        max_spread: Widest good quote, as a fraction of its middle. The classic "legal width" of
            Cboe's market makers was 0.25 at a bid below 2, 0.40 below 5, 0.50 below 10, 0.80 below
            20, else 1: a quarter of the cheapest options that they were held to.
        max_spread_ticks: A quote not wider than that many ticks is good at any price.
        rate: Continuously compounded, per year; used where parity does not give a discount factor.
            `None`: not known, and nothing is assumed.
        dividend_yields: By underlying, continuous, per year: the forward where parity gives none.
            An underlying that is not in it has no such forward.
        min_pairs: Fewer pairs of call and put than that give no forward.
        near_pairs: The forward is the median of that many pairs nearest to the money.
        max_rate_error: A discount factor from parity is believed when the quotes pin its rate down
            to that, per year: the interest of a few days is smaller than any spread.
        max_rate: Nor is it believed beyond ± that.
        min_carry_ns: Basis of a forward over its level that a shorter life cannot explain is no
            carry but two prices of different instants: it goes to the level instead.
        min_strikes: A smile of five parameters needs at least that many strikes.
        budget_rows: Options whose expiry is worked on in one refresh, at most, unless a single
            expiry has more.
        refresh_ns: How often `refresh` is due.
        forget_ns: What has not been heard of for longer marks nothing: a long weekend.
        max_instruments: The book takes no more.
        max_error_half_spreads: The model misses an option when it is off by more half-spreads …
        max_error_points: … and by more vol points than that.
        max_missed: More than this share of an expiry's options missed widens the model's error …
        min_missed: … and not more than this narrows it again.
        error_hold_ns: Either must hold that long.
    """

    stale_ns: int = 5 * MINUTE
    max_spread: float = 0.25
    max_spread_ticks: float = 5.0
    rate: float | None = None
    dividend_yields: dict[str, float] = {}
    min_pairs: int = 3
    near_pairs: int = 11
    max_rate_error: float = 0.005
    max_rate: float = 0.25
    min_carry_ns: int = 30 * DAY
    min_strikes: int = 7
    budget_rows: int = 2_000
    refresh_ns: int = 100 * MILLISECOND
    forget_ns: int = 4 * DAY
    max_instruments: int = 250_000
    max_error_half_spreads: float = 3.0
    max_error_points: float = 1.0
    max_missed: float = 0.1
    min_missed: float = 0.05
    error_hold_ns: int = MINUTE
