import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared.runtime.logs import configure_logging


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_an_event_is_one_json_line_with_its_keys() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)

    structlog.get_logger("hedger").info("trigger_fired", hedge="vix", count=3)

    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "trigger_fired",
        "hedge": "vix",
        "count": 3,
        "level": "info",
        "logger": "hedger",
    }


def test_the_standard_librarys_records_go_the_same_way() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)

    logging.getLogger("uvicorn.error").warning("slow %s", "client")

    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["logger"]) == (
        "slow client",
        "warning",
        "uvicorn.error",
    )


def test_people_at_a_terminal_get_no_json() -> None:
    stream = Terminal()
    configure_logging(stream=stream)

    structlog.get_logger().info("trigger_fired", hedge="vix")

    assert "trigger_fired" in stream.getvalue()
    assert "{" not in stream.getvalue()


def test_nothing_below_the_level_is_written() -> None:
    stream = io.StringIO()
    configure_logging("warning", stream=stream)

    structlog.get_logger().info("tick")
    logging.getLogger("mqtt").info("ping")

    assert stream.getvalue() == ""


@pytest.mark.parametrize("make_stream", [io.StringIO, Terminal])
def test_a_password_never_gets_out(make_stream: type[io.StringIO]) -> None:
    stream = make_stream()
    configure_logging(stream=stream)
    canary = "canary"
    url = f"redis://ingest:{canary}@host:6379/0"
    log = structlog.get_logger()

    log.info("connecting", url=url, settings={"urls": [url], "api_token": canary})
    log.info("connecting to %s", url)
    log.info("object", thing=ValueError(url), password=canary)
    logging.getLogger("redis").warning("cannot reach %s", url)
    log.error("failed", exc_info=ConnectionError(url))

    assert canary not in stream.getvalue()
    assert stream.getvalue().count("ingest:***@host") == 6
