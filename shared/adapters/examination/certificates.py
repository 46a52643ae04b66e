"""Who broker and stores say that they are, and for how long their certificates are good."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from shared.adapters.clock import Clock
from shared.adapters.connections import ConnectionSettings, redacted
from shared.adapters.examination.findings import Finding, well, wrong
from shared.adapters.settings import Settings
from shared.domain.instants import DAY, SECOND

PATIENCE_S: Final = 5.0
SOON_DAYS: Final = 14
_PORTS: Final = {"mqtts": 8883, "rediss": 6379}
_RENEW: Final = "`hedgestat certificates make`, and start the server again"


async def examine_certificates(settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    """Look at the certificate of each server that speaks TLS; nothing of those that do not."""
    servers = {
        "broker": settings.mqtt,
        "store for orders": settings.redis.orders,
        "store for market": settings.redis.market,
    }
    for name, where in servers.items():
        if urlsplit(where.url).scheme in _PORTS:
            yield await _certificate(f"{name} {redacted(where.url)}: certificate", where, clock)


async def _certificate(subject: str, where: ConnectionSettings, clock: Clock) -> Finding:
    try:
        shown = await _shown(where)
    except ssl.SSLCertVerificationError as error:
        remedy = (
            f"let [mqtt] and [redis] ca_file name who signed it, and the URL a name in it; {_RENEW}"
        )
        return wrong(subject, error.verify_message, remedy)
    except (OSError, TimeoutError) as error:
        return wrong(subject, str(error) or "no answer", "start the server; correct its URL")
    ends_s = ssl.cert_time_to_seconds(str(shown["notAfter"]))
    days = (ends_s * SECOND - clock.now_ns()) // DAY
    until = datetime.fromtimestamp(ends_s, tz=UTC).date().isoformat()
    seen = f"good until {until}, {days} more days"
    return well(subject, seen) if days >= SOON_DAYS else wrong(subject, seen, _RENEW)


async def _shown(where: ConnectionSettings) -> Mapping[str, Any]:
    """Shake hands, and return what the server has shown of itself.

    Raises:
        OSError: It does not answer, or its certificate is not believed.
        TimeoutError: It is too slow.
    """
    parts = urlsplit(where.url)
    async with asyncio.timeout(PATIENCE_S):
        _, writer = await asyncio.open_connection(
            parts.hostname, parts.port or _PORTS[parts.scheme], ssl=where.tls_context()
        )
        try:
            return dict(writer.get_extra_info("peercert"))
        finally:
            writer.close()
            with contextlib.suppress(OSError):  # how they part does not matter
                await writer.wait_closed()
