"""Operators of the simulated world: what they command, sometimes too late, twice, or wrongly."""

import asyncio
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from services.command.simulation.loop import VirtualClock
from services.command.simulation.market import Market
from services.command.simulation.weather import Weather
from shared.adapters.keyring import ROLES, Keyring, Role, key_id
from shared.domain.instants import MINUTE, SECOND
from shared.domain.trading import ALL, TradingState
from shared.wire import topics
from shared.wire.messages import RebalanceMessage, SealedMessage, TradingCommandMessage


def simulated_keyring(environment: str, owner: str = "us") -> Keyring:
    """Make the keys of every role: the same in every run, worth nothing anywhere else."""
    private = {
        role: Ed25519PrivateKey.from_private_bytes(sha256(f"{owner} {role}".encode()).digest())
        for role in ROLES
    }
    public = {role: key.public_key() for role, key in private.items()}
    return Keyring(environment, private, {role: {key_id(key): key} for role, key in public.items()})


def altered(payload: bytes) -> bytes:
    """Change one letter of what was signed, and leave it readable."""
    return payload.replace(b'"reason":"', b'"reason":"!', 1)


STRANGERS: Final = simulated_keyring("paper", "somebody else")
ELSEWHERE: Final = simulated_keyring("live")
"""Our own keys, used for another environment."""


_WISHES: Final = ("rebalance", "rebalance", "halt", "reduce", "audit", "resume", "resume", "resume")


class Said(Struct, frozen=True):
    """What somebody has sealed and sent."""

    role: Role
    topic: str
    message: SealedMessage


class Operators:
    """People who rebalance, halt and resume, and somebody who plays with what they have said.

    Args:
        market: By whose broker they speak.
        clock: By which they speak.
        weather: What is drawn from.
        keyring: Theirs.
        scopes: Whom a command may be for.
    """

    def __init__(
        self,
        market: Market,
        clock: VirtualClock,
        weather: Weather,
        keyring: Keyring,
        scopes: tuple[str, ...],
    ) -> None:
        self._market = market
        self._clock = clock
        self._weather = weather
        self._keyring = keyring
        self._scopes = scopes
        self._forgeries: tuple[Callable[[], None], ...] = (
            self._again,
            self._of_a_stranger,
            self._for_elsewhere,
            self._altered,
            self._unsigned,
            self._too_old,
            self._of_the_future,
            self._retained,
            self._for_nobody,
            self._on_the_wrong_topic,
        )

    async def run(self) -> None:
        """Command, and forge commands, until cancelled."""
        while True:
            await asyncio.sleep(self._weather.between(0.1, 1.5))
            if self._weather.chance(0.6):
                self.say(self._draw())
            else:
                self._weather.one_of(self._forgeries)()

    def resume(self, scope: str = ALL) -> None:
        """Let trading go on in a scope."""
        self.say(Said("operator", topics.RESUME, self._trading(scope, TradingState.ACTIVE)))

    def say(self, said: Said, keyring: Keyring | None = None, *, retain: bool = False) -> None:
        """Seal and send."""
        payload = (keyring or self._keyring).seal(said.role, said.topic, said.message)
        self._market.publish(said.topic, payload, retain=retain)

    def _draw(self) -> Said:
        scope = self._weather.one_of(self._scopes)
        match self._weather.one_of(_WISHES):
            case "rebalance":
                asked = RebalanceMessage(
                    scope=scope, reason="review", operator="ann", issued_at=self._clock.now_ns()
                )
                return Said("operator", topics.REBALANCE, asked)
            case "halt":
                return Said("operator", topics.HALT, self._trading(scope, TradingState.HALTED))
            case "reduce":
                return Said("operator", topics.HALT, self._trading(scope, TradingState.REDUCING))
            case "audit":
                return Said("auditor", topics.HALT, self._trading(scope, TradingState.REDUCING))
            case _:
                return Said("operator", topics.RESUME, self._trading(scope, TradingState.ACTIVE))

    def _trading(self, scope: str, state: TradingState, age_ns: int = 0) -> TradingCommandMessage:
        return TradingCommandMessage(
            scope=scope,
            state=state.value,
            reason="a drill",
            operator="ann",
            issued_at=self._clock.now_ns() - age_ns,
        )

    # --- what must not be believed ---------------------------------------------------------------

    def _again(self) -> None:
        said = self._draw()
        self.say(said)
        self.say(said)

    def _of_a_stranger(self) -> None:
        self.say(self._draw(), STRANGERS)

    def _for_elsewhere(self) -> None:
        self.say(self._draw(), ELSEWHERE)

    def _altered(self) -> None:
        said = self._draw()
        payload = self._keyring.seal(said.role, said.topic, said.message)
        self._market.publish(said.topic, altered(payload))

    def _unsigned(self) -> None:
        said = self._draw()
        payload = self._keyring.seal(said.role, said.topic, said.message)
        self._market.publish(said.topic, payload.partition(b"\n")[0])

    def _too_old(self) -> None:
        resumed = self._trading(ALL, TradingState.ACTIVE, age_ns=2 * MINUTE)
        self.say(Said("operator", topics.RESUME, resumed))

    def _of_the_future(self) -> None:
        resumed = self._trading(ALL, TradingState.ACTIVE, age_ns=-10 * SECOND)
        self.say(Said("operator", topics.RESUME, resumed))

    def _retained(self) -> None:
        self.say(self._draw(), retain=True)

    def _for_nobody(self) -> None:
        self.say(Said("operator", topics.HALT, self._trading("nobody", TradingState.HALTED)))

    def _on_the_wrong_topic(self) -> None:
        self.say(Said("operator", topics.HALT, self._trading(ALL, TradingState.ACTIVE)))
