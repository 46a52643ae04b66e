"""What lies between a process and the servers: delays, lost replies, and the moment of its death.

A link belongs to one process. Nothing passes it any more once that was killed, so what the
process does while its tasks are unwound has no effect: that is kill -9, not a shutdown.

Longer than most: each method of both ports is let through here.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Literal, Self, TypeVar

from services.command.simulation.loop import Process
from services.command.simulation.weather import Weather
from shared.adapters.bus import (
    BusUnavailable,
    Connected,
    Message,
    NotPublished,
    Publication,
    QualityOfService,
)
from shared.adapters.memory.broker import Deliver
from shared.adapters.memory.bus import MemoryBus, publish_each
from shared.adapters.memory.store import MemoryStore
from shared.adapters.store import (
    Commit,
    Entry,
    Extent,
    Leader,
    StageRecord,
    StoreTrouble,
    StoreUnavailable,
    StoreUnsafe,
)

Result = TypeVar("Result")
Kill = Callable[[Process, str], None]

_SLOWEST_STORE_S: Final = 0.002
_SLOWEST_BROKER_S: Final = 0.002
_LONGEST_SILENCE_S: Final = 2.0
_LATEST_S: Final = 3.0


class StoreServer:
    """A store's server: what it keeps survives its restarts, who waits for a reply does not.

    Args:
        store: What it keeps.

    Attributes:
        is_up: Whether it takes commands.
        incarnation: Counts its starts.
    """

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.is_up = True
        self.incarnation = 1

    def kill(self) -> None:
        """Kill it: commands on their way fail, taken or not."""
        self.is_up = False
        self.incarnation += 1

    def start(self) -> None:
        """Start it again with all that it had confirmed."""
        self.is_up = True


class StoreLink:
    """A `Store` as one process reaches it.

    Args:
        server: The store's.
        process: Whose link.
        weather: What befalls commands.
        kill: Kills the process at a failpoint.
    """

    def __init__(self, server: StoreServer, process: Process, weather: Weather, kill: Kill) -> None:
        self._server = server
        self._store = server.store
        self._process = process
        self._weather = weather
        self._kill = kill

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def durability(self) -> Literal["always"]:
        """Tell what survives; see `RedisStore.durability`."""
        return "always"

    async def acquire(
        self, stage: str, holder: str, ttl_ms: int, *, above: int = 0, digest: str = ""
    ) -> int | None:
        """See `Store.acquire`."""
        return await self._command(
            "acquire",
            lambda: self._store.acquire(stage, holder, ttl_ms, above=above, digest=digest),
        )

    async def renew(self, stage: str, epoch: int, ttl_ms: int) -> bool:
        """See `Store.renew`."""
        return await self._command("renew", lambda: self._store.renew(stage, epoch, ttl_ms))

    async def release(self, stage: str, epoch: int) -> None:
        """See `Store.release`."""
        await self._command("release", lambda: self._store.release(stage, epoch))

    async def leader(self, stage: str) -> Leader | None:
        """See `Store.leader`."""
        return await self._command("leader", lambda: self._store.leader(stage))

    async def fence(self, stage: str, epoch: int) -> int:
        """See `Store.fence`."""
        return await self._command("fence", lambda: self._store.fence(stage, epoch))

    async def take_lease(self, stage: str, *, above: int = 0) -> int:
        """See `Store.take_lease`."""
        return await self._command("lease", lambda: self._store.take_lease(stage, above=above))

    async def load(self, stage: str) -> StageRecord:
        """See `Store.load`."""
        return await self._command("load", lambda: self._store.load(stage))

    async def commit(self, commit: Commit) -> None:
        """See `Store.commit`; a process may die right before or after."""
        self._failpoint("process_killed_before_a_commit", commit.stage)
        await self._command("commit", lambda: self._store.commit(commit))
        self._failpoint("process_killed_after_a_commit", commit.stage)

    async def read(
        self, after: Mapping[str, int], *, count: int, block_ms: int | None = None
    ) -> list[Entry]:
        """See `Store.read`."""
        return await self._command(
            "read", lambda: self._store.read(after, count=count, block_ms=block_ms)
        )

    async def extent(self, stream: str) -> Extent:
        """See `Store.extent`."""
        return await self._command("extent", lambda: self._store.extent(stream))

    async def cursor(self, stage: str, stream: str) -> int:
        """See `Store.cursor`."""
        return await self._command("cursor", lambda: self._store.cursor(stage, stream))

    async def reached(self, stage: str, stream: str) -> int:
        """See `Store.reached`."""
        return await self._command("cursor", lambda: self._store.reached(stage, stream))

    async def settle(self, stream: str, indices: Sequence[int]) -> None:
        """See `Store.settle`."""
        await self._command("settle", lambda: self._store.settle(stream, indices))

    async def trim(self, stream: str, before: int) -> None:
        """See `Store.trim`."""
        await self._command("trim", lambda: self._store.trim(stream, before))

    async def _command(self, name: str, command: Callable[[], Awaitable[Result]]) -> Result:
        self._process.check_alive()
        weather, sent_to = self._weather, self._server.incarnation
        is_slow_back = weather.chance(0.5)
        if is_slow_back:
            await asyncio.sleep(0)
        else:
            await self._delay()
        about = f"{self._process.name} {name}"
        if sent_to != self._server.incarnation or not self._server.is_up:
            raise StoreUnavailable("connection refused")
        if weather.strikes("store_refuses", about):
            raise StoreUnavailable("connection reset")
        if weather.strikes("store_unsafe", about):
            raise StoreUnsafe("MISCONF")
        if name == "commit" and weather.strikes("store_applies_late", about):
            self._apply_late(command)
            raise StoreUnavailable("no answer")
        result = await command()
        weather.note(about)
        if weather.strikes("store_loses_reply", about):
            await asyncio.sleep(weather.between(0, _LONGEST_SILENCE_S))
            raise StoreUnavailable("no answer")
        if is_slow_back:
            await self._delay()
        if sent_to != self._server.incarnation:
            raise StoreUnavailable("connection lost")
        return result

    async def _delay(self) -> None:
        """Take some time on the way, there or back."""
        await asyncio.sleep(self._weather.between(0, _SLOWEST_STORE_S))
        self._process.check_alive()

    def _apply_late(self, command: Callable[[], Awaitable[Any]]) -> None:
        """Have a command arrive when nobody waits for it any more."""

        def arrive() -> None:
            try:
                command().__await__().send(None)
            except (StopIteration, StoreTrouble) as outcome:
                self._weather.note(f"late commit: {type(outcome).__name__}")

        delay_s = self._weather.between(0, _LATEST_S)
        asyncio.get_running_loop().call_later(delay_s, arrive)

    def _failpoint(self, name: str, about: str) -> None:
        if self._process.is_alive and self._weather.strikes(name, about):
            self._kill(self._process, name)
        self._process.check_alive()


class BusLink:
    """A `Bus` as one process reaches it; see `StoreLink`."""

    def __init__(self, bus: MemoryBus, process: Process, weather: Weather, kill: Kill) -> None:
        self.bus = bus
        self._process = process
        self._weather = weather
        self._kill = kill

    async def __aenter__(self) -> Self:
        await self.bus.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.bus.__aexit__()

    @property
    def connected(self) -> Connected:
        """See `Bus.connected`."""
        return self.bus.connected

    @property
    def reconnects(self) -> int:
        """See `Bus.reconnects`."""
        return self.bus.reconnects

    async def publish(  # noqa: PLR0913 - the port's
        self,
        topic: str,
        payload: bytes,
        *,
        qos: QualityOfService = 1,
        retain: bool = False,
        expiry_s: int | None = None,
        content_type: str | None = None,
        timeout: float = 2.0,  # noqa: ASYNC109 - the port's
    ) -> None:
        """See `Bus.publish`; a process may die right before or after."""
        self._process.check_alive()
        if qos:
            self._failpoint("process_killed_before_a_publish", topic)
            await asyncio.sleep(self._weather.between(0, _SLOWEST_BROKER_S))
            self._process.check_alive()
        if self._weather.strikes("publish_refused", topic):
            raise BusUnavailable("connection lost")
        await self.bus.publish(
            topic,
            payload,
            qos=qos,
            retain=retain,
            expiry_s=expiry_s,
            content_type=content_type,
            timeout=timeout,
        )
        if not qos:
            return
        self._weather.note(f"{self._process.name} publishes {topic}")
        if self._weather.strikes("publish_answer_lost", topic):
            raise BusUnavailable("no answer")
        self._failpoint("process_killed_after_a_publish", topic)

    async def publish_all(
        self,
        publications: Sequence[Publication],
        *,
        timeout: float = 2.0,  # noqa: ASYNC109 - the port's
    ) -> list[NotPublished | None]:
        """See `Bus.publish_all`; a process may die between any two."""
        return await publish_each(self, publications, timeout)

    async def next_batch(self, max_messages: int, linger_s: float = 0.0) -> list[Message]:
        """See `Bus.next_batch`."""
        batch = await self.bus.next_batch(max_messages, linger_s)
        self._process.check_alive()
        return batch

    async def messages(self) -> AsyncIterator[Message]:
        """See `Bus.messages`."""
        while True:
            yield (await self.next_batch(1))[0]

    def _failpoint(self, name: str, about: str) -> None:
        if self._process.is_alive and self._weather.strikes(name, about):
            self._kill(self._process, name)
        self._process.check_alive()


class Wire:
    """Carries what the broker delivers: late, out of order, twice, or not at all.

    Args:
        weather: What befalls messages.
    """

    def __init__(self, weather: Weather) -> None:
        self._weather = weather

    def carry(self, deliver: Deliver) -> None:
        """See `MemoryBroker`."""
        weather = self._weather
        if weather.strikes("message_dropped"):
            return
        copies = 2 if weather.strikes("message_doubled") else 1
        for _ in range(copies):
            delay_s = weather.between(0, _SLOWEST_BROKER_S)
            if weather.strikes("message_delayed"):
                delay_s += weather.between(0, _LATEST_S)
            asyncio.get_running_loop().call_later(delay_s, deliver)
