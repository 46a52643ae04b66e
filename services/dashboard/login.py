"""Logging in to the page: who may, told by password, throttled, and never who exists.

Without the desk's key, or without anybody who may log in, the page only shows: it says what to do
about that. Passwords are checked in a thread, one at a time, for each takes a quarter of a second
and 32 MB. A login is refused where the password would travel unencrypted.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import structlog

from services.dashboard.door_metrics import DoorMetrics
from services.dashboard.login_sessions import Session, Sessions
from services.dashboard.login_throttle import Throttle
from services.dashboard.security import Declined
from shared.adapters.clock import Clock
from shared.adapters.keyring import KeyMissing, Keyring, KeysNeeded
from shared.adapters.operators import OperatorsUnusable, PasswordHash, read_operators
from shared.domain.effects import AlertRaised
from shared.domain.hedging.alerts import alert
from shared.domain.trading import ALL

log = structlog.get_logger()

MOST_WAITING: Final = 8
_RING_AGAIN_S: Final = 60.0


class Logins:
    """Lets operators in.

    Args:
        path: Who may, and what their passwords hash to; read again each time.
        keyring: Without the desk's key there is nothing to log in for.
        clock: What sessions and failures age by.
        metrics: What is counted.
        ring: Tells a person.
    """

    def __init__(
        self,
        *,
        path: Path,
        keyring: Keyring,
        clock: Clock,
        metrics: DoorMetrics,
        ring: Callable[[AlertRaised], None],
    ) -> None:
        self._path = path
        self._keyring = keyring
        self._clock = clock
        self._ring = ring
        self._rung_s = float("-inf")
        self._sessions = Sessions(clock)
        self._throttle = Throttle(clock)
        self._nobody = PasswordHash.of_nobody()
        self._one_at_a_time = ThreadPoolExecutor(1, "passwords")
        self._waiting = 0
        self._metrics = metrics
        metrics.sessions(lambda: len(self._sessions))

    def operators(self) -> dict[str, PasswordHash]:
        """Return who may log in.

        Raises:
            Declined: Nobody; how to change that.
        """
        try:
            self._keyring.require(KeysNeeded(signs=("desk",)))
            operators = read_operators(self._path)
        except (KeyMissing, OperatorsUnusable) as reason:
            raise _read_only(str(reason)) from reason
        if not operators:
            raise _read_only(f"{self._path} names nobody: `hedgestat operators add NAME`")
        return operators

    async def begin(
        self, operator: str, password: str, *, old: str, client: str
    ) -> tuple[str, Session]:
        """Let an operator in; answers the secret of a new session.

        Args:
            operator: Who it is said to be.
            password: As it was typed.
            old: Of a session, which ends.
            client: From which address.

        Raises:
            Declined: Wrong, too often wrong, or there is no logging in.
        """
        operators = self.operators()
        if self._waiting >= MOST_WAITING:
            raise self._throttled(operator, 1.0, operators, client)
        self._waiting += 1
        try:
            kept = await self._check(operator, password, operators, client)
        finally:
            self._waiting -= 1
        self._sessions.end(old)
        self._metrics.login("right")
        log.warning("operator_logged_in", operator=operator, client=client)
        return self._sessions.begin(operator, kept)

    async def _check(
        self, operator: str, password: str, operators: dict[str, PasswordHash], client: str
    ) -> PasswordHash:
        wait_s = self._throttle.wait_s(operator)
        if wait_s > 0:
            raise self._throttled(operator, wait_s, operators, client)
        self._throttle.failed(operator)  # a request that is cut off has guessed, too
        kept = operators.get(operator, self._nobody)
        loop = asyncio.get_running_loop()
        if not await loop.run_in_executor(self._one_at_a_time, kept.is_of, password):
            self._metrics.login("wrong")
            log.warning("login_failed", operator=_known(operator, operators), client=client)
            raise Declined(401, "wrong_login", "No such operator, or another password.")
        self._throttle.succeeded(operator)
        return kept

    def _throttled(
        self, operator: str, wait_s: float, operators: dict[str, PasswordHash], client: str
    ) -> Declined:
        self._metrics.login("throttled")
        named = _known(operator, operators)
        log.error("logins_throttled", operator=named, client=client, wait_s=round(wait_s))
        now_s = self._clock.monotonic_s()
        if now_s - self._rung_s >= _RING_AGAIN_S:
            self._rung_s = now_s
            self._ring(alert(ALL, self._clock.now_ns(), "logins_failing", named))
        detail = f"Too many failed logins: wait {wait_s:.0f} s. The terminal's halt does not wait."
        return Declined(429, "throttled", detail, {"retry-after": f"{wait_s + 1:.0f}"})

    def find(self, secret: str) -> Session:
        """Return who is logged in; the session's idle time begins again.

        Raises:
            Declined: Nobody is, or no longer may.
        """
        operators, session = self.operators(), self._sessions.find(secret)
        if session is None or operators.get(session.operator) != session.password:
            self._sessions.end(secret)
            raise Declined(401, "login_needed", "Log in first.")
        self._sessions.use(session)
        return session

    def knows(self, secret: str) -> bool:
        """Whether this is a session's secret."""
        return self._sessions.find(secret) is not None

    def end(self, secret: str, session: Session) -> None:
        """Let an operator out."""
        self._sessions.end(secret)
        log.warning("operator_logged_out", operator=session.operator)


def _known(operator: str, operators: dict[str, PasswordHash]) -> str:
    """Name an operator for the log: who types a password in the wrong field is not written down."""
    return operator if operator in operators else "unknown"


def _read_only(reason: str) -> Declined:
    return Declined(403, "read_only", f"This page only shows, for nobody can log in: {reason}")
