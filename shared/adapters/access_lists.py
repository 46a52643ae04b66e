"""The access lists that broker and stores read, made of the table in `shared.wire.access`.

As files in `deploy/` they hold no password; `with_passwords` adds what each server compares with.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from shared.adapters import redis_scripts as scripts
from shared.wire import keys
from shared.wire.access import IDENTITIES, Identity, Role, StoreRights

_BROKER_NOTE: Final = """\
# Made by `hedgestat access broker` from shared/wire/access.py: do not edit.
# Who may publish (write) and be sent (read) what. All else is refused, and so are strangers.
"""
_ITERATIONS: Final = 101
"""Of PBKDF2 over a broker's password, as `mosquitto_passwd` does: enough for random ones.

The broker spends them, and serves nobody meanwhile, at every CONNECT, also of who guesses.
"""

_READING: Final = (
    "hget",
    "hmget",
    "hgetall",
    "xread",
    "xrange",
    "xrevrange",
    "xinfo|stream",
    "exists",
)
_LEADING: Final = ("hset", "hlen", "del", "pexpire", "xadd", "xdel", "xtrim", "script|load")
_SETTING: Final = ("get", "set", "del", "exists")
_EXAMINING: Final = ("config|get", "info", "time", "set", "del")
_SCRIPTS: Final = (
    scripts.TAKE_LEASE,
    scripts.ACQUIRE,
    scripts.RENEW,
    scripts.RELEASE,
    scripts.FENCE,
    scripts.COMMIT,
)
DOCTORS_KEYS: Final = keys.stage_key("doctor", "*")
"""Where `hedgestat doctor` tries whether the store can be written."""


def broker_list() -> str:
    """Write `deploy/acl`: Mosquitto's access list."""
    return _BROKER_NOTE + "".join(map(_broker_rights, IDENTITIES))


def _broker_rights(identity: Identity) -> str:
    lines = [f"\nuser {identity.name}"]
    every = dict.fromkeys((*identity.publishes, *identity.subscribes))
    for topic in every:
        writes, reads = topic in identity.publishes, topic in identity.subscribes
        right = "readwrite" if writes and reads else "write" if writes else "read"
        lines.append(f"topic {right} {topic}")
    return "\n".join(lines) + "\n"


def store_list(*roles: Role) -> str:
    """Write `deploy/redis-ROLE.acl`: Redis's users, but for their passwords.

    Only the scripts of this version run, by their digests; EVAL is nobody's. `default` is off.

    Args:
        roles: What the server is: both, where one plays them.
    """
    users = (_store_user(each.name, [each.store(role) for role in roles]) for each in IDENTITIES)
    return "\n".join(["user default off", *filter(None, users)]) + "\n"


def _store_user(name: str, rights: Sequence[StoreRights]) -> str:
    """Return a user's line; empty when it has no business there."""
    leads = [stage for each in rights for stage in each.leads]
    reads = [key for each in rights for key in each.reads]
    sets = [key for each in rights for key in each.sets]
    examines = any(each.examines for each in rights)
    kinds = (
        (leads or reads, _READING),
        (leads, (*_LEADING, *(f"evalsha|{script.digest}" for script in _SCRIPTS))),
        (sets, _SETTING),
        (examines, _EXAMINING),
    )
    commands = {command for applies, them in kinds if applies for command in them}
    if not commands:
        return ""
    writable = [*(keys.stage_key(stage, "*") for stage in leads), *sets]
    writable += [DOCTORS_KEYS] if examines else []
    words = [
        *(f"~{key}" for key in dict.fromkeys(writable)),
        *(f"%R~{key}" for key in dict.fromkeys(reads)),
        "+ping",
        *(f"+{command}" for command in sorted(commands)),
    ]
    return f"user {name} on {' '.join(words)}"


def broker_passwords(passwords: Mapping[str, str], salts: Mapping[str, bytes]) -> str:
    """Write Mosquitto's password file: PBKDF2-HMAC-SHA512, as `mosquitto_passwd` does.

    Args:
        passwords: By identity.
        salts: By identity, 12 random bytes each.
    """
    return "".join(_broker_password(name, passwords[name], salts[name]) for name in passwords)


def _broker_password(name: str, password: str, salt: bytes) -> str:
    stretched = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS, 64)
    salt_text, text = (base64.b64encode(raw).decode() for raw in (salt, stretched))
    return f"{name}:$7${_ITERATIONS}${salt_text}${text}\n"


def store_passwords(text: str, passwords: Mapping[str, str]) -> str:
    """Give the users of `store_list` their passwords, as SHA-256: enough for random ones.

    A user without a password can't log in.
    """
    lines = []
    for line in text.splitlines():
        _, name, *words = line.split(" ")
        if name in passwords:
            digest = hashlib.sha256(passwords[name].encode()).hexdigest()
            line = " ".join(["user", name, words[0], f"#{digest}", *words[1:]])  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines) + "\n"
