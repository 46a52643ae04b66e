"""Real servers of a campaign: they can be killed, frozen, and started again where they were."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

from services.command.endings import Failed, Refused

PACKAGES: Final = {"redis-server": "redis-server", "mosquitto": "mosquitto"}
"""Programs, and the Debian packages that hold them."""
_START_WITHIN_S: Final = 10.0
_PATH: Final = f"{os.defpath}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"


def check_programs() -> None:
    """See that the servers are installed.

    Raises:
        Refused: One is not; the text names its Debian package.
    """
    missing = [name for name in PACKAGES if find_program(name) is None]
    if missing:
        packages = " ".join(PACKAGES[name] for name in missing)
        raise Refused(f"not installed: {', '.join(missing)}. On Debian: apt-get install {packages}")


def find_program(name: str) -> str | None:
    """Find a server, also where a user's PATH does not look."""
    return shutil.which(name) or shutil.which(name, path=_PATH)


def free_port() -> int:
    """A port of 127.0.0.1 below those that outgoing connections take: it stays free meanwhile."""
    while True:
        port = random.randrange(10_000, 32_000)  # noqa: S311 - no secret
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Server(ABC):
    """A child process that serves one port of 127.0.0.1.

    Args:
        name: Of its directory and log.
        directory: The campaign's.
    """

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory / name
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """The command line."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it speaks its protocol."""

    @property
    def pid(self) -> int:
        """Its process; 0 while it does not run."""
        return 0 if self._process is None else self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether its process has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; it may not answer yet."""
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                self.command(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.directory,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            Failed: It does not.
        """
        deadline = time.perf_counter() + _START_WITHIN_S
        while not self.answers():
            if not self.is_running or time.perf_counter() > deadline:
                log = (self.directory / "server.log").read_text(errors="replace")
                raise Failed(f"{self.name} did not start: {log[-500:].strip()}")
            time.sleep(0.01)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self._process is not None and self.is_running:
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kill -9; nothing happens when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Redis(Server):
    """redis-server with an append-only file.

    Args:
        name: See `Server`.
        directory: See `Server`.
        fsync: `always` or `everysec`.
        options: Further words of its command line.
    """

    def __init__(
        self, name: str, directory: Path, *, fsync: str, options: tuple[str, ...] = ()
    ) -> None:
        super().__init__(name, directory)
        self._fsync = fsync
        self._options = options

    def command(self) -> list[str]:
        """The command line."""
        return [
            find_program("redis-server") or "redis-server",
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory)),
            *("--appendonly", "yes", "--appendfsync", self._fsync, "--save", ""),
            *self._options,
        ]

    def answers(self) -> bool:
        """Whether it has loaded its file."""
        return self.ask("PING").startswith("+PONG")

    def ask(self, words: str, timeout_s: float = 1.0) -> str:
        """Send one inline command; the reply as it stands on the wire, empty when there is none."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as wire:
                wire.sendall(words.encode() + b"\r\n")
                return wire.recv(65536).decode(errors="replace")
        except OSError:
            return ""


class Mosquitto(Server):
    """mosquitto, as `deploy/mosquitto.conf` has it but for passwords."""

    def command(self) -> list[str]:
        """The command line, its configuration written."""
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "set_tcp_nodelay true",
            "max_queued_messages 0",
            "max_inflight_messages 1000",
            "queue_qos0_messages false",
            "persistence true",
            f"persistence_location {self.directory}/",
            "autosave_interval 60",
        ]
        if os.geteuid() == 0:  # it would become `mosquitto`, who cannot read our directory
            lines.append("user root")
        configuration = self.directory / "mosquitto.conf"
        configuration.write_text("\n".join(lines) + "\n")
        return [find_program("mosquitto") or "mosquitto", "-c", str(configuration)]

    def answers(self) -> bool:
        """Whether it listens."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0):
                return True
        except OSError:
            return False
