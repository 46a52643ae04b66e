"""What the gateway answers at its own door, the unix socket: it needs neither broker nor store."""

import sqlite3

from services.gateway.control import Control
from services.gateway.desk import Desk
from services.gateway.metrics import GatewayMetrics
from services.gateway.not_believed import NotBelieved
from shared.adapters.control_socket import (
    ORDERS_AT_ONCE,
    Answer,
    CommandGiven,
    GatewayStatus,
    HaltAsked,
    NotDone,
    OrdersAsked,
    OrdersTold,
    Request,
    StatusAsked,
)
from shared.adapters.keyring import Forged
from shared.domain.trading import TradingState, TradingStateSet
from shared.runtime.health import Health
from shared.wire.codec import MalformedMessage


class Door:
    """Answers one request after the other.

    Args:
        desk: Remembers.
        control: Stops, and lets go on.
        metrics: What is counted.
        health: What else is wrong.
    """

    def __init__(
        self, desk: Desk, control: Control, metrics: GatewayMetrics, health: Health
    ) -> None:
        self._desk = desk
        self._control = control
        self._metrics = metrics
        self._health = health

    async def answer(self, request: Request) -> Answer:
        """Answer a request; what was ordered is on the disk by then."""
        try:
            match request:
                case OrdersAsked():
                    orders = self._desk.record.orders_since(request.after, ORDERS_AT_ONCE)
                    return OrdersTold(tuple(orders))
                case HaltAsked():
                    await self._control.halt_unsigned(self._wanted(request))
                case CommandGiven():
                    await self._control.command(request.topic, request.payload)
                case StatusAsked():
                    pass
        except (NotBelieved, Forged) as refused:
            self._metrics.command_refused(refused.reason)
            return NotDone(str(refused))
        except MalformedMessage as error:
            self._metrics.command_refused("malformed")
            return NotDone(str(error))
        except sqlite3.OperationalError as error:
            self._desk.disk_failed(error)
            return NotDone(f"the record's disk fails: {error}")
        return self._status()

    def _wanted(self, request: HaltAsked) -> TradingStateSet:
        return TradingStateSet(
            scope=request.scope,
            state=TradingState(request.state),
            authority="operator",
            operator=request.operator,
            reason=request.reason,
            event_ns=self._desk.stamp_ns(),
        )

    def _status(self) -> GatewayStatus:
        desk, checks = self._desk, self._health.report()
        return GatewayStatus(
            scopes={scope: desk.states.of(scope) for scope in desk.scopes},
            orders=tuple(desk.states.orders.values()),
            epoch=desk.epoch,
            answered=desk.answered,
            heard_s=self._control.heard_s,
            trouble={name: check.reason for name, check in checks.items() if not check.ready},
        )
