"""`hedgestat up` and `hedgestat run`: services in this process, against configured servers."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

import structlog

from services.command.endings import Failed, Refused, named_reasons
from services.gateway.__main__ import run as run_gateway
from services.hedger.__main__ import run as run_hedger
from services.ingest.__main__ import run as run_ingest
from services.signals.__main__ import run as run_signals
from shared.adapters.keyring import KeyMissing, KeysNeeded
from shared.adapters.settings import Settings
from shared.runtime.logs import configure_logging
from shared.runtime.process import ServiceMain, run_process
from shared.runtime.site import Site

SERVICES: Final[dict[str, ServiceMain]] = {
    "ingest": run_ingest,
    "signals": run_signals,
    "hedger": run_hedger,
    "gateway": run_gateway,
}
"""What runs all the time; the feed runs for a replay."""

KEYS: Final[dict[str, KeysNeeded]] = {
    "ingest": KeysNeeded(believes=("operator", "gateway")),
    "hedger": KeysNeeded(signs=("monitor",), believes=("gateway",)),
    "gateway": KeysNeeded(signs=("gateway",), believes=("monitor", "operator")),
}
"""What a service signs with and whom it must be able to believe."""

log = structlog.get_logger()


def run_services(
    settings: Settings, services: Mapping[str, ServiceMain], *, port: int, next_free: bool
) -> None:
    """Run services until SIGTERM or Ctrl-C; what ends one of them is said in one line.

    Raises:
        Refused: A key is missing that one of them needs.
        SystemExit: With 1, when a service could not go on.
    """
    site = Site(settings=settings)
    check_keys(site, services)
    configure_logging(settings.logs.level)
    try:
        with named_reasons():
            asyncio.run(run_process(site, services, port=port, next_free=next_free))
    except Failed as failed:
        for reason in failed.args:
            log.critical("stopped", reason=reason)
        raise SystemExit(1) from None
    except KeyboardInterrupt:  # the second one: services were not waited for
        raise SystemExit(130) from None


def check_keys(site: Site, services: Iterable[str]) -> None:
    """See that services have the keys that they need.

    Raises:
        Refused: One is missing, or cannot be read; the text says what to do.
    """
    try:
        for service in services:
            if needed := KEYS.get(service):
                site.keyring.require(needed)
    except KeyMissing as missing:
        raise Refused(str(missing)) from missing
