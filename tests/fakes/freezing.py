"""`hedgestat`, frozen between the look at its lease and the sending of an order.

The process stops itself with SIGSTOP where nothing but the kernel stands between the last check
and the publish; it goes on there when somebody sends SIGCONT. Each order freezes its first two
senders: `FROZEN_ORDERS` names a directory where those that did are noted, for all replicas.
"""

import contextlib
import os
import signal
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from services.__main__ import main
from shared.adapters.bus import NotPublished, Publication
from shared.adapters.mqtt import MqttBus
from shared.wire import topics

_publish_all = MqttBus.publish_all


async def publish_all(
    bus: MqttBus,
    publications: Sequence[Publication],
    **options: Any,  # noqa: ANN401 - as it has them
) -> list[NotPublished | None]:
    """Publish; before the first sendings of each order, freeze."""
    for each in publications:
        if each.topic.startswith(f"{topics.PREFIX}/books/") and each.topic.endswith("/orders"):
            order = msgspec.json.decode(each.payload.partition(b"\n")[0])["order_id"]
            _freeze_twice(sha256(order.encode()).hexdigest())
    return await _publish_all(bus, publications, **options)


def _freeze_twice(order: str) -> None:
    for number in (1, 2):
        with contextlib.suppress(FileExistsError):
            (Path(os.environ["FROZEN_ORDERS"]) / f"{order}.{number}").touch(exist_ok=False)
            os.kill(os.getpid(), signal.SIGSTOP)
            return


if __name__ == "__main__":
    MqttBus.publish_all = publish_all  # type: ignore[assignment,method-assign]
    main()
