"""Tells once when a signal that a book needs is lost, and once when it is back (spec 12, 2015)."""

from collections.abc import Iterable

from shared.domain.effects import AlertRaised
from shared.domain.hedging.alerts import alert
from shared.domain.hedging.conditions import Facts
from shared.domain.signals_observed import Quality


class SignalWatch:
    """Watches the quality of a book's signals, inside sessions.

    Args:
        book: Whose.
        signals: Names to watch.
        good: Whether each was good when last looked at; those never looked at are missing.
    """

    def __init__(
        self, book: str, signals: Iterable[str], good: dict[str, bool] | None = None
    ) -> None:
        self._book = book
        self._names = tuple(dict.fromkeys(signals))
        self.good: dict[str, bool] = dict(good or {})
        """The state: pass a copy of it to a new watch."""

    def look(self, facts: Facts) -> list[AlertRaised]:
        """Compare every signal's quality with what it was."""
        alerts = []
        signals, known = facts.signals, self.good
        for name in self._names:
            signal = signals.get(name)
            good = signal is not None and signal.quality is Quality.GOOD
            before = known.get(name)
            if good is before:
                continue
            known[name] = good
            if before is not None or not good:
                alerts.append(self._changed(facts, name, was_known=before is not None))
        return alerts

    def _changed(self, facts: Facts, name: str, *, was_known: bool) -> AlertRaised:
        what = "signal_recovered" if self.good[name] else "signal_lost"
        signal = facts.signals.get(name)
        figures = {} if signal is None or signal.value is None else {"value": signal.value}
        what = what if was_known else "signal_unknown"
        return alert(self._book, facts.moment.now_ns, what, name, figures)
