"""Whether a process may be relied on, check by check: what `/readyz` answers.

Alive and ready are two things. A process is alive while its event loop turns; it is ready while
every check passes: connected, fed, leading, whatever its service says it needs.
"""

from collections.abc import Callable

import msgspec

Probe = Callable[[], str | None]
"""Why the check fails now; None when it passes."""


class Check(msgspec.Struct, frozen=True):
    """The state of one check.

    Attributes:
        ready: Whether it passes.
        reason: Why not, in words for whoever is woken up; empty when it passes.
    """

    ready: bool
    reason: str = ""


class Health:
    """The checks of one process.

    Args:
        expected: Names of checks that fail until they are reported, so that a part which never
            starts is not forgotten.
    """

    def __init__(self, *expected: str) -> None:
        self._probes: dict[str, Probe] = {}
        for name in expected:
            self.failing(name, "not started")

    def passing(self, name: str) -> None:
        """Report that a check passes."""
        self._probes[name] = lambda: None

    def failing(self, name: str, reason: str) -> None:
        """Report that a check fails."""
        self._probes[name] = lambda: reason

    def watch(self, name: str, probe: Probe) -> None:
        """Ask `probe` whenever somebody wants to know."""
        self._probes[name] = probe

    def report(self) -> dict[str, Check]:
        """Every check by name; one whose probe raises fails."""
        return {name: _run(probe) for name, probe in self._probes.items()}

    @property
    def is_ready(self) -> bool:
        """Whether every check passes."""
        return all(check.ready for check in self.report().values())


def _run(probe: Probe) -> Check:
    try:
        reason = probe()
    except Exception as failure:  # noqa: BLE001 - a probe that breaks is a check that fails
        reason = f"{type(failure).__name__}: {failure}"
    return Check(ready=True) if reason is None else Check(ready=False, reason=reason)
