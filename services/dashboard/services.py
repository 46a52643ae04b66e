"""The services as the page shows them, and whether together they do their work."""

from collections.abc import Mapping
from typing import Final

from msgspec import UNSET, Struct

from shared.adapters.store import Leader
from shared.domain.trading import ALL
from shared.wire.messages import StatusMessage, TradingStateMessage
from shared.wire.views import HealthView, ServiceView

LED: Final = ("ingest", "signals", "hedger")
"""Stages without whose leader nothing is decided."""
FEED: Final = "feed"
SILENT_S: Final = 10.0
"""Since anything was journalled: the clock alone is, every second."""
STALE_S: Final = 90.0
"""Since anything printed, while the market is open: VIX and index print every 15 s."""
UNANSWERED_S: Final = 10.0
HEARTBEAT_S: Final = 5.0
WATCHED_S: Final = 20.0


class Pulse(Struct, frozen=True, kw_only=True):
    """When things were last heard of, in seconds ago; `None`: never.

    Attributes:
        journalled_s: An entry of the signal log.
        printed_s: A print that counted.
        heartbeat_s: The hedger's, to the gateway.
        alive_s: The word of the monitor's own watch, that alerts would be told.
        unanswered_s: How long the oldest order has waited for its acknowledgement.
        is_open: Whether the market is, by its own instant.
        is_live: Whether time is the wall clock's.
        opens: When the exchange opens next, RFC 3339; `None` while it is open.
    """

    journalled_s: float | None = None
    printed_s: float | None = None
    heartbeat_s: float | None = None
    alive_s: float | None = None
    unanswered_s: float | None = None
    is_open: bool = False
    is_live: bool = True
    opens: str | None = None


class ServicesPicture:
    """Who is there, who leads, who trades.

    Args:
        expected: Every service that there should be.

    Attributes:
        troubles: What keeps us from reading a source, by source; empty text where nothing does.
    """

    def __init__(self, expected: tuple[str, ...]) -> None:
        self.troubles: dict[str, str] = {}
        self._expected = expected
        self._statuses: dict[str, StatusMessage] = {}
        self._leaders: dict[str, Leader | None] = {}
        self._behind: dict[str, int] = {}
        self._trading: dict[str, TradingStateMessage] = {}

    def heard(self, status: StatusMessage) -> None:
        """Take a service's status."""
        self._statuses[status.service] = status

    def led(self, leaders: Mapping[str, Leader | None]) -> None:
        """Take who leads which stage."""
        self._leaders = dict(leaders)

    def lag(self, behind: Mapping[str, int]) -> None:
        """Take how many entries of its input each stage has before it."""
        self._behind = dict(behind)

    def allowed(self, state: TradingStateMessage) -> None:
        """Take what the gateway does with the orders of a scope."""
        self._trading[state.scope] = state

    def governing(self, book: str) -> TradingStateMessage | None:
        """Return what governs a book: the gateway tells it for each; `None`: not heard."""
        return self._trading.get(book) or self._trading.get(ALL)

    def view(self, pulse: Pulse) -> HealthView:
        """Return the health.

        After the end of a replay nothing comes any more, which is no trouble; and nothing waits:
        a feed has finished when its last step was settled.
        """
        is_over = not pulse.is_live and self._is_replayed()
        data = {"data": ""} if is_over else _data(pulse)
        checks = self.troubles | self._leases() | self._gateway(pulse) | data | _watch(pulse)
        scopes = sorted(self._trading, key=lambda scope: (scope != ALL, scope))
        return HealthView(
            ready=not any(checks.values()),
            checks=checks,
            services=tuple(self._service(name, is_over=is_over) for name in self._names()),
            trading=tuple(self._trading[scope] for scope in scopes),
            data_age_s=pulse.printed_s,
            opens=pulse.opens,
            replay_over=is_over,
        )

    def _is_replayed(self) -> bool:
        feed = self._statuses.get(FEED)
        return feed is not None and (feed.state, feed.note) == ("offline", "finished")

    def _names(self) -> list[str]:
        return [*self._expected, *sorted(self._statuses.keys() - set(self._expected))]

    def _service(self, name: str, *, is_over: bool) -> ServiceView:
        status, leader = self._statuses.get(name), self._leaders.get(name)
        note = "" if status is None or status.note is UNSET else status.note
        return ServiceView(
            service=name,
            state="unknown" if status is None else status.state,
            version="" if status is None else status.version,
            config_digest="" if status is None else status.config_digest,
            behind=None if is_over else self._behind.get(name),
            holder="" if leader is None else leader.holder,
            epoch=0 if leader is None else leader.epoch,
            note="nobody leads it" if name in LED and leader is None else note,
        )

    def _leases(self) -> dict[str, str]:
        return {
            f"lease.{stage}": "" if self._leaders.get(stage) else f"nobody leads {stage}"
            for stage in LED
        }

    def _gateway(self, pulse: Pulse) -> dict[str, str]:
        status = self._statuses.get("gateway")
        waits_s, beat_s = pulse.unanswered_s or 0.0, pulse.heartbeat_s
        is_online = status is not None and status.state == "online"
        return {
            "gateway": "" if is_online else "the gateway is not online",
            "gateway.trading": "" if self._trading else "the gateway has not said what may trade",
            "gateway.heartbeat": (
                ""
                if beat_s is not None and beat_s < HEARTBEAT_S
                else "no heartbeat of the hedger: the gateway halts"
            ),
            "gateway.orders": (
                f"an order waits {waits_s:.0f} s for the gateway's answer"
                if waits_s > UNANSWERED_S
                else ""
            ),
        }


def _data(pulse: Pulse) -> dict[str, str]:
    journalled_s, printed_s = pulse.journalled_s, pulse.printed_s
    if journalled_s is None:
        return {"data": "nothing was ever journalled"}
    if journalled_s > SILENT_S:
        return {"data": f"nothing has been journalled for {journalled_s:.0f} s"}
    is_stale = printed_s is None or printed_s > STALE_S
    if pulse.is_live and pulse.is_open and is_stale:
        since = "yet" if printed_s is None else f"for {printed_s:.0f} s"
        return {"data": f"the market is open, and nothing has printed {since}"}
    return {"data": ""}


def _watch(pulse: Pulse) -> dict[str, str]:
    alive_s = pulse.alive_s or 0.0
    return {
        "watch": f"nobody watches: last heard {alive_s:.0f} s ago" if alive_s > WATCHED_S else ""
    }
