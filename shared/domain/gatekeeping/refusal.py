"""An order that the gateway does not take: why, in a word and in a sentence."""

from msgspec import Struct


class Refusal(Struct, frozen=True):
    """Why not.

    Attributes:
        reason: One of few words: a metric's label.
        detail: The same for a person, with the figures.
    """

    reason: str
    detail: str

    def __str__(self) -> str:
        """Both, as the hedger and the journal are told."""
        return f"{self.reason}: {self.detail}"


def beyond(limit_name: str, value: float, limit: float) -> Refusal | None:
    """Return a refusal unless a value is within its limit; one that is no number is not."""
    if value <= limit:
        return None
    return Refusal(limit_name, f"{value:.12g} is beyond {limit:.12g}")
