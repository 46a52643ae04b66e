"""The market: every signal with its age and quality, the regime, the curve of VIX."""

from typing import Final

from rich.text import Text

from services.command.top.picture import Picture
from services.command.top.sections import Section
from services.command.top.words import CALM, LOUD, NOTHING, Column, age, number, row
from shared.wire.messages import SignalMessage
from shared.wire.views import MarketView

_QUALITIES: Final = {
    "good": ("good", CALM),
    "warming": ("warming", "yellow"),
    "stale": ("!STALE!", LOUD),
    "frozen": ("!FROZEN!", LOUD),
    "halted": ("!HALTED!", LOUD),
}
_VALUE: Final = 8
_QUALITY: Final = 8
_AGE: Final = 6
_NAME: Final = 13
_GAP: Final = 2
_SLOW: Final = ("transition_", "crash_")


def market_section(picture: Picture, now_ns: int, width: int) -> Section:
    """Draw the market as wide as there is room."""
    market = picture.state.market
    lines = [
        *([_curve(market, now_ns)] if market.curve else []),
        *_signals(list(market.signals.values()), now_ns, width),
    ]
    nothing = Text("no market event yet", "bold yellow")
    title = f"Market{_regime(market, now_ns)}"
    return Section(title=title, lines=tuple(lines) or (nothing,), least=5)


def signal_cells(signal: SignalMessage, now_ns: int) -> list[str | Text]:
    """Write a signal: name, value, quality, age."""
    state = signal.state if signal.unit == "state" else ""
    return [
        Text(signal.name, LOUD if is_bad(signal) else ""),
        Text(state or number(signal.value, signal.unit), "bold"),
        quality_text(signal.quality, signal.have, signal.need),
        age(signal.event_time, now_ns),
    ]


def quality_text(quality: str, have: int = 0, need: int = 0) -> Text:
    """Write a quality in words; one that nothing may rest on stands out without colours too."""
    word, style = _QUALITIES.get(quality, (quality, LOUD))
    filled = f"{have}/{need}" if quality == "warming" and have < need else word
    return Text(filled if len(filled) <= _QUALITY else word, style)


def is_bad(signal: SignalMessage) -> bool:
    """Whether nothing may rest on it, though it once had a value."""
    return signal.quality in {"stale", "frozen", "halted"}


def _signals(signals: list[SignalMessage], now_ns: int, width: int) -> list[Text]:
    """In as many columns as fit: the bad ones first, what is made of many days last."""
    signals = sorted(signals, key=lambda each: (not is_bad(each), each.name.startswith(_SLOW)))
    fixed = _VALUE + _QUALITY + _AGE + 3
    across = max(1, min((width + _GAP) // (_NAME + fixed + _GAP), 3))
    cell = (width + _GAP) // across - _GAP
    columns = (Column(0), Column(_VALUE, "right"), Column(_QUALITY), Column(_AGE, "right"))
    cells = [row(signal_cells(each, now_ns), columns, cell) for each in signals]
    down = -(-len(cells) // across)
    gap = Text(" " * _GAP)
    return [gap.join(cells[place::down]) for place in range(down)]


def _regime(market: MarketView, now_ns: int) -> str:
    if market.regime is None:
        return ""
    since = age(market.regime.since, now_ns) if market.regime.since else NOTHING
    return f": regime {market.regime.state} for {since}"


def _curve(market: MarketView, now_ns: int) -> Text:
    """Write the curve by days to expiry, each level with the age of its print when it is old."""
    points = sorted(market.curve, key=lambda each: each.days)
    shape = market.signals.get("term_state")
    line = Text(f"curve {shape.state if shape else ''}", "bold")
    for point in points:
        day = f"{point.days:.0f}d" if point.days else point.symbol
        line.append(f" {day} ", CALM).append(f"{point.level:.2f}")
        line.append(f" ({age(point.event_time, now_ns)})", CALM)
    return line


def signal_text(signal: SignalMessage, now_ns: int) -> Text:
    """Write a signal as one text."""
    name, value, quality, how_old = signal_cells(signal, now_ns)
    return Text(" ").join(
        each if isinstance(each, Text) else Text(each) for each in (name, value, quality, how_old)
    )
