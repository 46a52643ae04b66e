"""`hedgestat logins`, `certificates`, `access`: what lets services in and keeps others out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from services.command.endings import Refused, refusing
from services.command.printing import tell
from shared.adapters.access_lists import broker_list, store_list
from shared.adapters.certificates import (
    RENEWED_DAYS,
    CertificateFault,
    list_certificates,
    make_certificates,
)
from shared.adapters.clock import SystemClock
from shared.adapters.logins import LoginRefused, make_logins, rotate_logins

SERVERS: Final = ("mosquitto", "redis-orders", "redis-market")
"""By the names that their clients use, in containers and in Kubernetes."""

LISTS: Final[dict[str, Callable[[], str]]] = {
    "broker": broker_list,
    "orders": lambda: store_list("orders"),
    "market": lambda: store_list("market"),
    "both": lambda: store_list("orders", "market"),
}


def access_list(server: str) -> str:
    """Return a server's access list, without passwords.

    Raises:
        Refused: There is no such server.
    """
    if server not in LISTS:
        raise Refused(f"no access list {server!r}; there are {', '.join(LISTS)}")
    return LISTS[server]()


def make(directory: Path, console: Console) -> None:
    """Make the logins that are missing, and the servers' files.

    Raises:
        Refused: A file cannot be read or written.
    """
    with refusing(LoginRefused, CertificateFault):
        made = make_logins(directory)
    tell(console, f"New: {', '.join(made)}." if made else "Every identity has its login.")
    tell(console, f"{directory}/servers/ is for the servers: lists and digests, no password.")


def rotate(directory: Path, names: Sequence[str], console: Console) -> None:
    """Give identities new passwords.

    Raises:
        Refused: There is no such login, or a file cannot be written.
    """
    with refusing(LoginRefused, CertificateFault):
        rotate_logins(directory, names)
    tell(console, f"New passwords of {', '.join(names)} in {directory}.")
    tell(console, f"1. Copy {directory}/IDENTITY to where it runs: it is read at each connect.")
    tell(console, f"2. Copy {directory}/servers/ to the servers; SIGHUP to the broker, and")
    tell(console, "   restart the stores. Services come back by themselves.")


def make_anew(
    directory: Path, servers: Sequence[str], names: Sequence[str], console: Console
) -> None:
    """Make the certificates that are missing or end soon.

    Raises:
        Refused: A file cannot be read or written.
    """
    with refusing(LoginRefused, CertificateFault):
        made = make_certificates(directory, servers or SERVERS, names, SystemClock().now_ns())
    for path in made:
        tell(console, f"New: {path}")
    if not made:
        tell(console, "Every certificate is good for long enough.")


def show(directory: Path, console: Console) -> bool:
    """Print every certificate with the days that it is good for; whether none ends soon.

    Raises:
        Refused: One cannot be read.
    """
    now_ns = SystemClock().now_ns()
    with refusing(LoginRefused, CertificateFault):
        shown = list_certificates(directory)
    if not shown:
        raise Refused(f"no certificates in {directory}: `hedgestat certificates make`")
    for each in shown:
        days = each.days_left(now_ns)
        soon = "" if days >= RENEWED_DAYS else "  RENEW: `hedgestat certificates make`"
        what = ", ".join(each.names) or "the authority"
        tell(console, f"{each.path}  {each.ends:%Y-%m-%d}, {days} days  {what}{soon}")
    return all(each.days_left(now_ns) >= RENEWED_DAYS for each in shown)
