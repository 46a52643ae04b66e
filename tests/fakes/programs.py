"""Programs of an installation: started, killed, and started again when they have died."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_FREEZING: Final = str(Path(__file__).with_name("freezing.py"))
COMMAND: Final = str(Path(sys.executable).with_name("hedgestat"))


class Program:
    """One command, in one process at a time.

    Args:
        name: For its log.
        command: The command line.
        directory: Where it runs and where its log is.
        environment: Added to our own.

    Attributes:
        exits: Return codes of all its runs that have ended, oldest first.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        directory: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.exits: list[int] = []
        self._command = list(command)
        self._directory = directory
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What all its runs have printed."""
        path = self._directory / f"{self.name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it runs; noting how it ended when it does not."""
        if self._process is not None and self._process.poll() is not None:
            self.exits.append(self._process.returncode)
            self._process = None
        return self._process is not None

    def start(self) -> None:
        """Start it, in a process group of its own; nothing happens when it runs."""
        if self.is_running:
            return
        with (self._directory / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._directory,
                env=os.environ | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def send(self, number: signal.Signals) -> None:
        """Send a signal, to it alone."""
        assert self._process is not None, f"{self.name} does not run"
        self._process.send_signal(number)

    def ended(self, within_s: float = 10.0) -> int:
        """Wait for its end and return its return code.

        Raises:
            subprocess.TimeoutExpired: It goes on.
        """
        if self._process is not None:
            self._process.wait(within_s)
        assert not self.is_running
        return self.exits[-1]

    def kill(self) -> None:
        """Kill -9 and wait; nothing happens when it does not run."""
        if self.is_running:
            self.send(signal.SIGKILL)
            self.ended()


def hedgestat(
    *words: str, directory: Path, name: str, environment: Mapping[str, str] | None = None
) -> Program:
    """The `hedgestat` command of this installation."""
    return Program(name, [COMMAND, *words], directory, environment)


def freezing_command(words: Sequence[str]) -> list[str]:
    """The `hedgestat` command that freezes: see `fakes.freezing`."""
    return [sys.executable, _FREEZING, *words]
