"""One simulated process: a `Site` whose bus, stores, clock and calendar are the simulation's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.command.simulation.links import BusLink, StoreLink, StoreServer
from services.command.simulation.loop import Process
from services.command.simulation.weather import Weather
from services.command.simulation.witness import WitnessedBroker
from shared.adapters.bus import BusEvent, Subscription
from shared.adapters.memory.bus import MemoryBus
from shared.domain.sessions import SessionCalendar
from shared.runtime.site import Site
from shared.wire.access import READER

_SESSION_S: Final = 3_600


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all simulated processes have in common."""

    broker: WitnessedBroker
    market: StoreServer
    orders: StoreServer
    weather: Weather
    sessions: SessionCalendar
    kill: Callable[[Process, str], None]


@dataclass(frozen=True, kw_only=True)
class SimulatedSite(Site):
    """What a simulated process gives its services.

    Attributes:
        process: Whose.
        around: The servers it reaches.
        buses: The connections it made.
    """

    process: Process
    around: Surroundings
    buses: list[MemoryBus]

    def bus(  # type: ignore[override] # a simulation's
        self, service: str, subscriptions: Sequence[str], *, session: str = ""
    ) -> BusLink:
        """See `Site.bus`."""
        check = f"{service}.bus"
        self.health.failing(check, "not connected yet")

        def heard(event: BusEvent) -> None:
            if event.name == "connected":
                self.health.passing(check)
            else:
                self.health.failing(check, event.reason)

        return self._connection(
            client_id=f"hedgestat-{service}{self.instance}{session and '-'}{session}",
            clean_start=bool(session),
            session_expiry_s=0 if session else _SESSION_S,
            subscriptions=[Subscription(topic) for topic in subscriptions],
            birth=self._status(service, "online"),
            will=self._status(service, "offline"),
            on_event=heard,
        )

    def caller(  # type: ignore[override] # a simulation's
        self, service: str, subscriptions: Sequence[str] = ()
    ) -> BusLink:
        """See `Site.caller`."""
        name = f"hedgestat-{service}-{self.process.name}-{len(self.buses)}"
        return self._connection(
            client_id=name,
            clean_start=True,
            session_expiry_s=0,
            subscriptions=[Subscription(topic) for topic in subscriptions],
        )

    def market(self, _service: str = READER) -> StoreLink:  # type: ignore[override] # a simulation's
        """See `Site.market`."""
        return self._link(self.around.market)

    def recalled_market(self, _: object, _service: str = READER) -> StoreLink:  # type: ignore[override] # a simulation's
        """See `Site.recalled_market`."""
        return self._link(self.around.market)

    def orders(self, _service: str = READER) -> StoreLink:  # type: ignore[override] # a simulation's
        """See `Site.orders`."""
        return self._link(self.around.orders)

    def calendar(self) -> SessionCalendar:
        """See `Site.calendar`."""
        return self.around.sessions

    def _connection(self, **options: Any) -> BusLink:  # noqa: ANN401 - what MemoryBus takes
        bus = MemoryBus(self.around.broker, **options)
        self.buses.append(bus)
        return BusLink(bus, self.process, self.around.weather, self.around.kill)

    def _link(self, server: StoreServer) -> StoreLink:
        return StoreLink(server, self.process, self.around.weather, self.around.kill)
