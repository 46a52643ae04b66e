"""What books tell of a request to rebalance that they hold and cannot answer yet, and why."""

from collections.abc import Iterable
from typing import Final

from services.command.lines import printable
from shared.adapters.bus import Message
from shared.domain.hedging.session_clock import SessionClock
from shared.runtime.site import Site
from shared.wire import codec, topics
from shared.wire.messages import AlertMessage, SignalMessage, TriggerMessage
from shared.wire.times import format_instant

TRIGGER: Final = "operator"
_STUCK: Final = "target_unknown"
_NAMED: Final = 6


class StandingRequests:
    """Hears triggers, alerts and signals while an operator waits for an answer.

    A request that cannot be sized makes its trigger fire, retained, and is alarmed once: a second
    one finds the trigger firing already.
    """

    SUBSCRIPTIONS: Final = (topics.TRIGGERS, topics.ALERTS, topics.SIGNALS)

    def __init__(self) -> None:
        self._taken: dict[str, TriggerMessage] = {}
        self._alerts: dict[str, AlertMessage] = {}
        self._signals: dict[str, SignalMessage] = {}

    def take(self, message: Message) -> bool:
        """Take a message; returns whether it was one of ours.

        Raises:
            MalformedMessage: It is not what its topic carries.
        """
        family, *rest = message.topic.removeprefix(f"{topics.PREFIX}/").split("/")
        if family == "signals":
            signal = codec.decode(SignalMessage, message.payload)
            self._signals[signal.name] = signal
        elif family == "alerts":
            self._alarmed(codec.decode(AlertMessage, message.payload))
        elif family == "books" and rest[1] == "triggers":
            self._changed(codec.decode(TriggerMessage, message.payload))
        else:
            return False
        return True

    def told(self, book: str) -> str | None:
        """Return why a book that holds a request has not decided; `None`: it does not hold one."""
        taken = self._taken.get(book)
        if taken is None:
            return None
        lines = [f"{book}: the request was taken and stands; nothing is decided yet"]
        if (alert := self._alerts.get(book)) is not None:
            lines.append(f"  {alert.severity}, {printable(alert.what)}: {printable(alert.runbook)}")
        if bad := list(_not_good(self._of(book))):
            more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
            lines.append(f"  signals that are not good: {', '.join(bad[:_NAMED])}{more}")
        return "\n".join([*lines, _REMEDY.format(book=book)])

    def _alarmed(self, alert: AlertMessage) -> None:
        if alert.what == _STUCK:
            self._alerts[alert.book] = alert

    def _changed(self, change: TriggerMessage) -> None:
        if change.trigger != TRIGGER:
            return
        if change.state == "firing":
            self._taken[change.book] = change
        else:
            self._taken.pop(change.book, None)

    def _of(self, book: str) -> list[SignalMessage]:
        """Return the market's signals and the book's own: these are named after it."""
        return [
            signal
            for name, signal in sorted(self._signals.items())
            if name.partition(".")[2] in {"", book}
        ]


def _not_good(signals: Iterable[SignalMessage]) -> Iterable[str]:
    for signal in sorted(signals, key=lambda each: each.quality == "warming"):
        if signal.quality != "good":
            window = f" {signal.have} of {signal.need}" if signal.quality == "warming" else ""
            yield f"{printable(signal.name)} ({signal.quality}{window})"


_REMEDY: Final = (
    "  -> it is decided as soon as it can be sized, without asking again. It cannot be\n"
    "     taken back; `hedgestat halt {book} --reason …` keeps its orders from leaving"
)


def closed_until(site: Site) -> str | None:
    """Return when the exchange opens next; `None` while it is open, or a feed is the clock."""
    if site.settings.clock.source != "wall":
        return None
    clock, now_ns = SessionClock(site.calendar()), site.clock.now_ns()
    opening_ns = None if clock.at(now_ns).is_open else clock.opening_after(now_ns)
    return None if opening_ns is None else format_instant(opening_ns)
