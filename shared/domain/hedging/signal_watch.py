"""Tells once when a signal that a book needs is lost, and once when it is back (spec 12, 2015)."""

from collections.abc import Iterable
from typing import Final

from shared.domain.effects import AlertRaised
from shared.domain.hedging.alerts import alert
from shared.domain.hedging.conditions import Facts
from shared.domain.signals_observed import Quality

FEED: Final = "/"
"""Before the name of a symbol, which no signal's name begins with."""

MARKET: Final = "market"
"""Looked at beside the signals: whether it prints at all."""


class SignalWatch:
    """Watches the quality of a book's signals, inside sessions.

    A halted market is told once, not once a signal.

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
        self._silent = {
            name for name, prints in self.good.items() if name[0] == FEED and not prints
        }

    def look(self, facts: Facts) -> list[AlertRaised]:
        """Compare every signal's quality with what it was."""
        alerts = []
        signals, known = facts.signals, self.good
        halted = False
        for name in self._names:
            signal = signals.get(name)
            quality = None if signal is None else signal.quality
            good = quality is Quality.GOOD
            halted = halted or quality is Quality.HALTED
            before = known.get(name)
            if good is before:
                continue
            known[name] = good
            if quality is not Quality.HALTED and (before is not None or not good):
                alerts.append(self._changed(facts, name, was_known=before is not None))
        return alerts + self._look_at_feeds(facts) + self._look_at_market(facts, halted=halted)

    def _look_at_feeds(self, facts: Facts) -> list[AlertRaised]:
        known, silent = self._silent, {f"{FEED}{symbol}" for symbol in facts.silent}
        if known == silent:
            return []
        self._silent = silent
        self.good |= dict.fromkeys(known, True) | dict.fromkeys(silent, False)
        told = [("feed_silent", name) for name in sorted(silent - known)]
        told += [("feed_recovered", name) for name in sorted(known - silent)]
        now_ns = facts.moment.now_ns
        return [alert(self._book, now_ns, what, name.removeprefix(FEED)) for what, name in told]

    def _look_at_market(self, facts: Facts, *, halted: bool) -> list[AlertRaised]:
        prints = self.good.get(MARKET, True)
        if prints is not halted:
            return []
        self.good[MARKET] = not halted
        what = "market_halted" if halted else "market_resumed"
        return [alert(self._book, facts.moment.now_ns, what, MARKET)]

    def _changed(self, facts: Facts, name: str, *, was_known: bool) -> AlertRaised:
        signal = facts.signals.get(name)
        figures = {} if signal is None or signal.value is None else {"value": signal.value}
        if self.good[name]:
            what = "signal_recovered"
        elif signal is not None and signal.quality is Quality.FROZEN:
            what = "vix_frozen"
        else:
            what = "signal_lost" if was_known else "signal_unknown"
        return alert(self._book, facts.moment.now_ns, what, name, figures)
