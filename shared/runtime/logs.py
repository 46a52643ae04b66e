"""Logging, set up once a process: an event's name and keys; JSON for machines, colour for people.

Passwords never get out: the password in a URL is replaced wherever it stands, tracebacks included,
and so is the value of any key whose name says that it is a secret.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal, TextIO

import structlog

from shared.adapters.connections import redacted

Level = Literal["debug", "info", "warning", "error"]

_SECRET: Final = re.compile(r"password|passwd|secret|token|private_key|credential", re.IGNORECASE)


def configure_logging(level: Level = "info", *, stream: TextIO | None = None) -> None:
    """Send structlog's events and the standard library's records to one place.

    Args:
        level: The lowest that is written.
        stream: Where to; standard output when absent. JSON lines unless it is a terminal.
    """
    stream = stream or sys.stdout
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact_secrets,
                _renderer(stream),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def redact_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: `event` without secrets."""
    return {key: _redact(key, value) for key, value in event.items()}


def _redact(key: str, value: object) -> object:
    if _SECRET.search(key) and value is not None:
        return "***"
    match value:
        case str():
            return redacted(value)
        case Mapping():
            return {inner: _redact(str(inner), each) for inner, each in value.items()}
        case list() | tuple():
            return [_redact("", each) for each in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return redacted(repr(value))


def _renderer(stream: TextIO) -> structlog.typing.Processor:
    if stream.isatty():
        return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer()
