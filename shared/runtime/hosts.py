"""Under which names a process lets itself be asked.

A web site can have its own name point at 127.0.0.1, and its visitors' browsers then ask us and let
it read the answer (DNS rebinding). The name they ask by gives it away: nobody can do that with an
address, nor, outside a network of ours, with a name of one label.
"""

import re
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOCALHOST: Final = "localhost"
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?")


def host_name(host: str) -> str:
    """Return a Host header without its port; empty when it is none."""
    match = _HOST.fullmatch(host)
    return (match[1] or match[2]).lower().removesuffix(".") if match else ""


def is_address(name: str) -> bool:
    """Whether a name is an address, which nobody can point elsewhere."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine, so that nothing leaves it unencrypted."""
    name = host_name(host)
    return name == LOCALHOST or (is_address(name) and ip_address(name).is_loopback)


class KnownNames:
    """Answers under addresses, names of one label (a container's) and names that are configured.

    Args:
        app: What answers.
        names: Those that are configured.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse with 400."""
        if scope["type"] != "http" or self._is_known(Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, send)
            return
        refusal = PlainTextResponse("not a name of ours: add it to [http] hosts\n", 400)
        await refusal(scope, receive, send)

    def _is_known(self, host: str) -> bool:
        name = host_name(host)
        if is_address(name) or name in self._names:
            return True
        return bool(name) and "." not in name and not name.isdecimal()
