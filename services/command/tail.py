"""`hedgestat tail`: follow a topic."""

import asyncio
import contextlib
import secrets
import sys

from rich.console import Console
from rich.markup import escape

from services.command.lines import complaint, describe, print_line, read
from shared.adapters.bus import BusEvent, Subscription
from shared.adapters.mqtt import MqttBus
from shared.adapters.settings import Settings
from shared.domain.hedging.alerts import ALIVE
from shared.runtime.logs import configure_logging
from shared.wire import topics
from shared.wire.access import READER
from shared.wire.codec import MalformedMessage
from shared.wire.messages import AlertMessage

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


def run_tail(settings: Settings, topic: str, console: Console, errors: Console) -> None:
    """Print messages until Ctrl-C, which is how this ends; without a broker, wait for it."""
    configure_logging("error", stream=sys.stderr)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_follow(settings, topic, console, errors))


async def _follow(settings: Settings, topic: str, console: Console, errors: Console) -> None:
    told = ""

    def heard(event: BusEvent) -> None:
        nonlocal told
        trouble = "" if event.name == "connected" else f"{event.name}: {event.reason}"
        if trouble and trouble != told:  # once, not at every attempt
            errors.print(f"[yellow]{escape(trouble)}[/]; trying again", soft_wrap=True)
        told = trouble

    client = f"hedgestat-tail-{secrets.token_hex(4)}"
    async with MqttBus(
        settings.mqtt.of(READER),
        client_id=client,
        subscriptions=[Subscription(topic, 0)],
        clean_start=True,
        session_expiry_s=0,
        on_event=heard,
    ) as bus:
        async for message in bus.messages():
            try:
                said = read(message.topic, message.payload)
                if isinstance(said, AlertMessage) and said.what == ALIVE:
                    continue
                text = describe(said)
            except MalformedMessage as error:
                text = complaint(message.topic, error)
            print_line(console, text)
