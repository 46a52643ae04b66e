"""`hedgestat tail`: follow a topic."""

import asyncio
import contextlib
import secrets
import sys

from rich.console import Console
from rich.markup import escape

from services.command.lines import line
from shared.adapters.bus import BusEvent, Subscription
from shared.adapters.mqtt import MqttBus
from shared.adapters.settings import Settings
from shared.runtime.logs import configure_logging
from shared.wire import topics
from shared.wire.codec import MalformedMessage

TOPICS = {
    "orders": topics.ORDERS,
    "executions": topics.EXECUTIONS,
    "triggers": topics.TRIGGERS,
    "targets": topics.TARGETS,
    "whipsaws": topics.WHIPSAWS,
    "withheld": topics.WITHHELD,
    "alerts": topics.ALERTS,
    "rejects": topics.REJECTS,
    "signals": topics.SIGNALS,
    "acks": topics.ACKS,
    "status": topics.STATUS,
}


def run_tail(settings: Settings, topic: str, console: Console) -> None:
    """Print messages until Ctrl-C."""
    configure_logging("warning", stream=sys.stderr)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_follow(settings, topic, console))


async def _follow(settings: Settings, topic: str, console: Console) -> None:
    def heard(event: BusEvent) -> None:
        if event.name != "connected":
            console.print(f"[yellow]{event.name}[/] {escape(event.reason)}; trying again")

    client = f"hedgestat-tail-{secrets.token_hex(4)}"
    async with MqttBus(
        settings.mqtt,
        client_id=client,
        subscriptions=[Subscription(topic, 0)],
        clean_start=True,
        session_expiry_s=0,
        on_event=heard,
    ) as bus:
        async for message in bus.messages():
            try:
                console.print(line(message.topic, message.payload), highlight=False, soft_wrap=True)
            except MalformedMessage as error:
                console.print(f"[red]malformed[/] {escape(message.topic)}: {escape(str(error))}")
