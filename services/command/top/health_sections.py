"""What is wrong, loudly; and the services: there or not, how far behind, who holds the lease."""

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from services.command.top.book_list import trading_text
from services.command.top.market_section import is_bad
from services.command.top.picture import Picture
from services.command.top.sections import Section
from services.command.top.words import CALM, LOUD, Column, age, date_time, duration, row
from shared.domain.trading import ALL
from shared.wire.times import parse_instant
from shared.wire.views import HealthView, ServiceView

_STATES: Final = {
    "online": ("up", "green"),
    "offline": ("OFFLINE", LOUD),
    "unknown": ("?", "yellow"),
}
_SERVICE: Final = (Column(10), Column(8), Column(14, "right"), Column(0))
_MOST_SIGNALS: Final = 6


def header(picture: Picture, ours_ns: int) -> Text:
    """One line: what this is, its time, ready or not, how old the data are."""
    state = picture.state
    line = Text.assemble(
        ("hedgestat ", "bold"),
        (f" {state.environment.upper()} ", "bold reverse"),
        f" {date_time(picture.now_ns(ours_ns))} UTC",
        (" replay" if state.clock == "feed" else "", "bold"),
        "  ",
    )
    is_ready = state.health.ready
    line.append("READY" if is_ready else "NOT READY", "bold green" if is_ready else LOUD)
    data_age_s = picture.data_age_s(ours_ns)
    line.append("  data ", CALM)
    line.append("none yet" if data_age_s is None else f"{duration(data_age_s)} old", "bold")
    return line.append("  q quit  ? help", CALM)


def warnings(picture: Picture, now_ns: int) -> Iterator[Text]:
    """Everything that is wrong, the worst first."""
    health = picture.state.health
    for told in health.trading:
        if told.state != "active":
            by = f"by {told.authority} {told.operator}, {age(told.since, now_ns)} ago"
            yield Text(f"{told.state.upper()}: {told.scope} {by}: {told.reason}", LOUD)
    if health.opens is not None and picture.state.clock == "wall":
        opens = date_time(parse_instant(health.opens))
        yield Text(f"Exchange closed: nothing trades until {opens} UTC", "yellow")
    if health.replay_over:
        yield Text("Replay finished: everything is settled, and nothing more will come", "green")
    offline = [
        each.service
        for each in health.services
        if each.state == "offline" and each.note != "finished"
    ]
    if offline:
        yield Text(f"OFFLINE: {', '.join(offline)}", LOUD)
    for check, trouble in health.checks.items():
        if trouble:
            yield Text(f"NOT READY, {check}: {trouble}", LOUD)
    if picture.state.market.silent:
        yield Text(f"FEED SILENT, prints missed: {', '.join(picture.state.market.silent)}", LOUD)
    bad = [each for each in picture.state.market.signals.values() if is_bad(each)]
    if bad:
        named = ", ".join(f"{each.name} {each.quality}" for each in bad[:_MOST_SIGNALS])
        more = f" and {len(bad) - _MOST_SIGNALS} more" if len(bad) > _MOST_SIGNALS else ""
        yield Text(f"STALE DATA: {named}{more}", LOUD)


def services_section(health: HealthView, width: int) -> Section:
    """A line a service; all in one line first, for where there is room for no more."""
    rows = [_service(each, width) for each in health.services]
    return Section(title="", lines=(_in_a_line(health), *rows), least=1)


def trading_line(health: HealthView) -> Text:
    """The trading state of `all`, and of each book that is not active."""
    line = Text("trading", "bold")
    if not health.trading:
        line.append(" unknown", "yellow")
    for told in health.trading:
        if told.scope != ALL and told.state == "active":
            continue
        line.append(f"  {told.scope} ").append_text(trading_text(told.state))
    return line


def _in_a_line(health: HealthView) -> Text:
    line = trading_line(health).append("  services ", "bold")
    for service in health.services:
        word, style = _STATES[service.state]
        line.append(f"{service.service} ").append(word, style)
        line.append(f" {service.behind} behind  " if service.behind else "  ")
    return line


def _service(service: ServiceView, width: int) -> Text:
    word, style = _STATES[service.state]
    behind = "" if service.behind is None else f"{service.behind:,} behind"
    lease = f"lease {service.epoch} held by {service.holder}" if service.holder else ""
    about = "  ".join(each for each in (lease, service.note, service.version) if each)
    return row((service.service, Text(word, style), behind, Text(about, CALM)), _SERVICE, width)
