"""One book: target against hedge, sizing chain, triggers, budget, Greeks, profit."""

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from services.command.figures import figure, rounded, spaced
from services.command.top.exposure_lines import (
    group_lines,
    profit_lines,
    scenario_lines,
    totals_line,
)
from services.command.top.market_section import signal_text
from services.command.top.sections import Section
from services.command.top.words import (
    CALM,
    LOUD,
    NOTHING,
    Column,
    age,
    amount,
    duration,
    folded,
    row,
)
from shared.wire.messages import TargetMessage
from shared.wire.views import BandsView, BookView, BudgetView, EffectivenessView, TriggerView

_STYLES: Final = {"inactive": CALM, "pending": "bold yellow", "firing": LOUD, "cooldown": "cyan"}
_ORDER: Final = ("firing", "pending", "cooldown", "inactive")
_LONGEST_PROGRESS: Final = 36
_STEP: Final = (Column(16), Column(7, "right"), Column(20), Column(6), Column(0))
_BAR: Final = 20
_LATEST: Final = 3


def book_section(book: BookView | None, name: str, now_ns: int, width: int) -> Section:
    """Draw one book; what matters most comes first."""
    if book is None or book.summary.book != name:
        waiting = Text(f"asking for {name}" if name else "no book yet", "bold yellow")
        return Section(title=f"Book {name}", lines=(waiting,))
    title = f"Book {name}, {book.summary.currency}"
    lines = tuple(_lines(book, now_ns, width))
    return Section(title=title, lines=lines, least=7)


def _lines(book: BookView, now_ns: int, width: int) -> Iterator[Text]:
    if book.trading is not None and book.trading.state != "active":
        told = book.trading
        text = f"{told.state.upper()} by {told.authority} {told.operator}: {told.reason}"
        yield Text(text, LOUD)
    yield from _target(book, now_ns, width)
    yield from _triggers(book, now_ns, width)
    yield _bands(book.bands)
    if book.budget is not None:
        yield _budget(book.budget)
    if book.exposure is not None:
        yield totals_line(book.exposure, now_ns)
    yield _effectiveness(book.effectiveness)
    if book.signals:
        yield Text("  ").join(signal_text(each, now_ns) for each in book.signals.values())
    yield from _steps(book.target, width)
    if book.exposure is not None:
        yield from group_lines(book.exposure, width)
        yield from profit_lines(book.exposure)
    yield from _suppressed(book, now_ns)
    yield from scenario_lines(book.scenarios, width)


# --- target and sizing ---------------------------------------------------------------------------


def _target(book: BookView, now_ns: int, width: int) -> Iterator[Text]:
    target, current = book.target, book.summary.current_vega
    if target is None:
        yield Text("no decision yet", "bold yellow")
        return
    current = target.current_vega if current is None else current
    missing = target.target_vega - current
    line = Text.assemble(
        ("target ", CALM),
        (amount(target.target_vega), "bold"),
        ("  hedge ", CALM),
        (amount(current), "bold"),
        ("  to go ", CALM),
        f"{'+' if amount(missing).strip('+-0') and missing > 0 else ''}{amount(missing)} vega",
        ("  decision ", CALM),
        f"{target.decision} {target.trigger}, {age(target.event_time, now_ns)} ago",
    )
    if target.quality != "good":
        line.append(f"  data {target.quality.upper()}", LOUD)
    yield line
    if target.steps:
        yield from folded(_chain(target), width, 2)


def _chain(target: TargetMessage) -> str:
    """Write the chain in a line, the binding clamp in words."""
    return " > ".join(
        f"{step.name} {step.multiplier:.2f}{' BINDS' if step.binding else ''}"
        for step in target.steps
    )


def _steps(target: TargetMessage | None, width: int) -> Iterator[Text]:
    """The chain as a waterfall: every step's multiplier, from 0 on, and its note."""
    if target is None or not target.steps:
        return
    most = max(*(abs(step.multiplier) for step in target.steps), 1e-9)
    yield Text("sizing chain, multiplier from 0", CALM)
    for step in target.steps:
        bar = "█" * round(_BAR * abs(step.multiplier) / most)
        binds = Text("BINDS" if step.binding else "", "bold reverse")
        yield row(
            (step.name, f"{step.multiplier:.3f}", Text(bar, "cyan"), binds, spaced(step.note)),
            _STEP,
            width,
        )
    for leg in target.legs:
        quantity = "no good mark" if leg.quantity is None else figure(leg.quantity, "+")
        mark = NOTHING if leg.mark is None else f"{leg.mark:,.2f}"
        text = f"  leg {leg.leg}: {quantity} of {leg.symbol} at {mark}, weight {leg.weight:.0%}"
        yield Text(text)


# --- triggers ------------------------------------------------------------------------------------


def _triggers(book: BookView, now_ns: int, width: int) -> Iterator[Text]:
    ordered = sorted(book.triggers, key=lambda each: _ORDER.index(each.state))
    longest = max((len(_progress(each)) for each in ordered), default=0)
    progress = Column(max(min(longest, _LONGEST_PROGRESS), 1))
    columns = (Column(18), Column(8), Column(6, "right"), progress, Column(0))
    for trigger in ordered:
        word = trigger.state.upper() if trigger.state == "firing" else trigger.state
        yield row(
            (
                Text(trigger.trigger, "" if trigger.state == "inactive" else "bold"),
                Text(word, _STYLES[trigger.state]),
                age(trigger.since, now_ns),
                _progress(trigger),
                Text(trigger.reason, CALM),
            ),
            columns,
            width,
        )


def _progress(trigger: TriggerView) -> str:
    """Write how far a persistence is, of what is asked for: `2 of 3, 9m of 15m`."""
    parts = []
    if trigger.observations_needed:
        parts.append(f"{trigger.observations} of {trigger.observations_needed} obs")
    if trigger.hold_s:
        parts.append(f"{duration(trigger.held_s)} of {duration(trigger.hold_s)}")
    if trigger.sessions_needed:
        parts.append(f"{trigger.sessions} of {trigger.sessions_needed} sessions")
    return ", ".join(parts)


def _suppressed(book: BookView, now_ns: int) -> Iterator[Text]:
    for whipsaw in book.whipsaws[:_LATEST]:
        peak = ", ".join(f"{name} {value:.4g}" for name, value in whipsaw.peak.items())
        told = f"whipsaw suppressed {age(whipsaw.event_time, now_ns)} ago: {whipsaw.trigger} {peak}"
        yield Text(told, "yellow")
    for order in book.withheld[:_LATEST]:
        figures = ", ".join(f"{name} {figure(value)}" for name, value in order.figures.items())
        told = f"withheld {age(order.event_time, now_ns)} ago: {order.leg} by {order.control}"
        yield Text(f"{told} ({figures})" if figures else told, "bold yellow")


# --- bands, budget, effectiveness ----------------------------------------------------------------


def _bands(bands: BandsView) -> Text:
    if bands.reference is None:
        return Text("bands: no reference VIX yet", CALM)
    levels = (
        ("fast below", bands.fast_lower),
        ("below", bands.lower),
        ("reference", bands.reference),
        ("above", bands.upper),
        ("fast above", bands.fast_upper),
    )
    line = Text("VIX moves it ", CALM)
    for name, level in levels:
        if level is not None:
            line.append(f" {name} ", CALM).append(f"{level:.2f}", "bold")
    return line


def _budget(budget: BudgetView) -> Text:
    used = min(max(budget.used_fraction, 0.0), 1.0)
    full = round(_BAR * used)
    is_over = budget.used_fraction >= budget.warn_fraction
    is_short = budget.days_left is not None and budget.days_left < budget.year_days_left
    line = Text("budget ", CALM)
    line.append(f"[{'█' * full}{'░' * (_BAR - full)}]", "bold red" if is_over else "cyan")
    line.append(f" {budget.used_fraction:.0%} of {amount(budget.annual)}", "bold")
    if budget.days_left is None:
        line.append(", nothing used on balance", CALM)
    else:
        line.append(
            f", {budget.days_left:.0f} days left of {budget.year_days_left:.0f} at this rate"
        )
    if is_over:
        line.append(f"  ABOVE {budget.warn_fraction:.0%}", LOUD)
    if is_short:
        line.append("  TOO FAST", LOUD)
    return line


def _effectiveness(told: EffectivenessView) -> Text:
    ratio = NOTHING if told.ratio is None else rounded(told.ratio, ".0%")
    correlation = NOTHING if told.correlation is None else rounded(told.correlation, "+.2f")
    return Text.assemble(
        ("hedge earned ", CALM),
        amount(told.hedge_profit),
        (" against a loss of ", CALM),
        amount(told.book_loss),
        (": ", CALM),
        (ratio, "bold"),
        ("  correlation ", CALM),
        correlation,
    )
