"""Judges what the watch has seen of the others: what is wrong for long enough is told, once.

Pure: a sighting in, alerts out. What is told here could not be told by those it is about: a hedger
that is dead, frozen or without a store says nothing.
"""

from collections import deque
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from shared.adapters.store import Leader
from shared.domain.effects import AlertRaised
from shared.domain.hedging.alerts import alert
from shared.domain.trading import ALL

MOST_BEHIND: Final = 2_000
"""Entries: a stage that is further behind decides late."""
LEAST_FREE: Final = 0.1
ALL_BUT_FULL: Final = 0.02
_NOBODY_S: Final = 1.5
_BEHIND_S: Final = 3.0
_STANDS_S: Final = 5.0
_ORDER_S: Final = 10.0
_STORE_S: Final = 1.5
_OFFLINE_S: Final = 2.0
_OLD_NEWS_S: Final = 15.0
"""A status that was retained is of an earlier run, perhaps."""
_BIRTHS: Final = 5
_BIRTHS_WITHIN_S: Final = 60.0


class StoresSeen(Struct, frozen=True, kw_only=True):
    """What the stores said.

    Attributes:
        leaders: Who leads, by stage; `None` for nobody.
        behind: Entries of its input that a stage has not taken, by stage.
        reached: A number that grows while a stage works, by stage, in the order of the pipeline:
            each one's input is the output of the one before.
        oldest_order: Index of the oldest row of the outbox; 0 while it is empty.
        waiting: How many there are.
    """

    leaders: Mapping[str, Leader | None]
    behind: Mapping[str, int]
    reached: Mapping[str, int]
    oldest_order: int = 0
    waiting: int = 0


class Sighting(Struct, frozen=True, kw_only=True):
    """One look at everything.

    Attributes:
        now_ns: By the wall clock.
        now_s: By the monotonic clock.
        stores: `None` when they did not answer.
        free: Share of the gateway's disk that is free.
    """

    now_ns: int
    now_s: float
    stores: StoresSeen | None
    free: float


class _Presence(Struct):
    is_online: bool
    since_s: float
    births: deque[float]
    patience_s: float = _OFFLINE_S


class Vigil:
    """What is wrong now, and since when.

    Args:
        is_live: Whether the wall clock is journalled: then ingest never rests.
    """

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        self._since_s: dict[tuple[str, str], float] = {}
        self._told: set[tuple[str, str]] = set()
        self._epochs: dict[str, int] = {}
        self._moved: dict[str, tuple[int, float]] = {}
        self._order = (0, 0.0)
        self._services: dict[str, _Presence] = {}

    def hear(self, service: str, *, is_online: bool, is_news: bool, now_s: float) -> None:
        """Take a service's status."""
        known = self._services.get(service)
        births: deque[float] = deque(maxlen=_BIRTHS + 1) if known is None else known.births
        if is_online and is_news:
            births.append(now_s)
        if known is None or known.is_online is not is_online or is_online:
            patience_s = _OFFLINE_S if is_news else _OLD_NEWS_S
            self._services[service] = _Presence(is_online, now_s, births, patience_s)

    def look(self, seen: Sighting) -> list[AlertRaised]:
        """Judge a sighting."""
        told: list[AlertRaised] = []
        is_away = seen.stores is None
        told += self._latch(
            seen, "store_unreachable", "store_reachable", ALL, so=is_away, hold_s=_STORE_S
        )
        if seen.stores is not None:
            told += self._leases(seen, seen.stores)
            told += self._stages(seen, seen.stores)
            told += self._orders(seen, seen.stores)
        told += self._disk(seen)
        told += self._presences(seen)
        return told

    # --- one thing each -------------------------------------------------------------------------

    def _leases(self, seen: Sighting, stores: StoresSeen) -> list[AlertRaised]:
        told = []
        for stage, leader in stores.leaders.items():
            told += self._latch(
                seen, "nobody_leads", "leader_found", stage, so=leader is None, hold_s=_NOBODY_S
            )
            if leader is None:
                continue
            before = self._epochs.get(stage, leader.epoch)
            self._epochs[stage] = leader.epoch
            if leader.epoch != before:
                figures = {"epoch": float(leader.epoch), "before": float(before)}
                told.append(alert(ALL, seen.now_ns, "leader_changed", stage, figures))
        return told

    def _stages(self, seen: Sighting, stores: StoresSeen) -> list[AlertRaised]:
        told = []
        for stage, behind in stores.behind.items():
            told += self._latch(
                seen,
                "stage_lagging",
                "stage_caught_up",
                stage,
                so=behind > MOST_BEHIND,
                hold_s=_BEHIND_S,
                figures={"behind": float(behind)},
            )
        for stage, reached in stores.reached.items():
            if self._moved.get(stage, (-1, 0.0))[0] != reached:
                self._moved[stage] = reached, seen.now_s
        input_s = seen.now_s if self._is_live else 0.0
        for stage in stores.reached:
            moved_s = self._moved[stage][1]
            stood_s = input_s - moved_s
            told += self._latch(
                seen,
                "stage_standing",
                "stage_goes_on",
                stage,
                so=stood_s >= _STANDS_S,
                hold_s=0.0,
                figures={"seconds": stood_s},
            )
            input_s = moved_s
        return told

    def _orders(self, seen: Sighting, stores: StoresSeen) -> list[AlertRaised]:
        if stores.oldest_order != self._order[0]:
            self._order = stores.oldest_order, seen.now_s
        waits_s = seen.now_s - self._order[1]
        return self._latch(
            seen,
            "order_unacknowledged",
            "orders_acknowledged",
            "outbox",
            so=stores.oldest_order > 0 and waits_s >= _ORDER_S,
            hold_s=0.0,
            figures={"orders": float(stores.waiting), "seconds": waits_s},
        )

    def _disk(self, seen: Sighting) -> list[AlertRaised]:
        figures, free = {"free": seen.free}, seen.free
        is_full, is_filling = free < ALL_BUT_FULL, free < LEAST_FREE
        told = self._latch(seen, "disk_full", "", "gateway", so=is_full, hold_s=0, figures=figures)
        return told + self._latch(
            seen, "disk_filling", "disk_freed", "gateway", so=is_filling, hold_s=0, figures=figures
        )

    def _presences(self, seen: Sighting) -> list[AlertRaised]:
        told = []
        for service, presence in self._services.items():
            is_away = not presence.is_online
            away_s = seen.now_s - presence.since_s
            told += self._latch(
                seen,
                "service_silent",
                "service_back",
                service,
                so=is_away and away_s >= presence.patience_s,
                hold_s=0.0,
                figures={"seconds": away_s},
            )
            lately = sum(seen.now_s - birth < _BIRTHS_WITHIN_S for birth in presence.births)
            told += self._latch(
                seen,
                "connection_unstable",
                "connection_stable",
                service,
                so=lately > (0 if (service, "connection_unstable") in self._told else _BIRTHS),
                hold_s=0.0,
                figures={"connects": float(lately)},
            )
        return told

    def _latch(  # noqa: PLR0913 - what, where, whether and since when
        self,
        seen: Sighting,
        what: str,
        over: str,
        where: str,
        *,
        so: bool,
        hold_s: float,
        figures: dict[str, float] | None = None,
    ) -> list[AlertRaised]:
        """Tell `what` once it has been so for the hold, and `over` once it is not."""
        name = (where, what)
        if not so:
            self._since_s.pop(name, None)
            if name not in self._told:
                return []
            self._told.discard(name)
            return [alert(ALL, seen.now_ns, over, where, figures)] if over else []
        since_s = self._since_s.setdefault(name, seen.now_s)
        if name in self._told or seen.now_s - since_s < hold_s:
            return []
        self._told.add(name)
        return [alert(ALL, seen.now_ns, what, where, figures)]
