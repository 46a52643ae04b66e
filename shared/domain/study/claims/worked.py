"""The examples that the papers work through: their numbers in, and what the live code gives out.

Longer than most: a table; each row is what a paper prints, and the live object that answers the
same question.
"""

from collections.abc import Sequence
from typing import Final

from shared.domain.accounts.effectiveness import SessionResult, measure_window
from shared.domain.accounts.variance_swap import SESSIONS_PER_YEAR, swap_value
from shared.domain.hedging.rules import PRESETS, RuleSet, drawdown
from shared.domain.hedging.sizing import SizingInputs, size
from shared.domain.policies import RulePolicy, SizingPolicy, TriggerPolicy
from shared.domain.study.claims.claim import Claim, Judged, Unit, computed, untold
from shared.domain.study.claims.enacted import gamma_over_theta, market_maker, orders_on
from shared.domain.study.claims.market import HEDGES

MARKET_MAKER: Final = "Dynamic Hedging, market maker"
BASE: Final = 1000.0


def worked_claims() -> list[Judged]:
    """Work every example of the papers once more, with the live code."""
    return [
        *_rules(),
        *_limits(),
        *_triggers(),
        *_practical(),
        *_vix_scaled(),
        *_conditional(),
        *_other_examples(),
        *_sums(),
        *_market_maker(),
    ]


def unmeasurable_claims() -> list[Judged]:
    """List what the papers state with a number and no history of levels can answer."""
    return [untold(_claim(*row[:-1]), row[-1]) for row in _UNMEASURABLE]


def vega_of(rule: RulePolicy | str, value: float) -> float:
    """Return the vega that a rule asks for at one value of its one input, base 1,000."""
    policy = PRESETS[rule] if isinstance(rule, str) else rule
    multiplier = RuleSet((policy,), "product", "example").evaluate(lambda _: value)
    assert multiplier is not None  # noqa: S101 - its input is known
    return BASE * multiplier


def sized_vega(rule: str, value: float) -> float:
    """Return the same after floor and cap, as the live chain applies them."""
    policy = SizingPolicy(base_vega=BASE)
    inputs = SizingInputs(
        rule=vega_of(rule, value) / BASE,
        rule_note="",
        held=None,
        confirmed_by="",
        hedge_correlation=None,
        budget=None,
    )
    return BASE * size(policy, inputs).multiplier


def offset(loss: float, gain: float) -> float:
    """Return the HER of one fall, as the live account measures it."""
    results = [_session(0, 0.0, 0.0), _session(1, -loss, gain)]
    ratio = measure_window(results, after_ns=0, end_ns=1).dynamic_effectiveness
    assert ratio is not None  # noqa: S101 - the portfolio lost
    return ratio


def _session(close_ns: int, nav: float, profit: float) -> SessionResult:
    return SessionResult(
        close_ns=close_ns,
        nav=nav,
        dynamic_carry=profit,
        transaction_cost=0.0,
        static_carry=0.0,
        turnover_vega=0.0,
        trades=0,
        multiplier=None,
        at_floor=False,
        at_cap=False,
    )


# --- rules, floor and cap -------------------------------------------------------------------------


def _rules() -> list[Judged]:
    strategies = f"{HEDGES}, Strategies"
    why = "The formula's divisor is 15; the example's is 7.5, which is `paper_example`: "
    printed = drawdown(-0.10, alpha=0.5, d0=-0.05)
    return [
        _row("linear_10", f"{strategies} 1", "VIX 10: hedge 0", 0, "vega", vega_of("linear", 10)),
        *(
            _row(
                f"linear_{level:g}".replace(".", "_"),
                f"{strategies} 1",
                f"VIX {level:g}: hedge {claimed:,}",
                claimed,
                "vega",
                vega_of("linear", level),
                f"{why}{vega_of('paper_example', level):,.0f}.",
            )
            for level, claimed in ((17.5, 1000), (25.0, 2000))
        ),
        _ratio(
            "realized_vol",
            f"{strategies} 2",
            "RV 25% against 15%: 1.67 times",
            1.67,
            0.005,
            vega_of("realized_vol", 0.25) / BASE,
        ),
        *(
            _ratio(
                f"conditional_{level:g}",
                f"{strategies} 3",
                f"VIX {level:g}: {name} hedge",
                claimed,
                0.0,
                vega_of("conditional", level) / BASE,
            )
            for level, name, claimed in ((14.0, "no", 0), (20.0, "half", 0.5), (30.0, "full", 1))
        ),
        _ratio(
            "correlation",
            f"{strategies} 5",
            "correlation 60% against 40%: 1.5 times",
            1.5,
            0.0,
            vega_of("correlation", 0.6) / BASE,
        ),
        _ratio(
            "drawdown",
            f"{strategies} 6",
            "down 10%: 1.025 times",
            1.025,
            0.0005,
            vega_of("drawdown", -0.10) / BASE,
            f"With −DD − 5%; the formula as printed, −DD + 5%, gives {printed:.3f}.",
        ),
        _ratio(
            "sigmoid_20",
            f"{HEDGES}, Framework 2",
            "midpoint at VIX 20: 0.5",
            0.5,
            0.0,
            vega_of("sigmoid", 20) / BASE,
        ),
        _ratio(
            "sigmoid_10",
            f"{HEDGES}, Framework 2",
            "0 at low VIX (10)",
            0,
            0.05,
            vega_of("sigmoid", 10) / BASE,
        ),
    ]


def _limits() -> list[Judged]:
    section = f"{HEDGES}, Risk"
    cap, floor = sized_vega("linear", 50), sized_vega("linear", 10)
    return [
        _row("cap", f"{section} 2", "even at VIX 50: 2,000", 2000, "vega", cap),
        _row("floor", f"{section} 3", "even at VIX 10: 200", 200, "vega", floor),
    ]


# --- triggers -------------------------------------------------------------------------------------


def _triggers() -> list[Judged]:
    section = f"{HEDGES}, Risk 1"
    inside = _more(orders_on((18, 15))) + _more(orders_on((18, 21)))
    beyond = _more(orders_on((18, 14.99))) + _more(orders_on((18, 21.01)))
    relative = _more(orders_on((18, 20.71), triggers=TriggerPolicy()))
    both = (
        f"With the 15% that the paper recommends beside it, 20.71 makes {relative} order already."
    )
    mistakes = f"{HEDGES}, Mistakes"
    noise = _more(orders_on((18, 19, 18)))
    persisted = _more(orders_on((20, 25, 20), minutes=10))
    whipsawed = f"Where each level lasts beyond the hold: {_more(orders_on((20, 25, 20)))} orders."
    return [
        _row("inside", section, "from 18 to 15, to 21: no order", 0, "count", inside),
        _row("beyond", section, "below 15, above 21: an order each", 2, "count", beyond, both),
        _row("noise", f"{mistakes} 2", "18, 19, 18: nothing to do", 0, "count", noise),
        _row(
            "whipsaw",
            f"{mistakes} 4",
            "20, 25, 20 in 30 min: none",
            0,
            "count",
            persisted,
            whipsawed,
        ),
    ]


def _practical() -> list[Judged]:
    initial, *later = orders_on((18, 22))
    target = vega_of("option_a", 22)
    steps = f"{HEDGES}, Practical Steps"
    return [
        _row("initial", f"{steps} 4", "VIX 18, option A: initial 600", 600, "vega", initial),
        _row("target", f"{steps} 5", "VIX 22: new notional 1,000", 1000, "vega", target),
        _row("buy", f"{steps} 5", "18 to 22: buy 400 more", 400, "vega", sum(later)),
    ]


def _more(orders: Sequence[float]) -> int:
    """Return how many orders there were after the initial hedge."""
    return len(orders) - 1


# --- the four examples ----------------------------------------------------------------------------


def _vix_scaled() -> list[Judged]:
    section = f"{HEDGES}, Example 1"
    best = swap_value(vega_of("covid", 60), strike=15.0, fair=82.69)
    sentence = (
        "What the largest position, 6,000, would make as a variance swap struck at 15 whose "
        "volatility then came out at 82.69, the highest close of VIX ever."
    )
    capped = f"The cap of Risk 2 leaves {sized_vega('covid', 60):,.0f}."
    return [
        _row("covid_14", section, "VIX 14: 250", 250, "vega", vega_of("covid", 14)),
        _row("covid_15", section, "VIX 15: 375", 375, "vega", vega_of("covid", 15)),
        _row("covid_60", section, "VIX 60: 6,000", 6000, "vega", vega_of("covid", 60), capped),
        _share("covid_cost", section, "50,000 a year of 50M: 0.1%", 0.001, 50e3 / 50e6),
        _share("covid_fall", section, "10M of 50M: 20%", 0.2, 10e6 / 50e6),
        _share("covid_offset", section, "3M gain on 10M loss: 30%", 0.3, offset(10e6, 3e6)),
        _row("covid_gain", section, "hedge gain 3,000,000", 3e6, "money", best, sentence),
        _row("covid_paid", section, "4 years cost 200,000", 200e3, "money", 4 * 50e3),
        _row("covid_net", section, "net +2,800,000", 2.8e6, "money", 3e6 - 200e3),
    ]


def _conditional() -> list[Judged]:
    section = f"{HEDGES}, Example 2"
    gain = swap_value(2000.0, strike=20.0, fair=35.0)
    sentence = "A variance swap of 2,000 struck at 20 whose volatility then came out at 35."
    days = 0.15 * SESSIONS_PER_YEAR
    return [
        _row(
            "conditional_days",
            section,
            "15% of days: 55 days a year",
            55,
            "count",
            days,
            "Of 252 sessions; 55 are 15% of 365 days.",
        ),
        _share("conditional_cost", section, "100,000 a year of 20M: 0.5%", 0.005, 100e3 / 20e6),
        _share("conditional_offset", section, "400,000 on 800,000: 50%", 0.5, offset(8e5, 4e5)),
        _row("conditional_gain", section, "hedge gain 400,000", 400e3, "money", gain, sentence),
        _row("conditional_paid", section, "7 years cost 700,000", 700e3, "money", 7 * 100e3),
        _row("conditional_net", section, "net +200,000", 200e3, "money", 900e3 - 700e3),
    ]


def _other_examples() -> list[Judged]:
    scalping, term = f"{HEDGES}, Example 3", f"{HEDGES}, Example 4"
    ratio = gamma_over_theta(0.15, 0.18)
    sentence = "Gamma profit / theta of a straddle at 15, the moves at 18: (18/15)²."
    return [
        _ratio("scalping", scalping, "300,000 for 200,000: 1.5", 1.5, 0.005, ratio, sentence),
        _row("scalping_sign", scalping, "gamma beats theta", 1, "count", int(ratio > 1)),
        _row("scalping_net", scalping, "net +100,000", 100e3, "money", 300e3 - 200e3),
        _row("term_net", term, "net +50,000", 50e3, "money", 150e3 - 100e3),
    ]


def _sums() -> list[Judged]:
    why, framework = f"{HEDGES}, Why 3", f"{HEDGES}, Framework"
    unhedged = f"Of 0.55; of the unhedged 0.5 it is {0.65 / 0.5 - 1:.0%}."
    return [
        _share("sum_static", why, "200,000 of 10M: 2%", 0.02, 200e3 / 10e6),
        _share("sum_dynamic", why, "120,000 of 10M: 1.2%", 0.012, 120e3 / 10e6),
        _share("sum_cheaper", why, "120,000 for 200,000: 40% less", 0.4, 1 - 120e3 / 200e3),
        _share(
            "sum_sharpe",
            f"{framework} 7",
            "0.65 for 0.55: 20% better",
            0.2,
            0.65 / 0.55 - 1,
            0.005,
            unhedged,
        ),
        _share("sum_daily", f"{HEDGES}, Mistakes 2", "0.1% daily: 25.2%", 0.252, 0.001 * 252),
        _row(
            "sum_spread",
            f"{HEDGES}, Mistakes 3",
            "20 times 0.05 of 1M: 1M a year",
            1e6,
            "money",
            1e6 * 0.05 * 20,
            "Of a spread of 5% of the notional; 0.05 of a price is another thing.",
        ),
    ]


# --- the second paper -----------------------------------------------------------------------------


def _market_maker() -> list[Judged]:
    made = market_maker()
    loss = 500.0 - made.cost
    return [
        _row("maker_first", MARKET_MAKER, "delta 0.60: sell 6,000", 6000, "shares", made.first),
        _row("maker_after", MARKET_MAKER, "delta 0.65: short 6,500", 6500, "shares", made.after),
        _row("maker_more", MARKET_MAKER, "sell 500 more", 500, "shares", made.more),
        _row("maker_trades", MARKET_MAKER, "20 days: 40", 40, "count", made.adjustments),
        _row("maker_cost", MARKET_MAKER, "40 at 50 cost 2,000", 2000, "money", made.cost),
        _row(
            "maker_net",
            MARKET_MAKER,
            "net +500 after 2,000 of cost",
            500,
            "money",
            loss,
            "Gamma scalping adds 500, the hedges cost 2,000.",
        ),
    ]


# --- rows -----------------------------------------------------------------------------------------


def _claim(  # noqa: PLR0913, PLR0917 - what a row is
    key: str, where: str, text: str, low: float, high: float, unit: Unit, rounding: float = 0.0
) -> Claim:
    return Claim(
        key=f"worked.{key}",
        where=where,
        text=text,
        low=low,
        high=high,
        unit=unit,
        rounding=rounding,
    )


def _row(  # noqa: PLR0913, PLR0917 - what a row is
    key: str, where: str, text: str, claimed: float, unit: Unit, value: float, sentence: str = ""
) -> Judged:
    return computed(_claim(key, where, text, claimed, claimed, unit), value, sentence)


def _ratio(  # noqa: PLR0913, PLR0917 - what a row is
    key: str,
    where: str,
    text: str,
    claimed: float,
    rounding: float,
    value: float,
    sentence: str = "",
) -> Judged:
    return computed(_claim(key, where, text, claimed, claimed, "ratio", rounding), value, sentence)


def _share(  # noqa: PLR0913, PLR0917 - what a row is
    key: str,
    where: str,
    text: str,
    claimed: float,
    value: float,
    rounding: float = 0.0,
    sentence: str = "",
) -> Judged:
    return computed(_claim(key, where, text, claimed, claimed, "share", rounding), value, sentence)


_PREMIUMS: Final = "it needs quotes of options through their life, and there are none"
_SIZE: Final = "the size of the position is not stated"
_UNMEASURABLE: Final[tuple[tuple[str, str, str, float, float, Unit, str], ...]] = (
    (
        "theta",
        f"{HEDGES}, Why 1",
        "puts lose 20-40% of premium a year",
        0.2,
        0.4,
        "share",
        _PREMIUMS,
    ),
    ("decay", f"{HEDGES}, Mistakes 5", "30-day puts cost 30% a year", 0.3, 0.3, "share", _PREMIUMS),
    (
        "overfitted",
        f"{HEDGES}, Mistakes 1",
        "10 parameters: Sharpe 2.0 comes out at 0.3",
        0.3,
        0.3,
        "ratio",
        "a story of one rule that is not given; `hedgestat study walkforward` shows it for yours",
    ),
    ("gamma", f"{HEDGES}, Example 3", "gamma earned 300,000", 3e5, 3e5, "money", _SIZE),
    ("short_puts", f"{HEDGES}, Example 4", "short VIX puts: 150,000", 1.5e5, 1.5e5, "money", _SIZE),
    ("variance", f"{HEDGES}, Example 4", "long variance: 100,000", 1e5, 1e5, "money", _SIZE),
    (
        "maker_share",
        MARKET_MAKER,
        "2,000 is 2% of position value",
        0.02,
        0.02,
        "share",
        "the price of the calls is not stated",
    ),
)
