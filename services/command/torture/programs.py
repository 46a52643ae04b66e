"""Services as processes, forked from one that has imported everything: a restart costs little."""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Final

from msgspec import Struct

_PR_SET_PDEATHSIG: Final = 1


def nursery() -> ForkServerContext:
    """A process that imports what services need, once, and from then on only forks."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["services.__main__", "services.command.torture.preload"])
    return context


class ProgramPlan(Struct, frozen=True, kw_only=True):
    """How to run a service.

    Attributes:
        name: Of this process: service and replica.
        service: Which.
        configuration: Its file.
        environment: What goes before the file.
        log: Where it prints.
        port: Of its metrics.
    """

    name: str
    service: str
    configuration: Path
    environment: Mapping[str, str]
    log: Path
    port: int


class Program:
    """One service's process, started again by whoever tends it.

    Args:
        plan: What it is.
        context: What it is forked from.

    Attributes:
        exits: Return codes of the runs that ended, oldest first.
        frozen: Whether it was stopped by us and not set going again.
    """

    def __init__(self, plan: ProgramPlan, context: ForkServerContext) -> None:
        self.plan = plan
        self.exits: list[int] = []
        self.frozen = False
        self._context = context
        self._process: ForkServerProcess | None = None

    @property
    def name(self) -> str:
        """Of the process."""
        return self.plan.name

    @property
    def pid(self) -> int:
        """Its process; 0 while it does not run."""
        return 0 if self._process is None else self._process.pid or 0

    @property
    def is_running(self) -> bool:
        """Whether it runs; noting how it ended when it does not."""
        if self._process is None:
            return False
        code = self._process.exitcode
        if code is None:
            return True
        self.exits.append(code)
        self._process.close()
        self._process = None
        return False

    def start(self) -> None:
        """Start it; nothing happens when it runs."""
        if not self.is_running:
            self.frozen = False
            self._process = self._context.Process(target=run_program, args=(self.plan,))
            self._process.start()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self.is_running and self._process is not None and self._process.pid is not None:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        """Kill -9 and wait; nothing happens when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            assert not self.is_running  # noqa: S101 - it was waited for

    def end(self, within_s: float) -> None:
        """Ask it to end in good order, and kill it when it does not."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        if self._process is not None:
            self._process.join(within_s)
        self.kill()


def run_program(plan: ProgramPlan) -> None:
    """Be that service: the body of the forked process."""
    from services.command.up import ALL_SERVICES, run_services  # noqa: PLC0415 - after the fork
    from shared.adapters.settings import load_settings  # noqa: PLC0415 - likewise

    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # none outlives the campaign
    with plan.log.open("ab", buffering=0) as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    settings = load_settings(plan.configuration, plan.environment)
    main = {plan.service: ALL_SERVICES[plan.service]}
    run_services(settings, main, port=plan.port, next_free=True)
