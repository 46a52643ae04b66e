"""One service in this process between a real broker and a real store that can be killed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fakes.eventually import eventually
from fakes.keys import make_keyring
from fakes.servers import MosquittoServer, RedisServer
from msgspec import structs

from shared.adapters.bus import Bus
from shared.adapters.redis_store import RedisStore
from shared.adapters.settings import Settings, load_settings
from shared.domain.tick_block import TickBlock
from shared.runtime.ledger import Ledger, StepOutput
from shared.runtime.site import Site
from shared.wire import keys
from shared.wire.journal import JournalItem, decode_entry

DEMO = Path(__file__).parents[2] / "deploy" / "demo.toml"


class Workplace:
    """The demo's configuration on servers of its own.

    Attributes:
        keys: Of every role: what is sealed with them is believed.
    """

    def __init__(self, directory: Path) -> None:
        self.keys = make_keyring()
        self.redis = RedisServer(directory / "redis", appendfsync="always")
        self.mosquitto = MosquittoServer(directory / "mosquitto")
        environment = {
            "HEDGESTAT_MQTT_URL": self.mosquitto.url,
            "HEDGESTAT_REDIS_URL": f"{self.redis.url}/0",
        }
        settings = load_settings(DEMO, environment)
        gateway = structs.replace(settings.gateway, record=str(directory / "gateway.sqlite"))
        self.settings: Settings = structs.replace(settings, gateway=gateway)

    @asynccontextmanager
    async def running(self, *services: Callable[[Site], Awaitable[None]]) -> AsyncIterator[Site]:
        """Run services until the block ends; whatever ends one of them fails the test."""
        site = Site(settings=self.settings, keys=self.keys)

        async def run(service: Callable[[Site], Awaitable[None]]) -> None:
            await service(site)
            assert site.stop.is_set(), "a service ended by itself"

        async with asyncio.TaskGroup() as tasks:
            for service in services:
                tasks.create_task(run(service))
            yield site
            site.stop.set()

    @asynccontextmanager
    async def client(self, *subscriptions: str) -> AsyncIterator[Bus]:
        """A connection of the test's own."""
        async with Site(settings=self.settings).bus("test", subscriptions) as bus:
            await bus.connected.wait()
            yield bus

    async def kill(self, site: Site) -> None:
        """Kill -9 both servers, wait until it shows, start them, wait until that shows."""
        self.redis.kill()
        self.mosquitto.kill()
        await eventually(lambda: not site.health.is_ready, within_s=30)
        self.redis.start()
        self.mosquitto.start()
        await eventually(lambda: site.health.is_ready, within_s=30)

    async def write(self, stage: str, stream: str, payloads: Sequence[bytes]) -> None:
        """Append to a stream as the stage that owns it would."""
        async with RedisStore(self.settings.redis.market) as store:
            ledger = Ledger(store, stage)
            await ledger.open()
            await ledger.commit(StepOutput({stream: payloads}), state=b"")

    async def read(self, stream: str) -> list[bytes]:
        """Read a stream from its beginning."""
        async with RedisStore(self.settings.redis.market) as store:
            return [entry.payload for entry in await store.read({stream: 0}, count=100_000)]

    async def reaches(self, stream: str, last: int) -> None:
        """Wait until a stream has so many entries."""
        async with RedisStore(self.settings.redis.market) as store, asyncio.timeout(30):
            while (await store.extent(stream)).last < last:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.02)

    async def journal(self) -> list[JournalItem]:
        """What the journal holds."""
        return [
            item
            for payload in await self.read(keys.journal())
            for item in decode_entry(payload).items
        ]

    async def journalled(self) -> list[int]:
        """Sequence numbers of all that the journal holds of a feed, in order."""
        found: list[int] = []
        for item in await self.journal():
            if isinstance(item, TickBlock):
                found += item.sequence.tolist()
            else:
                found.append(getattr(item, "sequence", None) or 0)
        return found


@asynccontextmanager
async def workplace(directory: Path) -> AsyncIterator[Workplace]:
    """Servers that run for as long as the block."""
    place = Workplace(directory)
    with place.redis, place.mosquitto:
        yield place
