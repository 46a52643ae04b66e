"""The views that need more than the logs: versions, the wall clock, how long ago things were."""

from typing import Final

from msgspec import Struct

from services.dashboard.picture import Change, Picture
from services.dashboard.services import Pulse
from shared.adapters.clock import Clock
from shared.adapters.settings import Settings
from shared.domain.instants import SECOND
from shared.wire.times import format_instant
from shared.wire.views import HealthView, StateView

SHOWN: Final = 50
"""Orders and alerts of a state."""


class Sightings(Struct):
    """When things were last seen to move, by the monotonic clock, s; `None`: never.

    Attributes:
        journalled_s: An entry of the signal log.
        printed_s: A print that counted …
        youngest_ns: … and its instant.
        heartbeat_s: The hedger's.
        alive_s: The word of the monitor's own watch.
        waiting: Since when each order waits for its acknowledgement.
    """

    journalled_s: float | None = None
    printed_s: float | None = None
    youngest_ns: int = 0
    heartbeat_s: float | None = None
    alive_s: float | None = None
    waiting: dict[str, float] = {}


class Page:
    """Makes views of the picture.

    Args:
        picture: What is known.
        settings: What is configured.
        version: Of the program.
        clock: The wall clock.
    """

    def __init__(self, picture: Picture, settings: Settings, version: str, clock: Clock) -> None:
        self.picture = picture
        self.sightings = Sightings()
        self._settings = settings
        self._version = version
        self._digest = settings.digest
        self._clock = clock

    def journalled(self) -> None:
        """Note that the signal log moved, and whether anything printed."""
        market, seen = self.picture.market, self.sightings
        seen.journalled_s = self._when(market.event_ns)
        if market.youngest_ns > seen.youngest_ns:
            seen.youngest_ns = market.youngest_ns
            seen.printed_s = self._when(market.youngest_ns)

    def _when(self, event_ns: int) -> float:
        """Return when an event came, s: what a page that begins reads may be hours old.

        In a replay nobody can tell, so it came now.
        """
        now_s = self._clock.monotonic_s()
        if self._settings.clock.source == "feed":
            return now_s
        return now_s - max(0.0, (self._clock.now_ns() - event_ns) / SECOND)

    def heartbeat(self) -> None:
        """Note that the hedger is alive."""
        self.sightings.heartbeat_s = self._clock.monotonic_s()

    def alive(self) -> None:
        """Note that the monitor watches itself."""
        self.sightings.alive_s = self._clock.monotonic_s()

    def wait_for(self, order_ids: list[str]) -> None:
        """Note which orders wait for the gateway."""
        now_s, before = self._clock.monotonic_s(), self.sightings.waiting
        self.sightings.waiting = {each: before.get(each, now_s) for each in order_ids}
        self.picture.take_outbox(order_ids)

    def state(self) -> StateView:
        """Return everything that fits on one screen."""
        picture, settings = self.picture, self._settings
        return StateView(
            as_of=format_instant(self._clock.now_ns()),
            environment=settings.trading.environment,
            version=self._version,
            config_digest=self._digest,
            clock=settings.clock.source,
            market=picture.market.view(),
            books=picture.summaries(),
            orders=tuple(picture.orders.newest(SHOWN)),
            alerts=tuple(picture.alerts.newest(SHOWN)),
            health=self.health(),
        )

    def health(self) -> HealthView:
        """Return the health as of now."""
        seen, now_s = self.sightings, self._clock.monotonic_s()
        is_live = self._settings.clock.source == "wall"
        opens_ns = self.picture.opening(
            self._clock.now_ns() if is_live else self.picture.market.event_ns
        )
        pulse = Pulse(
            journalled_s=_ago(seen.journalled_s, now_s),
            printed_s=_ago(seen.printed_s, now_s),
            heartbeat_s=_ago(seen.heartbeat_s, now_s),
            alive_s=_ago(seen.alive_s, now_s),
            unanswered_s=_ago(min(seen.waiting.values(), default=None), now_s),
            is_open=self.picture.is_open(),
            is_live=is_live,
            opens=None if opens_ns is None else format_instant(opens_ns),
        )
        return self.picture.services.view(pulse)

    def view(self, change: Change) -> Struct | None:
        """Return what a change is of; `None`: it is not known any more."""
        kind, name = change
        match kind:
            case "market":
                return self.picture.market.view()
            case "summary":
                return self.picture.summary(name)
            case "book":
                return self.picture.book(name)
            case "order":
                return self.picture.orders.view(name)
            case "alert":
                return self.picture.alerts.numbered(int(name))
            case _:
                return self.health()


def _ago(seen_s: float | None, now_s: float) -> float | None:
    return None if seen_s is None else round(max(0.0, now_s - seen_s), 1)
