"""Tells what the gateway does with orders now: `trading/{scope}`, sealed and retained.

First the change itself, as it was ordered: that is what whoever ordered it waits for. Then, for
each scope that it concerns, what governs it now, which need not be the same.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

import structlog

from services.gateway.desk import Desk
from shared.adapters.bus import Bus, BusUnavailable, PublishRefused
from shared.adapters.keyring import Keyring
from shared.domain.trading import ALL, TradingState, TradingStateSet
from shared.wire import topics
from shared.wire.messages import TradingStateMessage
from shared.wire.times import format_instant

log = structlog.get_logger()

_LOOK_S: Final = 1.0
_RETRY_S: Final = 0.1
_MOST_WAITING: Final = 1000


def state_message(change: TradingStateSet) -> TradingStateMessage:
    """Put a trading state on the wire."""
    return TradingStateMessage(
        scope=change.scope,
        state=change.state.value,
        authority=change.authority,
        operator=change.operator,
        reason=change.reason,
        since=format_instant(change.event_ns),
    )


class Teller:
    """Publishes trading states as they change, and all of them to a broker that is new.

    Args:
        bus: Where to.
        keyring: Signs as the gateway.
        desk: Knows the states.
    """

    def __init__(self, bus: Bus, keyring: Keyring, desk: Desk) -> None:
        self._bus = bus
        self._keyring = keyring
        self._desk = desk
        self._changes: deque[TradingStateSet] = deque(maxlen=_MOST_WAITING)
        self._wake = asyncio.Event()
        self._told_connection = -1

    def tell(self, changes: Sequence[TradingStateSet]) -> None:
        """Have changes told."""
        self._changes.extend(changes)
        self._wake.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await self._bus.connected.wait()
            try:
                await self._publish_news()
                async with asyncio.timeout(_LOOK_S):
                    await self._wake.wait()
                self._wake.clear()
            except TimeoutError:
                continue
            except BusUnavailable:
                await asyncio.sleep(_RETRY_S)

    async def _publish_news(self) -> None:
        connection = self._bus.reconnects
        while self._changes:
            change = self._changes[0]
            await self._publish(change, retain=False)
            for scope in self._desk.scopes if change.scope == ALL else (change.scope,):
                await self._publish(self._governing(scope, change), retain=True)
            self._changes.popleft()
        if connection != self._told_connection:
            for scope in self._desk.scopes:
                await self._publish(self._governing(scope), retain=True)
            self._told_connection = connection

    def _governing(self, scope: str, change: TradingStateSet | None = None) -> TradingStateSet:
        order = self._desk.states.governing(scope)
        return TradingStateSet(
            scope=scope,
            state=TradingState.ACTIVE if order is None else order.state,
            authority="gateway" if order is None else order.authority,
            operator="gateway" if order is None else order.operator,
            reason="nothing stops it" if order is None else order.reason,
            event_ns=_since_ns(order, change),
        )

    async def _publish(self, state: TradingStateSet, *, retain: bool) -> None:
        topic = topics.trading(state.scope)
        payload = self._keyring.seal("gateway", topic, state_message(state))
        try:
            await self._bus.publish(topic, payload, retain=retain)
        except PublishRefused as refused:
            log.error("trading_state_untold", topic=topic, error=str(refused))  # noqa: TRY400 - the broker's words suffice


def _since_ns(order: TradingStateSet | None, change: TradingStateSet | None) -> int:
    if order is not None:
        return order.event_ns
    return 0 if change is None else change.event_ns
