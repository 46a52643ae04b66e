"""What the demo prints while it runs: the messages that any client of the broker sees."""

import asyncio

from msgspec import Struct
from rich.console import Console

from services.command.lines import complaint, describe, print_line, read
from shared.adapters.bus import Message, Subscription
from shared.adapters.mqtt import MqttBus
from shared.adapters.store import StoreTrouble
from shared.runtime.announcer import has_announced_all
from shared.runtime.site import Site
from shared.wire import keys, topics
from shared.wire.access import READER
from shared.wire.codec import MalformedMessage
from shared.wire.messages import AlertMessage, ExecutionMessage, TriggerMessage

SHOWN = (
    topics.ORDERS,
    topics.EXECUTIONS,
    topics.TRIGGERS,
    topics.WHIPSAWS,
    topics.WITHHELD,
    topics.ALERTS,
    topics.REJECTS,
)
PATIENCE_S = 10.0
SILENCE_S = 0.3
_PAUSE_S = 0.05


class News:
    """Prints orders, executions, triggers, whipsaws and alerts as they come.

    Args:
        site: Its broker, and the stores of what is announced.
        console: Where lines go.
        verbose: Print every change of a trigger, acceptances, and alerts that only inform, too.
    """

    def __init__(self, site: Site, console: Console, *, verbose: bool) -> None:
        self._site = site
        self._console = console
        self._verbose = verbose
        self._heard_at_s = 0.0
        self._listening = asyncio.Event()

    async def run(self) -> None:
        """Print until cancelled."""
        async with MqttBus(
            self._site.settings.mqtt.of(READER),
            client_id=f"hedgestat-news{self._site.instance}",
            subscriptions=[Subscription(topic, 0) for topic in SHOWN],
            clean_start=True,
            session_expiry_s=0,
        ) as bus:
            await bus.connected.wait()
            self._listening.set()
            async for message in bus.messages():
                self._heard_at_s = self._site.clock.monotonic_s()
                if not message.retain:
                    self._print(message)

    async def listening(self) -> None:
        """Return once nothing that is published is missed."""
        await self._listening.wait()

    async def finish(self) -> None:
        """Return when all that was announced is printed, or after some seconds."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await self._is_all_told():  # noqa: ASYNC110 - ends in seconds
                    await asyncio.sleep(_PAUSE_S)
                while self._site.clock.monotonic_s() < self._heard_at_s + SILENCE_S:  # noqa: ASYNC110 - likewise
                    await asyncio.sleep(_PAUSE_S)
        except (TimeoutError, StoreTrouble):
            return

    async def _is_all_told(self) -> bool:
        async with self._site.market() as market, self._site.orders() as orders:
            return await has_announced_all(
                market, "ingest", keys.announcements("ingest")
            ) and await has_announced_all(orders, "hedger", keys.decisions())

    def _print(self, message: Message) -> None:
        try:
            told = read(message.topic, message.payload)
        except MalformedMessage as error:
            print_line(self._console, complaint(message.topic, error))
        else:
            if self._verbose or _is_news(told):
                print_line(self._console, describe(told))


def _is_news(message: Struct) -> bool:
    match message:
        case TriggerMessage():
            return message.state == "firing"
        case ExecutionMessage():
            return message.kind != "new"
        case AlertMessage():
            return message.severity != "info"
        case _:
            return True
