"""What people and checks want done: sealed, and each believed once (promises E1).

A command is judged in this order, the first that fails names the refusal:

1. *seal*: signed, by a key that is trusted in a role that may say this, for this topic and this
   environment. Operators rebalance, halt and resume; the desk rebalances and halts; the auditor
   halts; the gateway tells what it did by itself.
2. *book*: a known one, or `all`.
3. *state*: one that the topic is for. `halt` makes stricter, `resume` lifts.
4. *time*: later than anything this key said before, so that nothing is believed twice. With the
   wall clock as clock a command is also of the last minute, and not ahead of us; what the gateway
   did is told however late it comes.

A refused command changes nothing, the memory of what was said before included.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeVar

from msgspec import Struct

from services.ingest.refusal import Refusal
from shared.adapters.bus import Message
from shared.adapters.keyring import Forged, Keyring
from shared.domain.events import RebalanceRequested
from shared.domain.instants import SECOND
from shared.domain.trading import ALL, TradingState, TradingStateSet
from shared.wire import topics
from shared.wire.codec import instant_ns
from shared.wire.messages import RebalanceMessage, TradingCommandMessage, TradingStateMessage
from shared.wire.seal import NotSealed

CONTROLS: Final = (topics.REBALANCE, topics.HALT, topics.RESUME, topics.GATEWAY_STATE)

OLDEST_NS: Final = 60 * SECOND
"""An older command was given to a market that is gone."""
AHEAD_NS: Final = 2 * SECOND
"""So much may an operator's clock be ahead of ours."""

_STATES: Final[Mapping[str, tuple[str, ...]]] = {
    topics.HALT: (TradingState.HALTED, TradingState.REDUCING),
    topics.RESUME: (TradingState.ACTIVE,),
}

Commander = Literal["operator", "desk", "auditor"]

_ENTITLED: Final[Mapping[str, tuple[Commander, ...]]] = {
    topics.REBALANCE: ("operator", "desk"),
    topics.HALT: ("operator", "desk", "auditor"),
    topics.RESUME: ("operator",),
}
"""Who may say what; a key of somebody else is unknown on that topic."""

Command = RebalanceRequested | TradingStateSet
Said = TypeVar("Said", RebalanceMessage, TradingCommandMessage)


class _Heard(Struct, frozen=True):
    """A command, and what keeps it from being believed twice.

    Attributes:
        command: For the journal.
        series: In which instants only rise: of a key, and of the gateway's for each scope.
        is_timely: Whether it must be of the last minute.
    """

    command: Command
    series: str
    is_timely: bool = True


class Commands:
    """Opens commands, and remembers when each key spoke last.

    Args:
        keyring: Whom to believe.
        books: Whom a command may be for.
        heard: When each series was last heard, in ns: a former `heard`.
    """

    def __init__(self, keyring: Keyring, books: frozenset[str], heard: Mapping[str, int]) -> None:
        self._keyring = keyring
        self._books = books
        self.heard = dict(heard)

    def receive(self, message: Message, now_ns: int | None) -> Command:
        """Take a message of one of `CONTROLS`.

        Args:
            message: As it came.
            now_ns: The wall clock; `None` where it plays no part.

        Raises:
            Refusal: It is not to be believed, or not now.
            MalformedMessage: It is sealed and no command.
        """
        try:
            heard = self._open(message)
        except NotSealed as error:
            raise Refusal("unsigned", str(error)) from error
        except Forged as forged:
            raise Refusal(forged.reason, str(forged)) from forged
        self._check_time(heard, now_ns)
        self.heard[heard.series] = heard.command.event_ns
        return heard.command

    def _open(self, message: Message) -> _Heard:
        if message.topic == topics.GATEWAY_STATE:
            return self._of_gateway(message)
        if message.topic == topics.REBALANCE:
            _, asked = self._signed(message, RebalanceMessage)
            return _Heard(self._rebalance(asked), asked.key_id)
        authority, said = self._signed(message, TradingCommandMessage)
        self._check_scope(said.scope)
        _check_state(message.topic, said.state)
        return _Heard(_trading_state(said, authority), said.key_id)

    def _signed(self, message: Message, kind: type[Said]) -> tuple[Commander, Said]:
        """Open what somebody has signed who may say it."""
        for role in _ENTITLED[message.topic]:
            try:
                return role, self._keyring.open(role, message.topic, message.payload, kind)
            except Forged as forged:
                if forged.reason != "unknown_key":
                    raise
        raise Forged("unknown_key", "signed by nobody who may say this and is trusted here")

    def _rebalance(self, asked: RebalanceMessage) -> RebalanceRequested:
        self._check_scope(asked.scope)
        return RebalanceRequested(
            scope=asked.scope,
            operator=asked.operator,
            reason=asked.reason,
            event_ns=instant_ns(asked.issued_at),
        )

    def _of_gateway(self, message: Message) -> _Heard:
        """Take what the gateway did; two scopes may be stopped in one instant."""
        said = self._keyring.open("gateway", message.topic, message.payload, TradingStateMessage)
        self._check_scope(said.scope)
        if said.authority != "gateway":
            raise Refusal("wrong_state", f"the gateway speaks for itself, not for {said.authority}")
        command = TradingStateSet(
            scope=said.scope,
            state=TradingState(said.state),
            authority="gateway",
            operator=said.operator,
            reason=said.reason,
            event_ns=instant_ns(said.since),
        )
        return _Heard(command, f"{said.key_id}/{said.scope}", is_timely=False)

    def _check_scope(self, scope: str) -> None:
        if scope != ALL and scope not in self._books:
            raise Refusal("unknown_book", scope)

    def _check_time(self, heard: _Heard, now_ns: int | None) -> None:
        said_ns = heard.command.event_ns
        if said_ns <= self.heard.get(heard.series, -1):
            raise Refusal("stale_command", "this key said this, or something later, before")
        if now_ns is None or not heard.is_timely:
            return
        age_ns = now_ns - said_ns
        if not -AHEAD_NS <= age_ns <= OLDEST_NS:
            raise Refusal("stale_command", f"{age_ns / SECOND:.1f} s old by our clock")


def _check_state(topic: str, state: str) -> None:
    if state not in _STATES[topic]:
        raise Refusal("wrong_state", f"{topics.last_level(topic)} is not for {state}")


def _trading_state(said: TradingCommandMessage, authority: Commander) -> TradingStateSet:
    return TradingStateSet(
        scope=said.scope,
        state=TradingState(said.state),
        authority=authority,
        operator=said.operator,
        reason=said.reason,
        event_ns=instant_ns(said.issued_at),
    )
