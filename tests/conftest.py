"""Real servers for the tests that ask for one: a fresh one each, in the test's own directory."""

import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import structlog
from fakes.servers import IotcoreServer, MosquittoServer, RedisServer, ValkeyServer

# No test is timed: the first example loads compiled code, and machines are busy.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture
def mosquitto_server(tmp_path: Path) -> Iterator[MosquittoServer]:
    with MosquittoServer(tmp_path / "mosquitto") as server:
        yield server


@pytest.fixture
def iotcore_server(tmp_path: Path) -> Iterator[IotcoreServer]:
    with IotcoreServer(tmp_path / "iotcore") as server:
        yield server


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def valkey_server(tmp_path: Path) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path / "valkey") as server:
        yield server


@pytest.fixture(autouse=True)
def log_setup() -> Iterator[None]:
    """Leave logging to the next test as if no service had set it up in this one."""
    yield
    structlog.reset_defaults()
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(handler)
            root.setLevel(logging.WARNING)


def _configure_without_caching(**settings: Any) -> None:  # noqa: ANN401 - structlog's own
    _configure(**{**settings, "cache_logger_on_first_use": False})


_configure = structlog.configure
structlog.configure = _configure_without_caching  # type: ignore[assignment] # all by keyword
"""A logger that was used once would keep its processors for good, and no test could capture it."""


def pytest_configure() -> None:
    """Let the programs that tests start hear Ctrl-C, also when we run in the background.

    A shell starts background jobs with SIGINT ignored, and what they start inherits that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
