"""Who is logged in: sessions live in this process alone, and end with it.

A session is known by 256 random bits in a cookie; kept is what they hash to, so that nothing in
this process's memory opens a session. Its token for actions is another 256 bits. A session ends
when nothing was done with it for half an hour, when it is twelve hours old, when its operator logs
out or is given another password or none, and when the same operator begins many others.
"""

import secrets
from hashlib import sha256
from typing import Final

from msgspec import Struct

from shared.adapters.clock import Clock
from shared.adapters.operators import PasswordHash

IDLE_S: Final = 1_800.0
LONGEST_S: Final = 43_200.0
MOST_EACH: Final = 8


class Session(Struct, kw_only=True):
    """Somebody is logged in.

    Attributes:
        operator: Who.
        csrf_token: What every action must carry.
        password: What the password hashed to.
        begun_s: When, on the process's clock.
        used_s: When something was last done with it.
    """

    operator: str
    csrf_token: str
    password: PasswordHash
    begun_s: float
    used_s: float


class Sessions:
    """Begins, finds and ends sessions.

    Args:
        clock: What they age by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[bytes, Session] = {}

    def __len__(self) -> int:
        self._forget_ended()
        return len(self._sessions)

    def begin(self, operator: str, password: PasswordHash) -> tuple[str, Session]:
        """Begin a session; answers the secret that it is known by."""
        self._forget_ended()
        own = [key for key, each in self._sessions.items() if each.operator == operator]
        for key in own[: max(0, len(own) - MOST_EACH + 1)]:
            del self._sessions[key]
        secret, now_s = secrets.token_urlsafe(32), self._clock.monotonic_s()
        session = Session(
            operator=operator,
            csrf_token=secrets.token_urlsafe(32),
            password=password,
            begun_s=now_s,
            used_s=now_s,
        )
        self._sessions[_key(secret)] = session
        return secret, session

    def find(self, secret: str) -> Session | None:
        """Find a session that goes on."""
        session = self._sessions.get(_key(secret))
        return session if session is not None and self._goes_on(session) else None

    def use(self, session: Session) -> None:
        """Have a session's idle time begin again."""
        session.used_s = self._clock.monotonic_s()

    def end(self, secret: str) -> None:
        """End a session, if there is one."""
        self._sessions.pop(_key(secret), None)

    def _goes_on(self, session: Session) -> bool:
        now_s = self._clock.monotonic_s()
        return now_s - session.used_s < IDLE_S and now_s - session.begun_s < LONGEST_S

    def _forget_ended(self) -> None:
        self._sessions = {key: each for key, each in self._sessions.items() if self._goes_on(each)}


def _key(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()
