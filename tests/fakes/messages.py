"""Messages as a bus hands them over, and what a sender would put into them."""

from typing import Any

import msgspec

from shared.adapters.bus import Message


class Acknowledgements:
    """Where messages come from: remembers which were dealt with."""

    def __init__(self) -> None:
        self.message_ids: list[int] = []

    def acknowledge(self, message_id: int) -> None:
        self.message_ids.append(message_id)


def message(
    topic: str,
    content: Any,  # noqa: ANN401 - whatever a sender sends
    *,
    retain: bool = False,
    content_type: str | None = None,
) -> Message:
    """A message of QoS 1 with `content` as JSON; bytes are taken as they are."""
    payload = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return Message(topic, payload, 1, retain, content_type, 1, Acknowledgements())
